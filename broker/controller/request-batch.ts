import type { RequestInput } from '../../shared/protocol/api.ts';
import type { LeaderAndIsr } from '../../shared/protocol/messages/leader-and-isr.ts';
import type { StopReplica } from '../../shared/protocol/messages/stop-replica.ts';
import type { UpdateMetadata } from '../../shared/protocol/messages/update-metadata.ts';
import type { RegisteredBroker } from '../../shared/zookeeper/store.ts';
import type { ControlledPartition, ControllerContext } from './context.ts';

export type LeaderAndIsrRequest = RequestInput<typeof LeaderAndIsr>;
export type UpdateMetadataRequest = RequestInput<typeof UpdateMetadata>;
export type StopReplicaRequest = RequestInput<typeof StopReplica>;

/** A request to one broker. */
export type ControlRequest =
  | { readonly kind: 'leaderAndIsr'; readonly broker: number; readonly request: LeaderAndIsrRequest }
  | { readonly kind: 'updateMetadata'; readonly broker: number; readonly request: UpdateMetadataRequest }
  | { readonly kind: 'stopReplica'; readonly broker: number; readonly request: StopReplicaRequest };

/** Who sends: both stand in every request. */
export interface ControllerIdentity {
  readonly brokerId: number;
  readonly epoch: number;
}

/**
 * Type of an UpdateMetadata that lists every partition there is: what it does not list does not exist any more. Kafka
 * has it for controllers in Raft mode, and passes over it otherwise. Here it also cures brokers which missed that a
 * topic was deleted, because the controller that knew of it died, or because they had lost their session.
 */
const FULL_UPDATE = 2;
const INCREMENTAL_UPDATE = 0;

/** Leader by which brokers learn that a partition goes away (Kafka: `LeaderAndIsr.LeaderDuringDelete`). */
export const LEADER_DURING_DELETE = -2;
/** Leader epoch of StopReplica for a partition that goes away, and for one that has no state. */
const EPOCH_DURING_DELETE = -2;
const UNKNOWN_EPOCH = -1;

const SECURITY_PROTOCOL_IDS: Readonly<Record<string, number>> = {
  PLAINTEXT: 0,
  SSL: 1,
  SASL_PLAINTEXT: 2,
  SASL_SSL: 3,
};

/** A partition as an entry of a request, with what only this request says of it. */
interface Entry {
  readonly partition: ControlledPartition;
  /** LeaderAndIsr: the replica is new. StopReplica: delete it. Once said it stays said. */
  readonly flag: boolean;
}

type EntriesByBroker = Map<number, Map<string, Entry>>;

/**
 * Collects what one step of the state machines has to tell whom, and makes one request of each kind per broker of it
 * (Kafka: `AbstractControllerBrokerRequestBatch`). Only registered brokers are told. What goes out is the leadership
 * at the time of `drain`.
 */
export class RequestBatch {
  readonly #identity: ControllerIdentity;
  readonly #context: ControllerContext;
  /** Listener by which brokers reach each other: the addresses of the leaders are those on it. */
  readonly #interBrokerListener: string;
  readonly #leaderAndIsr: EntriesByBroker = new Map();
  readonly #stopReplica: EntriesByBroker = new Map();
  readonly #metadataBrokers = new Set<number>();
  readonly #metadataPartitions = new Map<string, ControlledPartition>();
  #metadataIsFull = false;

  constructor(identity: ControllerIdentity, context: ControllerContext, interBrokerListener: string) {
    this.#identity = identity;
    this.#context = context;
    this.#interBrokerListener = interBrokerListener;
  }

  get isEmpty(): boolean {
    return this.#leaderAndIsr.size + this.#stopReplica.size + this.#metadataBrokers.size === 0;
  }

  /** The partition's leadership for its replicas; everybody else learns of it by UpdateMetadata. */
  addLeaderAndIsr(brokers: readonly number[], partition: ControlledPartition, isNew: boolean): void {
    for (const broker of brokers) this.#addEntry(this.#leaderAndIsr, broker, partition, isNew);
    this.addUpdateMetadata(this.#context.liveOrShuttingDownIds(), [partition]);
  }

  /** The list of live brokers, and what is known of the partitions. Those without leadership are left out. */
  addUpdateMetadata(brokers: readonly number[], partitions: readonly ControlledPartition[]): void {
    for (const broker of brokers) if (this.#isReachable(broker)) this.#metadataBrokers.add(broker);
    for (const partition of partitions) {
      if (partition.leadership !== null) this.#metadataPartitions.set(partition.key, partition);
    }
  }

  /** The list of live brokers, and all partitions: the brokers forget any other. */
  addFullMetadata(brokers: readonly number[]): void {
    this.#metadataIsFull = true;
    this.addUpdateMetadata(brokers, this.#context.allPartitions());
  }

  addStopReplica(broker: number, partition: ControlledPartition, deletePartition: boolean): void {
    this.#addEntry(this.#stopReplica, broker, partition, deletePartition);
  }

  #isReachable(broker: number): boolean {
    return this.#context.broker(broker) !== undefined;
  }

  #addEntry(kind: EntriesByBroker, broker: number, partition: ControlledPartition, flag: boolean): void {
    if (!this.#isReachable(broker)) return;
    let entries = kind.get(broker);
    if (entries === undefined) kind.set(broker, (entries = new Map<string, Entry>()));
    const before = entries.get(partition.key)?.flag ?? false;
    entries.set(partition.key, { partition, flag: flag || before });
  }

  /**
   * The requests in the order in which they must be sent: a broker hears of its own part before the cluster hears of
   * it, and stops replicas last. The batch is empty afterwards.
   */
  drain(): ControlRequest[] {
    const requests = [
      ...this.#leaderAndIsrRequests(),
      ...this.#updateMetadataRequests(),
      ...this.#stopReplicaRequests(),
    ];
    this.#leaderAndIsr.clear();
    this.#metadataBrokers.clear();
    this.#metadataPartitions.clear();
    this.#metadataIsFull = false;
    this.#stopReplica.clear();
    return requests;
  }

  #header(broker: number): { controllerId: number; controllerEpoch: number; brokerEpoch: bigint } {
    const { brokerId, epoch } = this.#identity;
    return {
      controllerId: brokerId,
      controllerEpoch: epoch,
      brokerEpoch: this.#context.broker(broker)?.epoch ?? -1n,
    };
  }

  #leaderAndIsrRequests(): ControlRequest[] {
    return [...this.#leaderAndIsr].map(([broker, entries]) => {
      const topicStates = groupByTopic(entries.values()).map(({ topic, entries: group }) => ({
        topicName: topic,
        topicId: this.#context.topic(topic)!.id,
        partitionStates: group.map(leaderAndIsrState),
      }));
      const leaders = new Set([...entries.values()].map(({ partition }) => partition.leadership!.leader));
      const request = { ...this.#header(broker), type: 0, topicStates, liveLeaders: this.#liveLeaders(leaders) };
      return { kind: 'leaderAndIsr', broker, request };
    });
  }

