import { beforeAll, describe, expect, it } from 'vitest';
import { systemClock, systemTimers } from '../../shared/runtime/clock.ts';
import { silentLogger } from '../../shared/runtime/logger.ts';
import { connectZooKeeper, type ZooKeeperClient } from '../../shared/zookeeper/client.ts';
import { waitFor } from '../support/wait.ts';
import { containerProblem, ZooKeeperContainer } from '../support/zookeeper-container.ts';

const problem = await containerProblem();
console.log(problem === null ? 'ZooKeeper runs in a container here' : `no ZooKeeper in a container here: ${problem}`);

describe.skipIf(problem !== null)('a ZooKeeper in a container', () => {
  let server: ZooKeeperContainer;
  let client: ZooKeeperClient;

  beforeAll(async () => {
    server = await ZooKeeperContainer.start();
    return () => server.kill();
  });
  beforeAll(async () => {
    client = await connectZooKeeper({
      connectString: `${server.connectString}/kafka`,
      sessionTimeoutMs: 3000,
      connectionTimeoutMs: 5000,
      logger: silentLogger,
      clock: systemClock,
      timers: systemTimers,
    });
    return () => client.close();
  });

  it('serves', async () => {
    await client.create('/a', Buffer.from('x'), 'persistent');
    expect((await client.getData('/a'))?.data?.toString()).toBe('x');
  });

  it('is killed and started again: the session goes on', async () => {
    const session = client.sessionId;
    await client.create('/e', null, 'ephemeral');
    await server.crash();
    await waitFor('the disconnect', () => !client.connected);
    await server.start();
    await waitFor('the connection', () => client.connected);
    expect(client.sessionId).toBe(session);
    expect((await client.exists('/e'))?.ephemeralOwner).toBe(session);
  });

  it('is frozen and goes on: the client does, too', async () => {
    const session = client.sessionId;
    await server.setFrozen(true);
    await waitFor('the disconnect', () => !client.connected);
    await server.setFrozen(false);
    await waitFor('the connection', () => client.connected);
    expect(client.sessionId).toBe(session);
    expect((await client.getData('/a'))?.data?.toString()).toBe('x');
  });
});
