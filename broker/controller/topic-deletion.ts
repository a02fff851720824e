import type { Logger } from '../../shared/runtime/logger.ts';
import type { Fence, ZooKeeperStore } from '../../shared/zookeeper/store.ts';
import {
  isBeingReassigned,
  replicasOf,
  replicaState,
  type ControlledTopic,
  type ControllerContext,
  type PartitionReplica,
} from './context.ts';
import type { ControlRequests } from './control-requests.ts';
import type { Failpoints } from './failpoints.ts';
import type { PartitionStates } from './partition-states.ts';
import type { ReplicaStates } from './replica-states.ts';

export interface TopicDeletionParts {
  readonly fence: Fence;
  readonly context: ControllerContext;
  readonly store: ZooKeeperStore;
  readonly requests: ControlRequests;
  readonly partitions: PartitionStates;
  readonly replicas: ReplicaStates;
  readonly isEnabled: () => boolean;
  readonly logger: Logger;
  readonly failpoints?: Failpoints | undefined;
}

/**
 * Deletes topics (Kafka: `TopicDeletionManager`). A deletion goes on whenever something happens that may let it, and
 * what it has done so far shows in the replicas' states alone:
 *
 *   queued ─► partitions taken offline, brokers forget the topic ─► replicas: Offline ─► DeletionStarted ─┐
 *     ▲                                                                                                   │ answers
 *     │  a broker with replicas starts                                                                    ▼
 *   ineligible ◄── a replica is offline or could not be deleted ◄──────────────────────── all DeletionSuccessful
 *                                                                                                         │
 *                                                       topic znode, then its config, then the mark ◄─────┘
 *
 * The mark in `/admin/delete_topics` goes last, so that a successor of this controller goes on at any point.
 */
export class TopicDeletion {
  readonly #parts: TopicDeletionParts;

  constructor(parts: TopicDeletionParts) {
    this.#parts = parts;
  }

  /**
   * Takes over the marks that a new controller finds. Those of topics that are gone were left by one that died between
   * its last steps; topics with an offline replica wait for it.
   */
  async load(marked: readonly string[]): Promise<void> {
    const { context } = this.#parts;
    if (!this.#parts.isEnabled()) return this.#refuse(marked);
    for (const name of marked) {
      const topic = context.topic(name);
      if (topic === undefined) {
        await this.#removeRest(name);
        continue;
      }
      topic.queuedForDeletion = true;
      topic.ineligibleForDeletion = replicasOf(topic.partitions.values()).some(
        ({ partition, broker }) => !context.isReplicaOnline(broker, partition),
      );
    }
  }

  /** Somebody marked topics: queues those that exist and takes the marks off the others. */
  async marksChanged(marked: readonly string[]): Promise<void> {
    const { context, store, fence } = this.#parts;
    if (!this.#parts.isEnabled()) return this.#refuse(marked);
    const unknown = marked.filter(name => context.topic(name) === undefined);
    if (unknown.length > 0) await store.deletions.clear(unknown, fence);
    const added = marked.flatMap(name => context.topic(name) ?? []).filter(topic => !topic.queuedForDeletion);
    for (const topic of added) topic.queuedForDeletion = true;
    if (added.length > 0) await this.resume();
  }

  async #refuse(marked: readonly string[]): Promise<void> {
    if (marked.length === 0) return;
    this.#parts.logger.info({ topics: marked }, 'topics are not deleted: delete.topic.enable=false');
    await this.#parts.store.deletions.clear(marked, this.#parts.fence);
  }

  /** What kept the topics from being deleted is over. */
  async makeEligible(topics: Iterable<ControlledTopic>): Promise<void> {
    let any = false;
    for (const topic of topics) {
      if (!topic.queuedForDeletion) continue;
      topic.ineligibleForDeletion = false;
      any = true;
    }
    if (any) await this.resume();
  }

  /** Brokers could not delete the replicas, or are gone. */
  async replicasFailed(replicas: readonly PartitionReplica[]): Promise<void> {
    const { context, logger } = this.#parts;
    const doomed = replicas.filter(({ partition }) => context.isQueuedForDeletion(partition.topic));
    if (doomed.length === 0) return;
    for (const { partition, broker } of doomed) {
      logger.info({ topic: partition.topic, broker }, `deletion of ${partition.topic} halts: replica not deleted`);
      context.topic(partition.topic)!.ineligibleForDeletion = true;
    }
    // Those whose deletion has not begun are offline already, or will be dealt with when it begins.
    const started = doomed.filter(replica => replicaState(replica) === 'ReplicaDeletionStarted');
    await this.#parts.replicas.change(started, 'ReplicaDeletionIneligible');
    await this.resume();
  }

  /** Brokers have deleted the replicas. */
  async replicasDeleted(replicas: readonly PartitionReplica[]): Promise<void> {
    const started = replicas.filter(replica => replicaState(replica) === 'ReplicaDeletionStarted');
    await this.#parts.replicas.change(started, 'ReplicaDeletionSuccessful');
    await this.resume();
  }

  /** Takes every deletion as far as it can go now. */
  async resume(): Promise<void> {
    const queued = this.#parts.context.topics().filter(topic => topic.queuedForDeletion);
    const retried: PartitionReplica[] = [];
    const eligible: ControlledTopic[] = [];
    for (const topic of queued) {
      const replicas = replicasOf(topic.partitions.values());
      const states = new Set(replicas.map(replicaState));
      if (replicas.every(replica => replicaState(replica) === 'ReplicaDeletionSuccessful')) {
        await this.#complete(topic, replicas);
        continue;
      }
      if (states.has('ReplicaDeletionStarted')) continue;
      retried.push(...replicas.filter(replica => replicaState(replica) === 'ReplicaDeletionIneligible'));
      if (!isHalted(topic)) eligible.push(topic);
    }
    await this.#parts.replicas.change(retried, 'OfflineReplica');
    if (eligible.length > 0) await this.#begin(eligible);
  }

  async #begin(topics: readonly ControlledTopic[]): Promise<void> {
    const { failpoints, requests } = this.#parts;
    await failpoints?.hit('topic-deletion.before-start');
    await this.#takeOffline(topics.filter(topic => !topic.deletionStarted));
    await requests.sendMetadataToAll(topics.flatMap(topic => [...topic.partitions.values()]));
    await failpoints?.hit('topic-deletion.before-replicas');
    await this.#deleteReplicas(topics);
  }

