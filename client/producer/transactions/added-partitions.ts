import { byTopic, partitionKey, type TopicPartition } from '../../../shared/topics/topic-partition.ts';

/** The partitions of one transaction: those that its coordinator has to be told of, and those that it knows. */
export class AddedPartitions {
  #unknown: TopicPartition[] = [];
  readonly #seen = new Set<string>();
  readonly #added = new Set<string>();

  get hasUnknown(): boolean {
    return this.#unknown.length > 0;
  }

  has(topic: string, partition: number): boolean {
    return this.#added.has(partitionKey(topic, partition));
  }

  /** @returns whether the partition is new to the transaction */
  want(topic: string, partition: number): boolean {
    const key = partitionKey(topic, partition);
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    this.#unknown.push({ topic, partition });
    return true;
  }

  /** Those that the coordinator has to be told of now, by topic. */
  takeUnknown(): TopicPartition[] {
    const taken = this.#unknown;
    this.#unknown = [];
    return taken;
  }

  add(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) this.#added.add(partitionKey(topic, partition));
  }

  /** The transaction is over. */
  clear(): void {
    this.#unknown = [];
    this.#seen.clear();
    this.#added.clear();
  }
}

/** As AddPartitionsToTxn names them. */
export function topicsOf(partitions: readonly TopicPartition[]): { name: string; partitions: number[] }[] {
  return Array.from(byTopic(partitions), ([name, ofTopic]) => ({
    name,
    partitions: ofTopic.map(({ partition }) => partition),
  }));
}
