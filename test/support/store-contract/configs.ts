import { describe, expect, it } from 'vitest';
import type { ConfigChange } from '../../../shared/zookeeper/store.ts';
import type { Clock } from '../../../shared/runtime/clock.ts';
import { waitFor } from '../wait.ts';
import type { StoreWorld } from './store-world.ts';

/** Dynamic settings, and how brokers hear of changes. */
export function configsContract(world: StoreWorld): void {
  const { connect, storeOver, json } = world;

  describe('configs', () => {
    it('are set, read and removed', async () => {
      expect(await world.store.configs.get('topics', 'orders')).toEqual(new Map());
      await world.store.configs.set('topics', 'orders', new Map([['retention.ms', '1']]));
      await world.store.configs.set('topics', 'orders', new Map([['retention.ms', '2']]));
      await world.store.configs.set('brokers', '<default>', new Map([['log.cleaner.threads', '2']]));
      await world.store.configs.set('users', 'alice/clients/app1', new Map([['producer_byte_rate', '1024']]));
      expect(await json('/config/topics/orders')).toEqual({ version: 1, config: { 'retention.ms': '2' } });
      expect(await json('/config/users/alice/clients/app1')).toMatchObject({
        config: { producer_byte_rate: '1024' },
      });
      expect(await world.store.configs.entities('brokers')).toEqual(['<default>']);
      expect(await world.store.configs.getMany('topics', ['orders', 'missing'])).toEqual(
        new Map([
          ['orders', new Map([['retention.ms', '2']])],
          ['missing', new Map()],
        ]),
      );
      await world.store.configs.remove('topics', 'orders');
      await world.store.configs.remove('topics', 'orders');
      expect(await world.store.configs.entities('topics')).toEqual([]);
    });

    it('that cannot be read say so', async () => {
      await world.zk.create('/config/topics/orders', Buffer.from('{"version":2}'), 'persistent');
      await expect(world.store.configs.get('topics', 'orders')).rejects.toThrow('/config/topics/orders');
    });

    it('are written before anyone is told', async () => {
      const seen: unknown[] = [];
      const listener = world.store.configChanges(async ({ type, entity }) => {
        seen.push([type, entity, (await world.store.configs.get(type, entity)).get('k')]);
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
        world.zk.create('/config/changes/config_change_', Buffer.from(text), 'persistentSequential');
      await notify('{"version":2,"entity_path":"users/alice/clients/app1"}');
      await notify('no JSON');
      await notify('{"version":3,"entity_path":"topics/unknown-version"}');
      await notify('{"version":1,"entity_type":"topics","entity_name":"fails"}');
      await notify('{"version":2,"entity_path":"brokers/<default>"}');
      const seen: ConfigChange[] = [];
      const listener = world.store.configChanges(change => {
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
      await world.zk.exists('/');
      expect(seen).toHaveLength(4);
    });

    it('that were changed during a lost session are not missed', async () => {
      const seen: string[] = [];
      const listener = world.store.configChanges(({ entity }) => void seen.push(entity));
      await world.store.configs.set('topics', 'before', new Map());
      await listener.start();
      let renewed = false;
      world.zk.onSession(event => (renewed ||= event === 'connected'));
      await world.expire();
      await storeOver(await connect()).configs.set('topics', 'meanwhile', new Map());
      await waitFor('the change', () => renewed && seen.length >= 2);
      await world.store.configs.set('topics', 'after', new Map());
      await waitFor('the next change', () => seen.length >= 3);
      expect(seen).toEqual(['before', 'meanwhile', 'after']);
      listener.close();
    });

    it('are followed further when a session ends in the middle of their reading', async () => {
      await world.store.configs.set('topics', 'old', new Map());
      const clock: Clock = { now: () => Date.now() + 3_600_000, monotonic: () => performance.now() };
      const seen: string[] = [];
      const listener = storeOver(world.zk, clock).configChanges(({ entity }) => void seen.push(entity));
      const next = await connect();
      await listener.start();
      const other = storeOver(next);
      // The removal of the next, "old" one is lost, and another session has begun when it is to be repeated.
      world.zk.loseWrites('request');
      world.zk.beforeWrite = async () => {
        world.zk.inner = next.inner;
      };
      await other.configs.set('topics', 'during', new Map());
      await waitFor('the first change', () => seen.includes('during'));
      await waitFor('the exchange', () => world.zk.inner === next.inner);
      await waitFor('the other removal', async () => {
        await other.configs.set('topics', 'after', new Map());
        return seen.includes('after');
      });
      listener.close();
    });

    it('leave notifications that are removed after 15 minutes', async () => {
      await world.store.configs.set('topics', 'old', new Map());
      let skewMs = 0;
      const clock: Clock = { now: () => Date.now() + skewMs, monotonic: () => performance.now() };
      const seen: string[] = [];
      const listener = storeOver(world.zk, clock).configChanges(({ entity }) => void seen.push(entity));
      await listener.start();
      expect(await world.zk.getChildren('/config/changes')).toHaveLength(1);
      skewMs = 15 * 60 * 1000 + 60_000;
      await world.store.configs.set('topics', 'new', new Map());
      // Seen with a clock this far ahead the new one is as old as the first: both go.
      await waitFor('the purge', async () => (await world.zk.getChildren('/config/changes'))?.length === 0);
      expect(seen).toEqual(['old', 'new']);
      listener.close();
    });
  });
}
