import { execFileSync } from 'node:child_process';
import { ACL, Id, Permission } from 'node-zookeeper-client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock, systemTimers } from '../../shared/runtime/clock.ts';
import { silentLogger, type Logger } from '../../shared/runtime/logger.ts';
import { connectZooKeeper, type ZooKeeperClient } from '../../shared/zookeeper/client.ts';
import { CallQueue } from '../../shared/zookeeper/client/calls.ts';
import { library } from '../../shared/zookeeper/client/library.ts';
import { Operations } from '../../shared/zookeeper/client/operations.ts';
import { openSession } from '../../shared/zookeeper/client/session.ts';
import { ZooKeeperStore } from '../../shared/zookeeper/store.ts';
import type { SessionEvent } from '../../shared/zookeeper/zookeeper.ts';
import { freePorts } from '../support/free-ports.ts';
import { expireSession } from '../support/session-expiry.ts';
import { waitFor } from '../support/wait.ts';
import { FaultyZooKeeper } from '../support/zookeeper-faults.ts';
import { ZooKeeperEnsemble, ZooKeeperProcess } from '../support/zookeeper-process.ts';
import { ZooKeeperProxy } from '../support/zookeeper-proxy.ts';

const clients: ZooKeeperClient[] = [];
const cleanups: (() => Promise<unknown>)[] = [];

async function connect(
  connectString: string,
  sessionTimeoutMs = 10_000,
  logger: Logger = silentLogger,
): Promise<ZooKeeperClient> {
  const options = { connectString, sessionTimeoutMs, connectionTimeoutMs: 3000, logger };
  const client = await connectZooKeeper({ ...options, clock: systemClock, timers: systemTimers });
  clients.push(client);
  return client;
}

function sessionEvents(client: ZooKeeperClient): SessionEvent[] {
  const events: SessionEvent[] = [];
  client.onSession(event => events.push(event));
  return events;
}

async function proxyTo(port: number): Promise<ZooKeeperProxy> {
  const proxy = await ZooKeeperProxy.start(port);
  cleanups.push(() => proxy.close());
  return proxy;
}

afterEach(async () => {
  await Promise.all(clients.splice(0).map(client => client.close()));
  await Promise.all(cleanups.splice(0).map(cleanup => cleanup()));
});

