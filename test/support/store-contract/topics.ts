import { describe, expect, it } from 'vitest';
import { ControllerMovedError } from '../../../shared/zookeeper/store.ts';
import type { TopicAssignment } from '../../../shared/zookeeper/store.ts';
import { waitFor } from '../wait.ts';
import { TOPIC_ID, assignment, elect, state, watching, type StoreWorld } from './store-world.ts';

/** Topics, and what is to be done to them. */
export function topicsContract(world: StoreWorld): void {
  const { connect, storeOver, json } = world;

  describe('topics', () => {
    it('creates topic and config together', async () => {
      const { events, watcher } = watching();
      await world.store.topics.names(watcher);
      await world.store.topics.create(
        'orders',
        assignment([1, 2, 3], [2, 3, 1]),
        new Map([['cleanup.policy', 'compact']]),
      );
      expect(await json('/brokers/topics/orders')).toEqual({
        version: 3,
        topic_id: TOPIC_ID,
        partitions: { 0: [1, 2, 3], 1: [2, 3, 1] },
        adding_replicas: {},
        removing_replicas: {},
      });
      expect(await json('/config/topics/orders')).toEqual({ version: 1, config: { 'cleanup.policy': 'compact' } });
      expect(await world.store.topics.get('orders')).toEqual(assignment([1, 2, 3], [2, 3, 1]));
      expect(await world.store.topics.names()).toEqual(['orders']);
      await waitFor('the event', () => events.length === 1);
    });

    it('overwrites a config left behind, but not that of a topic that exists', async () => {
      await world.store.configs.set('topics', 'orders', new Map([['retention.ms', '1']]));
      await world.store.topics.create('orders', assignment([1]), new Map([['retention.ms', '2']]));
      await expect(
        world.store.topics.create('orders', assignment([2]), new Map([['retention.ms', '3']])),
      ).rejects.toMatchObject({
        code: 'NODE_EXISTS',
        path: '/brokers/topics/orders',
      });
      expect(await world.store.configs.get('topics', 'orders')).toEqual(new Map([['retention.ms', '2']]));
      expect(await world.store.topics.get('orders')).toEqual(assignment([1]));
    });

    it('creates a topic in an empty tree', async () => {
      await world.enterEmptyTree();
      await world.store.topics.create('orders', assignment([1]), new Map());
      expect(await world.zk.getChildren('/brokers/topics')).toEqual(['orders']);
      expect(await world.zk.getChildren('/config/topics')).toEqual(['orders']);
    });

    it.each([['request'], ['answer'], ['answer', 'answer']] as const)(
      'creates once when calls are lost: %s %s',
      async (...losses) => {
        world.zk.loseWrites(...losses);
        await world.store.topics.create('orders', assignment([1]), new Map());
        expect(await world.store.topics.get('orders')).toEqual(assignment([1]));
      },
    );

    it('does not take the topic of another for its own when its call is lost', async () => {
      const other = storeOver(await connect());
      const foreign = { ...assignment([1]), topicId: 'another-another-anothe' };
      world.zk.beforeWrite = () => other.topics.create('orders', foreign, new Map());
      world.zk.loseWrites('request');
      await expect(world.store.topics.create('orders', assignment([1]), new Map())).rejects.toMatchObject({
        code: 'NODE_EXISTS',
      });
      expect(await world.store.topics.get('orders')).toEqual(foreign);
    });

    it('reads many', async () => {
      for (const topic of ['a', 'b']) await world.store.topics.create(topic, assignment([1]), new Map());
      const many = await world.store.topics.getMany(['a', 'missing', 'b']);
      expect([...many.keys()]).toEqual(['a', 'b']);
      expect(await world.store.topics.get('missing')).toBeNull();
    });

    it('reads what older versions wrote, and takes rubbish for a topic without partitions', async () => {
      await world.zk.create('/brokers/topics/v1', Buffer.from('{"version":1,"partitions":{"0":[1]}}'), 'persistent');
      await world.zk.create('/brokers/topics/rubbish', Buffer.from('{'), 'persistent');
      expect(await world.store.topics.get('v1')).toEqual({ ...assignment([1]), topicId: null });
      expect(await world.store.topics.get('rubbish')).toEqual({ topicId: null, partitions: new Map() });
    });

    it('writes an assignment under reassignment, for the controller only', async () => {
      const { fence, stale } = await elect(world.store);
      await world.store.topics.create('orders', assignment([1, 2], [2, 3, 1]), new Map());
      const moving: TopicAssignment = {
        topicId: TOPIC_ID,
        partitions: new Map([
          [0, { replicas: [1, 2], adding: [], removing: [] }],
          [1, { replicas: [3, 1, 4, 2], adding: [4], removing: [2] }],
        ]),
      };
      await expect(world.store.topics.setAssignment('orders', moving, stale)).rejects.toThrow(ControllerMovedError);
      expect(await world.store.topics.get('orders')).toEqual(assignment([1, 2], [2, 3, 1]));
      world.zk.loseWrites('answer');
      await world.store.topics.setAssignment('orders', moving, fence);
      expect(await world.store.topics.get('orders')).toEqual(moving);
      expect(await json('/brokers/topics/orders')).toMatchObject({
        adding_replicas: { 1: [4] },
        removing_replicas: { 1: [2] },
      });
      await expect(world.store.topics.setAssignment('missing', moving, fence)).rejects.toMatchObject({
        code: 'NO_NODE',
      });
    });

    it('changes one assignment without losing the partitions that others add', async () => {
      const { fence, stale } = await elect(world.store);
      await world.store.topics.create('orders', assignment([1]), new Map());
      const other = storeOver(await connect());
      const moving = { replicas: [2, 1], adding: [2], removing: [1] };
      world.zk.beforeWrite = async () => {
        await other.topics.addPartitions('orders', new Map([[1, { replicas: [3], adding: [], removing: [] }]]));
      };
      await world.store.topics.changeAssignment('orders', 0, moving, fence);
      const after = await world.store.topics.get('orders');
      expect(after!.partitions).toEqual(new Map([...assignment([1], [3]).partitions, [0, moving]]));
      await expect(world.store.topics.changeAssignment('orders', 0, moving, stale)).rejects.toThrow(
        ControllerMovedError,
      );
      world.zk.loseWrites('answer');
      await world.store.topics.changeAssignment('orders', 0, { replicas: [2], adding: [], removing: [] }, fence);
      expect(await world.store.topics.get('orders')).toEqual(assignment([2], [3]));
      await expect(world.store.topics.changeAssignment('missing', 0, moving, fence)).rejects.toMatchObject({
        code: 'NO_NODE',
      });
    });

    it('adds partitions without losing what others write', async () => {
      await world.store.topics.create('orders', assignment([1]), new Map());
      const other = storeOver(await connect());
      const added = (id: number) => new Map([[id, { replicas: [id], adding: [], removing: [] }]]);
      world.zk.beforeWrite = () => other.topics.addPartitions('orders', added(2));
      world.zk.loseWrites('answer');
      const result = await world.store.topics.addPartitions('orders', added(1));
      expect([...result.partitions.keys()].sort()).toEqual([0, 1, 2]);
      expect(await world.store.topics.get('orders')).toEqual(assignment([1], [1], [2]));
      const unchanged = await world.store.topics.addPartitions(
        'orders',
        new Map([[1, { replicas: [9], adding: [], removing: [] }]]),
      );
      expect(unchanged).toEqual(assignment([1], [1], [2]));
      await expect(world.store.topics.addPartitions('missing', added(1))).rejects.toMatchObject({ code: 'NO_NODE' });
    });

    it('removes a topic with everything below it, for the controller only', async () => {
      const { fence, stale } = await elect(world.store);
      const sets = Array.from({ length: 250 }, () => [1]);
      await world.store.topics.create('orders', assignment(...sets), new Map());
      await world.store.partitions.createStates(
        sets.map((_, partition) => ({ topic: 'orders', partition, state: state() })),
        fence,
      );
      await expect(world.store.topics.remove('orders', stale)).rejects.toThrow(ControllerMovedError);
      world.zk.loseWrites('answer');
      await world.store.topics.remove('orders', fence);
      expect(await world.store.topics.names()).toEqual([]);
      await world.store.topics.remove('orders', fence);
    });
  });

  describe('topic deletions and preferred elections', () => {
    it('are marked by anyone, cleared by the controller', async () => {
      const { fence, stale } = await elect(world.store);
      const { events, watcher } = watching();
      await world.store.deletions.list(watcher);
      expect(await world.store.deletions.mark('orders')).toBe(true);
      expect(await world.store.deletions.mark('orders')).toBe(false);
      await waitFor('the event', () => events.length === 1);
      await world.store.deletions.mark('payments');
      await expect(world.store.deletions.clear(['orders'], stale)).rejects.toThrow(ControllerMovedError);
      expect((await world.store.deletions.list()).sort()).toEqual(['orders', 'payments']);
      await world.store.deletions.clear(['missing', 'orders'], fence);
      expect(await world.store.deletions.list()).toEqual(['payments']);
    });

    it('are asked for by older tools', async () => {
      const { fence } = await elect(world.store);
      const { events, watcher } = watching();
      expect(await world.store.preferredElection.get(watcher)).toBeNull();
      const data =
        '{"version":1,"partitions":[{"topic":"orders","partition":0},{"topic":"orders","partition":1},{"x":1}]}';
      await world.zk.create('/admin/preferred_replica_election', Buffer.from(data), 'persistent');
      await waitFor('the event', () => events.length === 1);
      expect(await world.store.preferredElection.get()).toEqual([
        { topic: 'orders', partition: 0 },
        { topic: 'orders', partition: 1 },
      ]);
      await world.store.preferredElection.remove(fence);
      expect(await world.store.preferredElection.get()).toBeNull();
      await world.store.preferredElection.remove(fence);
    });

    it('and reassignments, of which the controller keeps those that are not over', async () => {
      const { fence, stale } = await elect(world.store);
      const { events, watcher } = watching();
      expect(await world.store.reassignments.get(watcher)).toBeNull();
      const wanted = [
        { topic: 'orders', partition: 0, replicas: [1, 2] },
        { topic: 'orders', partition: 1, replicas: [2] },
      ];
      const data = JSON.stringify({ version: 1, partitions: [...wanted, { topic: 'x' }, { replicas: ['a'] }, 7] });
      await world.zk.create('/admin/reassign_partitions', Buffer.from(data), 'persistent');
      await waitFor('the event', () => events.length === 1);
      expect(await world.store.reassignments.get()).toEqual(wanted);
      await expect(world.store.reassignments.keep([], stale)).rejects.toThrow(ControllerMovedError);
      world.zk.loseWrites('answer');
      await world.store.reassignments.keep(wanted.slice(1), fence);
      expect(await json('/admin/reassign_partitions')).toEqual({ version: 1, partitions: wanted.slice(1) });
      await world.store.reassignments.keep([], fence);
      expect(await world.store.reassignments.get()).toBeNull();
      await world.store.reassignments.keep(wanted, fence);
      expect(await world.store.reassignments.get()).toBeNull();
    });
  });
}
