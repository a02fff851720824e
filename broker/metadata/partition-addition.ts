import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { Random } from '../../shared/runtime/random.ts';
import { assignAddedReplicas, AssignmentError } from '../../shared/topics/assignment.ts';
import type { ReplicaAssignment, TopicAssignment, ZooKeeperStore } from '../../shared/zookeeper/store.ts';
import { AdminError } from './admin-error.ts';
import { checkBrokersAlive, checkManualAssignment } from './manual-assignment.ts';
import type { MetadataCache } from './metadata-cache.ts';

export interface PartitionAdditionParts {
  readonly store: ZooKeeperStore;
  readonly metadata: MetadataCache;
  readonly random: Random;
}

/** Adds partitions to a topic by rewriting its znode; the controller brings them up (compare Kafka's AdminZkClient). */
export class PartitionAddition {
  readonly #parts: PartitionAdditionParts;

  constructor(parts: PartitionAdditionParts) {
    this.#parts = parts;
  }

  /**
   * @param count the total wanted, more than there are now
   * @param manual replicas of each new partition in order, or null to let the cluster assign
   * @throws AdminError when it cannot be done
   */
  async add(
    topic: string,
    count: number,
    manual: readonly (readonly number[])[] | null,
    validateOnly: boolean,
  ): Promise<void> {
    const { store, metadata } = this.#parts;
    // In this order: the mark outlives the topic's node, so that what has no mark any more has no node either.
    const [doomed, current] = await Promise.all([store.deletions.list(), store.topics.get(topic)]);
    // Whoever was told that the topic is gone must not be told that it is being deleted.
    if (doomed.includes(topic) && metadata.hasTopic(topic)) {
      throw new AdminError(ErrorCode.INVALID_TOPIC_EXCEPTION, `The topic '${topic}' is marked for deletion.`);
    }
    if (current === null || doomed.includes(topic)) {
      throw new AdminError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `The topic '${topic}' does not exist.`);
    }
    checkCount(topic, current, count);
    const added = manual === null ? this.#assign(current, count) : this.#manual(current, count, manual);
    if (validateOnly) return;
    const partitions = new Map<number, ReplicaAssignment>();
    for (const [partition, replicas] of added) partitions.set(partition, { replicas, adding: [], removing: [] });
    await store.topics.addPartitions(topic, partitions);
  }

  #assign(current: TopicAssignment, count: number): Map<number, readonly number[]> {
    const brokers = this.#parts.metadata.aliveBrokers();
    const existing = current.partitions.get(0)?.replicas ?? [];
    try {
      return assignAddedReplicas(brokers, existing, current.partitions.size, count, this.#parts.random);
    } catch (error) {
      if (error instanceof AssignmentError) throw new AdminError(ErrorCode[error.kind], error.message);
      throw error;
    }
  }

  #manual(
    current: TopicAssignment,
    count: number,
    manual: readonly (readonly number[])[],
  ): Map<number, readonly number[]> {
    const first = current.partitions.size;
    if (manual.length !== count - first) {
      throw new AdminError(
        ErrorCode.INVALID_REPLICA_ASSIGNMENT,
        `${count - first} partitions are to be added, but the assignment names ${manual.length}.`,
      );
    }
    const assignment = new Map(manual.map((replicas, index) => [first + index, replicas]));
    const alive = new Set(this.#parts.metadata.aliveBrokers().map(broker => broker.id));
    checkBrokersAlive(assignment, alive);
    checkManualAssignment(assignment, first, current.partitions.get(0)?.replicas.length);
    return assignment;
  }
}

function checkCount(topic: string, current: TopicAssignment, count: number): void {
  const reassigning = [...current.partitions.values()].some(p => p.adding.length > 0 || p.removing.length > 0);
  if (reassigning) {
    throw new AdminError(ErrorCode.REASSIGNMENT_IN_PROGRESS, `A partition reassignment of '${topic}' is in progress.`);
  }
  if (count <= current.partitions.size) {
    const relation = count === current.partitions.size ? 'already has' : 'has';
    throw new AdminError(
      ErrorCode.INVALID_PARTITIONS,
      `Topic '${topic}' ${relation} ${current.partitions.size} partitions, which is not lower than the requested ${count}: a count can only grow.`,
    );
  }
}
