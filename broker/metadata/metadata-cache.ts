import { partitionKey } from '../../shared/topics/topic-partition.ts';

/** An address of a broker on one listener, as advertised. */
export interface BrokerEndpoint {
  readonly listenerName: string;
  readonly securityProtocol: string;
  readonly host: string;
  readonly port: number;
}

/** A live broker as the controller told it. */
export interface AliveBroker {
  readonly id: number;
  readonly rack: string | null;
  readonly endpoints: readonly BrokerEndpoint[];
}

/** What the controller last said about a partition (UpdateMetadata). */
export interface PartitionMetadata {
  readonly topic: string;
  readonly partition: number;
  readonly controllerEpoch: number;
  /** -1 = no leader. */
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly isr: readonly number[];
  /** The state znode's version ("zkVersion"). */
  readonly partitionEpoch: number;
  readonly replicas: readonly number[];
  readonly offlineReplicas: readonly number[];
}

/** Leader value by which the controller tells brokers to forget a partition: its topic is being deleted. */
export const LEADER_DURING_DELETE = -2;

/** One UpdateMetadata, decoded: brokers replace the former list, partitions are merged into what is known. */
export interface MetadataUpdate {
  readonly controllerId: number;
  /** Whether the partitions are all there are: what is known besides has been deleted unheard. */
  readonly isFull?: boolean;
  readonly brokers: readonly AliveBroker[];
  readonly topics: readonly {
    readonly topic: string;
    /** 22-character id, or null when the controller sent none. */
    readonly topicId: string | null;
    readonly partitions: readonly PartitionMetadata[];
  }[];
}

/** What an update changed, for those who wait for topics to appear or vanish. */
export interface MetadataChange {
  readonly updated: readonly PartitionMetadata[];
  readonly removed: readonly { readonly topic: string; readonly partition: number }[];
}

interface TopicEntry {
  topicId: string | null;
  readonly partitions: Map<number, PartitionMetadata>;
}

/**
 * The cluster as this broker last heard it from the controller. Answers Metadata requests and tells followers where
 * their leaders are. The only writer is the UpdateMetadata handler, through `apply`.
 */
export class MetadataCache {
  #controllerId: number | null = null;
  #brokers = new Map<number, AliveBroker>();
  readonly #topics = new Map<string, TopicEntry>();
  readonly #namesById = new Map<string, string>();
  readonly #listeners: ((change: MetadataChange) => void)[] = [];

  /** Id of the active controller, or null when none is known or it is not alive. */
  get controllerId(): number | null {
    return this.#controllerId !== null && this.#brokers.has(this.#controllerId) ? this.#controllerId : null;
  }

  /** Calls `listener` after each applied update, in order of registration. */
  onChange(listener: (change: MetadataChange) => void): void {
    this.#listeners.push(listener);
  }

  apply(update: MetadataUpdate): MetadataChange {
    this.#controllerId = update.controllerId;
    this.#brokers = new Map(update.brokers.map(broker => [broker.id, broker]));
    const updated: PartitionMetadata[] = [];
    const removed: { topic: string; partition: number }[] = [];
    for (const { topic, topicId, partitions } of update.topics) {
      for (const partition of partitions) {
        if (partition.leader === LEADER_DURING_DELETE) {
          this.#remove(topic, partition.partition);
          removed.push({ topic, partition: partition.partition });
        } else {
          this.#put(topic, topicId, partition);
          updated.push(partition);
        }
      }
    }
    if (update.isFull) removed.push(...this.#retain(updated));
    const change = { updated, removed };
    for (const listener of this.#listeners) listener(change);
    return change;
  }

  #put(topic: string, topicId: string | null, partition: PartitionMetadata): void {
    let entry = this.#topics.get(topic);
    if (entry === undefined) {
      entry = { topicId: null, partitions: new Map() };
      this.#topics.set(topic, entry);
    }
    if (topicId !== null && entry.topicId !== topicId) {
      if (entry.topicId !== null) this.#namesById.delete(entry.topicId);
      entry.topicId = topicId;
      this.#namesById.set(topicId, topic);
    }
    entry.partitions.set(partition.partition, partition);
  }

  /** Forgets every partition that is not among these; returns the forgotten ones. */
  #retain(listed: readonly PartitionMetadata[]): { topic: string; partition: number }[] {
    const kept = new Set(listed.map(({ topic, partition }) => partitionKey(topic, partition)));
    const forgotten = [...this.snapshot()].filter(([key]) => !kept.has(key)).map(([, partition]) => partition);
    for (const { topic, partition } of forgotten) this.#remove(topic, partition);
    return forgotten;
  }

  #remove(topic: string, partition: number): void {
    const entry = this.#topics.get(topic);
    if (entry === undefined) return;
    entry.partitions.delete(partition);
    if (entry.partitions.size > 0) return;
    this.#topics.delete(topic);
    if (entry.topicId !== null) this.#namesById.delete(entry.topicId);
  }

  /** Names of all known topics, in no particular order. */
  topics(): string[] {
    return [...this.#topics.keys()];
  }

  hasTopic(topic: string): boolean {
    return this.#topics.has(topic);
  }

  topicId(topic: string): string | null {
    return this.#topics.get(topic)?.topicId ?? null;
  }

  topicName(topicId: string): string | null {
    return this.#namesById.get(topicId) ?? null;
  }

  /** All partitions of a topic by ascending number; empty for an unknown topic. */
  partitions(topic: string): PartitionMetadata[] {
    const entry = this.#topics.get(topic);
    return entry === undefined ? [] : [...entry.partitions.values()].sort((a, b) => a.partition - b.partition);
  }

  partition(topic: string, partition: number): PartitionMetadata | null {
    return this.#topics.get(topic)?.partitions.get(partition) ?? null;
  }

  partitionCount(topic: string): number {
    return this.#topics.get(topic)?.partitions.size ?? 0;
  }

  isAlive(brokerId: number): boolean {
    return this.#brokers.has(brokerId);
  }

  aliveBrokers(): AliveBroker[] {
    return [...this.#brokers.values()].sort((a, b) => a.id - b.id);
  }

  /** The broker's address on a listener; null when it is not alive or does not advertise that listener. */
  endpoint(brokerId: number, listenerName: string): BrokerEndpoint | null {
    return this.#brokers.get(brokerId)?.endpoints.find(e => e.listenerName === listenerName) ?? null;
  }

  /** Every known partition, keyed by its text form: for tests and metrics, not for hot paths. */
  snapshot(): Map<string, PartitionMetadata> {
    const all = new Map<string, PartitionMetadata>();
    for (const [topic, entry] of this.#topics) {
      for (const partition of entry.partitions.values()) all.set(partitionKey(topic, partition.partition), partition);
    }
    return all;
  }
}
