import type { Admin, OffsetSpec } from '../../client/index.ts';
import { partitionKey, type TopicPartition } from '../../shared/topics/topic-partition.ts';

/**
 * Offsets of partitions at a time or an end of the log, by the keys of `partitionKey`. Missing are partitions that do not
 * exist or have no leader, which nobody waits for, and those without a record so young.
 * @throws KafkaError for any other reason
 */
export async function logOffsets(
  admin: Admin,
  partitions: Iterable<TopicPartition>,
  spec: OffsetSpec,
): Promise<Map<string, number>> {
  const wanted = new Map(Array.from(partitions, tp => [partitionKey(tp.topic, tp.partition), tp]));
  if (wanted.size === 0) return new Map();
  const led = (await admin.listTopics()).flatMap(topic => topic.partitions).filter(({ leader }) => leader >= 0);
  const asked = led.filter(({ topic, partition }) => wanted.has(partitionKey(topic, partition)));
  const found = await admin.listOffsets(asked.map(tp => [tp, spec]));
  const offsets = new Map<string, number>();
  found.forEach((outcome, index) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    const { topic, partition } = asked[index]!;
    if (outcome.value.offset >= 0) offsets.set(partitionKey(topic, partition), outcome.value.offset);
  });
  return offsets;
}
