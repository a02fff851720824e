import { partitionKey, type TopicPartition } from '../../../shared/topics/topic-partition.ts';

export interface TopicWithPartitions {
  readonly topic: string;
  readonly partitions: readonly number[];
}

/** Gathers partitions by their topic, in the order of their first appearance. */
export function byTopic(partitions: Iterable<TopicPartition>): TopicWithPartitions[] {
  const topics = new Map<string, number[]>();
  for (const { topic, partition } of partitions) {
    const known = topics.get(topic);
    if (known === undefined) topics.set(topic, [partition]);
    else known.push(partition);
  }
  return [...topics].map(([topic, numbers]) => ({ topic, partitions: numbers }));
}

export function flatten(topics: readonly TopicWithPartitions[]): TopicPartition[] {
  return topics.flatMap(({ topic, partitions }) => partitions.map(partition => ({ topic, partition })));
}

/** Those of `items` whose partitions are not among `others`. */
export function without<T extends TopicPartition>(items: readonly T[], others: readonly TopicPartition[]): T[] {
  const keys = keysOf(others);
  return items.filter(({ topic, partition }) => !keys.has(partitionKey(topic, partition)));
}

/** Those of `items` whose partitions are among `others`. */
export function within<T extends TopicPartition>(items: readonly T[], others: readonly TopicPartition[]): T[] {
  const keys = keysOf(others);
  return items.filter(({ topic, partition }) => keys.has(partitionKey(topic, partition)));
}

function keysOf(partitions: readonly TopicPartition[]): Set<string> {
  return new Set(partitions.map(({ topic, partition }) => partitionKey(topic, partition)));
}