describe('a client of one server', () => {
  let server: ZooKeeperProcess;
  let tests = 0;
  let root = '';

  beforeAll(async () => {
    server = await ZooKeeperProcess.start({ configuration: ['enforceQuota=true'] });
  });
  afterAll(() => server.kill());

  /** A client behind a proxy, in a tree of its own. */
  const connectByProxy = async () => {
    const proxy = await proxyTo(server.port);
    root = `/outages-${tests++}`;
    return { proxy, client: await connect(`${proxy.connectString}${root}`) };
  };

  it('names the servers it has tried in vain, and why', async () => {
    const [dead] = await freePorts(1);
    const failing = connectZooKeeper({
      connectString: `127.0.0.1:${dead},no-such-host.invalid:2181/kafka`,
      sessionTimeoutMs: 1000,
      connectionTimeoutMs: 4000,
      logger: silentLogger,
      clock: systemClock,
      timers: systemTimers,
    });
    const error = await failing.catch((e: unknown) => e as Error);
    expect(error).toMatchObject({ code: 'CONNECTION_LOSS' });
    expect((error as Error).message).toContain(`no ZooKeeper server answered within 4000 ms`);
    expect((error as Error).message).toContain(`tried 127.0.0.1:${dead}, no-such-host.invalid:2181`);
    expect((error as Error).message).toContain('ECONNREFUSED');
  });

  it('gives up on a server that takes connections and never answers', async () => {
    const proxy = await proxyTo(server.port);
    proxy.mute();
    await expect(connect(proxy.connectString, 1000)).rejects.toMatchObject({ code: 'CONNECTION_LOSS' });
  });

  it('creates a missing chroot, and says when it may not', async () => {
    await connect(`${server.connectString}/locked`);
    const raw = library.createClient(server.connectString, { sessionTimeout: 3000, retries: 0 });
    await new Promise<void>(resolve => {
      raw.on('connected', resolve);
      raw.connect();
    });
    await new Promise<void>(resolve => {
      raw.setACL('/locked', [new ACL(Permission.READ, new Id('world', 'anyone'))], () => resolve());
    });
    raw.close();
    await expect(connect(`${server.connectString}/locked/below`)).rejects.toMatchObject({ code: 'NO_AUTH' });
    await connect(`${server.connectString}/locked`);
  });

  it('notices that nothing arrives any more, and comes back with its session', async () => {
    const { proxy, client } = await connectByProxy();
    const events = sessionEvents(client);
    const session = client.sessionId;
    await client.create('/e', null, 'ephemeral');
    proxy.mute();
    const write = client.create('/lost', null, 'persistent').catch((error: unknown) => error);
    // Early enough: the session is still there when the link is back.
    await waitFor('the disconnect', () => !client.connected);
    expect(await write).toMatchObject({ code: 'CONNECTION_LOSS' });
    const read = client.exists('/e');
    proxy.restore();
    expect((await read)?.ephemeralOwner).toBe(session);
    expect(events).toEqual(['disconnected', 'reconnected']);
    expect(await client.exists('/lost')).toBeNull();
  });

  it('loses the calls that are on their way, and only those', async () => {
    const { proxy, client } = await connectByProxy();
    proxy.mute();
    const outcomes = Promise.allSettled(
      Array.from({ length: 30 }, (_, i) => client.create(`/n${i}`, null, 'persistent')),
    );
    proxy.restore();
    const lost = (await outcomes).flatMap(({ status }, i) => (status === 'rejected' ? [i] : []));
    expect(lost).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(await client.getChildren('/')).toHaveLength(20);
  });

  it('does not mistake a stall of its own for a dead server', async () => {
    const { client } = await connectByProxy();
    const events = sessionEvents(client);
    for (let i = 0; i < 2; i++) {
      // Blocks the event loop for longer than the watchdog takes.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5300);
      await client.exists('/');
    }
    expect(events).toEqual([]);
  });

  it('survives a link that breaks in the middle of an answer', async () => {
    const { proxy, client } = await connectByProxy();
    await client.create('/large', Buffer.alloc(500_000, 7), 'persistent');
    for (const bytes of [1, 3, 10, 100_000]) {
      proxy.breakAfter(bytes);
      expect((await client.getData('/large'))?.data?.length).toBe(500_000);
    }
  });

  it('survives an error code that it does not know, as the only one to be told', async () => {
    const { client } = await connectByProxy();
    const plain = await connect(server.connectString);
    const events = sessionEvents(client);
    await client.create('/limited', null, 'persistent');
    for (const path of [`/zookeeper/quota${root}`, `/zookeeper/quota${root}/limited`]) {
      await plain.create(path, null, 'persistent');
    }
    const limits = Buffer.from('count=-1,bytes=-1=;byteHardLimit=10;countHardLimit=-1');
    await plain.create(`/zookeeper/quota${root}/limited/zookeeper_limits`, limits, 'persistent');
    await plain.create(`/zookeeper/quota${root}/limited/zookeeper_stats`, Buffer.from('count=1,bytes=0'), 'persistent');
    const neighbour = client.exists('/');
    await expect(client.setData('/limited', Buffer.alloc(100), -1)).rejects.toMatchObject({
      code: 'UNKNOWN',
      message: 'setData /limited: ZooKeeper error -125',
    });
    const multi = client.multi([{ kind: 'setData', path: '/limited', data: Buffer.alloc(100), version: -1 }]);
    await expect(multi).rejects.toMatchObject({ code: 'UNKNOWN', operationIndex: 0 });
    expect(await neighbour).not.toBeNull();
    expect(events).toEqual([]);
  });

  it('goes on when a watcher or a listener throws', async () => {
    const { client } = await connectByProxy();
    let called = 0;
    client.onSession(() => {
      throw new Error('a listener of the test');
    });
    const events = sessionEvents(client);
    await client.getData('/', () => {
      throw new Error('a watcher of the test');
    });
    await client.getData('/', () => called++);
    await client.setData('/', null, -1);
    await waitFor('the other watcher', () => called === 1);
    await expireSession(server.port, client);
    await waitFor('the other listener', () => events.includes('connected'));
    expect(await client.exists('/')).not.toBeNull();
  });

  it('takes 15,000 watches to its next connection', async () => {
    const { proxy, client } = await connectByProxy();
    const long = 'x'.repeat(60);
    const fired = new Set<string>();
    const paths = Array.from({ length: 15_000 }, (_, i) => `/${long}-${i}`);
    await Promise.all(paths.map(path => client.exists(path, event => void fired.add(event.path))));
    const events = sessionEvents(client);
    proxy.cut();
    await waitFor('the disconnect', () => !client.connected);
    const other = await connect(`${server.connectString}${root}`);
    await other.create(paths[7]!, null, 'persistent');
    proxy.restore();
    await waitFor('the connection', () => client.connected);
    await other.create(paths[14_999]!, null, 'persistent');
    await waitFor('both events', () => fired.size === 2);
    expect([...fired].sort()).toEqual([paths[7], paths[14_999]].sort());
    expect(events).toEqual(['disconnected', 'reconnected']);
  });

  it('reads on when request numbers have been used up', async () => {
    const address = { host: '127.0.0.1', port: server.port };
    const seams = { logger: silentLogger, clock: systemClock, timers: systemTimers };
    const session = await openSession(
      { servers: [address], sessionTimeoutMs: 3000, onChange: () => {}, ...seams },
      3000,
      new AbortController().signal,
    );
    const calls = new CallQueue({ maxInFlight: 10, timeLimitMs: 1000, ...seams });
    calls.open(session);
    session.client.connectionManager.xid = 0x7ffeffff;
    const answers = await Promise.all(Array.from({ length: 20 }, () => new Operations(calls, '').exists('/')));
    expect(answers.every(stat => stat !== null)).toBe(true);
    expect(session.client.connectionManager.xid).toBeLessThan(100);
    await session.close(1000);
  });

  describe('closes', () => {
    it('while the link is broken, muted, or being made', async () => {
      for (const hurt of ['cut', 'mute', 'breakLinks'] as const) {
        const { proxy, client } = await connectByProxy();
        proxy[hurt]();
        const waiting = client.create('/x', null, 'persistent').catch((error: unknown) => error);
        await client.close();
        expect(await waiting).toMatchObject({ code: 'CLOSED' });
        await waitFor('no link to be left', () => proxy.links === 0);
      }
    });

    it('while it waits for a new session', async () => {
      const { proxy, client } = await connectByProxy();
      const events = sessionEvents(client);
      client.onSession(event => {
        if (event === 'expired') proxy.mute();
      });
      await expireSession(server.port, client);
      await waitFor('the expiry', () => events.includes('expired'));
      const waiting = client.create('/x', null, 'persistent').catch((error: unknown) => error);
      await client.close();
      expect(await waiting).toMatchObject({ code: 'CLOSED' });
      await waitFor('no link to be left', () => proxy.links === 0);
      expect(events).not.toContain('connected');
    });
  });

  describe('whose answers are lost', () => {
    it('registers and is elected once all the same', async () => {
      const { proxy, client } = await connectByProxy();
      const observer = await connect(`${server.connectString}${root}`);
      const zk = new FaultyZooKeeper(client);
      const store = new ZooKeeperStore(zk, { clock: systemClock, timers: systemTimers, logger: silentLogger });
      await store.ensurePersistentPaths();
      await client.create('/controller_epoch', Buffer.from('3'), 'persistent');

      zk.beforeWrite = async () => proxy.loseAnswers();
      const registration = { id: 1, endpoints: [], rack: null, jmxPort: -1, timestampMs: 0 };
      const epoch = store.brokers.register(registration);
      await waitFor('the registration', () => observer.exists('/brokers/ids/1'));
      proxy.restore();
      expect(await epoch).toBe((await observer.exists('/brokers/ids/1'))?.czxid);

      zk.beforeWrite = async () => proxy.loseAnswers();
      const election = store.controller.elect(1, 0);
      await waitFor('the election', () => observer.exists('/controller'));
      proxy.restore();
      expect(await election).toEqual({ epoch: 4, epochZkVersion: 1 });
    });
  });
});

