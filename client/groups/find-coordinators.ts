import { ErrorCode } from '../../shared/protocol/errors.ts';
import { FindCoordinator } from '../../shared/protocol/messages/find-coordinator.ts';
import type { Connection } from '../../shared/connection/connection.ts';
import type { ResponseOf } from '../../shared/protocol/api.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { KafkaError } from '../errors.ts';

const GROUP = 0;
/** From this version on several keys are asked for at once (KIP-699). */
const BATCHED_SINCE = 4;

type Found = Pick<
  ResponseOf<typeof FindCoordinator>['coordinators'][number],
  'key' | 'nodeId' | 'errorCode' | 'errorMessage'
>;

/**
 * Asks any broker who coordinates these groups; each is the coordinator's broker id, or why there is none.
 * @throws ConnectionError, KafkaError when nobody could be asked
 */
export async function findCoordinators(
  cluster: Cluster,
  groupIds: readonly string[],
): Promise<Map<string, number | KafkaError>> {
  const connection = await cluster.any();
  const isBatched = (connection.versions(FindCoordinator)?.max ?? 0) >= BATCHED_SINCE;
  const found = isBatched
    ? await askForAll(connection, groupIds)
    : await Promise.all(groupIds.map(id => askForOne(connection, id)));
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

async function askForAll(connection: Connection, groupIds: readonly string[]): Promise<readonly Found[]> {
  const request = { coordinatorKeys: [...groupIds], keyType: GROUP };
  return (await connection.call(FindCoordinator, request))!.coordinators;
}

async function askForOne(connection: Connection, key: string): Promise<Found> {
  return { key, ...(await connection.call(FindCoordinator, { key, keyType: GROUP }))! };
}
