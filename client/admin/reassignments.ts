import type { RequestInput, ResponseOf } from '../../shared/protocol/api.ts';
import type { AlterPartitionReassignments } from '../../shared/protocol/messages/alter-partition-reassignments.ts';
import type { ListPartitionReassignments } from '../../shared/protocol/messages/list-partition-reassignments.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { byTopic, partitionKey, type TopicPartition } from '../../shared/topics/topic-partition.ts';
import { KafkaError, throwIfError } from '../errors.ts';

/** Where a partition's replicas shall be, the preferred leader first; null = back to where they were. */
export interface NewReassignment extends TopicPartition {
  readonly replicas: readonly number[] | null;
}

/** A reassignment under way. */
export interface PartitionReassignment extends TopicPartition {
  /** All of them, those to come and those to go as well. */
  readonly replicas: readonly number[];
  readonly addingReplicas: readonly number[];
  readonly removingReplicas: readonly number[];
}

export function alterRequest(
  wanted: readonly NewReassignment[],
  timeoutMs: number,
): RequestInput<typeof AlterPartitionReassignments> {
  const topics = Array.from(byTopic(wanted), ([name, group]) => ({
    name,
    partitions: group.map(({ partition, replicas }) => ({
      partitionIndex: partition,
      replicas: replicas === null ? null : [...replicas],
    })),
  }));
  return { timeoutMs, topics };
}

/** The outcomes, in the order asked. @throws KafkaError when the request was refused as a whole */
export function alterOutcomes(
  wanted: readonly NewReassignment[],
  response: ResponseOf<typeof AlterPartitionReassignments>,
): (KafkaError | null)[] {
  throwIfError(response.errorCode, response.errorMessage);
  const outcomes = new Map<string, KafkaError | null>();
  for (const { name, partitions } of response.responses) {
    for (const { partitionIndex, errorCode, errorMessage } of partitions) {
      const error = errorCode === ErrorCode.NONE ? null : new KafkaError(errorCode, errorMessage);
      outcomes.set(partitionKey(name, partitionIndex), error);
    }
  }
  return wanted.map(({ topic, partition }) => {
    const outcome = outcomes.get(partitionKey(topic, partition));
    return outcome === undefined ? new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR, 'no answer about it') : outcome;
  });
}

export function listRequest(
  wanted: readonly TopicPartition[] | null,
  timeoutMs: number,
): RequestInput<typeof ListPartitionReassignments> {
  if (wanted === null) return { timeoutMs, topics: null };
  const topics = Array.from(byTopic(wanted), ([name, group]) => ({
    name,
    partitionIndexes: group.map(({ partition }) => partition),
  }));
  return { timeoutMs, topics };
}

/** @throws KafkaError when the request was refused */
export function listed(response: ResponseOf<typeof ListPartitionReassignments>): PartitionReassignment[] {
  throwIfError(response.errorCode, response.errorMessage);
  return response.topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partitionIndex, replicas, addingReplicas, removingReplicas }) => ({
      topic: name,
      partition: partitionIndex,
      replicas,
      addingReplicas,
      removingReplicas,
    })),
  );
}
