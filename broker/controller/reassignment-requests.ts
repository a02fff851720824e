import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { TopicPartition } from '../../shared/topics/topic-partition.ts';
import { partitionKey } from '../../shared/topics/topic-partition.ts';
import type { ReplicaAssignment } from '../../shared/zookeeper/store.ts';
import { isZooKeeperError } from '../../shared/zookeeper/zookeeper.ts';
import { isBeingReassigned, type ControlledPartition } from './context.ts';
import type { Office } from './office.ts';
import {
  dropsAllRecords,
  originReplicas,
  reassignmentProblem,
  reassignTo,
  sameAssignment,
  targetFormProblem,
} from './reassignment.ts';
import { forgetRequests, reassign } from './reassigning.ts';

/** Where a partition's replicas shall be; null = back to where they were. */
export interface ReassignmentOrder extends TopicPartition {
  readonly replicas: readonly number[] | null;
}

export interface ReassignmentResult extends TopicPartition {
  readonly errorCode: ErrorCode;
  readonly errorMessage: string | null;
}

export interface OngoingReassignment extends TopicPartition, ReplicaAssignment {}

/** An order that can be carried out. */
interface Accepted {
  readonly partition: ControlledPartition;
  readonly wanted: ReplicaAssignment;
}

interface Refusal {
  readonly errorCode: ErrorCode;
  readonly errorMessage: string;
}

/**
 * Begins, redirects and cancels reassignments (KIP-455; Kafka: `processApiPartitionReassignment`). Answers when they are
 * written down and begun, not when they are over.
 */
export async function alterReassignments(
  office: Office,
  orders: readonly ReassignmentOrder[],
): Promise<ReassignmentResult[]> {
  const judged = orders.map(order => [order, judge(office, order)] as const);
  const accepted = judged.flatMap(([, verdict]) => ('errorCode' in verdict ? [] : [verdict]));
  const keys = new Set(accepted.map(({ partition }) => partition.key));
  // What was asked for last counts, and older tools shall not wait for the other.
  await forgetRequests(office, ({ topic, partition }) => keys.has(partitionKey(topic, partition)));
  const results: ReassignmentResult[] = [];
  for (const [{ topic, partition }, verdict] of judged) {
    const refusal = 'errorCode' in verdict ? verdict : await carryOut(office, verdict);
    results.push({ topic, partition, ...(refusal ?? { errorCode: ErrorCode.NONE, errorMessage: null }) });
  }
  return results;
}

function judge(office: Office, { topic, partition: number, replicas }: ReassignmentOrder): Accepted | Refusal {
  const { context } = office;
  const partition = context.partition(topic, number);
  if (partition === undefined || context.isQueuedForDeletion(topic)) return UNKNOWN_PARTITION;
  if (replicas === null && !isBeingReassigned(partition)) {
    const errorMessage = 'No partition reassignment is in progress.';
    return { errorCode: ErrorCode.NO_REASSIGNMENT_IN_PROGRESS, errorMessage };
  }
  const target = replicas ?? originReplicas(partition.assignment);
  const wanted = reassignTo(partition.assignment, target);
  const situation = { leadership: partition.leadership, isLive: (id: number) => context.isLive(id) };
  const problem = targetFormProblem(target) ?? reassignmentProblem(wanted, situation);
  if (problem === null) return { partition, wanted };
  return { errorCode: ErrorCode.INVALID_REPLICA_ASSIGNMENT, errorMessage: problem };
}

const UNKNOWN_PARTITION: Refusal = {
  errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  errorMessage: 'The partition does not exist.',
};

/** null when it is done. */
async function carryOut(office: Office, { partition, wanted }: Accepted): Promise<Refusal | null> {
  if (isBeingReassigned(partition) && sameAssignment(partition.assignment, wanted)) return null;
  try {
    await reassign(office, partition, wanted);
    return null;
  } catch (error) {
    // Somebody has removed the topic's node without asking.
    if (isZooKeeperError(error, 'NO_NODE')) return UNKNOWN_PARTITION;
    throw error;
  }
}

/** Those of the partitions, or of all, that are being reassigned. @param wanted null for all */
export function ongoingReassignments(
  { context }: Office,
  wanted: readonly TopicPartition[] | null,
): OngoingReassignment[] {
  const partitions =
    wanted?.flatMap(({ topic, partition }) => context.partition(topic, partition) ?? []) ?? context.allPartitions();
  return partitions
    .filter(isBeingReassigned)
    .map(({ topic, partition, assignment }) => ({ topic, partition, ...assignment }));
}

/**
 * An older tool asks through ZooKeeper (Kafka: `processZkPartitionReassignment`). Brokers of the target need not be
 * alive: the reassignment waits for them. What is under way already goes on; what cannot be done is taken off the list.
 */
export async function reassignmentsRequested(office: Office): Promise<void> {
  const { context, store, watchers, logger } = office;
  const requested = await store.reassignments.get(watchers.reassignments);
  if (requested === null) return;
  const refused = new Set<string>();
  for (const { topic, partition: number, replicas } of requested) {
    const partition = context.isQueuedForDeletion(topic) ? undefined : context.partition(topic, number);
    const wanted = partition === undefined ? null : reassignTo(partition.assignment, replicas);
    const isPossible =
      wanted !== null && targetFormProblem(replicas) === null && !dropsAllRecords(wanted, partition!.leadership);
    if (isPossible && (await carryOut(office, { partition: partition!, wanted })) === null) continue;
    refused.add(partitionKey(topic, number));
    logger.warn({ topic, partition: number, replicas }, `${topic}-${number} cannot be reassigned as asked for`);
  }
  const isRefused = (topic: string, partition: number) => refused.has(partitionKey(topic, partition));
  await forgetRequests(office, ({ topic, partition }) => isRefused(topic, partition));
}
