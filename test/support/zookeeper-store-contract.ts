import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock, systemTimers, type Clock } from '../../shared/runtime/clock.ts';
import { silentLogger } from '../../shared/runtime/logger.ts';
import {
  ControllerMovedError,
  ZooKeeperStore,
  type BrokerRegistration,
  type ConfigChange,
  type LeaderAndIsr,
  type TopicAssignment,
} from '../../shared/zookeeper/store.ts';
import type { WatchEvent, ZooKeeper } from '../../shared/zookeeper/zookeeper.ts';
import { waitFor } from './wait.ts';
import { FaultyZooKeeper } from './zookeeper-faults.ts';

export interface StoreSubject {
  /** A client in an empty tree that it shares with all clients of the same `tree`. */
  connect(tree: string): Promise<ZooKeeper>;
  expire(client: ZooKeeper): Promise<void>;
  close(): Promise<void>;
}

const TOPIC_ID = 'fRdKkNXPQ3iNVlOqkYIyRA';

/** What the store must do over every implementation of ZooKeeper, and whatever calls are lost. */
export function storeContract(name: string, start: () => Promise<StoreSubject>): void {
  describe(`the store over ${name}`, () => {
    let subject: StoreSubject;
    let tree = '';
    let trees = 0;
    let clients: ZooKeeper[] = [];
    let zk: FaultyZooKeeper;
    let store: ZooKeeperStore;

    const connect = async (): Promise<FaultyZooKeeper> => {
      const client = await subject.connect(tree);
      clients.push(client);
      return new FaultyZooKeeper(client);
    };
    const storeOver = (client: ZooKeeper, clock: Clock = systemClock) =>
      new ZooKeeperStore(client, { clock, timers: systemTimers, logger: silentLogger });
    const json = async (path: string): Promise<Record<string, unknown>> => {
      const node = await zk.getData(path);
      return JSON.parse(node!.data!.toString()) as Record<string, unknown>;
    };
    const watching = () => {
      const events: WatchEvent[] = [];
      return { events, watcher: (event: WatchEvent) => void events.push(event) };
    };

    beforeAll(async () => {
      subject = await start();
    });
    beforeEach(async () => {
      tree = `/store-${trees++}`;
      zk = await connect();
      store = storeOver(zk);
      await store.ensurePersistentPaths();
      zk.writes.length = 0;
    });
    afterEach(async () => {
      await Promise.all(clients.map(client => client.close()));
      clients = [];
    });
    afterAll(() => subject.close());

    describe('at a broker start', () => {
      it('has created the tree of Kafka', async () => {
        expect((await zk.getChildren('/'))?.filter(child => child !== 'zookeeper').sort()).toEqual([
          'admin',
          'brokers',
          'config',
          'consumers',
          'isr_change_notification',
          'latest_producer_id_block',
          'log_dir_event_notification',
        ]);
        expect((await zk.getChildren('/config'))?.sort()).toEqual([
          'brokers',
          'changes',
          'clients',
          'ips',
          'topics',
          'users',
        ]);
        expect((await zk.getChildren('/brokers'))?.sort()).toEqual(['ids', 'seqid', 'topics']);
        expect(await zk.getChildren('/admin')).toEqual(['delete_topics']);
        await store.ensurePersistentPaths();
        expect(zk.writes).toEqual([]);
      });

      it('agrees on one cluster id', async () => {
        const other = storeOver(await connect());
        const ids = await Promise.all([
          store.clusterId.getOrCreate('first-first-first-firs'),
          other.clusterId.getOrCreate('other-other-other-othe'),
        ]);
        expect(ids[0]).toBe(ids[1]);
        expect(await json('/cluster/id')).toEqual({ version: '1', id: ids[0] });
      });

      it('generates broker ids above the reserved ones', async () => {
        expect(await store.brokers.generateId(1000)).toBe(1001);
        expect(await store.brokers.generateId(1000)).toBe(1002);
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
        const epoch = await store.brokers.register(registration(1));
        const stat = await zk.exists('/brokers/ids/1');
        expect(epoch).toBe(stat?.czxid);
        expect(stat?.ephemeralOwner).toBe(zk.sessionId);
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
        expect(await store.brokers.get(1)).toEqual({ id: 1, epoch, registration: registration(1) });
      });

      it('answers the same epoch when asked again in the same session', async () => {
        const epoch = await store.brokers.register(registration(1));
        expect(await store.brokers.register(registration(1))).toBe(epoch);
      });

      it.each([['request'], ['answer'], ['answer', 'answer'], ['request', 'answer']] as const)(
        'registers once when calls are lost: %s %s',
        async (...losses) => {
          zk.loseWrites(...losses);
          const epoch = await store.brokers.register(registration(1));
          expect(epoch).toBe((await zk.exists('/brokers/ids/1'))?.czxid);
        },
      );

      it('refuses an id that another broker holds, and leaves that one alone', async () => {
        const other = await connect();
        const epoch = await storeOver(other).brokers.register(registration(1));
        await expect(store.brokers.register(registration(1))).rejects.toMatchObject({
          code: 'NODE_EXISTS',
          message: expect.stringContaining('broker id 1 is registered by another session'),
        });
        expect((await store.brokers.get(1))?.epoch).toBe(epoch);
      });

      it('replaces the node that its own former session left behind', async () => {
        const first = await store.brokers.register(registration(1));
        zk.inner = await connect();
        const second = await store.brokers.register(registration(1));
        expect(second).toBeGreaterThan(first);
        expect((await zk.exists('/brokers/ids/1'))?.ephemeralOwner).toBe(zk.sessionId);
      });

      it('registers anew in a new session, with a larger epoch', async () => {
        const first = await store.brokers.register(registration(1));
        let renewed = false;
        zk.onSession(event => (renewed ||= event === 'connected'));
        await subject.expire(zk.inner);
        await waitFor('a new session', () => renewed);
        expect(await store.brokers.register(registration(1))).toBeGreaterThan(first);
      });

      it('lists the living by number, whatever else lies there', async () => {
        const { events, watcher } = watching();
        for (const id of [10, 9, 1]) await store.brokers.register(registration(id));
        await zk.create('/brokers/ids/2', Buffer.from('{"version":0}'), 'ephemeral');
        await zk.create('/brokers/ids/x', null, 'ephemeral');
        expect(await store.brokers.ids()).toEqual([1, 2, 9, 10]);
        expect((await store.brokers.list(watcher)).map(broker => broker.id)).toEqual([1, 9, 10]);
        await zk.remove('/brokers/ids/9', -1);
        await waitFor('the event', () => events.length > 0);
        expect(await store.brokers.get(9)).toBeNull();
      });
    });

    describe('the controller', () => {
      it('is elected, one at a time, with ever larger epochs', async () => {
        const { events, watcher } = watching();
        expect(await store.controller.activeId(watcher)).toBeNull();
        const first = await store.controller.elect(1, 1729799583001);
        expect(first).toEqual({ epoch: 1, epochZkVersion: 1 });
        expect(await json('/controller')).toEqual({
          version: 2,
          brokerid: 1,
          timestamp: '1729799583001',
          kraftControllerEpoch: -1,
        });
        expect((await zk.getData('/controller_epoch'))?.data?.toString()).toBe('1');
        const other = storeOver(await connect());
        expect(await other.controller.elect(2, 0)).toBeNull();
        expect(await other.controller.activeId()).toBe(1);
        expect(events).toEqual([{ type: 'created', path: '/controller' }]);
        await store.controller.resign(first!.epochZkVersion);
        expect(await other.controller.elect(2, 0)).toEqual({ epoch: 2, epochZkVersion: 2 });
      });

      it('is one of those who try at the same time', async () => {
        const others = await Promise.all([connect(), connect()]);
        const results = await Promise.all(
          [store, ...others.map(other => storeOver(other))].map((each, id) => each.controller.elect(id, 0)),
        );
        const winners = results.flatMap((result, id) => (result === null ? [] : [{ id, ...result }]));
        expect(winners).toEqual([{ id: await store.controller.activeId(), epoch: 1, epochZkVersion: 1 }]);
      });

      it.each([['request'], ['answer'], ['request', 'answer'], ['answer', 'answer']] as const)(
        'knows that it was elected when calls are lost: %s %s',
        async (...losses) => {
          await zk.create('/controller_epoch', Buffer.from('6'), 'persistent');
          zk.loseWrites(...losses);
          expect(await store.controller.elect(1, 0)).toEqual({ epoch: 7, epochZkVersion: 1 });
          expect(await store.controller.activeId()).toBe(1);
        },
      );

      it('knows that it was not elected when its call is lost and another was quicker', async () => {
        const other = storeOver(await connect());
        await zk.create('/controller_epoch', Buffer.from('6'), 'persistent');
        zk.beforeWrite = () => other.controller.elect(2, 0);
        zk.loseWrites('request');
        expect(await store.controller.elect(1, 0)).toBeNull();
        expect(await other.controller.activeId()).toBe(2);
      });

      it('loses the race between reading the epoch and claiming it', async () => {
        const other = storeOver(await connect());
        await zk.create('/controller_epoch', Buffer.from('6'), 'persistent');
        zk.beforeWrite = async () => {
          const elected = await other.controller.elect(2, 0);
          await other.controller.resign(elected!.epochZkVersion);
        };
        expect(await store.controller.elect(1, 0)).toBeNull();
        expect(await store.controller.activeId()).toBeNull();
      });

      it('that has been replaced removes nothing when it resigns', async () => {
        const stale = await store.controller.elect(1, 0);
        await store.controller.resign(stale!.epochZkVersion);
        await store.controller.elect(1, 0);
        await store.controller.resign(stale!.epochZkVersion);
        expect(await store.controller.activeId()).toBe(1);
      });
    });

    /** Elects a controller and returns its fence, with a fence that is out of date. */
    const elect = async () => {
      const former = await store.controller.elect(0, 0);
      await store.controller.resign(former!.epochZkVersion);
      const fence = await store.controller.elect(1, 0);
      return { fence: fence!, stale: former! };
    };
    const assignment = (...replicaSets: number[][]): TopicAssignment => ({
      topicId: TOPIC_ID,
      partitions: new Map(replicaSets.map((replicas, id) => [id, { replicas, adding: [], removing: [] }])),
    });
    const state = (fields: Partial<LeaderAndIsr> = {}): LeaderAndIsr => ({
      leader: 1,
      leaderEpoch: 0,
      isr: [1, 2],
      controllerEpoch: 2,
      partitionEpoch: 0,
      recovering: false,
      ...fields,
    });

    describe('topics', () => {
      it('creates topic and config together', async () => {
        const { events, watcher } = watching();
        await store.topics.names(watcher);
        await store.topics.create('orders', assignment([1, 2, 3], [2, 3, 1]), new Map([['cleanup.policy', 'compact']]));
        expect(await json('/brokers/topics/orders')).toEqual({
          version: 3,
          topic_id: TOPIC_ID,
          partitions: { 0: [1, 2, 3], 1: [2, 3, 1] },
          adding_replicas: {},
          removing_replicas: {},
        });
        expect(await json('/config/topics/orders')).toEqual({ version: 1, config: { 'cleanup.policy': 'compact' } });
        expect(await store.topics.get('orders')).toEqual(assignment([1, 2, 3], [2, 3, 1]));
        expect(await store.topics.names()).toEqual(['orders']);
        await waitFor('the event', () => events.length === 1);
      });

      it('overwrites a config left behind, but not that of a topic that exists', async () => {
        await store.configs.set('topics', 'orders', new Map([['retention.ms', '1']]));
        await store.topics.create('orders', assignment([1]), new Map([['retention.ms', '2']]));
        await expect(
          store.topics.create('orders', assignment([2]), new Map([['retention.ms', '3']])),
        ).rejects.toMatchObject({
          code: 'NODE_EXISTS',
          path: '/brokers/topics/orders',
        });
        expect(await store.configs.get('topics', 'orders')).toEqual(new Map([['retention.ms', '2']]));
        expect(await store.topics.get('orders')).toEqual(assignment([1]));
      });

      it('creates a topic in an empty tree', async () => {
        tree = `/empty-${trees++}`;
        const other = await connect();
        await storeOver(other).topics.create('orders', assignment([1]), new Map());
        expect(await other.getChildren('/brokers/topics')).toEqual(['orders']);
        expect(await other.getChildren('/config/topics')).toEqual(['orders']);
      });

      it.each([['request'], ['answer'], ['answer', 'answer']] as const)(
        'creates once when calls are lost: %s %s',
        async (...losses) => {
          zk.loseWrites(...losses);
          await store.topics.create('orders', assignment([1]), new Map());
          expect(await store.topics.get('orders')).toEqual(assignment([1]));
        },
      );

      it('does not take the topic of another for its own when its call is lost', async () => {
        const other = storeOver(await connect());
        const foreign = { ...assignment([1]), topicId: 'another-another-anothe' };
        zk.beforeWrite = () => other.topics.create('orders', foreign, new Map());
        zk.loseWrites('request');
        await expect(store.topics.create('orders', assignment([1]), new Map())).rejects.toMatchObject({
          code: 'NODE_EXISTS',
        });
        expect(await store.topics.get('orders')).toEqual(foreign);
      });

      it('reads many', async () => {
        for (const topic of ['a', 'b']) await store.topics.create(topic, assignment([1]), new Map());
        const many = await store.topics.getMany(['a', 'missing', 'b']);
        expect([...many.keys()]).toEqual(['a', 'b']);
        expect(await store.topics.get('missing')).toBeNull();
      });

      it('reads what older versions wrote, and takes rubbish for a topic without partitions', async () => {
        await zk.create('/brokers/topics/v1', Buffer.from('{"version":1,"partitions":{"0":[1]}}'), 'persistent');
        await zk.create('/brokers/topics/rubbish', Buffer.from('{'), 'persistent');
        expect(await store.topics.get('v1')).toEqual({ ...assignment([1]), topicId: null });
        expect(await store.topics.get('rubbish')).toEqual({ topicId: null, partitions: new Map() });
      });

      it('writes an assignment under reassignment, for the controller only', async () => {
        const { fence, stale } = await elect();
        await store.topics.create('orders', assignment([1, 2], [2, 3, 1]), new Map());
        const moving: TopicAssignment = {
          topicId: TOPIC_ID,
          partitions: new Map([
            [0, { replicas: [1, 2], adding: [], removing: [] }],
            [1, { replicas: [3, 1, 4, 2], adding: [4], removing: [2] }],
          ]),
        };
        await expect(store.topics.setAssignment('orders', moving, stale)).rejects.toThrow(ControllerMovedError);
        expect(await store.topics.get('orders')).toEqual(assignment([1, 2], [2, 3, 1]));
        zk.loseWrites('answer');
        await store.topics.setAssignment('orders', moving, fence);
        expect(await store.topics.get('orders')).toEqual(moving);
        expect(await json('/brokers/topics/orders')).toMatchObject({
          adding_replicas: { 1: [4] },
          removing_replicas: { 1: [2] },
        });
        await expect(store.topics.setAssignment('missing', moving, fence)).rejects.toMatchObject({ code: 'NO_NODE' });
      });

      it('changes one assignment without losing the partitions that others add', async () => {
        const { fence, stale } = await elect();
        await store.topics.create('orders', assignment([1]), new Map());
        const other = storeOver(await connect());
        const moving = { replicas: [2, 1], adding: [2], removing: [1] };
        zk.beforeWrite = async () => {
          await other.topics.addPartitions('orders', new Map([[1, { replicas: [3], adding: [], removing: [] }]]));
        };
        await store.topics.changeAssignment('orders', 0, moving, fence);
        const after = await store.topics.get('orders');
        expect(after!.partitions).toEqual(new Map([...assignment([1], [3]).partitions, [0, moving]]));
        await expect(store.topics.changeAssignment('orders', 0, moving, stale)).rejects.toThrow(ControllerMovedError);
        zk.loseWrites('answer');
        await store.topics.changeAssignment('orders', 0, { replicas: [2], adding: [], removing: [] }, fence);
        expect(await store.topics.get('orders')).toEqual(assignment([2], [3]));
        await expect(store.topics.changeAssignment('missing', 0, moving, fence)).rejects.toMatchObject({
          code: 'NO_NODE',
        });
      });

      it('adds partitions without losing what others write', async () => {
        await store.topics.create('orders', assignment([1]), new Map());
        const other = storeOver(await connect());
        const added = (id: number) => new Map([[id, { replicas: [id], adding: [], removing: [] }]]);
        zk.beforeWrite = () => other.topics.addPartitions('orders', added(2));
        zk.loseWrites('answer');
        const result = await store.topics.addPartitions('orders', added(1));
        expect([...result.partitions.keys()].sort()).toEqual([0, 1, 2]);
        expect(await store.topics.get('orders')).toEqual(assignment([1], [1], [2]));
        const unchanged = await store.topics.addPartitions(
          'orders',
          new Map([[1, { replicas: [9], adding: [], removing: [] }]]),
        );
        expect(unchanged).toEqual(assignment([1], [1], [2]));
        await expect(store.topics.addPartitions('missing', added(1))).rejects.toMatchObject({ code: 'NO_NODE' });
      });

      it('removes a topic with everything below it, for the controller only', async () => {
        const { fence, stale } = await elect();
        const sets = Array.from({ length: 250 }, () => [1]);
        await store.topics.create('orders', assignment(...sets), new Map());
        await store.partitions.createStates(
          sets.map((_, partition) => ({ topic: 'orders', partition, state: state() })),
          fence,
        );
        await expect(store.topics.remove('orders', stale)).rejects.toThrow(ControllerMovedError);
        zk.loseWrites('answer');
        await store.topics.remove('orders', fence);
        expect(await store.topics.names()).toEqual([]);
        await store.topics.remove('orders', fence);
      });
    });

    describe('partition states', () => {
      const partitions = (count: number, topic = 'orders') =>
        Array.from({ length: count }, (_, partition) => ({ topic, partition }));
      const entries = (count: number, fields: Partial<LeaderAndIsr> = {}, topic = 'orders') =>
        partitions(count, topic).map(each => ({ ...each, state: state(fields) }));
      const createTopics = async (...topics: string[]) => {
        for (const topic of topics) await store.topics.create(topic, assignment([1, 2]), new Map());
      };
      const keys = (map: ReadonlyMap<string, unknown>) => [...map.keys()].sort();

      it('are created, read and updated, with the znode version as partition epoch', async () => {
        const { fence } = await elect();
        await createTopics('orders', 'payments');
        const all = [...entries(3), ...entries(2, { leader: 2 }, 'payments')];
        const { created, failed } = await store.partitions.createStates(all, fence);
        expect(failed.size).toBe(0);
        expect(await store.partitions.states([...partitions(4), ...partitions(2, 'payments')])).toEqual(created);
        expect(created.get('payments-1')).toEqual(state({ leader: 2 }));
        expect(await json('/brokers/topics/orders/partitions/2/state')).toEqual({
          version: 1,
          leader: 1,
          leader_epoch: 0,
          isr: [1, 2],
          controller_epoch: 2,
        });
        const next = { leader: 2, leaderEpoch: 1, isr: [2], recovering: true };
        const { updated } = await store.partitions.updateStates(entries(2, next), fence);
        expect(updated.get('orders-1')).toEqual(state({ ...next, partitionEpoch: 1 }));
        expect((await store.partitions.states(partitions(2))).get('orders-1')).toEqual(updated.get('orders-1'));
        expect(await json('/brokers/topics/orders/partitions/1/state')).toMatchObject({ leader_recovery_state: 1 });
      });

      it('are thousands, quickly', async () => {
        const { fence } = await elect();
        await createTopics('orders');
        await store.partitions.createStates(entries(1), fence);
        const started = performance.now();
        const { created, failed } = await store.partitions.createStates(entries(1000), fence);
        expect([created.size, keys(failed)]).toEqual([999, ['orders-0']]);
        const { updated, conflicts } = await store.partitions.updateStates(entries(1000, { leaderEpoch: 1 }), fence);
        expect([updated.size, conflicts]).toEqual([1000, []]);
        const states = await store.partitions.states(partitions(1000));
        expect(states).toEqual(updated);
        // Creation, update and reading together; measured 150 to 400 ms on two cores.
        expect(performance.now() - started).toBeLessThan(3000);
      });

      it('that exist are not created again; the others are', async () => {
        const { fence } = await elect();
        await createTopics('orders');
        await store.partitions.createStates(entries(2, { leader: 7 }), fence);
        const { created, failed } = await store.partitions.createStates(entries(4), fence);
        expect(keys(created)).toEqual(['orders-2', 'orders-3']);
        expect([...failed].map(([key, error]) => [key, (error as { code?: string }).code]).sort()).toEqual([
          ['orders-0', 'NODE_EXISTS'],
          ['orders-1', 'NODE_EXISTS'],
        ]);
        expect((await store.partitions.states(partitions(1))).get('orders-0')?.leader).toBe(7);
      });

      it('that have changed meanwhile are conflicts; missing ones have failed; the others are updated', async () => {
        const { fence } = await elect();
        await createTopics('orders');
        await store.partitions.createStates(entries(3), fence);
        await store.partitions.updateStates(entries(1, { leader: 7 }), fence);
        const { updated, conflicts, failed } = await store.partitions.updateStates(entries(4, { leader: 2 }), fence);
        expect(keys(updated)).toEqual(['orders-1', 'orders-2']);
        expect(conflicts).toEqual([{ topic: 'orders', partition: 0 }]);
        expect([...failed].map(([key, error]) => [key, (error as { code?: string }).code])).toEqual([
          ['orders-3', 'NO_NODE'],
        ]);
        expect((await store.partitions.states(partitions(1))).get('orders-0')).toMatchObject({
          leader: 7,
          partitionEpoch: 1,
        });
      });

      it('of a controller that has been replaced are not written at all', async () => {
        const { fence, stale } = await elect();
        await createTopics('orders');
        await expect(store.partitions.createStates(entries(500), stale)).rejects.toThrow(ControllerMovedError);
        expect(await zk.getChildren('/brokers/topics/orders')).toEqual([]);
        await store.partitions.createStates(entries(2), fence);
        await expect(store.partitions.updateStates(entries(2, { leader: 9 }), stale)).rejects.toThrow(
          ControllerMovedError,
        );
        expect((await store.partitions.states(partitions(1))).get('orders-0')?.leader).toBe(1);
      });

      it.each([['request'], ['answer'], ['answer', 'answer'], ['answer', 'request']] as const)(
        'are created and updated once when calls are lost: %s %s',
        async (...losses) => {
          const { fence } = await elect();
          await createTopics('orders');
          zk.loseWrites(...losses);
          const creation = await store.partitions.createStates(entries(3), fence);
          expect([keys(creation.created), creation.failed.size]).toEqual([['orders-0', 'orders-1', 'orders-2'], 0]);
          zk.loseWrites(...losses);
          const update = await store.partitions.updateStates(entries(3, { leader: 2 }), fence);
          expect([keys(update.updated), update.conflicts]).toEqual([['orders-0', 'orders-1', 'orders-2'], []]);
          expect((await store.partitions.states(partitions(1))).get('orders-0')).toMatchObject({
            leader: 2,
            partitionEpoch: 1,
          });
        },
      );

      it('are recognised one by one when a lost batch had met a conflict', async () => {
        const { fence } = await elect();
        await createTopics('orders');
        await store.partitions.createStates(entries(2), fence);
        // What the first one is to hold it holds already, but as a later version: that was somebody else.
        await store.partitions.updateStates(entries(1, { leader: 2 }), fence);
        await store.partitions.updateStates(entries(1, { leader: 2, partitionEpoch: 1 }), fence);
        // The batch fails and its answer is lost; it fails again; then each is tried alone.
        zk.loseWrites('answer');
        zk.writes.length = 0;
        const { updated, conflicts } = await store.partitions.updateStates(entries(2, { leader: 2 }), fence);
        expect([keys(updated), conflicts]).toEqual([['orders-1'], [{ topic: 'orders', partition: 0 }]]);
        expect(zk.writes).toEqual(['multi', 'multi', 'multi', 'multi']);
      });
    });

    describe('topic deletions and preferred elections', () => {
      it('are marked by anyone, cleared by the controller', async () => {
        const { fence, stale } = await elect();
        const { events, watcher } = watching();
        await store.deletions.list(watcher);
        expect(await store.deletions.mark('orders')).toBe(true);
        expect(await store.deletions.mark('orders')).toBe(false);
        await waitFor('the event', () => events.length === 1);
        await store.deletions.mark('payments');
        await expect(store.deletions.clear(['orders'], stale)).rejects.toThrow(ControllerMovedError);
        expect((await store.deletions.list()).sort()).toEqual(['orders', 'payments']);
        await store.deletions.clear(['missing', 'orders'], fence);
        expect(await store.deletions.list()).toEqual(['payments']);
      });

      it('are asked for by older tools', async () => {
        const { fence } = await elect();
        const { events, watcher } = watching();
        expect(await store.preferredElection.get(watcher)).toBeNull();
        const data =
          '{"version":1,"partitions":[{"topic":"orders","partition":0},{"topic":"orders","partition":1},{"x":1}]}';
        await zk.create('/admin/preferred_replica_election', Buffer.from(data), 'persistent');
        await waitFor('the event', () => events.length === 1);
        expect(await store.preferredElection.get()).toEqual([
          { topic: 'orders', partition: 0 },
          { topic: 'orders', partition: 1 },
        ]);
        await store.preferredElection.remove(fence);
        expect(await store.preferredElection.get()).toBeNull();
        await store.preferredElection.remove(fence);
      });

      it('and reassignments, of which the controller keeps those that are not over', async () => {
        const { fence, stale } = await elect();
        const { events, watcher } = watching();
        expect(await store.reassignments.get(watcher)).toBeNull();
        const wanted = [
          { topic: 'orders', partition: 0, replicas: [1, 2] },
          { topic: 'orders', partition: 1, replicas: [2] },
        ];
        const data = JSON.stringify({ version: 1, partitions: [...wanted, { topic: 'x' }, { replicas: ['a'] }, 7] });
        await zk.create('/admin/reassign_partitions', Buffer.from(data), 'persistent');
        await waitFor('the event', () => events.length === 1);
        expect(await store.reassignments.get()).toEqual(wanted);
        await expect(store.reassignments.keep([], stale)).rejects.toThrow(ControllerMovedError);
        zk.loseWrites('answer');
        await store.reassignments.keep(wanted.slice(1), fence);
        expect(await json('/admin/reassign_partitions')).toEqual({ version: 1, partitions: wanted.slice(1) });
        await store.reassignments.keep([], fence);
        expect(await store.reassignments.get()).toBeNull();
        await store.reassignments.keep(wanted, fence);
        expect(await store.reassignments.get()).toBeNull();
      });
    });

    describe('notifications to the controller', () => {
      it('are added, listed in order and removed', async () => {
        const { fence, stale } = await elect();
        const { events, watcher } = watching();
        await store.isrChanges.list(watcher);
        for (const partition of [0, 1]) await store.isrChanges.add([{ topic: 'orders', partition }]);
        await waitFor('the event', () => events.length === 1);
        const pending = await store.isrChanges.list();
        expect([...pending]).toEqual([
          ['isr_change_0000000000', [{ topic: 'orders', partition: 0 }]],
          ['isr_change_0000000001', [{ topic: 'orders', partition: 1 }]],
        ]);
        await expect(store.isrChanges.remove(pending.keys(), stale)).rejects.toThrow(ControllerMovedError);
        await store.isrChanges.remove(pending.keys(), fence);
        expect((await store.isrChanges.list()).size).toBe(0);
        await store.logDirEvents.add(2);
        expect(await json('/log_dir_event_notification/log_dir_event_0000000000')).toEqual({
          version: 1,
          broker: 2,
          event: 1,
        });
        expect([...(await store.logDirEvents.list()).values()]).toEqual([2]);
      });
    });

    describe('features', () => {
      it('are switched on by a new controller, levels kept', async () => {
        expect(await store.feature.get()).toBeNull();
        expect(await store.feature.ensureEnabled()).toEqual({ enabled: true, levels: new Map(), epoch: 0 });
        expect(await json('/feature')).toEqual({ version: 2, status: 1, features: {} });
        const disabled = '{"version":1,"status":0,"features":{"f":{"min_version_level":1,"max_version_level":3}}}';
        await zk.setData('/feature', Buffer.from(disabled), -1);
        zk.loseWrites('answer');
        expect(await store.feature.ensureEnabled()).toEqual({ enabled: true, levels: new Map([['f', 3]]), epoch: 2 });
        expect(await json('/feature')).toEqual({ version: 2, status: 1, features: { f: { max_version_level: 3 } } });
      });
    });

    describe('offsets of the oldest clients', () => {
      it('are digits where those clients look for them, and are overwritten', async () => {
        expect(await store.consumerOffsets.get('group', 'orders', 3)).toBeNull();
        await store.consumerOffsets.set('group', 'orders', 3, 42);
        await store.consumerOffsets.set('group', 'orders', 4, 7);
        await store.consumerOffsets.set('group', 'orders', 3, 43);
        expect((await zk.getData('/consumers/group/offsets/orders/3'))?.data?.toString()).toBe('43');
        expect(await store.consumerOffsets.get('group', 'orders', 3)).toBe(43);
        expect(await store.consumerOffsets.get('group', 'orders', 4)).toBe(7);
      });

      it('are written when the connection breaks, and when another is quicker', async () => {
        zk.loseWrites('request');
        await store.consumerOffsets.set('group', 'orders', 3, 42);
        const other = storeOver(await connect());
        zk.beforeWrite = () => other.consumerOffsets.set('group', 'bills', 0, 1);
        await store.consumerOffsets.set('group', 'bills', 0, 2);
        expect(await store.consumerOffsets.get('group', 'orders', 3)).toBe(42);
        expect(await store.consumerOffsets.get('group', 'bills', 0)).toBe(2);
      });

      it('that somebody has written otherwise are an error', async () => {
        await store.consumerOffsets.set('group', 'orders', 3, 42);
        await zk.setData('/consumers/group/offsets/orders/3', Buffer.from('many'), -1);
        await expect(store.consumerOffsets.get('group', 'orders', 3)).rejects.toThrow('expected a decimal number');
      });
    });

    describe('producer ids', () => {
      it('are claimed a block at a time, each once, also when answers are lost or others are quicker', async () => {
        expect(await store.producerIds.claim(1)).toMatchObject({ first: 0, last: 999 });
        expect(await json('/latest_producer_id_block')).toEqual({
          version: 1,
          broker: 1,
          block_start: '0',
          block_end: '999',
        });
        zk.loseWrites('request');
        expect(await store.producerIds.claim(1)).toMatchObject({ first: 1000, last: 1999 });
        // The block whose claim was not answered is left unused.
        zk.loseWrites('answer');
        expect(await store.producerIds.claim(2)).toMatchObject({ first: 3000, last: 3999 });
        const other = storeOver(await connect());
        zk.beforeWrite = () => other.producerIds.claim(3);
        expect(await store.producerIds.claim(2)).toMatchObject({ first: 5000, last: 5999 });
        zk.loseWrites('answer');
        zk.beforeWrite = () => other.producerIds.claim(2);
        expect(await store.producerIds.claim(2)).toMatchObject({ first: 7000, last: 7999 });
        const many = await Promise.all([store, other, store, other].map(each => each.producerIds.claim(1)));
        expect(many.map(({ first }) => first).sort((a, b) => a - b)).toEqual([8000, 9000, 10000, 11000]);
      });

      it('need a node that can be read; one without data means that none were claimed', async () => {
        await zk.remove('/latest_producer_id_block', -1);
        expect(await store.producerIds.claim(1)).toMatchObject({ first: 0 });
        for (const data of ['{}', '{"version":1,"broker":1,"block_start":"5","block_end":"4"}', 'x']) {
          await zk.setData('/latest_producer_id_block', Buffer.from(data), -1);
          await expect(store.producerIds.claim(1)).rejects.toThrow('/latest_producer_id_block');
        }
        const end = `{"version":1,"broker":1,"block_start":"0","block_end":"${Number.MAX_SAFE_INTEGER - 998}"}`;
        await zk.setData('/latest_producer_id_block', Buffer.from(end), -1);
        await expect(store.producerIds.claim(1)).rejects.toThrow('no producer ids are left');
      });
    });

    describe('configs', () => {
      it('are set, read and removed', async () => {
        expect(await store.configs.get('topics', 'orders')).toEqual(new Map());
        await store.configs.set('topics', 'orders', new Map([['retention.ms', '1']]));
        await store.configs.set('topics', 'orders', new Map([['retention.ms', '2']]));
        await store.configs.set('brokers', '<default>', new Map([['log.cleaner.threads', '2']]));
        await store.configs.set('users', 'alice/clients/app1', new Map([['producer_byte_rate', '1024']]));
        expect(await json('/config/topics/orders')).toEqual({ version: 1, config: { 'retention.ms': '2' } });
        expect(await json('/config/users/alice/clients/app1')).toMatchObject({
          config: { producer_byte_rate: '1024' },
        });
        expect(await store.configs.entities('brokers')).toEqual(['<default>']);
        expect(await store.configs.getMany('topics', ['orders', 'missing'])).toEqual(
          new Map([
            ['orders', new Map([['retention.ms', '2']])],
            ['missing', new Map()],
          ]),
        );
        await store.configs.remove('topics', 'orders');
        await store.configs.remove('topics', 'orders');
        expect(await store.configs.entities('topics')).toEqual([]);
      });

      it('that cannot be read say so', async () => {
        await zk.create('/config/topics/orders', Buffer.from('{"version":2}'), 'persistent');
        await expect(store.configs.get('topics', 'orders')).rejects.toThrow('/config/topics/orders');
      });

      it('are written before anyone is told', async () => {
        const seen: unknown[] = [];
        const listener = store.configChanges(async ({ type, entity }) => {
          seen.push([type, entity, (await store.configs.get(type, entity)).get('k')]);
        });
        await listener.start();
        const other = storeOver(await connect());
        for (let i = 0; i < 5; i++) {
          await other.configs.set('topics', `t${i}`, new Map([['k', String(i)]]));
        }
        await waitFor('five changes', () => seen.length === 5);
        expect(seen).toEqual(Array.from({ length: 5 }, (_, i) => ['topics', `t${i}`, String(i)]));
        expect(await json('/config/changes/config_change_0000000004')).toEqual({
          version: 2,
          entity_path: 'topics/t4',
        });
        listener.close();
      });

      it('that have changed before are replayed at a start; what cannot be read or applied is skipped', async () => {
        const notify = (text: string) =>
          zk.create('/config/changes/config_change_', Buffer.from(text), 'persistentSequential');
        await notify('{"version":2,"entity_path":"users/alice/clients/app1"}');
        await notify('no JSON');
        await notify('{"version":3,"entity_path":"topics/unknown-version"}');
        await notify('{"version":1,"entity_type":"topics","entity_name":"fails"}');
        await notify('{"version":2,"entity_path":"brokers/<default>"}');
        const seen: ConfigChange[] = [];
        const listener = store.configChanges(change => {
          seen.push(change);
          if (change.entity === 'fails') throw new Error('cannot be applied');
        });
        await listener.start();
        expect(seen).toEqual([
          { type: 'users', entity: 'alice/clients/app1' },
          { type: 'topics', entity: 'fails' },
          { type: 'brokers', entity: '<default>' },
        ]);
        await notify('{"version":2,"entity_path":"ips/10.0.0.5"}');
        await waitFor('the next', () => seen.length === 4);
        listener.close();
        await notify('{"version":2,"entity_path":"ips/10.0.0.6"}');
        await zk.exists('/');
        expect(seen).toHaveLength(4);
      });

      it('that were changed during a lost session are not missed', async () => {
        const seen: string[] = [];
        const listener = store.configChanges(({ entity }) => void seen.push(entity));
        await store.configs.set('topics', 'before', new Map());
        await listener.start();
        let renewed = false;
        zk.onSession(event => (renewed ||= event === 'connected'));
        await subject.expire(zk.inner);
        await storeOver(await connect()).configs.set('topics', 'meanwhile', new Map());
        await waitFor('the change', () => renewed && seen.length >= 2);
        await store.configs.set('topics', 'after', new Map());
        await waitFor('the next change', () => seen.length >= 3);
        expect(seen).toEqual(['before', 'meanwhile', 'after']);
        listener.close();
      });

      it('are followed further when a session ends in the middle of their reading', async () => {
        await store.configs.set('topics', 'old', new Map());
        const clock: Clock = { now: () => Date.now() + 3_600_000, monotonic: () => performance.now() };
        const seen: string[] = [];
        const listener = storeOver(zk, clock).configChanges(({ entity }) => void seen.push(entity));
        const next = await connect();
        await listener.start();
        const other = storeOver(next);
        // The removal of the next, "old" one is lost, and another session has begun when it is to be repeated.
        zk.loseWrites('request');
        zk.beforeWrite = async () => {
          zk.inner = next.inner;
        };
        await other.configs.set('topics', 'during', new Map());
        await waitFor('the first change', () => seen.includes('during'));
        await waitFor('the exchange', () => zk.inner === next.inner);
        await waitFor('the other removal', async () => {
          await other.configs.set('topics', 'after', new Map());
          return seen.includes('after');
        });
        listener.close();
      });

      it('leave notifications that are removed after 15 minutes', async () => {
        await store.configs.set('topics', 'old', new Map());
        let skewMs = 0;
        const clock: Clock = { now: () => Date.now() + skewMs, monotonic: () => performance.now() };
        const seen: string[] = [];
        const listener = storeOver(zk, clock).configChanges(({ entity }) => void seen.push(entity));
        await listener.start();
        expect(await zk.getChildren('/config/changes')).toHaveLength(1);
        skewMs = 15 * 60 * 1000 + 60_000;
        await store.configs.set('topics', 'new', new Map());
        // Seen with a clock this far ahead the new one is as old as the first: both go.
        await waitFor('the purge', async () => (await zk.getChildren('/config/changes'))?.length === 0);
        expect(seen).toEqual(['old', 'new']);
        listener.close();
      });
    });

    it('gives up a lost call when its session has ended, instead of repeating it in the next', async () => {
      zk.loseWrites('request');
      zk.beforeWrite = async () => {
        zk.inner = await connect();
      };
      await expect(store.deletions.mark('orders')).rejects.toMatchObject({ code: 'SESSION_EXPIRED' });
      expect(await store.deletions.list()).toEqual([]);
    });
  });
}
