import type { Clock, Timers } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { TopicPartition } from '../topics/topic-partition.ts';
import { PERSISTENT_PATHS } from './paths.ts';
import { PreferredElectionStore, ReassignmentStore, TopicDeletionStore } from './store/admin.ts';
import { BrokerStore } from './store/brokers.ts';
import { ClusterIdStore, FeatureStore } from './store/cluster.ts';
import { ConfigChangeListener } from './store/config-changes.ts';
import { ConfigStore } from './store/configs.ts';
import { createWithParents, read, type StoreContext } from './store/context.ts';
import { ConsumerOffsetStore } from './store/consumer-offsets.ts';
import { ControllerStore } from './store/controller.ts';
import { NotificationStore } from './store/notifications.ts';
import { PartitionStore } from './store/partitions.ts';
import { ProducerIdStore } from './store/producer-ids.ts';
import { TopicStore } from './store/topics.ts';
import type { ConfigChange } from './znodes/config.ts';
import type { ZooKeeper } from './zookeeper.ts';

export { acrossSessions } from './store/context.ts';
export { ControllerMovedError, type Fence } from './store/fence.ts';
export type { RegisteredBroker } from './store/brokers.ts';
export type { ControllerEpoch } from './store/controller.ts';
export type { PartitionStateEntry } from './store/partitions.ts';
export type { BrokerRegistration } from './znodes/broker.ts';
export type { ConfigChange } from './znodes/config.ts';
export type { LeaderAndIsr } from './znodes/partition-state.ts';
export type { WantedReplicas } from './znodes/reassignment.ts';
export type { ReplicaAssignment, TopicAssignment } from './znodes/topic.ts';

/**
 * The cluster's state in ZooKeeper, by noun. A call whose connection breaks goes on after the reconnect and finds out
 * whether it had taken effect: callers see a clean outcome, or SESSION_EXPIRED, or CLOSED.
 */
export class ZooKeeperStore {
  readonly brokers: BrokerStore;
  readonly clusterId: ClusterIdStore;
  readonly configs: ConfigStore;
  readonly consumerOffsets: ConsumerOffsetStore;
  readonly controller: ControllerStore;
  readonly deletions: TopicDeletionStore;
  readonly feature: FeatureStore;
  readonly isrChanges: NotificationStore<readonly TopicPartition[]>;
  readonly logDirEvents: NotificationStore<number | null>;
  readonly partitions: PartitionStore;
  readonly preferredElection: PreferredElectionStore;
  readonly producerIds: ProducerIdStore;
  readonly reassignments: ReassignmentStore;
  readonly topics: TopicStore;
  readonly #context: StoreContext;

  constructor(zk: ZooKeeper, seams: { clock: Clock; timers: Timers; logger: Logger }) {
    const context = { zk, ...seams };
    this.#context = context;
    this.brokers = new BrokerStore(context);
    this.clusterId = new ClusterIdStore(context);
    this.configs = new ConfigStore(context);
    this.consumerOffsets = new ConsumerOffsetStore(context);
    this.controller = new ControllerStore(context);
    this.deletions = new TopicDeletionStore(context);
    this.feature = new FeatureStore(context);
    this.isrChanges = NotificationStore.isrChanges(context);
    this.logDirEvents = NotificationStore.logDirEvents(context);
    this.partitions = new PartitionStore(context);
    this.preferredElection = new PreferredElectionStore(context);
    this.producerIds = new ProducerIdStore(context);
    this.reassignments = new ReassignmentStore(context);
    this.topics = new TopicStore(context);
  }

  /** Creates the nodes that every broker relies on; those that are there stay as they are. */
  async ensurePersistentPaths(): Promise<void> {
    const present = await Promise.all(PERSISTENT_PATHS.map(path => read(this.#context, path)));
    const missing = PERSISTENT_PATHS.filter((_, index) => present[index] === null);
    for (const path of missing) await createWithParents(this.#context, path, null);
  }

  /** A listener for config changes, not yet started; `handle` is called for one change at a time. */
  configChanges(handle: (change: ConfigChange) => void | Promise<void>): ConfigChangeListener {
    return new ConfigChangeListener(this.#context, handle);
  }
}
