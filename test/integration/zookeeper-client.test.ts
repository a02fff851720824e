import { systemClock, systemTimers } from '../../shared/runtime/clock.ts';
import { silentLogger } from '../../shared/runtime/logger.ts';
import { connectZooKeeper, type ZooKeeperClient } from '../../shared/zookeeper/client.ts';
import type { ZooKeeper } from '../../shared/zookeeper/zookeeper.ts';
import { expireSession } from '../support/session-expiry.ts';
import { zooKeeperContract } from '../support/zookeeper-contract.ts';
import { ZooKeeperProcess } from '../support/zookeeper-process.ts';
import { ZooKeeperProxy } from '../support/zookeeper-proxy.ts';

zooKeeperContract('the real client', async () => {
  const server = await ZooKeeperProcess.start();
  const proxies = new Map<ZooKeeper, ZooKeeperProxy>();
  return {
    async connect() {
      const proxy = await ZooKeeperProxy.start(server.port);
      const client = await connectZooKeeper({
        connectString: `${proxy.connectString}/chroot/of/tests`,
        sessionTimeoutMs: 4000,
        connectionTimeoutMs: 4000,
        logger: silentLogger,
        clock: systemClock,
        timers: systemTimers,
      });
      proxies.set(client, proxy);
      return client;
    },
    disconnect: client => proxies.get(client)!.cut(),
    reconnect: client => proxies.get(client)!.restore(),
    expire: client => expireSession(server.port, client as ZooKeeperClient),
    async close() {
      await Promise.all([...proxies.values()].map(proxy => proxy.close()));
      await server.kill();
    },
  };
});
