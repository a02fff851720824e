import type { TopicPartition } from '../../shared/topics/topic-partition.ts';

/** Partitions by topic. Never changed: what adds or removes some makes another one. */
export type PartitionSet = ReadonlyMap<string, ReadonlySet<number>>;

export const NO_PARTITIONS: PartitionSet = new Map();

export function partitionSet(partitions: Iterable<TopicPartition>): PartitionSet {
  return withPartitions(NO_PARTITIONS, partitions);
}

export function withPartitions(set: PartitionSet, added: Iterable<TopicPartition>): PartitionSet {
  const topics = new Map<string, Set<number>>();
  for (const [topic, partitions] of set) topics.set(topic, new Set(partitions));
  for (const { topic, partition } of added) {
    const partitions = topics.get(topic);
    if (partitions === undefined) topics.set(topic, new Set([partition]));
    else partitions.add(partition);
  }
  return topics;
}

export function withoutPartitions(set: PartitionSet, removed: Iterable<TopicPartition>): PartitionSet {
  const topics = new Map<string, Set<number>>();
  for (const [topic, partitions] of set) topics.set(topic, new Set(partitions));
  for (const { topic, partition } of removed) {
    const partitions = topics.get(topic);
    partitions?.delete(partition);
    if (partitions?.size === 0) topics.delete(topic);
  }
  return topics;
}

export function hasPartition(set: PartitionSet, { topic, partition }: TopicPartition): boolean {
  return set.get(topic)?.has(partition) ?? false;
}

export function* partitionsOf(set: PartitionSet): Generator<TopicPartition> {
  for (const [topic, partitions] of set) for (const partition of partitions) yield { topic, partition };
}
