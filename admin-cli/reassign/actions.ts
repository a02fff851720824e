import type { KafkaError } from '../../client/errors.ts';
import type { Admin, PartitionReassignment } from '../../client/index.ts';
import { systemRandom } from '../../shared/runtime/random.ts';
import { assignReplicas, AssignmentError, type CandidateBroker } from '../../shared/topics/assignment.ts';
import { partitionKey, type TopicPartition } from '../../shared/topics/topic-partition.ts';
import { errorText } from '../format/error-text.ts';
import {
  counted,
  logDirStateLine,
  ongoingLines,
  partitionNames,
  reassignmentJson,
  reassignmentStateLine,
  sorted,
  type AssignedPartition,
} from '../format/reassignment.ts';
import { readJsonFile } from '../support/json-file.ts';
import { failure, parseBrokerList, parseReassignmentFile, parseTopicsFile } from './input.ts';
import { logDirStates, startLogDirMoves } from './log-dirs.ts';
import type { ReassignAction, ReassignOptions } from './options.ts';
import { print } from './print.ts';
import { reassignmentProgress } from './progress.ts';
import { clearThrottles, movesOf, throttleLogDirMoves, throttleMoves } from './throttles.ts';

const DEFAULT_TIMEOUT_MS = 10_000;

/** What each action does, with options that were checked by `chosenAction`. @throws ToolFailure */
export const ACTIONS: Readonly<Record<ReassignAction, (admin: Admin, options: ReassignOptions) => Promise<void>>> = {
  generate,
  execute,
  verify,
  cancel,
  async list(admin) {
    print(...ongoingLines(await admin.listPartitionReassignments()));
  },
};

// ── generate ──

async function generate(admin: Admin, options: ReassignOptions): Promise<void> {
  const topics = readJsonFile(options.topicsToMoveJsonFile!, parseTopicsFile);
  const ids = parseBrokerList(options.brokerList!);
  const current = (await admin.listTopics()).filter(({ name }) => topics.includes(name));
  const missing = topics.filter(name => !current.some(topic => topic.name === name));
  if (missing.length > 0) throw failure(`Topic ${missing[0]} not found.`);
  const brokers = await candidates(admin, ids, options.disableRackAware === true);
  print('Current partition replica assignment', reassignmentJson(current.flatMap(topic => topic.partitions)), '');
  const proposed = current.flatMap(({ name, partitions }) =>
    Array.from(propose(brokers, partitions), ([partition, replicas]) => ({ topic: name, partition, replicas })),
  );
  print('Proposed partition reassignment configuration', reassignmentJson(proposed));
}

async function candidates(admin: Admin, ids: readonly number[], withoutRacks: boolean): Promise<CandidateBroker[]> {
  const known = (await admin.describeCluster()).brokers;
  const brokers = ids.map(id => {
    const rack = known.find(broker => broker.id === id)?.rack;
    if (rack === undefined) throw failure(`Unknown broker id ${id}`);
    return { id, rack: withoutRacks ? null : rack };
  });
  const hasRack = brokers.map(({ rack }) => rack !== null);
  if (hasRack.includes(true) && hasRack.includes(false)) {
    throw failure('Not all brokers have rack information. Add --disable-rack-aware to assign replicas without it.');
  }
  return brokers;
}

/** As many replicas as the first partition has, laid out as for a new topic. */
function propose(brokers: readonly CandidateBroker[], partitions: readonly AssignedPartition[]) {
  try {
    return assignReplicas(brokers, partitions.length, partitions[0]?.replicas.length ?? 0, systemRandom);
  } catch (error) {
    if (error instanceof AssignmentError) throw failure(error.message);
    throw error;
  }
}

// ── execute ──

async function execute(admin: Admin, options: ReassignOptions): Promise<void> {
  const { partitions, logDirs } = readJsonFile(options.reassignmentJsonFile!, parseReassignmentFile);
  const ongoing = await admin.listPartitionReassignments();
  if (ongoing.length > 0 && options.additional !== true) {
    throw failure(
      'Cannot execute because there is an existing partition assignment. With --additional this one is carried out ' +
        'beside it, or changes its throttle if it is the same.',
    );
  }
  await rejectUnknownBrokers(admin, partitions);
  const current = await currentReplicas(admin, partitions);
  print('Current partition replica assignment', '', reassignmentJson(current), '');
  print('Save this to use as the --reassignment-json-file option during rollback');
  await throttle(admin, options, ongoing, { partitions, current, logDirs });
  rejectErrors('Error reassigning partition(s):', partitions, await admin.alterPartitionReassignments(partitions));
  print(
    `Successfully started partition ${counted('reassignment', partitions.length)} for ${partitionNames(partitions)}`,
  );
  await startLogDirMoves(admin, logDirs, options.timeout ?? DEFAULT_TIMEOUT_MS);
}

