import { systemClock, systemTimers } from '../../shared/runtime/clock.ts';
import { silentLogger } from '../../shared/runtime/logger.ts';
import { ZooKeeperStore } from '../../shared/zookeeper/store.ts';
import { MemoryZooKeeper } from './memory-zookeeper.ts';

/** A store over the in-memory twin of ZooKeeper, without delays, with the nodes that every broker relies on. */
export async function memoryStore(): Promise<ZooKeeperStore> {
  const seams = { clock: systemClock, timers: systemTimers };
  const zk = await new MemoryZooKeeper({ ...seams, sessionTimeoutMs: 10_000, latencyMs: () => 0 }).connect();
  const store = new ZooKeeperStore(zk, { ...seams, logger: silentLogger });
  await store.ensurePersistentPaths();
  return store;
}
