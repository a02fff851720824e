import { describe, expect, test } from 'vitest';
import { FetchSession } from '../../../../broker/replication/fetch-session.ts';
import { FetchSessionCache } from '../../../../broker/replication/fetch-session-cache.ts';
import { nextSessionEpoch } from '../../../../broker/replication/fetch-sessions.ts';
import { HostedPartitions } from '../../../../broker/replication/hosted-partitions.ts';
import { MetadataCache } from '../../../../broker/metadata/metadata-cache.ts';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import { Fetch } from '../../../../shared/protocol/messages/fetch.ts';
import { seededRandom } from '../../../support/seeded-random.ts';
import { paramsOf, recode, ReplicationCluster, TOPIC_ID } from './support.ts';

const MINUTE = 60_000;

describe('session epochs', () => {
  test('count from 1, wrap to 1, and -1 stays', () => {
    expect([-1, 0, 1, 0x7fffffff].map(nextSessionEpoch)).toEqual([-1, 1, 2, 1]);
  });
});

describe('row 91: a full session cache', () => {
  function setUp(slots: number) {
    const cache = new FetchSessionCache(slots, seededRandom(1));
    const surroundings = { partitions: new HostedPartitions(new MetadataCache()), wake: () => {} };
    const create = (nowMs: number, replicaId: number, size: number) =>
      cache.maybeCreate(nowMs, replicaId >= 0, size, id => {
        const session = new FetchSession(id, replicaId, true, surroundings);
        for (let partition = 0; partition < size; partition++) {
          const offsets = { fetchOffset: 0, currentLeaderEpoch: -1, lastFetchedEpoch: -1, logStartOffset: -1 };
          session.put({ topic: 'orders', topicId: TOPIC_ID, partition, ...offsets, maxBytes: 1 });
        }
        return session;
      });
    const consumer = (nowMs: number, size = 1) => create(nowMs, -1, size);
    const follower = (nowMs: number, size = 1) => create(nowMs, 2, size);
    return { cache, consumer, follower };
  }

  test('young sessions stay: the newcomer gets none', () => {
    const { cache, consumer } = setUp(2);
    expect(consumer(0)).not.toBeNull();
    expect(consumer(0)).not.toBeNull();
    expect(consumer(MINUTE, 100)).toBeNull();
    expect(cache.size).toBe(2);
  });

  test('one that was idle for two minutes goes first, the least recently used of them', () => {
    const { cache, consumer } = setUp(2);
    const [first, second] = [consumer(0)!, consumer(0)!];
    cache.touch(first.id, 2 * MINUTE);
    expect(consumer(2 * MINUTE + 1)).not.toBeNull();
    expect([cache.get(first.id), cache.get(second.id)]).toEqual([first, undefined]);
  });

  test('a follower pushes out a consumer, however young, but no other follower', () => {
    const { cache, consumer, follower } = setUp(2);
    const [young, older] = [consumer(0, 50)!, follower(0, 1)!];
    expect(follower(1, 1)).not.toBeNull();
    expect([cache.get(young.id), cache.get(older.id)]).toEqual([undefined, older]);
    expect(follower(1, 100)).toBeNull();
    expect(consumer(1, 100)).toBeNull();
  });

  test('a consumer pushes out only a smaller consumer that is older than two minutes', () => {
    const { cache, consumer, follower } = setUp(2);
    const [small, privileged] = [consumer(0, 2)!, follower(0, 1)!];
    const busy = (nowMs: number) => [small, privileged].forEach(({ id }) => cache.touch(id, nowMs));
    busy(MINUTE);
    expect(consumer(MINUTE, 3)).toBeNull();
    busy(3 * MINUTE);
    expect(consumer(3 * MINUTE, 2)).toBeNull();
    expect(consumer(3 * MINUTE, 3)).not.toBeNull();
    expect([cache.get(small.id), cache.get(privileged.id)]).toEqual([undefined, privileged]);
  });

  test('no slots, no sessions', () => {
    const { consumer, follower } = setUp(0);
    expect([consumer(0), follower(0)]).toEqual([null, null]);
  });
});

interface Wanted {
  readonly partition: number;
  readonly fetchOffset?: number;
  readonly partitionMaxBytes?: number;
}

/** A fetcher with a session at broker 1. */
class Client {
  readonly #cluster: ReplicationCluster;
  readonly #replicaId: number;
  readonly version: number;
  sessionId = 0;
  epoch = 0;

  constructor(cluster: ReplicationCluster, replicaId = -1, version = 17) {
    this.#cluster = cluster;
    this.#replicaId = replicaId;
    this.version = version;
  }

