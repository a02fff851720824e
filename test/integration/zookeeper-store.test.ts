import { systemClock, systemTimers } from '../../shared/runtime/clock.ts';
import { silentLogger } from '../../shared/runtime/logger.ts';
import { connectZooKeeper, type ZooKeeperClient } from '../../shared/zookeeper/client.ts';
import { expireSession } from '../support/session-expiry.ts';
import { ZooKeeperProcess } from '../support/zookeeper-process.ts';
import { storeContract } from '../support/zookeeper-store-contract.ts';

storeContract('the real ZooKeeper', async () => {
  const server = await ZooKeeperProcess.start();
  return {
    connect: tree =>
      connectZooKeeper({
        connectString: `${server.connectString}${tree}`,
        sessionTimeoutMs: 4000,
        connectionTimeoutMs: 4000,
        logger: silentLogger,
        clock: systemClock,
        timers: systemTimers,
      }),
    expire: client => expireSession(server.port, client as ZooKeeperClient),
    close: () => server.kill(),
  };
});
