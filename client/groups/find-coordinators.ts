import { ErrorCode } from '../../shared/protocol/errors.ts';
import { FindCoordinator } from '../../shared/protocol/messages/find-coordinator.ts';
import type { Connection } from '../../shared/connection/connection.ts';
import type { ResponseOf } from '../../shared/protocol/api.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { KafkaError } from '../errors.ts';

/** What a coordinator is looked for: a group, or a transactional id. */
export type CoordinatorKind = 'group' | 'transaction';

const KEY_TYPES: Readonly<Record<CoordinatorKind, number>> = { group: 0, transaction: 1 };
/** From this version on several keys are asked for at once (KIP-699). */
const BATCHED_SINCE = 4;

type Found = Pick<
  ResponseOf<typeof FindCoordinator>['coordinators'][number],
  'key' | 'nodeId' | 'errorCode' | 'errorMessage'
>;

/**
 * Asks any broker who coordinates these groups, or transactional ids; each is the coordinator's broker id, or why there
 * is none.
 * @throws ConnectionError, KafkaError when nobody could be asked
 */
export async function findCoordinators(
  cluster: Cluster,
  keys: readonly string[],
  kind: CoordinatorKind = 'group',
): Promise<Map<string, number | KafkaError>> {
  const connection = await cluster.any();
  const isBatched = (connection.versions(FindCoordinator)?.max ?? 0) >= BATCHED_SINCE;
  const found = isBatched
    ? await askForAll(connection, keys, KEY_TYPES[kind])
    : await Promise.all(keys.map(key => askForOne(connection, key, KEY_TYPES[kind])));
  // An address may be news: of a broker that the last metadata did not have.
  const known = new Set(cluster.brokers().map(({ id }) => id));
  if (found.some(({ errorCode, nodeId }) => errorCode === ErrorCode.NONE && !known.has(nodeId)))
    await cluster.refresh();
  return new Map(
    found.map(({ key, nodeId, errorCode, errorMessage }) => [
      key,
      errorCode === ErrorCode.NONE ? nodeId : new KafkaError(errorCode, errorMessage),
    ]),
  );
}

async function askForAll(connection: Connection, keys: readonly string[], keyType: number): Promise<readonly Found[]> {
  return (await connection.call(FindCoordinator, { coordinatorKeys: [...keys], keyType }))!.coordinators;
}

async function askForOne(connection: Connection, key: string, keyType: number): Promise<Found> {
  return { key, ...(await connection.call(FindCoordinator, { key, keyType }))! };
}
