import { systemClock, systemTimers } from '../../shared/runtime/clock.ts';
import { connectZooKeeper, type ZooKeeperClient } from '../../shared/zookeeper/client.ts';
import { ZooKeeperStore } from '../../shared/zookeeper/store.ts';
import { toolLogger } from '../support/logger.ts';
import { ToolFailure } from '../support/tool.ts';

const SESSION_TIMEOUT_MS = 30_000;
const CONNECTION_TIMEOUT_MS = 15_000;

/** Connects a tool to ZooKeeper. @throws ToolFailure when no server answers */
export async function connect(
  connectString: string,
  connectionTimeoutMs = CONNECTION_TIMEOUT_MS,
): Promise<ZooKeeperClient> {
  try {
    return await connectZooKeeper({
      connectString,
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      connectionTimeoutMs,
      logger: toolLogger(),
      clock: systemClock,
      timers: systemTimers,
    });
  } catch (error) {
    throw new ToolFailure(`Cannot connect to ZooKeeper at ${connectString}: ${(error as Error).message}`);
  }
}

/** Connects, hands the store to `work`, and closes whatever happens. */
export async function withStore<T>(connectString: string, work: (store: ZooKeeperStore) => Promise<T>): Promise<T> {
  const zk = await connect(connectString);
  try {
    return await work(storeOf(zk));
  } finally {
    await zk.close();
  }
}

export function storeOf(zk: ZooKeeperClient): ZooKeeperStore {
  return new ZooKeeperStore(zk, { clock: systemClock, timers: systemTimers, logger: toolLogger() });
}
