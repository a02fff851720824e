import { partitionKey } from '../../shared/topics/topic-partition.ts';
import type { LeaderAndIsr, RegisteredBroker, ReplicaAssignment } from '../../shared/zookeeper/store.ts';
import type { PartitionState, ReplicaState } from './states.ts';

/** A partition as the controller knows it. The context owns it; state machines and handlers change it through events only. */
export interface ControlledPartition {
  readonly topic: string;
  readonly partition: number;
  /** Text form of topic and partition. */
  readonly key: string;
  assignment: ReplicaAssignment;
  /** What the state znode says; null while the partition has none. */
  leadership: LeaderAndIsr | null;
  state: PartitionState;
  /** By broker id. A replica without an entry is in state NonExistentReplica. */
  readonly replicaStates: Map<number, ReplicaState>;
}

export interface ControlledTopic {
  readonly name: string;
  readonly id: string;
  readonly partitions: Map<number, ControlledPartition>;
  /** Marked in `/admin/delete_topics`, and not yet gone. */
  queuedForDeletion: boolean;
  /** Its partitions have been taken offline for good. */
  deletionStarted: boolean;
  /** Its deletion halts, until a broker with replicas of it starts. */
  ineligibleForDeletion: boolean;
}

/** One replica of one partition. */
export interface PartitionReplica {
  readonly partition: ControlledPartition;
  readonly broker: number;
}

/**
 * Everything a controller knows of the cluster, for one term of office. Pure state: no effects, no waiting. As all of
 * it is changed by one event at a time, what an event reads here is consistent.
 */
export class ControllerContext {
  readonly #brokers = new Map<number, RegisteredBroker>();
  readonly #shuttingDown = new Set<number>();
  readonly #topics = new Map<string, ControlledTopic>();
  readonly #namesById = new Map<string, string>();
  /** By broker: keys of the partitions that it holds in a failed log directory. */
  readonly #offlineDirReplicas = new Map<number, Set<string>>();

  // ── brokers ──

  /** Takes over a new broker, or what an old one says of itself now. */
  putBroker(broker: RegisteredBroker): void {
    this.#brokers.set(broker.id, broker);
  }

  removeBroker(id: number): void {
    this.#brokers.delete(id);
  }

  broker(id: number): RegisteredBroker | undefined {
    return this.#brokers.get(id);
  }

  markShuttingDown(id: number): void {
    this.#shuttingDown.add(id);
  }

  clearShuttingDown(id: number): void {
    this.#shuttingDown.delete(id);
  }

  isShuttingDown(id: number): boolean {
    return this.#shuttingDown.has(id) && this.#brokers.has(id);
  }

  /** Registered, and not about to stop. */
  isLive(id: number): boolean {
    return this.#brokers.has(id) && !this.#shuttingDown.has(id);
  }

  /** All registered brokers, ascending by id: those that requests are sent to. */
  liveOrShuttingDownBrokers(): RegisteredBroker[] {
    return [...this.#brokers.values()].sort((a, b) => a.id - b.id);
  }

  liveOrShuttingDownIds(): number[] {
    return this.liveOrShuttingDownBrokers().map(broker => broker.id);
  }

  // ── topics and partitions ──

  addTopic(name: string, id: string): ControlledTopic {
    const topic: ControlledTopic = {
      name,
      id,
      partitions: new Map(),
      queuedForDeletion: false,
      deletionStarted: false,
      ineligibleForDeletion: false,
    };
    this.removeTopic(name);
    this.#topics.set(name, topic);
    this.#namesById.set(id, name);
    return topic;
  }

  removeTopic(name: string): void {
    const topic = this.#topics.get(name);
    if (topic === undefined) return;
    this.#topics.delete(name);
    this.#namesById.delete(topic.id);
    for (const { key } of topic.partitions.values()) {
      for (const keys of this.#offlineDirReplicas.values()) keys.delete(key);
    }
  }

  topic(name: string): ControlledTopic | undefined {
    return this.#topics.get(name);
  }

  topicById(id: string): ControlledTopic | undefined {
    const name = this.#namesById.get(id);
    return name === undefined ? undefined : this.#topics.get(name);
  }

  topics(): ControlledTopic[] {
    return [...this.#topics.values()];
  }

  /** Adds a partition in state NonExistentPartition, without leadership and replica states. */
  addPartition(topic: ControlledTopic, partition: number, assignment: ReplicaAssignment): ControlledPartition {
    const added: ControlledPartition = {
      topic: topic.name,
      partition,
      key: partitionKey(topic.name, partition),
      assignment,
      leadership: null,
      state: 'NonExistentPartition',
      replicaStates: new Map(),
    };
    topic.partitions.set(partition, added);
    return added;
  }

  partition(topic: string, partition: number): ControlledPartition | undefined {
    return this.#topics.get(topic)?.partitions.get(partition);
  }

  allPartitions(): ControlledPartition[] {
    return this.topics().flatMap(topic => [...topic.partitions.values()]);
  }

  isQueuedForDeletion(topic: string): boolean {
    return this.#topics.get(topic)?.queuedForDeletion === true;
  }

  // ── replicas ──

  /** Every replica on any of the brokers, in the order of topics and partitions. */
  replicasOn(brokers: ReadonlySet<number>): PartitionReplica[] {
    return replicasOf(this.allPartitions()).filter(({ broker }) => brokers.has(broker));
  }

  /** Whether the replica could serve: its broker is live and has not reported the log directory as failed. */
  isReplicaOnline(broker: number, { key }: ControlledPartition): boolean {
    return this.isLive(broker) && !this.isInOfflineDir(broker, key);
  }

  /** The same, but a broker that is shutting down counts as well. */
  isReplicaOnlineOrShuttingDown(broker: number, { key }: ControlledPartition): boolean {
    return this.#brokers.has(broker) && !this.isInOfflineDir(broker, key);
  }

  isInOfflineDir(broker: number, key: string): boolean {
    return this.#offlineDirReplicas.get(broker)?.has(key) === true;
  }

  hasOfflineDirs(broker: number): boolean {
    return (this.#offlineDirReplicas.get(broker)?.size ?? 0) > 0;
  }

  markInOfflineDir(broker: number, key: string): void {
    let keys = this.#offlineDirReplicas.get(broker);
    if (keys === undefined) this.#offlineDirReplicas.set(broker, (keys = new Set()));
    keys.add(key);
  }

  clearOfflineDir(broker: number, key: string): void {
    this.#offlineDirReplicas.get(broker)?.delete(key);
  }

  /** Forgets what was known of the broker's log directories: a restarted one will tell anew. */
  forgetOfflineDirs(broker: number): void {
    this.#offlineDirReplicas.delete(broker);
  }
}

/** All assigned replicas of the partitions. */
export function replicasOf(partitions: Iterable<ControlledPartition>): PartitionReplica[] {
  return [...partitions].flatMap(partition =>
    partition.assignment.replicas.map((broker): PartitionReplica => ({ partition, broker })),
  );
}

export function replicaState({ partition, broker }: PartitionReplica): ReplicaState {
  return partition.replicaStates.get(broker) ?? 'NonExistentReplica';
}

/** The first assigned replica, which should lead; undefined for a partition without replicas. */
export function preferredReplica({ assignment }: ControlledPartition): number | undefined {
  return assignment.replicas[0];
}

/** A reassignment (KIP-455) is under way: its adding and removing replicas must be carried along in every write. */
export function isBeingReassigned({ assignment }: ControlledPartition): boolean {
  return assignment.adding.length > 0 || assignment.removing.length > 0;
}