describe('a server that goes down', () => {
  it('and stays down for long keeps the sessions: clients come back as who they were', async () => {
    // A server that starts again gives its old sessions one timeout from then on, and a busy machine may need longer than
    // that second until it lets clients in. Ticks of a day keep it from ending sessions: only the client could do so.
    const day = 86_400_000;
    const sessions = ['minSessionTimeout=1000', 'maxSessionTimeout=10000'];
    const server = await ZooKeeperProcess.start({ tickTime: day, configuration: sessions });
    cleanups.push(() => server.kill());
    const client = await connect(server.connectString, 1000);
    const events = sessionEvents(client);
    const session = client.sessionId;
    await client.create('/e', null, 'ephemeral');
    await server.crash();
    await waitFor('the disconnect', () => !client.connected);
    // Long enough for the client to doubt its session.
    await new Promise(resolve => setTimeout(resolve, 3500));
    await server.start();
    await waitFor('the connection', () => client.connected);
    // Long enough for the doubt to be acted upon, were it not cleared up.
    await new Promise(resolve => setTimeout(resolve, 4000));
    // On a busy machine the link may break once more; a session that ended would say 'expired' and 'connected'.
    expect(new Set(events)).toEqual(new Set(['disconnected', 'reconnected']));
    expect((await client.exists('/e'))?.ephemeralOwner).toBe(session);
  });

  it('and takes a doubted session back keeps it, although the link breaks again before the doubt is over', async () => {
    const day = 86_400_000;
    const sessions = ['minSessionTimeout=1000', 'maxSessionTimeout=10000'];
    const server = await ZooKeeperProcess.start({ tickTime: day, configuration: sessions });
    cleanups.push(() => server.kill());
    const proxy = await proxyTo(server.port);
    // Doubt begins after two session timeouts, and is the only thing that the client sleeps for.
    let doubtBegun = false;
    let endDoubt: (() => void) | null = null;
    const timers = {
      ...systemTimers,
      after: (delayMs: number, callback: () => void) => {
        return systemTimers.after(delayMs, () => {
          doubtBegun ||= delayMs === 2000;
          callback();
        });
      },
      sleep: () => new Promise<void>(resolve => (endDoubt = resolve)),
    };
    const seams = { logger: silentLogger, clock: systemClock, timers };
    const options = { connectString: proxy.connectString, sessionTimeoutMs: 1000, connectionTimeoutMs: 60_000 };
    const client = await connectZooKeeper({ ...options, ...seams });
    clients.push(client);
    const events = sessionEvents(client);
    const session = client.sessionId;

    // Out for long: as soon as the server can be reached, another session is opened beside this one.
    proxy.cut();
    await waitFor('the disconnect', () => !client.connected);
    await waitFor('the doubt', () => doubtBegun);
    proxy.restore();
    await waitFor('another session, and the connection', () => endDoubt !== null && client.connected);
    proxy.cut();
    await waitFor('the next disconnect', () => !client.connected);
    endDoubt!();
    proxy.restore();
    await waitFor('the next connection', () => client.connected);
    expect(events).not.toContain('expired');
    expect(client.sessionId).toBe(session);
  });

  it('and comes back without its data gets a new session', async () => {
    const server = await ZooKeeperProcess.start();
    cleanups.push(() => server.kill());
    const client = await connect(`${server.connectString}/kafka`, 1000);
    const events = sessionEvents(client);
    for (let i = 0; i < 50; i++) await client.create('/n_', null, 'persistentSequential');
    await server.crash();
    server.wipe();
    await server.start();
    await waitFor('a new session', () => events.includes('connected'));
    expect(events).toEqual(['disconnected', 'expired', 'connected']);
    expect(await client.exists('/n_0000000000')).toBeNull();
  });

  it('while it is frozen, is left within bounds', async () => {
    const server = await ZooKeeperProcess.start();
    cleanups.push(() => server.kill());
    const client = await connect(server.connectString);
    server.signal('SIGSTOP');
    const started = performance.now();
    await client.close();
    expect(performance.now() - started).toBeLessThan(client.sessionTimeoutMs);
    server.signal('SIGCONT');
  });
});

