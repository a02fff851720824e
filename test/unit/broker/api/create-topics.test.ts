import { beforeEach, describe, expect, test } from 'vitest';
import { createTopicsHandler } from '../../../../broker/api/create-topics.ts';
import type { MetadataCache } from '../../../../broker/metadata/metadata-cache.ts';
import { MetadataWaits } from '../../../../broker/metadata/metadata-waits.ts';
import { TopicConfigs } from '../../../../broker/metadata/topic-configs.ts';
import { TopicCreation } from '../../../../broker/metadata/topic-creation.ts';
import type { RequestContext } from '../../../../broker/request/context.ts';
import { errorByCode } from '../../../../shared/protocol/errors.ts';
import { systemTimers } from '../../../../shared/runtime/clock.ts';
import { systemRandom } from '../../../../shared/runtime/random.ts';
import type { ZooKeeperStore } from '../../../../shared/zookeeper/store.ts';
import { brokerConfig, knownCluster, partitionMetadata } from '../../../support/known-cluster.ts';
import { memoryStore } from '../../../support/memory-store.ts';

/** Brokers 1, 2 and 3 are alive; `num.partitions` is 4 and `default.replication.factor` 2; there are `known` and `a.b`. */
let store: ZooKeeperStore;
let metadata: MetadataCache;

beforeEach(async () => {
  store = await memoryStore();
  metadata = knownCluster([1, 2, 3], [{ topic: 'known', partition: 0, leader: 1 }]);
  const partitions = new Map([[0, { replicas: [1], adding: [], removing: [] }]]);
  await store.topics.create('a.b', { topicId: 'AAAAAAAAAAAAAAAAAAAABQ', partitions }, new Map());
});

interface Wish {
  readonly name?: string;
  readonly count?: number;
  readonly factor?: number;
  /** Replicas by partition; pairs, since a request may say anything. */
  readonly at?: readonly (readonly [number, readonly number[]])[];
  readonly configs?: Readonly<Record<string, string | null>>;
}

interface Options {
  readonly validateOnly?: boolean;
  readonly timeoutMs?: number;
  readonly isController?: boolean;
}

async function answer(wishes: readonly Wish[], options: Options = {}) {
  const { validateOnly = false, timeoutMs = 0, isController = true } = options;
  const config = brokerConfig({ 'num.partitions': '4', 'default.replication.factor': '2' });
  const parts = {
    creation: new TopicCreation({ store, metadata, config, random: systemRandom }),
    metadata,
    waits: new MetadataWaits(metadata, systemTimers),
    topicConfigs: new TopicConfigs(config),
    isController: () => isController,
  };
  const topics = wishes.map(({ name = 'orders', count = -1, factor = -1, at = [], configs = {} }) => ({
    name,
    numPartitions: count,
    replicationFactor: factor,
    assignments: at.map(([partitionIndex, brokerIds]) => ({ partitionIndex, brokerIds: [...brokerIds] })),
    configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
  }));
  const context = { apiVersion: 7, park: () => {} } as unknown as RequestContext;
  const { topics: results } = (await createTopicsHandler(parts).handle({ topics, timeoutMs, validateOnly }, context))!;
  return results.map(({ errorCode, ...rest }) => ({ ...rest, error: errorByCode(errorCode).name }));
}

async function outcome(wish: Wish, options: Options = { validateOnly: true }): Promise<string> {
  return (await answer([wish], options))[0]!.error;
}

const MOST = 'x'.repeat(249);
const at = (...replicas: readonly (readonly number[])[]) => replicas.map((ids, index) => [index, ids] as const);

