import { systemClock } from '../../../../shared/runtime/clock.ts';
import { MemoryZooKeeper, type MemoryZooKeeperClient } from '../../../support/memory-zookeeper.ts';
import { immediateTimers } from '../../../support/zookeeper-immediate-timers.ts';
import { storeContract } from '../../../support/zookeeper-store-contract.ts';

storeContract('the in-memory ZooKeeper', async () => {
  const servers = new Map<string, MemoryZooKeeper>();
  const options = { clock: systemClock, timers: immediateTimers, sessionTimeoutMs: 500, latencyMs: () => 0 };
  const own = (client: unknown) => client as MemoryZooKeeperClient;
  return {
    connect(tree) {
      const server = servers.get(tree) ?? new MemoryZooKeeper(options);
      servers.set(tree, server);
      return server.connect();
    },
    expire: async client => own(client).expire(),
    close: async () => {},
  };
});
