import type { PartitionReassignment } from '../../client/index.ts';
import { partitionKey, type TopicPartition } from '../../shared/topics/topic-partition.ts';

/** A partition with its replicas, as files and lines have it. */
export interface AssignedPartition extends TopicPartition {
  readonly replicas: readonly number[];
}

/** How far a partition is from where it was ordered to. */
export interface ReassignmentState extends TopicPartition {
  /** Empty for a partition that does not exist. */
  readonly current: readonly number[];
  readonly target: readonly number[];
  readonly isOver: boolean;
}

/** Where a replica's log is, and where it was ordered to. */
export interface LogDirState extends TopicPartition {
  readonly broker: number;
  readonly target: string;
  /** null when no directory has the log. */
  readonly current: string | null;
  /** The directory that it is moving to; null when it is not moving. */
  readonly future: string | null;
}

/** The file form, on one line; every log goes wherever its broker likes. */
export function reassignmentJson(partitions: readonly AssignedPartition[]): string {
  const entries = sorted(partitions).map(({ topic, partition, replicas }) => ({
    topic,
    partition,
    replicas,
    log_dirs: replicas.map(() => 'any'),
  }));
  return JSON.stringify({ version: 1, partitions: entries });
}

export function reassignmentStateLine({ topic, partition, current, target, isOver }: ReassignmentState): string {
  const key = partitionKey(topic, partition);
  if (!isOver) return `Reassignment of partition ${key} is still in progress.`;
  if (current.join() === target.join()) return `Reassignment of partition ${key} is completed.`;
  return (
    `There is no active reassignment of partition ${key}, ` +
    `but replica set is ${current.join()} rather than ${target.join()}.`
  );
}

export function logDirStateLine({ topic, partition, broker, target, current, future }: LogDirState): string {
  const key = partitionKey(topic, partition);
  if (current === null && future === null) return `Partition ${key} is in no live log directory of broker ${broker}.`;
  if (future === target) return `Reassignment of replica ${key}-${broker} is still in progress.`;
  if (future !== null)
    return `Partition ${key} on broker ${broker} is being moved to log dir ${future} instead of ${target}.`;
  if (current === target) return `Reassignment of replica ${key}-${broker} completed successfully.`;
  return `Partition ${key} on broker ${broker} is not being moved from log dir ${current} to ${target}.`;
}

/** The lines of --list. */
export function ongoingLines(ongoing: readonly PartitionReassignment[]): string[] {
  if (ongoing.length === 0) return ['No partition reassignments found.'];
  const lines = sorted(ongoing).map(({ topic, partition, replicas, addingReplicas, removingReplicas }) =>
    [
      `${partitionKey(topic, partition)}: replicas: ${replicas.join()}.`,
      ...(addingReplicas.length > 0 ? [`adding: ${addingReplicas.join()}.`] : []),
      ...(removingReplicas.length > 0 ? [`removing: ${removingReplicas.join()}.`] : []),
    ].join(' '),
  );
  return ['Current partition reassignments:', ...lines];
}

/** `t-0,t-1`, in order. */
export function partitionNames(partitions: readonly TopicPartition[]): string {
  return sorted(partitions)
    .map(({ topic, partition }) => partitionKey(topic, partition))
    .join();
}

/** `reassignment` for one, `reassignments` for any other number. */
export function counted(noun: string, count: number): string {
  return count === 1 ? noun : `${noun}s`;
}

/** By topic, then by number. */
export function sorted<T extends TopicPartition>(partitions: readonly T[]): T[] {
  return [...partitions].sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1));
}