async function rejectUnknownBrokers(admin: Admin, partitions: readonly AssignedPartition[]): Promise<void> {
  const known = new Set((await admin.describeCluster()).brokers.map(({ id }) => id));
  const unknown = partitions.flatMap(({ replicas }) => replicas).find(id => !known.has(id));
  if (unknown !== undefined) throw failure(`Unknown broker id ${unknown}`);
}

async function currentReplicas(admin: Admin, wanted: readonly TopicPartition[]): Promise<AssignedPartition[]> {
  const topics = new Map((await admin.listTopics()).map(topic => [topic.name, topic]));
  return wanted.map(({ topic, partition }) => {
    const found = topics.get(topic)?.partitions.find(each => each.partition === partition);
    if (found === undefined) throw failure(`Unable to find partition: ${partitionKey(topic, partition)}`);
    return found;
  });
}

interface ThrottledWork extends ReturnType<typeof parseReassignmentFile> {
  readonly current: readonly AssignedPartition[];
}

async function throttle(
  admin: Admin,
  { throttle: rate, replicaAlterLogDirsThrottle: logDirRate }: ReassignOptions,
  ongoing: readonly PartitionReassignment[],
  { partitions, current, logDirs }: ThrottledWork,
): Promise<void> {
  if (rate === undefined && logDirRate === undefined) return;
  print('Warning: the throttle stays until --verify has found the reassignment completed: run it until then.');
  if (rate !== undefined) {
    const replicas = new Map(current.map(each => [partitionKey(each.topic, each.partition), each.replicas]));
    await throttleMoves(admin, movesOf(ongoing, partitions, replicas), rate);
  }
  if (logDirRate !== undefined) {
    await throttleLogDirMoves(admin, new Set(logDirs.map(({ broker }) => broker)), logDirRate);
  }
}

/** @throws ToolFailure with a line for each partition that has an error */
function rejectErrors(
  problem: string,
  partitions: readonly TopicPartition[],
  outcomes: readonly (KafkaError | null)[],
): void {
  const failed = sorted(
    partitions.flatMap((each, index) => (outcomes[index] ? [{ ...each, error: outcomes[index] }] : [])),
  );
  if (failed.length === 0) return;
  const lines = failed.map(({ topic, partition, error }) => `${partitionKey(topic, partition)}: ${errorText(error)}`);
  throw failure([problem, ...lines].join('\n'));
}

// ── verify ──

async function verify(admin: Admin, options: ReassignOptions): Promise<void> {
  const { partitions, logDirs } = readJsonFile(options.reassignmentJsonFile!, parseReassignmentFile);
  const { states: moves, isIdle } = await reassignmentProgress(admin, partitions);
  print('Status of partition reassignment:', ...moves.map(reassignmentStateLine));
  const states = await logDirStates(admin, logDirs);
  print(...(states.length === 0 ? [''] : sorted(states).map(logDirStateLine)));
  const isMoving = states.some(({ future }) => future !== null);
  if (isIdle && !isMoving && options.preserveThrottles !== true) await clearThrottles(admin, partitions);
}

// ── cancel ──

async function cancel(admin: Admin, options: ReassignOptions): Promise<void> {
  const { partitions, logDirs } = readJsonFile(options.reassignmentJsonFile!, parseReassignmentFile);
  const active = await admin.listPartitionReassignments(partitions);
  if (active.length === 0) print('None of the specified partition reassignments are active.');
  else await cancelAll(admin, active);
  const moving = (await logDirStates(admin, logDirs)).filter(({ target, future }) => future === target);
  if (moving.length === 0) print('None of the specified partition moves are active.');
  // Back to where it is: that ends a move.
  const orders = moving.flatMap(({ current, ...rest }) => (current === null ? [] : [{ ...rest, directory: current }]));
  await startLogDirMoves(admin, orders, options.timeout ?? DEFAULT_TIMEOUT_MS);
  if (options.preserveThrottles !== true) await clearThrottles(admin, partitions);
}

async function cancelAll(admin: Admin, active: readonly TopicPartition[]): Promise<void> {
  const orders = active.map(({ topic, partition }) => ({ topic, partition, replicas: null }));
  const outcomes = await admin.alterPartitionReassignments(orders);
  rejectErrors(`Error cancelling partition ${counted('reassignment', active.length)} for:`, active, outcomes);
  print(`Successfully cancelled partition ${counted('reassignment', active.length)} for: ${partitionNames(active)}`);
}