  async #takeOffline(topics: readonly ControlledTopic[]): Promise<void> {
    const partitions = topics.flatMap(topic => [...topic.partitions.values()]);
    await this.#parts.partitions.change(partitions, 'OfflinePartition');
    await this.#parts.partitions.change(partitions, 'NonExistentPartition');
    for (const topic of topics) topic.deletionStarted = true;
  }

  async #deleteReplicas(topics: readonly ControlledTopic[]): Promise<void> {
    const { context, logger, replicas } = this.#parts;
    const all = topics.flatMap(topic => replicasOf(topic.partitions.values()));
    const isOnline = ({ partition, broker }: PartitionReplica) => context.isReplicaOnline(broker, partition);
    const dead = all.filter(replica => !isOnline(replica));
    const live = all.filter(replica => isOnline(replica) && replicaState(replica) !== 'ReplicaDeletionSuccessful');
    for (const { partition } of dead) {
      const topic = context.topic(partition.topic)!;
      if (!topic.ineligibleForDeletion) {
        logger.info({ topic: topic.name }, `deletion of ${topic.name} halts until all its replicas are online`);
      }
      topic.ineligibleForDeletion = true;
    }
    const halted = dead.filter(replica => replicaState(replica) === 'OfflineReplica');
    await replicas.change(halted, 'ReplicaDeletionIneligible');
    await replicas.change(live, 'OfflineReplica');
    await replicas.change(live, 'ReplicaDeletionStarted');
  }

  /** Every replica is gone. */
  async #complete(topic: ControlledTopic, replicas: readonly PartitionReplica[]): Promise<void> {
    const { context, fence, store, failpoints, logger } = this.#parts;
    await this.#parts.replicas.change(replicas, 'NonExistentReplica');
    await failpoints?.hit('topic-deletion.before-topic-removal');
    await store.topics.remove(topic.name, fence);
    await failpoints?.hit('topic-deletion.after-topic-removal');
    await this.#removeRest(topic.name);
    context.removeTopic(topic.name);
    logger.info({ topic: topic.name }, `topic ${topic.name} is deleted`);
  }

  async #removeRest(name: string): Promise<void> {
    const { fence, store, failpoints } = this.#parts;
    await store.configs.remove('topics', name);
    await failpoints?.hit('topic-deletion.after-config-removal');
    await store.deletions.clear([name], fence);
    await failpoints?.hit('topic-deletion.after-mark-removal');
  }
}

/** While a reassignment is under way, nothing is deleted: its end lets the deletion go on. */
export function isHalted(topic: ControlledTopic): boolean {
  return topic.ineligibleForDeletion || [...topic.partitions.values()].some(isBeingReassigned);
}
