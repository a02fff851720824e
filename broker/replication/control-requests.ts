import type { RequestOf, ResponseInput } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { LeaderAndIsr } from '../../shared/protocol/messages/leader-and-isr.ts';
import type { StopReplica } from '../../shared/protocol/messages/stop-replica.ts';
import { ZERO_UUID } from '../../shared/protocol/schema.ts';
import type { TopicPartition } from '../../shared/topics/topic-partition.ts';
import type { ControllerState } from './leadership.ts';

export type LeaderAndIsrRequest = RequestOf<typeof LeaderAndIsr>;
export type LeaderAndIsrResponse = ResponseInput<typeof LeaderAndIsr>;
export type StopReplicaRequest = RequestOf<typeof StopReplica>;
export type StopReplicaResponse = ResponseInput<typeof StopReplica>;

/** What the controller wants of one partition. */
export interface PartitionOrder extends TopicPartition, ControllerState {
  /** null: the topic has none, or the request's version does not tell. */
  readonly topicId: string | null;
  /** The partition is just being created. */
  readonly isNew: boolean;
}

/** The orders of a LeaderAndIsr, whose layout changed in version 2. */
export function ordersOf(request: LeaderAndIsrRequest): PartitionOrder[] {
  const ungrouped = request.ungroupedPartitionStates.map(state => order(state.topicName, null, state));
  const grouped = request.topicStates.flatMap(({ topicName, topicId, partitionStates }) =>
    partitionStates.map(state => order(topicName, topicId === ZERO_UUID ? null : topicId, state)),
  );
  return [...ungrouped, ...grouped];
}

function order(
  topic: string,
  topicId: string | null,
  { partitionIndex, ...state }: LeaderAndIsrRequest['ungroupedPartitionStates'][number],
): PartitionOrder {
  return { ...state, topic, topicId, partition: partitionIndex };
}

/** What became of one order. */
export interface OrderOutcome {
  readonly order: PartitionOrder;
  readonly errorCode: ErrorCode;
}

/** From this version on a LeaderAndIsr is answered by topic id. */
const FIRST_ANSWERED_BY_ID = 5;

export function answerOrders(outcomes: readonly OrderOutcome[], version: number): LeaderAndIsrResponse {
  if (version < FIRST_ANSWERED_BY_ID) {
    const partitionErrors = outcomes.map(({ order, errorCode }) => ({
      topicName: order.topic,
      partitionIndex: order.partition,
      errorCode,
    }));
    return { errorCode: ErrorCode.NONE, partitionErrors };
  }
  const topics = new Map<string, { partitionIndex: number; errorCode: ErrorCode }[]>();
  for (const { order, errorCode } of outcomes) {
    const topicId = order.topicId ?? ZERO_UUID;
    const errors = topics.get(topicId) ?? [];
    errors.push({ partitionIndex: order.partition, errorCode });
    topics.set(topicId, errors);
  }
  return {
    errorCode: ErrorCode.NONE,
    topics: Array.from(topics, ([topicId, partitionErrors]) => ({ topicId, partitionErrors })),
  };
}

/** The order to stop one replica. */
export interface StopOrder extends TopicPartition {
  /** -1: the version does not tell; -2: the topic is being deleted. Either is as good as the newest. */
  readonly leaderEpoch: number;
  readonly deletePartition: boolean;
}

const EPOCH_NOT_TOLD = -1;

/** The orders of a StopReplica, whose layout changed in versions 1 and 3. */
export function stopOrdersOf(request: StopReplicaRequest): StopOrder[] {
  const old = { leaderEpoch: EPOCH_NOT_TOLD, deletePartition: request.deletePartitions };
  return [
    ...request.ungroupedPartitions.map(({ topicName, partitionIndex }) => ({
      ...old,
      topic: topicName,
      partition: partitionIndex,
    })),
    ...request.topics.flatMap(({ name, partitionIndexes }) =>
      partitionIndexes.map(partition => ({ ...old, topic: name, partition })),
    ),
    ...request.topicStates.flatMap(({ topicName, partitionStates }) =>
      partitionStates.map(({ partitionIndex, leaderEpoch, deletePartition }) => ({
        topic: topicName,
        partition: partitionIndex,
        leaderEpoch,
        deletePartition,
      })),
    ),
  ];
}
