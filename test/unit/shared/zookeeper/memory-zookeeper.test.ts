import { systemClock, systemTimers } from '../../../../shared/runtime/clock.ts';
import { MemoryZooKeeper, type MemoryZooKeeperClient } from '../../../support/memory-zookeeper.ts';
import { zooKeeperContract } from '../../../support/zookeeper-contract.ts';

zooKeeperContract('the in-memory ZooKeeper', async () => {
  const server = new MemoryZooKeeper({
    clock: systemClock,
    timers: systemTimers,
    sessionTimeoutMs: 500,
    latencyMs: () => 0,
  });
  const own = (client: unknown) => client as MemoryZooKeeperClient;
  return {
    connect: () => server.connect(),
    disconnect: client => own(client).disconnect(),
    reconnect: client => own(client).reconnect(),
    expire: async client => own(client).expire(),
    close: async () => {},
  };
});