  #liveLeaders(leaders: ReadonlySet<number>): LeaderAndIsrRequest['liveLeaders'] {
    return this.#context.liveOrShuttingDownBrokers().flatMap(({ id, registration }) => {
      const endpoint = registration.endpoints.find(({ listenerName }) => listenerName === this.#interBrokerListener);
      if (endpoint === undefined || !leaders.has(id)) return [];
      return [{ brokerId: id, hostName: endpoint.host, port: endpoint.port }];
    });
  }

  /** All brokers get the same lists, made once. */
  #updateMetadataRequests(): ControlRequest[] {
    const entries = [...this.#metadataPartitions.values()].map(partition => ({ partition, flag: false }));
    const topicStates = groupByTopic(entries).map(({ topic, entries: group }) => ({
      topicName: topic,
      topicId: this.#context.topic(topic)!.id,
      partitionStates: group.map(({ partition }) => this.#metadataState(partition)),
    }));
    const liveBrokers = this.#context.liveOrShuttingDownBrokers().map(describeBroker);
    const type = this.#metadataIsFull ? FULL_UPDATE : INCREMENTAL_UPDATE;
    return [...this.#metadataBrokers].map(broker => ({
      kind: 'updateMetadata',
      broker,
      request: { ...this.#header(broker), type, topicStates, liveBrokers },
    }));
  }

  #metadataState(partition: ControlledPartition): MetadataPartition {
    const { leader, leaderEpoch, isr, controllerEpoch, partitionEpoch } = partition.leadership!;
    const goesAway = this.#context.isQueuedForDeletion(partition.topic);
    return {
      partitionIndex: partition.partition,
      controllerEpoch,
      leader: goesAway ? LEADER_DURING_DELETE : leader,
      leaderEpoch,
      isr,
      zkVersion: partitionEpoch,
      replicas: partition.assignment.replicas,
      offlineReplicas: partition.assignment.replicas.filter(
        broker => !this.#context.isReplicaOnline(broker, partition),
      ),
    };
  }

  #stopReplicaRequests(): ControlRequest[] {
    return [...this.#stopReplica].map(([broker, entries]) => {
      const topicStates = groupByTopic(entries.values()).map(({ topic, entries: group }) => ({
        topicName: topic,
        partitionStates: group.map(({ partition, flag }) => ({
          partitionIndex: partition.partition,
          leaderEpoch: this.#stopEpoch(partition),
          deletePartition: flag,
        })),
      }));
      return { kind: 'stopReplica', broker, request: { ...this.#header(broker), topicStates } };
    });
  }

  #stopEpoch({ topic, leadership }: ControlledPartition): number {
    return this.#context.isQueuedForDeletion(topic) ? EPOCH_DURING_DELETE : (leadership?.leaderEpoch ?? UNKNOWN_EPOCH);
  }
}

type LeaderAndIsrPartition = NonNullable<LeaderAndIsrRequest['topicStates']>[number]['partitionStates'][number];
type MetadataPartition = NonNullable<UpdateMetadataRequest['topicStates']>[number]['partitionStates'][number];

function leaderAndIsrState({ partition, flag }: Entry): LeaderAndIsrPartition {
  const { leader, leaderEpoch, isr, controllerEpoch, partitionEpoch, recovering } = partition.leadership!;
  const { replicas, adding, removing } = partition.assignment;
  return {
    partitionIndex: partition.partition,
    controllerEpoch,
    leader,
    leaderEpoch,
    isr,
    partitionEpoch,
    replicas,
    addingReplicas: adding,
    removingReplicas: removing,
    isNew: flag,
    leaderRecoveryState: recovering ? 1 : 0,
  };
}

function describeBroker({ id, registration }: RegisteredBroker): UpdateMetadataRequest['liveBrokers'][number] {
  return {
    id,
    rack: registration.rack,
    endpoints: registration.endpoints.map(({ host, port, listenerName, securityProtocol }) => ({
      port,
      host,
      listener: listenerName,
      securityProtocol: SECURITY_PROTOCOL_IDS[securityProtocol] ?? 0,
    })),
  };
}

function groupByTopic(entries: Iterable<Entry>): { topic: string; entries: Entry[] }[] {
  const groups = new Map<string, Entry[]>();
  for (const entry of entries) {
    const { topic } = entry.partition;
    const group = groups.get(topic);
    if (group === undefined) groups.set(topic, [entry]);
    else group.push(entry);
  }
  return [...groups].map(([topic, group]) => ({ topic, entries: group }));
}