describe('an ensemble of three', () => {
  let ensemble: ZooKeeperEnsemble;

  beforeAll(async () => {
    ensemble = await ZooKeeperEnsemble.start();
  });
  afterAll(() => ensemble.kill());

  it('loses a server, frozen or killed, and nobody notices', async () => {
    const client = await connect(`${ensemble.connectString}/kafka`);
    const store = new ZooKeeperStore(client, { clock: systemClock, timers: systemTimers, logger: silentLogger });
    const events = sessionEvents(client);
    const session = client.sessionId;
    await store.ensurePersistentPaths();
    const fence = await store.controller.elect(1, 0);
    let writes = 0;
    let going = true;
    const writing = (async () => {
      while (going) {
        await store.deletions.mark(`topic-${writes}`);
        await store.deletions.clear([`topic-${writes}`], fence!);
        writes++;
        await new Promise(resolve => setTimeout(resolve, 20));
      }
    })();
    const progress = async () => {
      const before = writes;
      await waitFor('more writes', () => writes > before + 5);
    };
    await progress();
    for (const server of ensemble.servers) {
      server.signal('SIGSTOP');
      await progress();
      server.signal('SIGCONT');
      await waitFor('the connection', () => client.connected);
    }
    const leader = await ensemble.leader();
    await leader.crash();
    await progress();
    await leader.start();
    going = false;
    await writing;
    expect(events).not.toContain('expired');
    expect(client.sessionId).toBe(session);
    expect(await store.controller.activeId()).toBe(1);
    expect(await store.deletions.list()).toEqual([]);
  });
});

it('leaves no process behind', () => {
  const children = execFileSync('ps', ['--ppid', String(process.pid), '-o', 'comm=']).toString();
  expect(children).not.toContain('java');
});
