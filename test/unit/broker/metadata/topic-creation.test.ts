import { beforeEach, describe, expect, test } from 'vitest';
import { AdminError } from '../../../../broker/metadata/admin-error.ts';
import { TopicCreation, type TopicWish } from '../../../../broker/metadata/topic-creation.ts';
import { errorByCode } from '../../../../shared/protocol/errors.ts';
import { systemRandom } from '../../../../shared/runtime/random.ts';
import type { ZooKeeperStore } from '../../../../shared/zookeeper/store.ts';
import { brokerConfig, knownCluster } from '../../../support/known-cluster.ts';
import { memoryStore } from '../../../support/memory-store.ts';

let store: ZooKeeperStore;
let creation: TopicCreation;

beforeEach(async () => {
  store = await memoryStore();
  const metadata = knownCluster([1, 2, 3], [{ topic: 'known', partition: 0, leader: 1 }]);
  const config = brokerConfig({ 'num.partitions': '4', 'default.replication.factor': '2' });
  creation = new TopicCreation({ store, metadata, config, random: systemRandom });
});

function wish(changes: Partial<TopicWish> = {}): TopicWish {
  return { name: 'orders', partitions: -1, replicationFactor: -1, assignment: new Map(), configs: {}, ...changes };
}

async function refusal(changes: Partial<TopicWish>): Promise<string> {
  const error: unknown = await creation.create(wish(changes), false).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(AdminError);
  return errorByCode((error as AdminError).code).name;
}

describe('what is granted', () => {
  test("-1 stands for the cluster's defaults, and the znodes say what was answered", async () => {
    const created = await creation.create(wish({ configs: { 'retention.ms': '5' } }), false);
    expect(created).toMatchObject({ partitions: 4, replicationFactor: 2 });
    const written = (await store.topics.get('orders'))!;
    expect(written.topicId).toBe(created.topicId);
    expect(written.partitions.size).toBe(4);
    for (const { replicas } of written.partitions.values()) expect(new Set(replicas).size).toBe(2);
    expect(Object.fromEntries(await store.configs.get('topics', 'orders'))).toEqual({ 'retention.ms': '5' });
  });

  test('a manual assignment is taken as it is', async () => {
    const assignment = new Map([
      [0, [3, 1]],
      [1, [2, 3]],
    ]);
    await creation.create(wish({ assignment }), false);
    expect((await store.topics.get('orders'))!.partitions.get(0)!.replicas).toEqual([3, 1]);
  });

  test('validating only writes nothing', async () => {
    await creation.create(wish(), true);
    expect(await store.topics.get('orders')).toBeNull();
  });
});

describe('what is refused, and how it is called', () => {
  test.each<[string, Partial<TopicWish>]>([
    ['TOPIC_ALREADY_EXISTS', { name: 'known' }],
    ['INVALID_TOPIC_EXCEPTION', { name: 'no spaces' }],
    ['INVALID_PARTITIONS', { partitions: 0 }],
    ['INVALID_REPLICATION_FACTOR', { replicationFactor: 4 }],
    ['INVALID_CONFIG', { configs: { 'no.such.setting': '1' } }],
    ['INVALID_CONFIG', { configs: { 'retention.ms': null } }],
    ['INVALID_REQUEST', { partitions: 2, assignment: new Map([[0, [1]]]) }],
    ['INVALID_REPLICA_ASSIGNMENT', { assignment: new Map([[1, [1]]]) }],
    ['INVALID_REPLICA_ASSIGNMENT', { assignment: new Map([[0, [1, 1]]]) }],
  ])('%s', async (name, changes) => {
    expect(await refusal(changes)).toBe(name);
  });

  test('a name that differs from an existing one only in . and _', async () => {
    await creation.create(wish({ name: 'a.b' }), false);
    expect(await refusal({ name: 'a_b' })).toBe('INVALID_TOPIC_EXCEPTION');
  });

  test('a name that is still marked for deletion, also when its node is gone already', async () => {
    await store.deletions.mark('orders');
    await expect(creation.create(wish(), false)).rejects.toThrow("Topic 'orders' is marked for deletion.");
  });
});