// Kafka: KafkaApis.handleCreateTopicsRequest, ZkAdminManager.createTopics, AdminZkClient.validateTopicCreate
describe.each<[string, readonly (readonly [string, Wish, string])[]]>([
  [
    'counts',
    [
      ['-1 and -1: the defaults', {}, 'NONE'],
      ['1 and 3', { count: 1, factor: 3 }, 'NONE'],
      ['no partitions', { count: 0, factor: 1 }, 'INVALID_PARTITIONS'],
      ['fewer than none', { count: -2, factor: 1 }, 'INVALID_PARTITIONS'],
      ['more than a node of ZooKeeper holds', { count: 2 ** 31 - 1, factor: 1 }, 'INVALID_PARTITIONS'],
      ['no replicas', { count: 1, factor: 0 }, 'INVALID_REPLICATION_FACTOR'],
      ['fewer than none', { count: 1, factor: -2 }, 'INVALID_REPLICATION_FACTOR'],
      ['more replicas than brokers', { count: 1, factor: 4 }, 'INVALID_REPLICATION_FACTOR'],
      ['both wrong', { count: 0, factor: 4 }, 'INVALID_PARTITIONS'],
    ],
  ],
  [
    'assignments',
    [
      ['two partitions', { at: at([1, 2], [2, 3]) }, 'NONE'],
      ['in any order', { at: [...at([1, 2], [2, 3])].reverse() }, 'NONE'],
      ['brokers that are not there, as in Kafka with ZooKeeper', { at: at([9, 1]) }, 'NONE'],
      ['one partition said twice: the last counts', { at: [[0, [1, 1]], ...at([2])] }, 'NONE'],
      [
        'a gap',
        {
          at: [
            [0, [1]],
            [2, [1]],
          ],
        },
        'INVALID_REPLICA_ASSIGNMENT',
      ],
      ['not from 0 on', { at: [[1, [1]]] }, 'INVALID_REPLICA_ASSIGNMENT'],
      [
        'a negative partition',
        {
          at: [
            [-1, [1]],
            [0, [1]],
          ],
        },
        'INVALID_REPLICA_ASSIGNMENT',
      ],
      ['a broker twice', { at: at([1, 1]) }, 'INVALID_REPLICA_ASSIGNMENT'],
      ['a negative broker', { at: at([-1, 1]) }, 'INVALID_REPLICA_ASSIGNMENT'],
      ['different factors', { at: at([1, 2], [1]) }, 'INVALID_REPLICA_ASSIGNMENT'],
      ['no replicas', { at: at([]) }, 'INVALID_REPLICA_ASSIGNMENT'],
      ['with a count', { at: at([1]), count: 1 }, 'INVALID_REQUEST'],
      ['with a factor', { at: at([1]), factor: 1 }, 'INVALID_REQUEST'],
      ['with both, all being wrong', { at: at([1, 1]), count: 0, factor: 0 }, 'INVALID_REQUEST'],
    ],
  ],
  [
    'names',
    [
      ['as long as may be', { name: MOST }, 'NONE'],
      ['one longer', { name: `${MOST}x` }, 'INVALID_TOPIC_EXCEPTION'],
      ['none', { name: '' }, 'INVALID_TOPIC_EXCEPTION'],
      ['.', { name: '.' }, 'INVALID_TOPIC_EXCEPTION'],
      ['..', { name: '..' }, 'INVALID_TOPIC_EXCEPTION'],
      ['...', { name: '...' }, 'NONE'],
      ['with a space', { name: 'no spaces' }, 'INVALID_TOPIC_EXCEPTION'],
      ['with a slash', { name: 'a/b' }, 'INVALID_TOPIC_EXCEPTION'],
      ['with an umlaut', { name: 'Bücher' }, 'INVALID_TOPIC_EXCEPTION'],
      ['that another has with _ for .', { name: 'a_b' }, 'INVALID_TOPIC_EXCEPTION'],
      ['of a topic that this broker knows', { name: 'known' }, 'TOPIC_ALREADY_EXISTS'],
      ['of a topic that only ZooKeeper knows', { name: 'a.b' }, 'TOPIC_ALREADY_EXISTS'],
      ['of the group coordinators', { name: '__consumer_offsets' }, 'NONE'],
      ['of the brokers without ZooKeeper', { name: '__cluster_metadata' }, 'INVALID_REQUEST'],
    ],
  ],
  [
    'settings',
    [
      ['of the topic', { configs: { 'retention.ms': '5', 'cleanup.policy': 'compact,delete' } }, 'NONE'],
      ['that do not exist', { configs: { 'no.such': '1' } }, 'INVALID_CONFIG'],
      ['of the broker', { configs: { 'log.retention.ms': '5' } }, 'INVALID_CONFIG'],
      ['without a value', { configs: { 'retention.ms': null } }, 'INVALID_CONFIG'],
      ['that are no number', { configs: { 'retention.ms': 'long' } }, 'INVALID_CONFIG'],
      ['out of range', { configs: { 'segment.bytes': '13' } }, 'INVALID_CONFIG'],
      ['that is none of the words', { configs: { 'compression.type': 'rar' } }, 'INVALID_CONFIG'],
    ],
  ],
  [
    'of several problems',
    [
      [
        'a name that is there, before all others',
        { name: 'known', count: 0, configs: { x: null } },
        'TOPIC_ALREADY_EXISTS',
      ],
      ['a missing value, before counts', { count: 0, configs: { x: null } }, 'INVALID_CONFIG'],
      ['a count, before the name', { name: 'no spaces', count: 0 }, 'INVALID_PARTITIONS'],
      ['the name, before an assignment', { name: 'no spaces', at: at([1, 1]) }, 'INVALID_TOPIC_EXCEPTION'],
      ['an assignment, before settings', { at: at([1, 1]), configs: { 'no.such': '1' } }, 'INVALID_REPLICA_ASSIGNMENT'],
    ],
  ],
])('%s', (_group, rows) => {
  test.each(rows)('%s', async (_what, wish, error) => {
    expect(await outcome(wish)).toBe(error);
  });
});

