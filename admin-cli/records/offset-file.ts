import { partitionKey, type TopicPartition } from '../../shared/topics/topic-partition.ts';

/** Up to where the records of a partition are to go. */
export interface DeletionOffset extends TopicPartition {
  /** The first offset that stays; -1 = everything that is committed goes. */
  readonly offset: number;
}

/**
 * Reads `{"version":1,"partitions":[{"topic":"t","partition":0,"offset":3}]}`; the version may be left out.
 * @throws Error saying what is wrong, also for partitions that are listed twice
 */
export function parseOffsetFile(text: string): DeletionOffset[] {
  const { version = 1, partitions } = JSON.parse(text) as { version?: unknown; partitions?: unknown };
  if (version !== 1) throw new Error(`Not supported version field value ${JSON.stringify(version)}; 1 is`);
  if (!Array.isArray(partitions)) throw new Error('Missing partitions field');
  const offsets = partitions.map(parseEntry);
  const repeated = repeatedKeys(offsets);
  if (repeated.length > 0)
    throw new Error(`Offset json file contains duplicate topic partitions: ${repeated.join(',')}`);
  return offsets;
}

function parseEntry(entry: unknown): DeletionOffset {
  const { topic, partition, offset } = (entry ?? {}) as Record<string, unknown>;
  const isValid = typeof topic === 'string' && isInteger(partition, 0) && isInteger(offset, -1);
  if (!isValid) {
    throw new Error(`${JSON.stringify(entry)} is no partition: it takes {"topic":"t","partition":0,"offset":3}`);
  }
  return { topic, partition, offset };
}

function isInteger(value: unknown, min: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= min;
}

function repeatedKeys(offsets: readonly DeletionOffset[]): string[] {
  const keys = offsets.map(({ topic, partition }) => partitionKey(topic, partition));
  return [...new Set(keys.filter((key, index) => keys.indexOf(key) !== index))];
}
