import { ErrorCode } from '../../shared/protocol/errors.ts';
import { ZERO_UUID } from '../../shared/protocol/schema.ts';
import type { MetadataCache } from '../metadata/metadata-cache.ts';
import type { Partition } from './partition.ts';

/** The partitions of which this broker has a replica. */
export class HostedPartitions {
  readonly #metadata: MetadataCache;
  readonly #topics = new Map<string, Map<number, Partition>>();

  constructor(metadata: MetadataCache) {
    this.#metadata = metadata;
  }

  get(topic: string, partition: number): Partition | undefined {
    return this.#topics.get(topic)?.get(partition);
  }

  /** The partition, or the code that says why there is none: it may be elsewhere, or not exist at all. */
  find(topic: string, partition: number): Partition | ErrorCode {
    const hosted = this.get(topic, partition);
    if (hosted !== undefined) return hosted;
    const isKnown = this.#metadata.partition(topic, partition) !== null;
    return isKnown ? ErrorCode.NOT_LEADER_OR_FOLLOWER : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
  }

  add(partition: Partition): void {
    let partitions = this.#topics.get(partition.topic);
    if (partitions === undefined) {
      partitions = new Map<number, Partition>();
      this.#topics.set(partition.topic, partitions);
    }
    partitions.set(partition.partition, partition);
  }

  remove(topic: string, partition: number): void {
    const partitions = this.#topics.get(topic);
    partitions?.delete(partition);
    if (partitions?.size === 0) this.#topics.delete(topic);
  }

  /** All of them, a topic's together. */
  *all(): Generator<Partition> {
    for (const partitions of this.#topics.values()) yield* partitions.values();
  }

  /**
   * The topic's name, or null. A LeaderAndIsr comes before the UpdateMetadata about the same topic, so that a follower's
   * fetch may get here before the metadata: then the hosted logs know.
   */
  topicName(topicId: string): string | null {
    const known = this.#metadata.topicName(topicId);
    if (known !== null || topicId === ZERO_UUID) return known;
    for (const [topic, partitions] of this.#topics) {
      // All partitions of a topic have the same id; one is enough to look at.
      const [any] = partitions.values();
      if (any?.log?.topicId === topicId) return topic;
    }
    return null;
  }
}
