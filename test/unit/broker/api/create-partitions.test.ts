import { beforeEach, describe, expect, test } from 'vitest';
import { createPartitionsHandler } from '../../../../broker/api/create-partitions.ts';
import type { MetadataCache } from '../../../../broker/metadata/metadata-cache.ts';
import { MetadataWaits } from '../../../../broker/metadata/metadata-waits.ts';
import { PartitionAddition } from '../../../../broker/metadata/partition-addition.ts';
import type { RequestContext } from '../../../../broker/request/context.ts';
import { errorByCode } from '../../../../shared/protocol/errors.ts';
import { systemTimers } from '../../../../shared/runtime/clock.ts';
import { systemRandom } from '../../../../shared/runtime/random.ts';
import type { ReplicaAssignment, ZooKeeperStore } from '../../../../shared/zookeeper/store.ts';
import { knownCluster, partitionMetadata } from '../../../support/known-cluster.ts';
import { memoryStore } from '../../../support/memory-store.ts';

/** Brokers 1, 2 and 3 are alive; `orders` has two partitions of two replicas each. `moving` is being reassigned. */
let store: ZooKeeperStore;
let metadata: MetadataCache;

beforeEach(async () => {
  store = await memoryStore();
  metadata = knownCluster([1, 2, 3]);
  await create('orders', [
    { replicas: [1, 2], adding: [], removing: [] },
    { replicas: [2, 3], adding: [], removing: [] },
  ]);
  await create('moving', [{ replicas: [1, 2], adding: [2], removing: [] }]);
});

async function create(name: string, partitions: readonly ReplicaAssignment[]): Promise<void> {
  const assignment = { topicId: 'AAAAAAAAAAAAAAAAAAAABQ', partitions: new Map(partitions.entries()) };
  await store.topics.create(name, assignment, new Map());
}

interface Wish {
  readonly name?: string;
  readonly count: number;
  /** Replicas of the new partitions in order; null: the cluster assigns. */
  readonly at?: readonly (readonly number[])[] | null;
}

interface Options {
  readonly validateOnly?: boolean;
  readonly timeoutMs?: number;
  readonly isController?: boolean;
}

async function answer(wishes: readonly Wish[], options: Options = {}): Promise<[string, string][]> {
  const { validateOnly = false, timeoutMs = 0, isController = true } = options;
  const parts = {
    addition: new PartitionAddition({ store, metadata, random: systemRandom }),
    metadata,
    waits: new MetadataWaits(metadata, systemTimers),
    isController: () => isController,
  };
  const topics = wishes.map(({ name = 'orders', count, at = null }) => ({
    name,
    count,
    assignments: at?.map(brokerIds => ({ brokerIds: [...brokerIds] })) ?? null,
  }));
  const context = { apiVersion: 3, park: () => {} } as unknown as RequestContext;
  const { results } = (await createPartitionsHandler(parts).handle({ topics, timeoutMs, validateOnly }, context))!;
  return results.map(({ name, errorCode }) => [name, errorByCode(errorCode).name]);
}

async function outcome(wish: Wish, options: Options = { validateOnly: true }): Promise<string> {
  return (await answer([wish], options))[0]![1];
}

const partitionsOf = async (topic: string) => (await store.topics.get(topic))!.partitions;

