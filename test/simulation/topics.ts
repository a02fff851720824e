/** What is written and read. */
export const TOPICS = [
  { name: 'orders', numPartitions: 2, replicationFactor: 3 },
  { name: 'payments', numPartitions: 1, replicationFactor: 3 },
] as const;

/** What is written in transactions only. */
const TRANSFERS = [{ name: 'transfers', numPartitions: 2, replicationFactor: 3 }] as const;

/** All that an operator creates. */
export const CREATED_TOPICS = [...TOPICS, ...TRANSFERS];

/** Where groups' offsets and the state of transactions are kept: topics that the brokers make themselves. */
const INTERNAL = [
  { name: '__consumer_offsets', numPartitions: 2 },
  { name: '__transaction_state', numPartitions: 2 },
];

export const ALL_TOPICS: readonly { readonly name: string; readonly numPartitions: number }[] = [
  ...CREATED_TOPICS,
  ...INTERNAL,
];

export const PARTITIONS = partitionsOf(TOPICS);

export const TRANSFER_PARTITIONS = partitionsOf(TRANSFERS);

/** Those that clients do not write themselves as well. */
export const ALL_PARTITIONS = partitionsOf(ALL_TOPICS);

function partitionsOf(topics: typeof ALL_TOPICS) {
  return topics.flatMap(({ name, numPartitions }) =>
    Array.from({ length: numPartitions }, (_, partition) => ({ topic: name, partition })),
  );
}
