import type { RequestOf, ResponseInput } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { AlterPartition } from '../../shared/protocol/messages/alter-partition.ts';
import type { LeaderAndIsr } from '../../shared/zookeeper/store.ts';
import { isBeingReassigned, type ControlledPartition, type ControlledTopic } from './context.ts';
import { judgeProposal, type IsrVerdict } from './isr-verdict.ts';
import type { Office } from './office.ts';
import { reassignmentsMayEnd } from './reassigning.ts';

type Request = RequestOf<typeof AlterPartition>;
type RequestTopic = Request['topics'][number];
type RequestPartition = RequestTopic['partitions'][number];
type Response = ResponseInput<typeof AlterPartition>;
type ResponsePartition = Response['topics'][number]['partitions'][number];

/** First version that names topics by id and knows the error INELIGIBLE_REPLICA (KIP-841). */
const TOPIC_ID_VERSION = 2;
/** First version with broker epochs beside the ids of the ISR (KIP-903). */
const BROKER_EPOCHS_VERSION = 3;
const RECOVERING = 1;

export function alterPartitionError(errorCode: number): Response {
  return { throttleTimeMs: 0, errorCode, topics: [] };
}

/**
 * Commits ISR changes that a leader proposes (Kafka: `processAlterPartition`). The leader epoch stays: the same leader
 * goes on, so nobody but the cache of every broker needs to know.
 */
export async function alterPartition(office: Office, request: Request, version: number): Promise<Response> {
  const { context, requests, writer } = office;
  const broker = context.broker(request.brokerId);
  if (broker === undefined || broker.epoch !== request.brokerEpoch) {
    return alterPartitionError(ErrorCode.STALE_BROKER_EPOCH);
  }
  const verdicts = judgeAll(office, request, version);
  const decisions = new Map<ControlledPartition, LeaderAndIsr>();
  for (const [partition, verdict] of verdicts) if (verdict.kind === 'write') decisions.set(partition, verdict.state);
  const { written, conflicts, failed } = await writer.writeOnce(decisions, {
    before: 'alter-partition.before-write',
    after: 'alter-partition.after-write',
  });
  const news = [...written, ...conflicts];
  if (news.length > 0) await requests.sendMetadataToAll(news);
  reviewReassignments(office, news);
  const codes = new Map<ControlledPartition, number>();
  for (const [partition, verdict] of verdicts) if (verdict.kind === 'error') codes.set(partition, verdict.errorCode);
  for (const partition of conflicts) codes.set(partition, ErrorCode.INVALID_UPDATE_VERSION);
  for (const partition of failed.keys()) codes.set(partition, ErrorCode.UNKNOWN_SERVER_ERROR);
  return respond(office, request, version, codes);
}

/** The answer goes first: the leader shall know its ISR before it hears of what follows from it. */
function reviewReassignments({ enqueue }: Office, changed: readonly ControlledPartition[]): void {
  const reassigned = changed.filter(isBeingReassigned);
  if (reassigned.length === 0) return;
  enqueue('AlterPartitionReassignment', office => reassignmentsMayEnd(office, reassigned));
}

function judgeAll(office: Office, request: Request, version: number): Map<ControlledPartition, IsrVerdict> {
  const { context, controller } = office;
  const verdicts = new Map<ControlledPartition, IsrVerdict>();
  for (const requested of request.topics) {
    const topic = findTopic(office, requested, version);
    for (const proposed of requested.partitions) {
      const partition = topic?.partitions.get(proposed.partitionIndex);
      if (partition === undefined || partition.leadership === null) continue;
      const verdict = judgeProposal(proposalOf(request.brokerId, proposed, version), {
        current: partition.leadership,
        replicas: partition.assignment.replicas,
        controllerEpoch: controller.epoch,
        isLive: broker => context.isLive(broker),
      });
      verdicts.set(partition, verdict);
    }
  }
  return verdicts;
}

function findTopic(
  { context }: Office,
  { topicId, topicName }: RequestTopic,
  version: number,
): ControlledTopic | undefined {
  return version >= TOPIC_ID_VERSION ? context.topicById(topicId) : context.topic(topicName);
}

function proposalOf(broker: number, proposed: RequestPartition, version: number) {
  const { leaderEpoch, partitionEpoch, newIsr, newIsrWithEpochs, leaderRecoveryState } = proposed;
  const isr = version >= BROKER_EPOCHS_VERSION ? newIsrWithEpochs.map(({ brokerId }) => brokerId) : newIsr;
  return { broker, leaderEpoch, partitionEpoch, isr, recovering: leaderRecoveryState === RECOVERING };
}

function respond(
  office: Office,
  request: Request,
  version: number,
  codes: ReadonlyMap<ControlledPartition, number>,
): Response {
  const topics = request.topics.map(requested => {
    const topic = findTopic(office, requested, version);
    const partitions = requested.partitions.map(({ partitionIndex }) => {
      const partition = topic?.partitions.get(partitionIndex);
      if (topic === undefined && version >= TOPIC_ID_VERSION)
        return refused(partitionIndex, ErrorCode.UNKNOWN_TOPIC_ID);
      if (partition === undefined || partition.leadership === null) {
        return refused(partitionIndex, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
      }
      const code = codes.get(partition);
      return code === undefined
        ? granted(partitionIndex, partition.leadership)
        : refused(partitionIndex, knownError(code, version));
    });
    return { topicId: requested.topicId, topicName: requested.topicName, partitions };
  });
  return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, topics };
}

function knownError(code: number, version: number): number {
  const tooNew = code === ErrorCode.INELIGIBLE_REPLICA && version < TOPIC_ID_VERSION;
  return tooNew ? ErrorCode.OPERATION_NOT_ATTEMPTED : code;
}

function refused(partitionIndex: number, errorCode: number): ResponsePartition {
  return { partitionIndex, errorCode, leaderId: -1, leaderEpoch: -1, isr: [], partitionEpoch: -1 };
}

function granted(partitionIndex: number, state: LeaderAndIsr): ResponsePartition {
  const { leader, leaderEpoch, isr, partitionEpoch, recovering } = state;
  return {
    partitionIndex,
    errorCode: ErrorCode.NONE,
    leaderId: leader,
    leaderEpoch,
    isr,
    leaderRecoveryState: recovering ? RECOVERING : 0,
    partitionEpoch,
  };
}

/** Leaders of brokers that write ISRs themselves tell that they did (Kafka: `processIsrChangeNotification`). */
export async function isrsChanged(office: Office): Promise<void> {
  const { context, store, watchers, writer, requests, controller } = office;
  const notifications = await store.isrChanges.list(watchers.isrChanges);
  if (notifications.size === 0) return;
  const changed = [...notifications.values()]
    .flat()
    .flatMap(({ topic, partition }) => context.partition(topic, partition) ?? []);
  await writer.reload(changed);
  await requests.sendMetadataToAll(changed);
  await reassignmentsMayEnd(office, changed);
  await store.isrChanges.remove(notifications.keys(), controller);
}
