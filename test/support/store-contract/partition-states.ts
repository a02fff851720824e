import { describe, expect, it } from 'vitest';
import { ControllerMovedError } from '../../../shared/zookeeper/store.ts';
import type { LeaderAndIsr } from '../../../shared/zookeeper/store.ts';
import { waitFor } from '../wait.ts';
import { assignment, elect, state, watching, type StoreWorld } from './store-world.ts';

/** Leaders and in-sync replicas, and what the controller hears of them. */
export function partitionStatesContract(world: StoreWorld): void {
  const { json } = world;

  describe('partition states', () => {
    const partitions = (count: number, topic = 'orders') =>
      Array.from({ length: count }, (_, partition) => ({ topic, partition }));
    const entries = (count: number, fields: Partial<LeaderAndIsr> = {}, topic = 'orders') =>
      partitions(count, topic).map(each => ({ ...each, state: state(fields) }));
    const createTopics = async (...topics: string[]) => {
      for (const topic of topics) await world.store.topics.create(topic, assignment([1, 2]), new Map());
    };
    const keys = (map: ReadonlyMap<string, unknown>) => [...map.keys()].sort();

    it('are created, read and updated, with the znode version as partition epoch', async () => {
      const { fence } = await elect(world.store);
      await createTopics('orders', 'payments');
      const all = [...entries(3), ...entries(2, { leader: 2 }, 'payments')];
      const { created, failed } = await world.store.partitions.createStates(all, fence);
      expect(failed.size).toBe(0);
      expect(await world.store.partitions.states([...partitions(4), ...partitions(2, 'payments')])).toEqual(created);
      expect(created.get('payments-1')).toEqual(state({ leader: 2 }));
      expect(await json('/brokers/topics/orders/partitions/2/state')).toEqual({
        version: 1,
        leader: 1,
        leader_epoch: 0,
        isr: [1, 2],
        controller_epoch: 2,
      });
      const next = { leader: 2, leaderEpoch: 1, isr: [2], recovering: true };
      const { updated } = await world.store.partitions.updateStates(entries(2, next), fence);
      expect(updated.get('orders-1')).toEqual(state({ ...next, partitionEpoch: 1 }));
      expect((await world.store.partitions.states(partitions(2))).get('orders-1')).toEqual(updated.get('orders-1'));
      expect(await json('/brokers/topics/orders/partitions/1/state')).toMatchObject({ leader_recovery_state: 1 });
    });

    it('are thousands, quickly', async () => {
      const { fence } = await elect(world.store);
      await createTopics('orders');
      await world.store.partitions.createStates(entries(1), fence);
      const started = performance.now();
      const { created, failed } = await world.store.partitions.createStates(entries(1000), fence);
      expect([created.size, keys(failed)]).toEqual([999, ['orders-0']]);
      const { updated, conflicts } = await world.store.partitions.updateStates(
        entries(1000, { leaderEpoch: 1 }),
        fence,
      );
      expect([updated.size, conflicts]).toEqual([1000, []]);
      const states = await world.store.partitions.states(partitions(1000));
      expect(states).toEqual(updated);
      // Creation, update and reading together; measured 150 to 400 ms on two cores.
      expect(performance.now() - started).toBeLessThan(3000);
    });

    it('that exist are not created again; the others are', async () => {
      const { fence } = await elect(world.store);
      await createTopics('orders');
      await world.store.partitions.createStates(entries(2, { leader: 7 }), fence);
      const { created, failed } = await world.store.partitions.createStates(entries(4), fence);
      expect(keys(created)).toEqual(['orders-2', 'orders-3']);
      expect([...failed].map(([key, error]) => [key, (error as { code?: string }).code]).sort()).toEqual([
        ['orders-0', 'NODE_EXISTS'],
        ['orders-1', 'NODE_EXISTS'],
      ]);
      expect((await world.store.partitions.states(partitions(1))).get('orders-0')?.leader).toBe(7);
    });

    it('that have changed meanwhile are conflicts; missing ones have failed; the others are updated', async () => {
      const { fence } = await elect(world.store);
      await createTopics('orders');
      await world.store.partitions.createStates(entries(3), fence);
      await world.store.partitions.updateStates(entries(1, { leader: 7 }), fence);
      const { updated, conflicts, failed } = await world.store.partitions.updateStates(
        entries(4, { leader: 2 }),
        fence,
      );
      expect(keys(updated)).toEqual(['orders-1', 'orders-2']);
      expect(conflicts).toEqual([{ topic: 'orders', partition: 0 }]);
      expect([...failed].map(([key, error]) => [key, (error as { code?: string }).code])).toEqual([
        ['orders-3', 'NO_NODE'],
      ]);
      expect((await world.store.partitions.states(partitions(1))).get('orders-0')).toMatchObject({
        leader: 7,
        partitionEpoch: 1,
      });
    });

    it('of a controller that has been replaced are not written at all', async () => {
      const { fence, stale } = await elect(world.store);
      await createTopics('orders');
      await expect(world.store.partitions.createStates(entries(500), stale)).rejects.toThrow(ControllerMovedError);
      expect(await world.zk.getChildren('/brokers/topics/orders')).toEqual([]);
      await world.store.partitions.createStates(entries(2), fence);
      await expect(world.store.partitions.updateStates(entries(2, { leader: 9 }), stale)).rejects.toThrow(
        ControllerMovedError,
      );
      expect((await world.store.partitions.states(partitions(1))).get('orders-0')?.leader).toBe(1);
    });

    it.each([['request'], ['answer'], ['answer', 'answer'], ['answer', 'request']] as const)(
      'are created and updated once when calls are lost: %s %s',
      async (...losses) => {
        const { fence } = await elect(world.store);
        await createTopics('orders');
        world.zk.loseWrites(...losses);
        const creation = await world.store.partitions.createStates(entries(3), fence);
        expect([keys(creation.created), creation.failed.size]).toEqual([['orders-0', 'orders-1', 'orders-2'], 0]);
        world.zk.loseWrites(...losses);
        const update = await world.store.partitions.updateStates(entries(3, { leader: 2 }), fence);
        expect([keys(update.updated), update.conflicts]).toEqual([['orders-0', 'orders-1', 'orders-2'], []]);
        expect((await world.store.partitions.states(partitions(1))).get('orders-0')).toMatchObject({
          leader: 2,
          partitionEpoch: 1,
        });
      },
    );

    it('are recognised one by one when a lost batch had met a conflict', async () => {
      const { fence } = await elect(world.store);
      await createTopics('orders');
      await world.store.partitions.createStates(entries(2), fence);
      // What the first one is to hold it holds already, but as a later version: that was somebody else.
      await world.store.partitions.updateStates(entries(1, { leader: 2 }), fence);
      await world.store.partitions.updateStates(entries(1, { leader: 2, partitionEpoch: 1 }), fence);
      // The batch fails and its answer is lost; it fails again; then each is tried alone.
      world.zk.loseWrites('answer');
      world.zk.writes.length = 0;
      const { updated, conflicts } = await world.store.partitions.updateStates(entries(2, { leader: 2 }), fence);
      expect([keys(updated), conflicts]).toEqual([['orders-1'], [{ topic: 'orders', partition: 0 }]]);
      expect(world.zk.writes).toEqual(['multi', 'multi', 'multi', 'multi']);
    });
  });

  describe('notifications to the controller', () => {
    it('are added, listed in order and removed', async () => {
      const { fence, stale } = await elect(world.store);
      const { events, watcher } = watching();
      await world.store.isrChanges.list(watcher);
      for (const partition of [0, 1]) await world.store.isrChanges.add([{ topic: 'orders', partition }]);
      await waitFor('the event', () => events.length === 1);
      const pending = await world.store.isrChanges.list();
      expect([...pending]).toEqual([
        ['isr_change_0000000000', [{ topic: 'orders', partition: 0 }]],
        ['isr_change_0000000001', [{ topic: 'orders', partition: 1 }]],
      ]);
      await expect(world.store.isrChanges.remove(pending.keys(), stale)).rejects.toThrow(ControllerMovedError);
      await world.store.isrChanges.remove(pending.keys(), fence);
      expect((await world.store.isrChanges.list()).size).toBe(0);
      await world.store.logDirEvents.add(2);
      expect(await json('/log_dir_event_notification/log_dir_event_0000000000')).toEqual({
        version: 1,
        broker: 2,
        event: 1,
      });
      expect([...(await world.store.logDirEvents.list()).values()]).toEqual([2]);
    });
  });
}
