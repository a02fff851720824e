import { KafkaError } from '../../client/errors.ts';
import type { ElectionOutcome } from '../../client/index.ts';
import { errorText } from './error-text.ts';
import { partitionKey, type TopicPartition } from '../../shared/topics/topic-partition.ts';

export interface ElectionAnswer {
  readonly outcomes: readonly ElectionOutcome[];
  /** Partitions that were asked for and that the answer leaves out: they needed no election. */
  readonly unmentioned: readonly TopicPartition[];
}

/** What kafka-leader-election prints, and how many elections failed. */
export function electionReport(
  type: 'preferred' | 'unclean',
  { outcomes, unmentioned }: ElectionAnswer,
): { lines: string[]; failed: number } {
  const name = type.toUpperCase();
  const isNoop = ({ error }: ElectionOutcome) =>
    error instanceof KafkaError && error.codeName === 'ELECTION_NOT_NEEDED';
  const elected = outcomes.filter(({ error }) => error === null);
  const unchanged = [...outcomes.filter(isNoop), ...unmentioned];
  const failed = outcomes.filter(outcome => outcome.error !== null && !isNoop(outcome));
  const lines: string[] = [];
  if (elected.length > 0)
    lines.push(`Successfully completed leader election (${name}) for partitions ${joined(elected)}`);
  if (unchanged.length > 0) lines.push(`Valid replica already elected for partitions ${joined(unchanged)}`);
  for (const { topic, partition, error } of failed) {
    lines.push(
      `Error completing leader election (${name}) for partition: ${partitionKey(topic, partition)}: ${errorText(error)}`,
    );
  }
  return { lines, failed: failed.length };
}

function joined(partitions: readonly TopicPartition[]): string {
  return partitions.map(({ topic, partition }) => partitionKey(topic, partition)).join(', ');
}