test('a topic that the request names twice is refused each time, the others are made', async () => {
  const results = await answer([{ name: 'x' }, { name: 'y' }, { name: 'x', count: 3 }]);
  expect(results.map(({ name, error }) => [name, error])).toEqual([
    ['x', 'INVALID_REQUEST'],
    ['y', 'REQUEST_TIMED_OUT'],
    ['x', 'INVALID_REQUEST'],
  ]);
  expect(await store.topics.names()).toEqual(expect.arrayContaining(['y']));
  expect(await store.topics.names()).not.toContain('x');
});

test('a topic that is marked for deletion is still there', async () => {
  await store.deletions.mark('orders');
  expect(await outcome({})).toBe('TOPIC_ALREADY_EXISTS');
});

test('validating only answers what would be, and writes nothing', async () => {
  const [result] = await answer([{ configs: { 'retention.ms': '5' } }], { validateOnly: true, timeoutMs: 60_000 });
  expect(result).toMatchObject({ error: 'NONE', errorMessage: null, numPartitions: 4, replicationFactor: 2 });
  expect(result!.configs).toContainEqual(expect.objectContaining({ name: 'retention.ms', value: '5' }));
  expect(await store.topics.names()).not.toContain('orders');
});

test('the answer waits for leaders, as long as the request says', async () => {
  expect(await outcome({}, { timeoutMs: 0 })).toBe('REQUEST_TIMED_OUT');
  expect(await outcome({ name: 'again' }, { timeoutMs: 20 })).toBe('REQUEST_TIMED_OUT');
  expect(await store.topics.names()).toEqual(expect.arrayContaining(['orders', 'again']));
  const waiting = outcome({ name: 'led', at: at([1]) }, { timeoutMs: 60_000 });
  await expect.poll(() => store.topics.names()).toContain('led');
  const partitions = [partitionMetadata({ topic: 'led', partition: 0, leader: 1 })];
  metadata.apply({ controllerId: 1, brokers: [], topics: [{ topic: 'led', topicId: null, partitions }] });
  expect(await waiting).toBe('NONE');
});

test('another broker than the controller creates nothing', async () => {
  expect(await outcome({}, { isController: false })).toBe('NOT_CONTROLLER');
  expect(await store.topics.names()).not.toContain('orders');
});
