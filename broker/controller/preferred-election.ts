import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { TopicPartition } from '../../shared/topics/topic-partition.ts';
import { isBeingReassigned, preferredReplica, type ControlledPartition, type ControllerContext } from './context.ts';
import { NO_LEADER } from './election.ts';
import type { Office } from './office.ts';

export type ElectionType = 'PREFERRED' | 'UNCLEAN';

/** What became of a partition that an election was asked for. */
export interface ElectionResult extends TopicPartition {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  /** Who leads now, -1 for nobody or for an unknown partition. */
  readonly leader: number;
}

/** Elections by name: whether a partition needs one, and what it is answered if nobody can be elected. */
const ELECTIONS = {
  PREFERRED: {
    isNeeded: (partition: ControlledPartition) => partition.leadership?.leader !== preferredReplica(partition),
    request: { kind: 'preferred' },
    failure: ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE,
  },
  UNCLEAN: {
    isNeeded: ({ leadership }: ControlledPartition, context: ControllerContext) =>
      leadership === null || leadership.leader === NO_LEADER || !context.isLive(leadership.leader),
    request: { kind: 'offline', uncleanAllowed: true },
    failure: ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE,
  },
} as const;

/**
 * Elects leaders on request (Kafka: `processReplicaLeaderElection`).
 * @param wanted null for every partition there is
 */
export async function electLeaders(
  office: Office,
  wanted: readonly TopicPartition[] | null,
  type: ElectionType,
): Promise<ElectionResult[]> {
  const { context, partitions } = office;
  const { isNeeded, request, failure } = ELECTIONS[type];
  const asked = wanted ?? context.allPartitions();
  const electable = asked.flatMap(({ topic, partition }) => {
    const found = context.partition(topic, partition);
    return found !== undefined && !context.isQueuedForDeletion(topic) && isNeeded(found, context) ? [found] : [];
  });
  const failures = await partitions.change(electable, 'OnlinePartition', request);
  const tried = new Set(electable);
  return asked.map(({ topic, partition }) => {
    const found = context.partition(topic, partition);
    if (found === undefined)
      return result(topic, partition, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'The partition does not exist.');
    const leader = found.leadership?.leader ?? NO_LEADER;
    const answer = (code: number, message: string | null) => result(topic, partition, code, message, leader);
    if (context.isQueuedForDeletion(topic))
      return answer(ErrorCode.INVALID_TOPIC_EXCEPTION, 'The topic is being deleted.');
    if (!tried.has(found)) return answer(ErrorCode.ELECTION_NOT_NEEDED, 'The leader is the right one already.');
    const problem = failures.get(found.key);
    return problem === undefined ? answer(ErrorCode.NONE, null) : answer(failure, problem);
  });
}

function result(
  topic: string,
  partition: number,
  errorCode: number,
  errorMessage: string | null,
  leader = NO_LEADER,
): ElectionResult {
  return { topic, partition, errorCode, errorMessage, leader };
}

/** An old tool asks through ZooKeeper (Kafka: `processZkPreferredReplicaLeaderElection`). The node goes when it is done. */
export async function preferredElectionRequested(office: Office): Promise<void> {
  const { store, watchers, controller } = office;
  const wanted = await store.preferredElection.get(watchers.preferredElection);
  if (wanted === null) return;
  await electLeaders(office, wanted, 'PREFERRED');
  await store.preferredElection.remove(controller);
}

/**
 * Gives leadership back to preferred replicas, for those brokers that lead too few of the partitions that prefer them
 * (Kafka: `checkAndTriggerAutoLeaderRebalance`).
 */
export async function rebalanceLeaders(office: Office): Promise<void> {
  const { context, partitions, settings, logger } = office;
  const candidates = imbalancedPartitions(context, settings.imbalancePercentage());
  if (candidates.length === 0) return;
  logger.info({ partitions: candidates.length }, 'giving leadership back to preferred replicas');
  await partitions.change(candidates, 'OnlinePartition', { kind: 'preferred' });
}

/**
 * The partitions to give back: those of brokers where the share led by others exceeds the percentage, as far as the
 * preferred replica is fit to lead and no reassignment is about to move it.
 */
export function imbalancedPartitions(context: ControllerContext, percentage: number): ControlledPartition[] {
  const byPreferred = new Map<number, ControlledPartition[]>();
  for (const partition of context.allPartitions()) {
    const preferred = preferredReplica(partition);
    if (preferred === undefined || context.isQueuedForDeletion(partition.topic)) continue;
    const group = byPreferred.get(preferred);
    if (group === undefined) byPreferred.set(preferred, [partition]);
    else group.push(partition);
  }
  return [...byPreferred].flatMap(([broker, group]) => {
    const ledByOthers = group.filter(({ leadership }) => leadership !== null && leadership.leader !== broker);
    if (ledByOthers.length / group.length <= percentage / 100) return [];
    return ledByOthers.filter(
      partition =>
        context.isReplicaOnline(broker, partition) &&
        partition.leadership!.isr.includes(broker) &&
        !isBeingReassigned(partition),
    );
  });
}
