import { ConnectionError, type Connection } from '../../shared/connection/connection.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { KafkaError } from '../errors.ts';
import { isOfTakeOver } from './coordinator-errors.ts';
import { findCoordinators, type CoordinatorKind } from './find-coordinators.ts';

/** What a coordinator is asked about some of its groups, or transactional ids: an answer, or an error, of each. */
export type AskCoordinator<T> = (
  coordinator: Connection,
  groupIds: readonly string[],
  brokerId: number,
) => Promise<ReadonlyMap<string, T | KafkaError>>;

/**
 * Asks the coordinators of many groups, each about all of its own at once, following groups that move, as long as the
 * error is one that passes (Kafka: `AdminApiDriver`). One group's error is no other's.
 * @param what for the error's text: what did not succeed
 * @param deadline monotonic ms; then groups without an answer get the last error
 * @returns the outcomes, in the order of the groups
 */
export async function askCoordinators<T>(
  cluster: Cluster,
  groupIds: readonly string[],
  deadline: number,
  what: string,
  ask: AskCoordinator<T>,
  kind: CoordinatorKind = 'group',
): Promise<PromiseSettledResult<T>[]> {
  const settled = new Map<string, PromiseSettledResult<T>>();
  const coordinators = new Map<string, number>();
  let open = [...new Set(groupIds)];
  for (let attempt = 1; open.length > 0; attempt++) {
    const answers = await askOnce(cluster, open, coordinators, ask, kind);
    for (const groupId of open) {
      const answer = answers.get(groupId) as T | Error;
      if (!(answer instanceof Error)) settled.set(groupId, { status: 'fulfilled', value: answer });
      else if (!isPassing(answer)) settled.set(groupId, { status: 'rejected', reason: answer });
      else coordinators.delete(groupId);
    }
    open = open.filter(groupId => !settled.has(groupId));
    if (open.length === 0) break;
    cluster.invalidate();
    const failure = answers.get(open[0]!);
    await cluster.pause(attempt, deadline, failure, what).catch((reason: unknown) => {
      for (const groupId of open)
        settled.set(groupId, { status: 'rejected', reason: lastOf(groupId, reason, answers) });
      open = [];
    });
  }
  return groupIds.map(groupId => settled.get(groupId)!);
}

/** A group's own last error says more than that of its neighbour. */
function lastOf(groupId: string, reason: unknown, answers: ReadonlyMap<string, unknown>): unknown {
  const own = answers.get(groupId);
  return own instanceof KafkaError ? own : reason;
}

/** One try; @returns an answer or an error for each group. Adds to `coordinators` what it finds. */
async function askOnce<T>(
  cluster: Cluster,
  groupIds: readonly string[],
  coordinators: Map<string, number>,
  ask: AskCoordinator<T>,
  kind: CoordinatorKind,
): Promise<Map<string, T | Error>> {
  const answers = new Map<string, T | Error>();
  const fail = (groups: readonly string[]) => (error: Error) => groups.forEach(group => answers.set(group, error));
  const unknown = groupIds.filter(groupId => !coordinators.has(groupId));
  await locate(cluster, unknown, kind, coordinators, answers).catch(fail(unknown));
  await Promise.all(
    Array.from(byCoordinator(groupIds, coordinators), async ([brokerId, groups]) => {
      try {
        const told = await ask(await cluster.coordinator(brokerId), groups, brokerId);
        for (const groupId of groups)
          answers.set(groupId, told.has(groupId) ? told.get(groupId)! : unanswered(groupId));
      } catch (error) {
        fail(groups)(error as Error);
      }
    }),
  );
  return answers;
}

async function locate(
  cluster: Cluster,
  groupIds: readonly string[],
  kind: CoordinatorKind,
  coordinators: Map<string, number>,
  answers: Map<string, unknown>,
): Promise<void> {
  if (groupIds.length === 0) return;
  if (cluster.isStale) await cluster.refresh();
  const found = await findCoordinators(cluster, groupIds, kind);
  for (const groupId of groupIds) {
    const way = found.get(groupId) ?? unanswered(groupId);
    if (typeof way === 'number') coordinators.set(groupId, way);
    else answers.set(groupId, way);
  }
}

function byCoordinator(
  groupIds: readonly string[],
  coordinators: ReadonlyMap<string, number>,
): ReadonlyMap<number, string[]> {
  const groups = new Map<number, string[]>();
  for (const groupId of groupIds) {
    const broker = coordinators.get(groupId);
    if (broker === undefined) continue;
    const list = groups.get(broker);
    if (list === undefined) groups.set(broker, [groupId]);
    else list.push(groupId);
  }
  return groups;
}

function unanswered(groupId: string): KafkaError {
  return new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR, `no answer about ${groupId}`);
}

/** LEADER_NOT_AVAILABLE is the word of a broker that has just started and knows no cluster yet. */
function isPassing(error: Error): boolean {
  if (error instanceof ConnectionError) return error.code !== 'UNSUPPORTED_VERSION';
  if (!(error instanceof KafkaError)) return false;
  const { UNSTABLE_OFFSET_COMMIT, LEADER_NOT_AVAILABLE } = ErrorCode;
  return isOfTakeOver(error.code) || error.code === UNSTABLE_OFFSET_COMMIT || error.code === LEADER_NOT_AVAILABLE;
}