  open(
    wanted: readonly Wanted[],
    { forget = [] as number[], sessionId = this.sessionId, epoch = this.epoch, version = this.version } = {},
  ) {
    const name = version >= 13 ? { topicId: TOPIC_ID } : { topic: 'orders' };
    const partitions = wanted.map(each => ({ fetchOffset: 0, partitionMaxBytes: 1 << 20, ...each }));
    const identity = version >= 15 ? { replicaState: { replicaId: this.#replicaId } } : { replicaId: this.#replicaId };
    const request = {
      ...identity,
      maxWaitMs: 0,
      minBytes: 1,
      sessionId,
      sessionEpoch: epoch,
      topics: wanted.length === 0 ? [] : [{ ...name, partitions }],
      forgottenTopicsData: forget.length === 0 ? [] : [{ ...name, partitions: forget }],
    };
    return this.#cluster.broker(1).replicas.fetchSessions.open(recode(Fetch.request, request, version), version);
  }

  /** Fetches, and tells the partitions of the answer with the offsets of their records. */
  async fetch(
    wanted: readonly Wanted[],
    options: Parameters<Client['open']>[1] & { maxBytes?: number; maxWaitMs?: number } = {},
  ) {
    const context = this.open(wanted, options);
    if (context.errorCode !== ErrorCode.NONE) return { errorCode: context.errorCode, partitions: [] };
    const params = paramsOf({ replicaId: this.#replicaId, maxBytes: 1 << 20, ...options });
    const fetched = await this.#cluster.during(this.#cluster.broker(1).replicas.fetch(params, context.view, () => {}));
    const response = recode(Fetch.response, context.answer(fetched), this.version);
    this.sessionId = response.sessionId;
    this.epoch = this.sessionId === 0 ? 0 : nextSessionEpoch(this.epoch);
    const partitions = response.responses.flatMap(topic => topic.partitions);
    return { errorCode: response.errorCode, partitions };
  }

  async numbers(wanted: readonly Wanted[], options: Parameters<Client['fetch']>[1] = {}): Promise<number[]> {
    return (await this.fetch(wanted, options)).partitions.map(({ partitionIndex }) => partitionIndex);
  }
}

async function withPartitions(count: number, settings: Record<string, string> = {}): Promise<ReplicationCluster> {
  const cluster = await ReplicationCluster.start([1], settings);
  for (let partition = 0; partition < count; partition++) await cluster.elect(1, { partition });
  return cluster;
}

const all = (count: number) => Array.from({ length: count }, (_, partition) => ({ partition }));

describe('row 92: an incremental fetch', () => {
  test('is answered about what has changed only', async () => {
    const cluster = await withPartitions(3);
    const client = new Client(cluster);
    expect(await client.numbers(all(3))).toEqual([0, 1, 2]);
    expect(client.sessionId).toBeGreaterThan(0);
    expect(await client.numbers([])).toEqual([]);
    await cluster.during(cluster.broker(1).produce(['a'], { partition: 1 }));
    expect(await client.numbers([])).toEqual([1]);
    // Not told that it was read: it is there again.
    expect(await client.numbers([])).toEqual([1]);
    expect(await client.numbers([{ partition: 1, fetchOffset: 1 }])).toEqual([]);
    expect(await client.numbers([])).toEqual([]);
  });

  test('tells of a moved high watermark or log start, once', async () => {
    const cluster = await ReplicationCluster.start([1, 2]);
    await cluster.elect(1);
    await cluster.broker(2).kill();
    await cluster.during(cluster.broker(1).produce(['a', 'b']));
    const client = new Client(cluster, 2);
    await client.fetch([{ partition: 0, fetchOffset: 0 }]);
    const { partitions } = await client.fetch([{ partition: 0, fetchOffset: 2 }]);
    expect(partitions).toMatchObject([{ partitionIndex: 0, highWatermark: 2 }]);
    expect(await client.numbers([])).toEqual([]);
    cluster.broker(1).log().incrementLogStartOffset(1);
    // Nobody but the log knows; it is noticed when the partitions are looked through.
    await cluster.time.advance(30_000);
    expect((await client.fetch([])).partitions).toMatchObject([{ partitionIndex: 0, logStartOffset: 1 }]);
    expect(await client.numbers([])).toEqual([]);
  });

  test('tells of an error each time, and of the offsets anew when it is over', async () => {
    const cluster = await withPartitions(1);
    const client = new Client(cluster);
    expect(await client.numbers([{ partition: 0 }, { partition: 1 }])).toEqual([0, 1]);
    const { partitions } = await client.fetch([]);
    expect(partitions).toMatchObject([{ partitionIndex: 1, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }]);
    await cluster.elect(1, { partition: 1 });
    expect((await client.fetch([])).partitions).toMatchObject([{ partitionIndex: 1, errorCode: ErrorCode.NONE }]);
    expect(await client.numbers([])).toEqual([]);
    await cluster.during(cluster.stop(1, { partition: 0 }));
    expect((await client.fetch([])).partitions).toMatchObject([
      { partitionIndex: 0, errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER },
    ]);
  });

  test('adds and forgets partitions; without any left the session is closed', async () => {
    const cluster = await withPartitions(3);
    const client = new Client(cluster);
    await client.fetch(all(2));
    for (const partition of [0, 1, 2]) await cluster.during(cluster.broker(1).produce(['a'], { partition }));
    expect(await client.numbers([{ partition: 2 }], { forget: [0] })).toEqual([1, 2]);
    const { sessionId, epoch } = client;
    expect(await client.numbers([], { forget: [1, 2] })).toEqual([]);
    expect(client.sessionId).toBe(0);
    expect(client.open([], { sessionId, epoch: epoch + 1 }).errorCode).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND);
    expect(cluster.broker(1).replicas.statistics().fetchSessions).toBe(0);
  });

  test('with an unknown id, the wrong epoch, or names instead of ids is refused', async () => {
    const cluster = await withPartitions(1);
    const client = new Client(cluster);
    await client.fetch(all(1));
    expect(client.open([], { sessionId: client.sessionId + 1 }).errorCode).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND);
    expect(client.open([], { epoch: 7 }).errorCode).toBe(ErrorCode.INVALID_FETCH_SESSION_EPOCH);
    expect(client.open([], { version: 12 }).errorCode).toBe(ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR);
    expect(await client.numbers([])).toEqual([]);
  });

  test('serves the partition that was served last at the end', async () => {
    const cluster = await withPartitions(3);
    for (const partition of [0, 1, 2]) await cluster.during(cluster.broker(1).produce(['a'], { partition }));
    const client = new Client(cluster);
    const first = async () => {
      const { partitions } = await client.fetch(client.epoch === 0 ? all(3) : [], { maxBytes: 1 });
      return partitions.find(({ records }) => records !== null && records.length > 0)?.partitionIndex;
    };
    expect([await first(), await first(), await first(), await first()]).toEqual([0, 1, 2, 0]);
  });

  test('waits until one of the partitions has something, also one that is hosted only later', async () => {
    const cluster = await withPartitions(1);
    const client = new Client(cluster);
    await client.fetch(all(1));
    for (const [partition, epoch] of [
      [0, 1],
      [1, 2],
    ] as const) {
      const context = client.open(partition === 1 ? [{ partition: 0, fetchOffset: 1 }, { partition }] : [], { epoch });
      const waiting = cluster.broker(1).replicas.fetch(paramsOf({ maxWaitMs: 60_000 }), context.view, () => {});
      if (partition === 1) await cluster.elect(1, { partition });
      const before = cluster.time.now();
      await cluster.during(cluster.broker(1).produce(['a'], { partition }));
      const fetched = await cluster.during(waiting);
      expect(cluster.time.now() - before).toBeLessThan(10);
      const { responses } = context.answer(fetched);
      expect(responses.flatMap(topic => topic.partitions).map(({ partitionIndex }) => partitionIndex)).toContain(
        partition,
      );
    }
  });

  test('works with topic names in old versions', async () => {
    const cluster = await withPartitions(2);
    const client = new Client(cluster, -1, 11);
    expect(await client.numbers(all(2))).toEqual([0, 1]);
    await cluster.during(cluster.broker(1).produce(['a']));
    expect(await client.numbers([])).toEqual([0]);
  });
});

describe('a full fetch', () => {
  test('with epoch 0 ends the former session and makes another, with epoch -1 ends it', async () => {
    const cluster = await withPartitions(1);
    const client = new Client(cluster);
    await client.fetch(all(1));
    const former = client.sessionId;
    client.epoch = 0;
    await client.fetch(all(1));
    expect(client.sessionId).not.toBe(former);
    expect(client.open([], { sessionId: former, epoch: 1 }).errorCode).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND);
    expect(cluster.broker(1).replicas.statistics().fetchSessions).toBe(1);
    await client.fetch(all(1), { epoch: -1 });
    expect(client.sessionId).toBe(0);
    expect(cluster.broker(1).replicas.statistics().fetchSessions).toBe(0);
  });

  test('is answered without a session when the cache has no room', async () => {
    const cluster = await withPartitions(1, { 'max.incremental.fetch.session.cache.slots': '0' });
    const client = new Client(cluster);
    expect(await client.numbers(all(1))).toEqual([0]);
    expect(client.sessionId).toBe(0);
    expect(await client.numbers(all(1))).toEqual([0]);
  });
});

describe('the cost of many idle partitions', () => {
  test('a fetch looks at those only that have something to tell', async () => {
    const count = 300;
    const cluster = await withPartitions(count);
    const client = new Client(cluster);
    await client.fetch(all(count));
    await client.fetch([]);
    const context = client.open([]);
    expect(context.view.targets().length).toBe(0);
    context.answer([]);
    client.epoch += 1;
    await cluster.during(cluster.broker(1).produce(['a'], { partition: 7 }));
    expect(
      client
        .open([])
        .view.targets()
        .map(({ partition }) => partition),
    ).toEqual([7]);
  });
});
