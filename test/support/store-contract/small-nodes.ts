import { describe, expect, it } from 'vitest';
import type { StoreWorld } from './store-world.ts';

/** Nodes of which there is one, or one for each key. */
export function smallNodesContract(world: StoreWorld): void {
  const { connect, storeOver, json } = world;

  describe('features', () => {
    it('are switched on by a new controller, levels kept', async () => {
      expect(await world.store.feature.get()).toBeNull();
      expect(await world.store.feature.ensureEnabled()).toEqual({ enabled: true, levels: new Map(), epoch: 0 });
      expect(await json('/feature')).toEqual({ version: 2, status: 1, features: {} });
      const disabled = '{"version":1,"status":0,"features":{"f":{"min_version_level":1,"max_version_level":3}}}';
      await world.zk.setData('/feature', Buffer.from(disabled), -1);
      world.zk.loseWrites('answer');
      expect(await world.store.feature.ensureEnabled()).toEqual({
        enabled: true,
        levels: new Map([['f', 3]]),
        epoch: 2,
      });
      expect(await json('/feature')).toEqual({ version: 2, status: 1, features: { f: { max_version_level: 3 } } });
    });
  });

  describe('offsets of the oldest clients', () => {
    it('are digits where those clients look for them, and are overwritten', async () => {
      expect(await world.store.consumerOffsets.get('group', 'orders', 3)).toBeNull();
      await world.store.consumerOffsets.set('group', 'orders', 3, 42);
      await world.store.consumerOffsets.set('group', 'orders', 4, 7);
      await world.store.consumerOffsets.set('group', 'orders', 3, 43);
      expect((await world.zk.getData('/consumers/group/offsets/orders/3'))?.data?.toString()).toBe('43');
      expect(await world.store.consumerOffsets.get('group', 'orders', 3)).toBe(43);
      expect(await world.store.consumerOffsets.get('group', 'orders', 4)).toBe(7);
    });

    it('are written when the connection breaks, and when another is quicker', async () => {
      world.zk.loseWrites('request');
      await world.store.consumerOffsets.set('group', 'orders', 3, 42);
      const other = storeOver(await connect());
      world.zk.beforeWrite = () => other.consumerOffsets.set('group', 'bills', 0, 1);
      await world.store.consumerOffsets.set('group', 'bills', 0, 2);
      expect(await world.store.consumerOffsets.get('group', 'orders', 3)).toBe(42);
      expect(await world.store.consumerOffsets.get('group', 'bills', 0)).toBe(2);
    });

    it('that somebody has written otherwise are an error', async () => {
      await world.store.consumerOffsets.set('group', 'orders', 3, 42);
      await world.zk.setData('/consumers/group/offsets/orders/3', Buffer.from('many'), -1);
      await expect(world.store.consumerOffsets.get('group', 'orders', 3)).rejects.toThrow('expected a decimal number');
    });
  });

  describe('producer ids', () => {
    it('are claimed a block at a time, each once, also when answers are lost or others are quicker', async () => {
      expect(await world.store.producerIds.claim(1)).toMatchObject({ first: 0, last: 999 });
      expect(await json('/latest_producer_id_block')).toEqual({
        version: 1,
        broker: 1,
        block_start: '0',
        block_end: '999',
      });
      world.zk.loseWrites('request');
      expect(await world.store.producerIds.claim(1)).toMatchObject({ first: 1000, last: 1999 });
      // The block whose claim was not answered is left unused.
      world.zk.loseWrites('answer');
      expect(await world.store.producerIds.claim(2)).toMatchObject({ first: 3000, last: 3999 });
      const other = storeOver(await connect());
      world.zk.beforeWrite = () => other.producerIds.claim(3);
      expect(await world.store.producerIds.claim(2)).toMatchObject({ first: 5000, last: 5999 });
      world.zk.loseWrites('answer');
      world.zk.beforeWrite = () => other.producerIds.claim(2);
      expect(await world.store.producerIds.claim(2)).toMatchObject({ first: 7000, last: 7999 });
      const many = await Promise.all([world.store, other, world.store, other].map(each => each.producerIds.claim(1)));
      expect(many.map(({ first }) => first).sort((a, b) => a - b)).toEqual([8000, 9000, 10000, 11000]);
    });

    it('need a node that can be read; one without data means that none were claimed', async () => {
      await world.zk.remove('/latest_producer_id_block', -1);
      expect(await world.store.producerIds.claim(1)).toMatchObject({ first: 0 });
      for (const data of ['{}', '{"version":1,"broker":1,"block_start":"5","block_end":"4"}', 'x']) {
        await world.zk.setData('/latest_producer_id_block', Buffer.from(data), -1);
        await expect(world.store.producerIds.claim(1)).rejects.toThrow('/latest_producer_id_block');
      }
      const end = `{"version":1,"broker":1,"block_start":"0","block_end":"${Number.MAX_SAFE_INTEGER - 998}"}`;
      await world.zk.setData('/latest_producer_id_block', Buffer.from(end), -1);
      await expect(world.store.producerIds.claim(1)).rejects.toThrow('no producer ids are left');
    });
  });
}
