/** What is written and read. */
export const TOPICS = [
  { name: 'orders', numPartitions: 2, replicationFactor: 3 },
  { name: 'payments', numPartitions: 1, replicationFactor: 3 },
] as const;

export const PARTITIONS = TOPICS.flatMap(({ name, numPartitions }) =>
  Array.from({ length: numPartitions }, (_, partition) => ({ topic: name, partition })),
);
