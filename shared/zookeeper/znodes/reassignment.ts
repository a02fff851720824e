import type { TopicPartition } from '../../topics/topic-partition.ts';
import { asInteger, asIntegers, asObject, encodeJson, parseObject } from './json.ts';

/** A partition, and where its replicas shall be. */
export interface WantedReplicas extends TopicPartition {
  readonly replicas: readonly number[];
}

/** The form of `/admin/reassign_partitions`. */
export function encodeReassignment(partitions: readonly WantedReplicas[]): Buffer {
  return encodeJson({
    version: 1,
    partitions: partitions.map(({ topic, partition, replicas }) => ({ topic, partition, replicas })),
  });
}

/** What cannot be read is not asked for, as in Kafka: an empty list, or one without that partition. */
export function decodeReassignment(data: Buffer | null): WantedReplicas[] {
  const partitions = parseObject(data)?.partitions;
  if (!Array.isArray(partitions)) return [];
  return partitions.flatMap(item => {
    const { topic, partition, replicas } = asObject(item) ?? {};
    const number = asInteger(partition);
    const brokers = asIntegers(replicas);
    return typeof topic === 'string' && number !== null && brokers !== null
      ? [{ topic, partition: number, replicas: brokers }]
      : [];
  });
}
