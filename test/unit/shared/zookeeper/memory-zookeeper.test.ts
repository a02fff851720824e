import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../../shared/runtime/clock.ts';
import { ManualTime } from '../../../support/manual-time.ts';
import { MemoryZooKeeper, type MemoryZooKeeperClient } from '../../../support/memory-zookeeper.ts';
import { immediateTimers } from '../../../support/zookeeper-immediate-timers.ts';
import { zooKeeperContract } from '../../../support/zookeeper-contract.ts';

zooKeeperContract('the in-memory ZooKeeper', async () => {
  const server = new MemoryZooKeeper({
    clock: systemClock,
    timers: immediateTimers,
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

describe('the in-memory ZooKeeper on virtual time', () => {
  async function setUp(latencies = () => 5) {
    const time = new ManualTime();
    const { clock, timers } = time;
    const server = new MemoryZooKeeper({ clock, timers, sessionTimeoutMs: 1000, latencyMs: latencies });
    const connect = async () => {
      const connecting = server.connect();
      await time.advance(20);
      return connecting;
    };
    return { server, connect, advance: (ms: number) => time.advance(ms) };
  }

  it('answers after two latencies, and in order whatever the latencies are', async () => {
    let latency = 50;
    const { advance, connect } = await setUp(() => (latency = latency === 50 ? 1 : 50));
    const client = await connect();
    await advance(100);
    const answers: string[] = [];
    const all = Promise.all(
      ['a', 'b', 'c', 'd'].map(async name => answers.push(await client.create(`/${name}`, null, 'persistent'))),
    );
    expect(answers).toEqual([]);
    await advance(200);
    await all;
    expect(answers).toEqual(['/a', '/b', '/c', '/d']);
  });

  it('loses a call on its way there or on its way back', async () => {
    const { advance, connect, server } = await setUp();
    const client = await connect();
    for (const [elapsed, done] of [
      [2, false],
      [7, true],
    ] as const) {
      const path = `/after-${elapsed}`;
      const outcome = client.create(path, null, 'persistent').catch((error: unknown) => error);
      await advance(elapsed);
      client.disconnect();
      expect(await outcome).toMatchObject({ code: 'CONNECTION_LOSS' });
      expect(server.tree.read(path) !== null).toBe(done);
      client.reconnect();
      await advance(20);
    }
  });

  it('ends a session that stays away for its timeout, not one that returns in time', async () => {
    const { advance, connect, server } = await setUp();
    const client = await connect();
    const events: string[] = [];
    client.onSession(event => events.push(event));
    void client.create('/e', null, 'ephemeral');
    await advance(20);
    client.disconnect();
    await advance(900);
    client.reconnect();
    await advance(10);
    client.disconnect();
    await advance(900);
    expect(server.tree.read('/e')).not.toBeNull();
    await advance(200);
    expect(server.tree.read('/e')).toBeNull();
    client.reconnect();
    expect(events).toEqual(['disconnected', 'reconnected', 'disconnected', 'expired', 'connected']);
  });

  it('leaves a process that is gone in the dark', async () => {
    const { advance, connect, server } = await setUp();
    const client = await connect();
    const heard: unknown[] = [];
    client.onSession(event => heard.push(event));
    await Promise.all([client.create('/e', null, 'ephemeral'), advance(20)]);
    client.exists('/e').then(
      stat => heard.push(stat),
      (error: unknown) => heard.push(error),
    );
    client.abandon();
    client.create('/x', null, 'persistent').then(
      path => heard.push(path),
      (error: unknown) => heard.push(error),
    );
    await advance(5000);
    expect(heard).toEqual([]);
    expect(server.tree.read('/e')).toBeNull();
    expect(server.tree.read('/x')).toBeNull();
  });
});
