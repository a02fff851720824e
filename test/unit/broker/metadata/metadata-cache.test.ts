import { expect, test } from 'vitest';
import { LEADER_DURING_DELETE, MetadataCache } from '../../../../broker/metadata/metadata-cache.ts';
import { MetadataWaits } from '../../../../broker/metadata/metadata-waits.ts';
import { knownCluster, partitionMetadata } from '../../../support/known-cluster.ts';
import { ManualTime } from '../../../support/manual-time.ts';

const update = (cache: MetadataCache, topic: string, leader: number, isFull = false) =>
  cache.apply({
    controllerId: 1,
    isFull,
    brokers: cache.aliveBrokers(),
    topics: [{ topic, topicId: `id-${topic}`, partitions: [partitionMetadata({ topic, partition: 0, leader })] }],
  });

test('partitions are merged, brokers replaced', () => {
  const cache = knownCluster([1, 2], [{ topic: 'a', partition: 0, leader: 1 }]);
  cache.apply({ controllerId: 2, brokers: cache.aliveBrokers().slice(1), topics: [] });
  expect(cache.aliveBrokers().map(({ id }) => id)).toEqual([2]);
  expect(cache.partition('a', 0)?.leader).toBe(1);
  expect(cache.controllerId).toBe(2);
});

test('leader -2 makes a topic vanish, name and id', () => {
  const cache = knownCluster([1]);
  update(cache, 'a', 1);
  expect(cache.topicName('id-a')).toBe('a');
  expect(update(cache, 'a', LEADER_DURING_DELETE).removed).toEqual([{ topic: 'a', partition: 0 }]);
  expect(cache.hasTopic('a')).toBe(false);
  expect(cache.topicName('id-a')).toBeNull();
});

test('a full update forgets what it does not list', () => {
  const cache = knownCluster([1], [{ topic: 'deleted-unheard', partition: 0, leader: 1 }]);
  const { removed } = update(cache, 'a', 1, true);
  expect(removed.map(({ topic }) => topic)).toEqual(['deleted-unheard']);
  expect(cache.topics()).toEqual(['a']);
});

test('a controller that is not alive is no controller', () => {
  const cache = new MetadataCache();
  cache.apply({ controllerId: 7, brokers: [], topics: [] });
  expect(cache.controllerId).toBeNull();
});

test('waits end when what they wait for is heard of, or at their time limit', async () => {
  const time = new ManualTime();
  const cache = knownCluster([1]);
  const waits = new MetadataWaits(cache, time.timers);
  const isThere = () => cache.hasTopic('a');
  expect(await waits.until(isThere, 0)).toBe(false);
  const first = waits.until(isThere, 100);
  await time.advance(101);
  expect(await first).toBe(false);
  const second = waits.until(isThere, 100);
  update(cache, 'a', 1);
  expect(await second).toBe(true);
});
