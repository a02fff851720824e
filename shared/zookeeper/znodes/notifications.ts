import type { TopicPartition } from '../../topics/topic-partition.ts';
import { asInteger, asObject, encodeJson, parseObject } from './json.ts';

/**
 * The form of `/isr_change_notification/…` and `/admin/preferred_replica_election`: a list of partitions. What cannot
 * be read is an empty list.
 */
export function encodePartitionList(partitions: readonly TopicPartition[]): Buffer {
  return encodeJson({ version: 1, partitions: partitions.map(({ topic, partition }) => ({ topic, partition })) });
}

export function decodePartitionList(data: Buffer | null): TopicPartition[] {
  const partitions = parseObject(data)?.partitions;
  if (!Array.isArray(partitions)) return [];
  return partitions.flatMap(item => {
    const { topic, partition } = asObject(item) ?? {};
    const number = asInteger(partition);
    return typeof topic === 'string' && number !== null ? [{ topic, partition: number }] : [];
  });
}

/** The one event there is: a log directory failed. */
const LOG_DIR_FAILURE = 1;

export function encodeLogDirEvent(brokerId: number): Buffer {
  return encodeJson({ version: 1, broker: brokerId, event: LOG_DIR_FAILURE });
}

/** Id of the broker with the failed directory; null for anything else. */
export function decodeLogDirEvent(data: Buffer | null): number | null {
  return asInteger(parseObject(data)?.broker);
}
