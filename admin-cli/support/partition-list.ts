import { partitionKey, type TopicPartition } from '../../shared/topics/topic-partition.ts';

/**
 * Reads `{"partitions":[{"topic":"t","partition":0}]}`, the form in which tools take partitions from a file.
 * @throws Error saying what is wrong, also for a partition that is listed twice
 */
export function parsePartitionList(text: string): TopicPartition[] {
  const { partitions } = JSON.parse(text) as { partitions?: unknown };
  if (!Array.isArray(partitions)) throw new Error('it has no list "partitions"');
  const seen = new Set<string>();
  return partitions.map(entry => {
    const { topic, partition } = entry as { topic?: unknown; partition?: unknown };
    if (typeof topic !== 'string' || typeof partition !== 'number' || !Number.isInteger(partition) || partition < 0) {
      throw new Error(`${JSON.stringify(entry)} is no partition: it takes {"topic":"t","partition":0}`);
    }
    const key = partitionKey(topic, partition);
    if (seen.has(key)) throw new Error(`Replica election data contains duplicate partitions: ${key}`);
    seen.add(key);
    return { topic, partition };
  });
}
