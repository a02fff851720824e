/** The rows of docs/COMPATIBILITY.md: what is examined with every client that does not lack it. */
export const FEATURES = {
  none: 'Produce without compression',
  gzip: 'Produce with gzip',
  snappy: 'Produce with snappy',
  lz4: 'Produce with lz4',
  zstd: 'Produce with zstd',
  acks0: 'Produce with acks=0',
  acks1: 'Produce with acks=1',
  acksAll: 'Produce with acks=all',
  keys: 'Keys go to the partitions of the client’s own partitioner',
  autoCreate: 'Writing to a topic that does not exist creates it',
  badTopic: 'Writing to a topic with an impossible name fails',
  headers: 'Produce with headers',
  idempotent: 'Idempotent producer',
  beginning: 'Consume by assignment from the beginning',
  offset: 'Consume from an offset in the middle of a batch',
  timestamp: 'Consume from a timestamp',
  allCodecs: 'Consume what was compressed with every codec',
  offsets: 'Offsets: earliest, latest, by timestamp',
  topics: 'Admin: create, list, describe, delete topics',
  partitions: 'Admin: add partitions',
  configs: 'Admin: alter and describe topic configs',
  failover: 'The leader is killed while the client writes and reads',
} as const;

export type FeatureId = keyof typeof FEATURES;

export const FEATURE_IDS = Object.keys(FEATURES) as FeatureId[];
