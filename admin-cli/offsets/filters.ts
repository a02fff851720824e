import { isInternalTopic } from '../../shared/topics/names.ts';
import type { TopicPartition } from '../../shared/topics/topic-partition.ts';
import { ToolFailure } from '../support/tool.ts';
import { topicPattern } from '../support/topic-pattern.ts';

/** Whether a partition is meant. */
export type PartitionFilter = (partition: TopicPartition) => boolean;

/** `topic`, `topic:3`, `topic:1-4`, `topic:2-`, `topic:-4`, `:3`, …; a range does not include its upper end (KIP-635). */
const PATTERN = /^([^:,]*)(?::(?:(\d+)|(\d*)-(\d*)|))?$/;

/** Parses `--topic-partitions`, whose parts are separated by commas. @throws ToolFailure naming the part that is wrong */
export function topicPartitionsFilter(list: string): PartitionFilter {
  const filters = list.split(',').map(parsePattern);
  return partition => filters.some(filter => filter(partition));
}

function parsePattern(text: string): PartitionFilter {
  const match = PATTERN.exec(text.trim());
  if (match === null) throw new ToolFailure(`Invalid rule: ${text}`);
  const [, topic, only, from, to] = match;
  const isTopic = topic === undefined || topic === '' ? () => true : topicPattern(topic);
  const isPartition = numbers(only, from, to);
  return partition => isTopic(partition.topic) && isPartition(partition.partition);
}

function numbers(
  only: string | undefined,
  from: string | undefined,
  to: string | undefined,
): (partition: number) => boolean {
  if (only !== undefined) return partition => partition === Number(only);
  const lower = Number(from ?? 0);
  const upper = to === undefined || to === '' ? Infinity : Number(to);
  return partition => partition >= lower && partition < upper;
}

/** The filter of `--topic` and `--partitions`, each of which may be missing. @throws ToolFailure for numbers that are none */
export function topicAndPartitionsFilter(topic: string | undefined, partitions: string | undefined): PartitionFilter {
  const isTopic = topic === undefined ? () => true : topicPattern(topic);
  const ranges = (partitions ?? '-').split(',').map(text => {
    const match = /^(?:(\d+)|(\d*)-(\d*))$/.exec(text.trim());
    if (match !== null) return numbers(match[1], match[2], match[3]);
    throw new ToolFailure(
      `--partitions expects a comma separated list of numeric partition ids, but received: ${partitions ?? ''}`,
    );
  });
  return partition => isTopic(partition.topic) && ranges.some(contains => contains(partition.partition));
}

/** What is left out with `--exclude-internal-topics`. */
export function isNotInternal({ topic }: TopicPartition): boolean {
  return !isInternalTopic(topic);
}
