import { describe, expect, it } from 'vitest';
import type { BrokerRegistration } from '../../../shared/zookeeper/store.ts';
import { waitFor } from '../wait.ts';
import { watching, type StoreWorld } from './store-world.ts';

/** Registration of brokers, the cluster they form, and who of them is the controller. */
export function brokersContract(world: StoreWorld): void {
  const { connect, storeOver, json } = world;

  describe('at a broker start', () => {
    it('has created the tree of Kafka', async () => {
      expect((await world.zk.getChildren('/'))?.filter(child => child !== 'zookeeper').sort()).toEqual([
        'admin',
        'brokers',
        'config',
        'consumers',
        'isr_change_notification',
        'latest_producer_id_block',
        'log_dir_event_notification',
      ]);
      expect((await world.zk.getChildren('/config'))?.sort()).toEqual([
        'brokers',
        'changes',
        'clients',
        'ips',
        'topics',
        'users',
      ]);
      expect((await world.zk.getChildren('/brokers'))?.sort()).toEqual(['ids', 'seqid', 'topics']);
      expect(await world.zk.getChildren('/admin')).toEqual(['delete_topics']);
      await world.store.ensurePersistentPaths();
      expect(world.zk.writes).toEqual([]);
    });

    it('agrees on one cluster id', async () => {
      const other = storeOver(await connect());
      const ids = await Promise.all([
        world.store.clusterId.getOrCreate('first-first-first-firs'),
        other.clusterId.getOrCreate('other-other-other-othe'),
      ]);
      expect(ids[0]).toBe(ids[1]);
      expect(await json('/cluster/id')).toEqual({ version: '1', id: ids[0] });
    });

    it('generates broker ids above the reserved ones', async () => {
      expect(await world.store.brokers.generateId(1000)).toBe(1001);
      expect(await world.store.brokers.generateId(1000)).toBe(1002);
    });
  });

  describe('brokers', () => {
    const registration = (id: number): BrokerRegistration => ({
      id,
      endpoints: [
        { listenerName: 'REPLICATION', securityProtocol: 'SSL', host: '10.0.0.11', port: 9094 },
        { listenerName: 'CLIENTS', securityProtocol: 'PLAINTEXT', host: 'kafka1.example.org', port: 9092 },
      ],
      rack: 'eu-1a',
      jmxPort: -1,
      timestampMs: 1729799580321,
    });

    it('registers for as long as the session lives, with the czxid as epoch', async () => {
      const epoch = await world.store.brokers.register(registration(1));
      const stat = await world.zk.exists('/brokers/ids/1');
      expect(epoch).toBe(stat?.czxid);
      expect(stat?.ephemeralOwner).toBe(world.zk.sessionId);
      expect(await json('/brokers/ids/1')).toEqual({
        version: 5,
        host: 'kafka1.example.org',
        port: 9092,
        jmx_port: -1,
        timestamp: '1729799580321',
        endpoints: ['REPLICATION://10.0.0.11:9094', 'CLIENTS://kafka1.example.org:9092'],
        listener_security_protocol_map: { REPLICATION: 'SSL', CLIENTS: 'PLAINTEXT' },
        features: {},
        rack: 'eu-1a',
      });
      expect(await world.store.brokers.get(1)).toEqual({ id: 1, epoch, registration: registration(1) });
    });

    it('answers the same epoch when asked again in the same session', async () => {
      const epoch = await world.store.brokers.register(registration(1));
      expect(await world.store.brokers.register(registration(1))).toBe(epoch);
    });

    it.each([['request'], ['answer'], ['answer', 'answer'], ['request', 'answer']] as const)(
      'registers once when calls are lost: %s %s',
      async (...losses) => {
        world.zk.loseWrites(...losses);
        const epoch = await world.store.brokers.register(registration(1));
        expect(epoch).toBe((await world.zk.exists('/brokers/ids/1'))?.czxid);
      },
    );

    it('refuses an id that another broker holds, and leaves that one alone', async () => {
      const other = await connect();
      const epoch = await storeOver(other).brokers.register(registration(1));
      await expect(world.store.brokers.register(registration(1))).rejects.toMatchObject({
        code: 'NODE_EXISTS',
        message: expect.stringContaining('broker id 1 is registered by another session'),
      });
      expect((await world.store.brokers.get(1))?.epoch).toBe(epoch);
    });

    it('replaces the node that its own former session left behind', async () => {
      const first = await world.store.brokers.register(registration(1));
      world.zk.inner = await connect();
      const second = await world.store.brokers.register(registration(1));
      expect(second).toBeGreaterThan(first);
      expect((await world.zk.exists('/brokers/ids/1'))?.ephemeralOwner).toBe(world.zk.sessionId);
    });

    it('registers anew in a new session, with a larger epoch', async () => {
      const first = await world.store.brokers.register(registration(1));
      let renewed = false;
      world.zk.onSession(event => (renewed ||= event === 'connected'));
      await world.expire();
      await waitFor('a new session', () => renewed);
      expect(await world.store.brokers.register(registration(1))).toBeGreaterThan(first);
    });

    it('lists the living by number, whatever else lies there', async () => {
      const { events, watcher } = watching();
      for (const id of [10, 9, 1]) await world.store.brokers.register(registration(id));
      await world.zk.create('/brokers/ids/2', Buffer.from('{"version":0}'), 'ephemeral');
      await world.zk.create('/brokers/ids/x', null, 'ephemeral');
      expect(await world.store.brokers.ids()).toEqual([1, 2, 9, 10]);
      expect((await world.store.brokers.list(watcher)).map(broker => broker.id)).toEqual([1, 9, 10]);
      await world.zk.remove('/brokers/ids/9', -1);
      await waitFor('the event', () => events.length > 0);
      expect(await world.store.brokers.get(9)).toBeNull();
    });
  });

  describe('the controller', () => {
    it('is elected, one at a time, with ever larger epochs', async () => {
      const { events, watcher } = watching();
      expect(await world.store.controller.activeId(watcher)).toBeNull();
      const first = await world.store.controller.elect(1, 1729799583001);
      expect(first).toEqual({ epoch: 1, epochZkVersion: 1 });
      expect(await json('/controller')).toEqual({
        version: 2,
        brokerid: 1,
        timestamp: '1729799583001',
        kraftControllerEpoch: -1,
      });
      expect((await world.zk.getData('/controller_epoch'))?.data?.toString()).toBe('1');
      const other = storeOver(await connect());
      expect(await other.controller.elect(2, 0)).toBeNull();
      expect(await other.controller.activeId()).toBe(1);
      expect(events).toEqual([{ type: 'created', path: '/controller' }]);
      await world.store.controller.resign(first!.epochZkVersion);
      expect(await other.controller.elect(2, 0)).toEqual({ epoch: 2, epochZkVersion: 2 });
    });

    it('is one of those who try at the same time', async () => {
      const others = await Promise.all([connect(), connect()]);
      const results = await Promise.all(
        [world.store, ...others.map(other => storeOver(other))].map((each, id) => each.controller.elect(id, 0)),
      );
      const winners = results.flatMap((result, id) => (result === null ? [] : [{ id, ...result }]));
      expect(winners).toEqual([{ id: await world.store.controller.activeId(), epoch: 1, epochZkVersion: 1 }]);
    });

    it.each([['request'], ['answer'], ['request', 'answer'], ['answer', 'answer']] as const)(
      'knows that it was elected when calls are lost: %s %s',
      async (...losses) => {
        await world.zk.create('/controller_epoch', Buffer.from('6'), 'persistent');
        world.zk.loseWrites(...losses);
        expect(await world.store.controller.elect(1, 0)).toEqual({ epoch: 7, epochZkVersion: 1 });
        expect(await world.store.controller.activeId()).toBe(1);
      },
    );

    it('knows that it was not elected when its call is lost and another was quicker', async () => {
      const other = storeOver(await connect());
      await world.zk.create('/controller_epoch', Buffer.from('6'), 'persistent');
      world.zk.beforeWrite = () => other.controller.elect(2, 0);
      world.zk.loseWrites('request');
      expect(await world.store.controller.elect(1, 0)).toBeNull();
      expect(await other.controller.activeId()).toBe(2);
    });

    it('loses the race between reading the epoch and claiming it', async () => {
      const other = storeOver(await connect());
      await world.zk.create('/controller_epoch', Buffer.from('6'), 'persistent');
      world.zk.beforeWrite = async () => {
        const elected = await other.controller.elect(2, 0);
        await other.controller.resign(elected!.epochZkVersion);
      };
      expect(await world.store.controller.elect(1, 0)).toBeNull();
      expect(await world.store.controller.activeId()).toBeNull();
    });

    it('that has been replaced removes nothing when it resigns', async () => {
      const stale = await world.store.controller.elect(1, 0);
      await world.store.controller.resign(stale!.epochZkVersion);
      await world.store.controller.elect(1, 0);
      await world.store.controller.resign(stale!.epochZkVersion);
      expect(await world.store.controller.activeId()).toBe(1);
    });
  });
}
