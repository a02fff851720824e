/** What is written and read. */
export const TOPICS = [
  { name: 'orders', numPartitions: 2, replicationFactor: 3 },
  { name: 'payments', numPartitions: 1, replicationFactor: 3 },
] as const;

/** Where the group's offsets are kept: a topic that the brokers make themselves. */
const OFFSETS = { name: '__consumer_offsets', numPartitions: 2 };

export const ALL_TOPICS: readonly { readonly name: string; readonly numPartitions: number }[] = [...TOPICS, OFFSETS];

export const PARTITIONS = partitionsOf(TOPICS);

/** Those that clients do not write themselves as well. */
export const ALL_PARTITIONS = partitionsOf(ALL_TOPICS);

function partitionsOf(topics: typeof ALL_TOPICS) {
  return topics.flatMap(({ name, numPartitions }) =>
    Array.from({ length: numPartitions }, (_, partition) => ({ topic: name, partition })),
  );
}
