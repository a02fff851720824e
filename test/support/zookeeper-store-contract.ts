import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { brokersContract } from './store-contract/brokers.ts';
import { configsContract } from './store-contract/configs.ts';
import { partitionStatesContract } from './store-contract/partition-states.ts';
import { smallNodesContract } from './store-contract/small-nodes.ts';
import { topicsContract } from './store-contract/topics.ts';
import { StoreWorld, type StoreSubject } from './store-contract/store-world.ts';

/** What the store must do over every implementation of ZooKeeper, and whatever calls are lost. */
export function storeContract(name: string, start: () => Promise<StoreSubject>): void {
  describe(`the store over ${name}`, () => {
    let subject: StoreSubject;
    const world = new StoreWorld();

    beforeAll(async () => {
      subject = await start();
      world.begin(subject);
    });
    beforeEach(async () => {
      await world.enterEmptyTree();
      await world.store.ensurePersistentPaths();
      world.zk.writes.length = 0;
    });
    afterEach(() => world.leave());
    afterAll(() => subject.close());

    brokersContract(world);
    topicsContract(world);
    partitionStatesContract(world);
    configsContract(world);
    smallNodesContract(world);

    it('gives up a lost call when its session has ended, instead of repeating it in the next', async () => {
      world.zk.loseWrites('request');
      world.zk.beforeWrite = async () => {
        world.zk.inner = await world.connect();
      };
      await expect(world.store.deletions.mark('orders')).rejects.toMatchObject({ code: 'SESSION_EXPIRED' });
      expect(await world.store.deletions.list()).toEqual([]);
    });
  });
}
