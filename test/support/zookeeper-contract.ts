import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SessionEvent, WatchEvent, ZooKeeper } from '../../shared/zookeeper/zookeeper.ts';
import { waitFor } from './wait.ts';

/** An implementation under test: a ZooKeeper of its own, and the means to hurt its clients. */
export interface ContractSubject {
  connect(): Promise<ZooKeeper>;
  /** Breaks the client's connection until `reconnect`. */
  disconnect(client: ZooKeeper): void;
  reconnect(client: ZooKeeper): void;
  /** Ends the client's session behind its back. */
  expire(client: ZooKeeper): Promise<void>;
  close(): Promise<void>;
}

const bytes = (text: string) => Buffer.from(text);

/** What every implementation of the ZooKeeper interface must do alike. */
export function zooKeeperContract(name: string, start: () => Promise<ContractSubject>): void {
  describe(`${name} keeps the contract of ZooKeeper`, () => {
    let subject: ContractSubject;
    let clients: ZooKeeper[] = [];
    let root = '';
    let counter = 0;

    beforeAll(async () => {
      subject = await start();
    });
    afterEach(async () => {
      await Promise.all(clients.map(client => client.close()));
      clients = [];
    });
    afterAll(() => subject.close());

    const connect = async (): Promise<ZooKeeper> => {
      const client = await subject.connect();
      clients.push(client);
      return client;
    };
    /** A client and an empty node of its own. */
    const prepare = async (): Promise<ZooKeeper> => {
      const client = await connect();
      root = await client.create(`/test${counter++}`, null, 'persistent');
      return client;
    };
    const watching = () => {
      const events: WatchEvent[] = [];
      return { events, watcher: (event: WatchEvent) => void events.push(event) };
    };
    const sessionEvents = (client: ZooKeeper): SessionEvent[] => {
      const events: SessionEvent[] = [];
      client.onSession(event => events.push(event));
      return events;
    };

    describe('nodes', () => {
      it('creates, reads, writes and removes', async () => {
        const zk = await prepare();
        expect(await zk.create(`${root}/a`, bytes('one'), 'persistent')).toBe(`${root}/a`);
        const created = await zk.getData(`${root}/a`);
        expect(created?.data?.toString()).toBe('one');
        expect(created?.stat).toMatchObject({ version: 0, ephemeralOwner: 0n, numChildren: 0 });
        expect(created?.stat.czxid).toBe(created?.stat.mzxid);
        const stat = await zk.setData(`${root}/a`, bytes('two'), 0);
        expect(stat.version).toBe(1);
        expect(stat.czxid).toBe(created?.stat.czxid);
        expect(stat.mzxid).toBeGreaterThan(stat.czxid);
        expect(await zk.exists(`${root}/a`)).toEqual(stat);
        await zk.remove(`${root}/a`, 1);
        expect(await zk.getData(`${root}/a`)).toBeNull();
        expect(await zk.exists(`${root}/a`)).toBeNull();
      });

      it('knows one way of having no data', async () => {
        const zk = await prepare();
        await zk.create(`${root}/none`, null, 'persistent');
        await zk.create(`${root}/empty`, Buffer.alloc(0), 'persistent');
        await zk.create(`${root}/cleared`, bytes('x'), 'persistent');
        await zk.setData(`${root}/cleared`, null, -1);
        for (const name of ['none', 'empty', 'cleared']) expect((await zk.getData(`${root}/${name}`))?.data).toBeNull();
      });

      it('lists children', async () => {
        const zk = await prepare();
        expect(await zk.getChildren(root)).toEqual([]);
        await Promise.all(['x', 'y'].map(child => zk.create(`${root}/${child}`, null, 'persistent')));
        expect((await zk.getChildren(root))?.sort()).toEqual(['x', 'y']);
        expect((await zk.exists(root))?.numChildren).toBe(2);
        expect(await zk.getChildren(`${root}/missing`)).toBeNull();
      });

      it('numbers sequential nodes, never twice', async () => {
        const zk = await prepare();
        expect(await zk.create(`${root}/n_`, null, 'persistentSequential')).toBe(`${root}/n_0000000000`);
        expect(await zk.create(`${root}/n_`, null, 'persistentSequential')).toBe(`${root}/n_0000000001`);
        await zk.remove(`${root}/n_0000000001`, -1);
        expect(await zk.create(`${root}/n_`, null, 'ephemeralSequential')).toBe(`${root}/n_0000000002`);
      });

      it('refuses with the reason', async () => {
        const zk = await prepare();
        await zk.create(`${root}/a`, null, 'persistent');
        await zk.create(`${root}/a/b`, null, 'persistent');
        await zk.create(`${root}/e`, null, 'ephemeral');
        const refused = (code: string, path: string) => ({ code, path, operationIndex: -1 });
        await expect(zk.create(`${root}/a`, null, 'persistent')).rejects.toMatchObject(
          refused('NODE_EXISTS', `${root}/a`),
        );
        await expect(zk.create(`${root}/x/y`, null, 'persistent')).rejects.toMatchObject(
          refused('NO_NODE', `${root}/x/y`),
        );
        await expect(zk.create(`${root}/e/y`, null, 'persistent')).rejects.toMatchObject({
          code: 'NO_CHILDREN_FOR_EPHEMERALS',
        });
        await expect(zk.setData(`${root}/a`, null, 7)).rejects.toMatchObject(refused('BAD_VERSION', `${root}/a`));
        await expect(zk.setData(`${root}/x`, null, -1)).rejects.toMatchObject(refused('NO_NODE', `${root}/x`));
        await expect(zk.remove(`${root}/a`, -1)).rejects.toMatchObject(refused('NOT_EMPTY', `${root}/a`));
        await expect(zk.remove(`${root}/a/b`, 7)).rejects.toMatchObject(refused('BAD_VERSION', `${root}/a/b`));
        await expect(zk.remove(`${root}/x`, -1)).rejects.toMatchObject(refused('NO_NODE', `${root}/x`));
      });

      it.each(['', 'a', '/a/', '//a', '/a/../b'])('refuses the path %j', async path => {
        const zk = await connect();
        await expect(zk.exists(path)).rejects.toMatchObject({ code: 'BAD_ARGUMENTS' });
        await expect(zk.create(path, null, 'persistent')).rejects.toMatchObject({ code: 'BAD_ARGUMENTS' });
      });

      it('refuses data that no server takes, and goes on', async () => {
        const zk = await prepare();
        const large = Buffer.alloc(1_000_001);
        await expect(zk.create(`${root}/a`, large, 'persistent')).rejects.toMatchObject({ code: 'TOO_LARGE' });
        await expect(zk.setData(root, large, -1)).rejects.toMatchObject({ code: 'TOO_LARGE' });
        await expect(
          zk.multi(
            [0, 1].map(i => ({
              kind: 'create',
              path: `${root}/${i}`,
              data: large.subarray(0, 600_000),
              mode: 'persistent',
            })),
          ),
        ).rejects.toMatchObject({ code: 'TOO_LARGE' });
        await zk.create(`${root}/a`, Buffer.alloc(990_000, 7), 'persistent');
        expect((await zk.getData(`${root}/a`))?.data?.length).toBe(990_000);
      });

      it('does the calls of one client in the order they are made', async () => {
        const zk = await prepare();
        const versions = await Promise.all(
          Array.from(
            { length: 200 },
            async (_, index) => (await zk.setData(root, bytes(String(index)), index)).version,
          ),
        );
        expect(versions).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
      });
    });

    describe('multi', () => {
      it('does all operations and reports each', async () => {
        const zk = await prepare();
        await zk.create(`${root}/old`, null, 'persistent');
        const results = await zk.multi([
          { kind: 'check', path: root, version: 0 },
          { kind: 'create', path: `${root}/new`, data: null, mode: 'ephemeral' },
          { kind: 'setData', path: `${root}/new`, data: bytes('x'), version: 0 },
          { kind: 'create', path: `${root}/new_`, data: null, mode: 'persistentSequential' },
          { kind: 'remove', path: `${root}/old`, version: 0 },
        ]);
        expect(results[1]).toEqual({ kind: 'create', path: `${root}/new` });
        expect(results[2]).toMatchObject({ kind: 'setData', stat: { version: 1, ephemeralOwner: zk.sessionId } });
        expect(results[3]).toEqual({ kind: 'create', path: `${root}/new_0000000002` });
        expect(results.map(result => result.kind)).toEqual(['check', 'create', 'setData', 'create', 'remove']);
        expect((await zk.getChildren(root))?.sort()).toEqual(['new', 'new_0000000002']);
        expect(await zk.multi([])).toEqual([]);
      });

      it('does nothing if one fails, and says which', async () => {
        const zk = await prepare();
        const failing = zk.multi([
          { kind: 'create', path: `${root}/a`, data: null, mode: 'persistent' },
          { kind: 'setData', path: root, data: bytes('x'), version: -1 },
          { kind: 'remove', path: `${root}/missing`, version: -1 },
          { kind: 'create', path: `${root}/b`, data: null, mode: 'persistent' },
        ]);
        await expect(failing).rejects.toMatchObject({ code: 'NO_NODE', path: `${root}/missing`, operationIndex: 2 });
        expect(await zk.getChildren(root)).toEqual([]);
        expect(await zk.getData(root)).toMatchObject({ data: null, stat: { version: 0 } });
      });

      it('checks version 0 like any other', async () => {
        const zk = await prepare();
        await zk.create(`${root}/a`, null, 'persistent');
        await zk.setData(`${root}/a`, bytes('x'), 0);
        const path = `${root}/a`;
        const refused = { code: 'BAD_VERSION', operationIndex: 0 };
        await expect(zk.multi([{ kind: 'check', path, version: 0 }])).rejects.toMatchObject(refused);
        await expect(zk.multi([{ kind: 'setData', path, data: null, version: 0 }])).rejects.toMatchObject(refused);
        await expect(zk.multi([{ kind: 'remove', path, version: 0 }])).rejects.toMatchObject(refused);
        await expect(zk.setData(path, null, 0)).rejects.toMatchObject({ code: 'BAD_VERSION' });
        await expect(zk.remove(path, 0)).rejects.toMatchObject({ code: 'BAD_VERSION' });
      });
    });

    describe('watches', () => {
      it('tells once what has changed', async () => {
        const zk = await prepare();
        const other = await connect();
        const path = `${root}/a`;
        const data = watching();
        const exists = watching();
        const children = watching();
        expect(await zk.getData(path, data.watcher)).toBeNull();
        expect(await zk.exists(path, exists.watcher)).toBeNull();
        await zk.getChildren(root, children.watcher);
        await other.create(path, null, 'persistent');
        await waitFor('the events', () => data.events.length + exists.events.length + children.events.length >= 3);
        expect(data.events).toEqual([{ type: 'created', path }]);
        expect(exists.events).toEqual([{ type: 'created', path }]);
        expect(children.events).toEqual([{ type: 'childrenChanged', path: root }]);
        await other.setData(path, bytes('x'), -1);
        await zk.getData(path, data.watcher);
        await other.setData(path, bytes('y'), -1);
        await waitFor('the change', () => data.events.length >= 2);
        await zk.exists(path, data.watcher);
        await zk.getChildren(path, children.watcher);
        await other.remove(path, -1);
        await waitFor('the removal', () => data.events.length >= 3 && children.events.length >= 2);
        expect(data.events.slice(1).map(event => event.type)).toEqual(['dataChanged', 'deleted']);
        expect(children.events[1]).toEqual({ type: 'deleted', path });
        expect(exists.events).toHaveLength(1);
      });

      it('sets no watch on the children of a missing node', async () => {
        const zk = await prepare();
        const { events, watcher } = watching();
        expect(await zk.getChildren(`${root}/a`, watcher)).toBeNull();
        await zk.create(`${root}/a`, null, 'persistent');
        await zk.create(`${root}/a/b`, null, 'persistent');
        await zk.exists(root);
        expect(events).toEqual([]);
      });

      it('calls a watcher that was set many times once', async () => {
        const zk = await prepare();
        const { events, watcher } = watching();
        for (let i = 0; i < 20; i++) await zk.getData(root, watcher);
        await zk.exists(root, watcher);
        await zk.setData(root, bytes('x'), -1);
        await zk.exists(root);
        expect(events).toEqual([{ type: 'dataChanged', path: root }]);
      });

      it('tells of a change before any read shows it', async () => {
        const zk = await prepare();
        const other = await connect();
        const { events, watcher } = watching();
        await zk.getData(root, watcher);
        await other.setData(root, bytes('x'), -1);
        const seen = await waitFor('the change', async () => {
          const node = await zk.getData(root);
          return node?.data ? { told: events.length } : null;
        });
        expect(seen.told).toBe(1);
      });
    });

    describe('sessions', () => {
      it('keeps ephemeral nodes as long as the client lives', async () => {
        const zk = await prepare();
        const other = await connect();
        expect(zk.connected).toBe(true);
        expect(zk.sessionId).not.toBe(0n);
        expect(zk.sessionId).not.toBe(other.sessionId);
        await other.create(`${root}/e`, null, 'ephemeral');
        expect((await zk.exists(`${root}/e`))?.ephemeralOwner).toBe(other.sessionId);
        await other.close();
        expect(await zk.exists(`${root}/e`)).toBeNull();
      });

      it('refuses calls once closed', async () => {
        const zk = await connect();
        await zk.close();
        await zk.close();
        expect(zk.connected).toBe(false);
        await expect(zk.exists('/')).rejects.toMatchObject({ code: 'CLOSED' });
        await expect(zk.create('/x', null, 'persistent')).rejects.toMatchObject({ code: 'CLOSED' });
      });

      it('survives a broken connection: session, ephemerals, watches, waiting calls', async () => {
        const zk = await prepare();
        const other = await connect();
        const session = zk.sessionId;
        const events = sessionEvents(zk);
        await zk.create(`${root}/e`, null, 'ephemeral');
        const changed = watching();
        const unchanged = watching();
        const gone = watching();
        const born = watching();
        const children = watching();
        for (const name of ['changed', 'unchanged', 'gone']) await zk.create(`${root}/${name}`, null, 'persistent');
        await zk.getData(`${root}/changed`, changed.watcher);
        await zk.getData(`${root}/unchanged`, unchanged.watcher);
        await zk.getData(`${root}/gone`, gone.watcher);
        await zk.exists(`${root}/born`, born.watcher);
        await zk.getChildren(root, children.watcher);
        subject.disconnect(zk);
        await waitFor('the disconnect', () => !zk.connected);
        const waitingRead = zk.getData(`${root}/changed`);
        const waitingWrite = zk.create(`${root}/waited`, null, 'persistent');
        await other.setData(`${root}/changed`, bytes('x'), -1);
        await other.remove(`${root}/gone`, -1);
        await other.create(`${root}/born`, null, 'persistent');
        subject.reconnect(zk);
        expect((await waitingRead)?.data?.toString()).toBe('x');
        expect(await waitingWrite).toBe(`${root}/waited`);
        await waitFor('the events', () => [changed, gone, born, children].every(watch => watch.events.length > 0));
        expect([changed, unchanged, gone, born, children].map(watch => watch.events.map(event => event.type))).toEqual([
          ['dataChanged'],
          [],
          ['deleted'],
          ['created'],
          ['childrenChanged'],
        ]);
        expect(events).toEqual(['disconnected', 'reconnected']);
        expect(zk.sessionId).toBe(session);
        expect((await other.exists(`${root}/e`))?.ephemeralOwner).toBe(session);
        await zk.setData(`${root}/unchanged`, bytes('y'), -1);
        await waitFor('the watch that was set before', () => unchanged.events.length > 0);
      });

      it('gives waiting calls up when there is no connection for long', async () => {
        const zk = await prepare();
        subject.disconnect(zk);
        await waitFor('the disconnect', () => !zk.connected);
        const write = zk.create(`${root}/late`, null, 'persistent');
        await expect(write).rejects.toMatchObject({ code: 'CONNECTION_LOSS' });
        subject.reconnect(zk);
        await waitFor('the connection', () => zk.connected);
        expect(await zk.exists(`${root}/late`)).toBeNull();
      });

      it('makes a new session when the old one has expired', async () => {
        const zk = await prepare();
        const other = await connect();
        const session = zk.sessionId;
        const events = sessionEvents(zk);
        const { events: changes, watcher } = watching();
        await zk.create(`${root}/e`, null, 'ephemeral');
        await zk.getData(root, watcher);
        await subject.expire(zk);
        await waitFor('a new session', () => events.includes('connected'));
        // The expiry may take several attempts, each of them a short disconnect.
        expect(events.filter(event => event === 'expired')).toHaveLength(1);
        expect(events.slice(-3)).toEqual(['disconnected', 'expired', 'connected']);
        expect(zk.sessionId).not.toBe(session);
        expect(await zk.exists(`${root}/e`)).toBeNull();
        await zk.create(`${root}/e`, null, 'ephemeral');
        expect((await other.exists(`${root}/e`))?.ephemeralOwner).toBe(zk.sessionId);
        await other.setData(root, bytes('x'), -1);
        await zk.exists(root);
        expect(changes).toEqual([]);
      });

      it('fails calls that were waiting when the session expired', async () => {
        const zk = await prepare();
        subject.disconnect(zk);
        await waitFor('the disconnect', () => !zk.connected);
        const write = zk.create(`${root}/late`, null, 'persistent').catch((error: unknown) => error);
        await subject.expire(zk);
        subject.reconnect(zk);
        expect(await write).toMatchObject({ code: 'SESSION_EXPIRED' });
        await waitFor('a new session', () => zk.connected);
        expect(await zk.exists(`${root}/late`)).toBeNull();
      });
    });
  });
}