// Kafka: KafkaApis.handleCreatePartitionsRequest, ZkAdminManager.createPartitions, AdminZkClient.validateReplicaAssignment
describe('what is asked for, and what is answered', () => {
  test.each<[string, Wish, string]>([
    ['one more', { count: 3 }, 'NONE'],
    ['as many as there are', { count: 2 }, 'INVALID_PARTITIONS'],
    ['fewer', { count: 1 }, 'INVALID_PARTITIONS'],
    ['none', { count: 0 }, 'INVALID_PARTITIONS'],
    ['fewer than none', { count: -1 }, 'INVALID_PARTITIONS'],
    ['more than a node of ZooKeeper holds', { count: 2 ** 31 - 1 }, 'INVALID_PARTITIONS'],
    [
      'two more, with replicas',
      {
        count: 4,
        at: [
          [3, 1],
          [1, 2],
        ],
      },
      'NONE',
    ],
    ['replicas for one too few', { count: 4, at: [[3, 1]] }, 'INVALID_REPLICA_ASSIGNMENT'],
    [
      'replicas for one too many',
      {
        count: 3,
        at: [
          [3, 1],
          [1, 2],
        ],
      },
      'INVALID_REPLICA_ASSIGNMENT',
    ],
    ['replicas for none', { count: 3, at: [] }, 'INVALID_REPLICA_ASSIGNMENT'],
    ['a broker that is not there', { count: 3, at: [[9, 1]] }, 'INVALID_REPLICA_ASSIGNMENT'],
    ['a broker twice', { count: 3, at: [[1, 1]] }, 'INVALID_REPLICA_ASSIGNMENT'],
    ['no broker', { count: 3, at: [[]] }, 'INVALID_REPLICA_ASSIGNMENT'],
    ['another factor', { count: 3, at: [[1]] }, 'INVALID_REPLICA_ASSIGNMENT'],
    ['two other factors', { count: 4, at: [[1], [1, 2, 3]] }, 'INVALID_REPLICA_ASSIGNMENT'],
    ['a count before an assignment', { count: 2, at: [[9]] }, 'INVALID_PARTITIONS'],
    ['a topic that there is not', { name: 'none', count: 3 }, 'UNKNOWN_TOPIC_OR_PARTITION'],
    ['a name that cannot be', { name: 'no spaces', count: 3 }, 'UNKNOWN_TOPIC_OR_PARTITION'],
    ['a topic that moves', { name: 'moving', count: 3 }, 'REASSIGNMENT_IN_PROGRESS'],
    ['a topic that moves, before its count', { name: 'moving', count: 0 }, 'REASSIGNMENT_IN_PROGRESS'],
  ])('%s', async (_what, wish, error) => {
    expect(await outcome(wish)).toBe(error);
  });
});

describe('a topic that is being deleted', () => {
  beforeEach(async () => {
    await store.deletions.mark('orders');
  });

  test('gets no more partitions', async () => {
    metadata = knownCluster([1, 2, 3], [{ topic: 'orders', partition: 0, leader: 1 }]);
    expect(await outcome({ count: 3 })).toBe('INVALID_TOPIC_EXCEPTION');
  });

  test('is unknown as soon as this broker has heard that it is gone', async () => {
    expect(await outcome({ count: 3 })).toBe('UNKNOWN_TOPIC_OR_PARTITION');
  });

  test('is unknown, too, when the last of its nodes goes while they are looked at', async () => {
    const assignment = await store.topics.get('orders');
    let isGone = false;
    store.topics.get = () => Promise.resolve(isGone ? null : assignment);
    store.deletions.list = () => {
      isGone = true;
      return Promise.resolve([]);
    };
    expect(await outcome({ count: 1 })).toBe('UNKNOWN_TOPIC_OR_PARTITION');
  });
});

test('a topic that the request names twice is refused, the others are not', async () => {
  await create('other', [{ replicas: [1], adding: [], removing: [] }]);
  const results = await answer([{ count: 3 }, { name: 'other', count: 2 }, { count: 4 }], { validateOnly: true });
  expect(results).toEqual([
    ['orders', 'INVALID_REQUEST'],
    ['other', 'NONE'],
  ]);
});

test('validating only writes nothing', async () => {
  expect(await outcome({ count: 5 }, { validateOnly: true, timeoutMs: 60_000 })).toBe('NONE');
  expect((await partitionsOf('orders')).size).toBe(2);
});

test('the new partitions get the replicas asked for, or the factor that there is', async () => {
  await answer([{ count: 3, at: [[3, 1]] }]);
  expect((await partitionsOf('orders')).get(2)!.replicas).toEqual([3, 1]);
  await answer([{ count: 6 }]);
  for (const { replicas } of (await partitionsOf('orders')).values()) expect(new Set(replicas).size).toBe(2);
});

test('the answer waits for leaders, as long as the request says', async () => {
  expect(await outcome({ count: 3 }, { timeoutMs: 20 })).toBe('REQUEST_TIMED_OUT');
  expect((await partitionsOf('orders')).size).toBe(3);
  const waiting = outcome({ count: 4 }, { timeoutMs: 60_000 });
  await expect.poll(async () => (await partitionsOf('orders')).size).toBe(4);
  const partitions = [0, 1, 2, 3].map(partition => partitionMetadata({ topic: 'orders', partition, leader: 1 }));
  metadata.apply({ controllerId: 1, brokers: [], topics: [{ topic: 'orders', topicId: null, partitions }] });
  expect(await waiting).toBe('NONE');
});

test('another broker than the controller adds nothing', async () => {
  expect(await outcome({ count: 3 }, { isController: false })).toBe('NOT_CONTROLLER');
});
