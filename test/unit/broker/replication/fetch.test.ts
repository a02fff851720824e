import { describe, expect, test } from 'vitest';
import { listView } from '../../../../broker/replication/fetch-sessions.ts';
import type { FetchParams } from '../../../../broker/replication/fetch.ts';
import type { FetchTarget } from '../../../../broker/replication/fetch-target.ts';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import { batchOf, recordsIn } from '../storage/support.ts';
import { paramsOf, ReplicationCluster, targetOf, TOPIC_ID } from './support.ts';

const { NONE, FENCED_LEADER_EPOCH, NOT_LEADER_OR_FOLLOWER, OFFSET_OUT_OF_RANGE, UNKNOWN_LEADER_EPOCH } = ErrorCode;

/** Broker 1 leads with records 0-2 committed and 3 not; broker 2 has the committed ones and is stopped. */
async function withUncommitted(): Promise<ReplicationCluster> {
  const cluster = await ReplicationCluster.start([1, 2]);
  await cluster.elect(1);
  await cluster.during(cluster.broker(1).produce(['a', 'b', 'c'], { acks: -1 }));
  await cluster.broker(2).kill();
  await cluster.during(cluster.broker(1).produce(['d'], { acks: 1 }));
  return cluster;
}

/** Fetches several partitions of broker 1 in one request. */
function fetchMany(
  cluster: ReplicationCluster,
  targets: readonly Partial<FetchTarget>[],
  params: Partial<FetchParams> = {},
) {
  const { replicas } = cluster.broker(1);
  return cluster.during(replicas.fetch(paramsOf(params), listView(targets.map(targetOf)), () => {}));
}

describe('fetch', () => {
  test('row 67: consumers see what is committed, followers everything; between both there is nothing, not an error', async () => {
    const cluster = await withUncommitted();
    const leader = cluster.broker(1);
    const consumed = await cluster.during(leader.fetch({ fetchOffset: 0 }));
    expect(recordsIn(consumed.records).map(({ value }) => value)).toEqual(['a', 'b', 'c']);
    expect(consumed).toMatchObject({ errorCode: NONE, highWatermark: 3, lastStableOffset: 3, logStartOffset: 0 });
    const above = await cluster.during(leader.fetch({ fetchOffset: 3 }));
    expect(above).toMatchObject({ errorCode: NONE, sizeInBytes: 0, highWatermark: 3 });
    const followed = await cluster.during(leader.fetch({ fetchOffset: 3 }, { replicaId: 2 }));
    expect(recordsIn(followed.records)).toEqual([{ offset: 3, value: 'd' }]);
  });

  test('offsets outside the log are out of range', async () => {
    const cluster = await withUncommitted();
    for (const fetchOffset of [-1, 5]) {
      const found = await cluster.during(cluster.broker(1).fetch({ fetchOffset }));
      expect(found).toMatchObject({ errorCode: OFFSET_OUT_OF_RANGE, highWatermark: -1, logStartOffset: -1 });
    }
  });

  test('row 70: old consumers may not read from a follower, newer ones may', async () => {
    const cluster = await ReplicationCluster.start([1, 2]);
    await cluster.elect(1);
    await cluster.during(cluster.broker(1).produce(['a'], { acks: -1 }));
    await cluster.time.advance(1000);
    const old = await cluster.during(cluster.broker(2).fetch({ fetchOffset: 0 }, { fromFollowers: false }));
    expect(old.errorCode).toBe(NOT_LEADER_OR_FOLLOWER);
    const recent = await cluster.during(cluster.broker(2).fetch({ fetchOffset: 0 }));
    expect(recordsIn(recent.records)).toEqual([{ offset: 0, value: 'a' }]);
  });

  test('a consumer that waits at a follower gets records when the follower hears that they are committed', async () => {
    const cluster = await ReplicationCluster.start([1, 2]);
    await cluster.elect(1);
    const waiting = cluster.broker(2).fetch({ fetchOffset: 0 }, { maxWaitMs: 10_000 });
    await cluster.during(cluster.broker(1).produce(['a'], { acks: -1 }));
    const found = await cluster.during(waiting, 2000);
    expect(recordsIn(found.records)).toEqual([{ offset: 0, value: 'a' }]);
  });

  test('row 72: a topic id other than the hosted one; without an id the partition is served', async () => {
    const cluster = await withUncommitted();
    const other = await cluster.during(cluster.broker(1).fetch({ topicId: 'ARdKkNXPQ3iNVlOqkYIyRA' }));
    expect(other.errorCode).toBe(ErrorCode.INCONSISTENT_TOPIC_ID);
    const same = await cluster.during(cluster.broker(1).fetch({ topicId: TOPIC_ID }));
    expect(same.errorCode).toBe(NONE);
    const unknown = await cluster.during(cluster.broker(1).fetch({ topic: null, topicId: 'ARdKkNXPQ3iNVlOqkYIyRA' }));
    expect(unknown.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_ID);
  });

  test('row 73: a follower that is not assigned is refused, until the assignment names it', async () => {
    const cluster = await withUncommitted();
    const leader = cluster.broker(1);
    const fetch = (currentLeaderEpoch: number) =>
      cluster.during(leader.fetch({ fetchOffset: 4, currentLeaderEpoch }, { replicaId: 5 }));
    expect((await fetch(0)).errorCode).toBe(UNKNOWN_LEADER_EPOCH);
    expect((await fetch(-1)).errorCode).toBe(NOT_LEADER_OR_FOLLOWER);
    expect(leader.log().highWatermark).toBe(3);
    await cluster.elect(1, { replicas: [1, 2, 5], isr: [1] });
    expect((await fetch(1)).errorCode).toBe(NONE);
  });

  test('row 74: leader epochs are checked, on leaders and followers, for every kind of request', async () => {
    const cluster = await ReplicationCluster.start([1, 2]);
    await cluster.elect(1);
    await cluster.elect(1);
    for (const [epoch, errorCode] of [
      [0, FENCED_LEADER_EPOCH],
      [1, NONE],
      [2, UNKNOWN_LEADER_EPOCH],
      [-1, NONE],
    ] as const) {
      for (const id of [1, 2]) {
        const { replicas } = cluster.broker(id);
        const found = await cluster.during(cluster.broker(id).fetch({ currentLeaderEpoch: epoch }));
        expect(found.errorCode).toBe(errorCode);
        const query = { replicaId: -1, version: 9, currentLeaderEpoch: epoch, readCommitted: false };
        const elsewhere = id === 2 && errorCode === NONE ? NOT_LEADER_OR_FOLLOWER : errorCode;
        expect((await replicas.listOffset('orders', 0, -1, query)).errorCode).toBe(elsewhere);
        expect(replicas.offsetForLeaderEpoch('orders', 0, epoch, 0).errorCode).toBe(elsewhere);
      }
    }
  });

  test('a follower whose history differs is told where, at once and without records; it does not count as caught up', async () => {
    const cluster = await withUncommitted();
    await cluster.elect(1);
    const leader = cluster.broker(1);
    const started = cluster.time.now();
    const target = { fetchOffset: 5, lastFetchedEpoch: 0, currentLeaderEpoch: 1 };
    const found = await cluster.during(leader.fetch(target, { replicaId: 2, maxWaitMs: 5000 }));
    expect(found).toMatchObject({ errorCode: NONE, divergingEpoch: { epoch: 0, endOffset: 4 }, sizeInBytes: 0 });
    expect(cluster.time.now()).toBe(started);
    expect(leader.log().highWatermark).toBe(3);
    const unknown = await cluster.during(leader.fetch({ ...target, lastFetchedEpoch: 7 }, { replicaId: 2 }));
    expect(unknown.errorCode).toBe(OFFSET_OUT_OF_RANGE);
  });

  test('row 93: partitions are read in order, within the limit, except that the first batch always fits', async () => {
    const cluster = await ReplicationCluster.start([1]);
    const big = 'x'.repeat(1000);
    for (const partition of [0, 1, 2]) {
      await cluster.elect(1, { partition });
      await cluster.during(cluster.broker(1).produce([big], { partition }));
    }
    const size = batchOf([big]).length;
    const targets = [1, 0, 2].map(partition => ({ partition }));
    const sizes = async (params: Partial<FetchParams>) =>
      (await fetchMany(cluster, targets, params)).map(({ target, sizeInBytes }) => [target.partition, sizeInBytes]);
    expect(await sizes({ maxBytes: 10 })).toEqual([
      [1, size],
      [0, 0],
      [2, 0],
    ]);
    expect(await sizes({ maxBytes: 2 * size })).toEqual([
      [1, size],
      [0, size],
      [2, 0],
    ]);
    expect(await sizes({ maxBytes: 10, minOneMessage: false })).toEqual([
      [1, 10],
      [0, 0],
      [2, 0],
    ]);
    const limited = await fetchMany(cluster, [
      { partition: 0, maxBytes: 5 },
      { partition: 1, maxBytes: 5 },
    ]);
    expect(limited.map(({ sizeInBytes }) => sizeInBytes)).toEqual([size, 5]);
  });

  test('with too little to read it waits: for enough bytes, for its time limit, or for an error', async () => {
    const cluster = await ReplicationCluster.start([1, 2]);
    await cluster.elect(1);
    const leader = cluster.broker(1);
    const size = batchOf(['a']).length;
    let parked = 0;
    const view = listView([targetOf({ fetchOffset: 0 })]);
    const waiting = leader.replicas.fetch(paramsOf({ minBytes: 2 * size, maxWaitMs: 5000 }), view, () => (parked += 1));
    expect(parked).toBe(1);
    await cluster.during(leader.produce(['a'], { acks: -1 }));
    await cluster.time.advance(100);
    expect(leader.replicas.statistics().waitingFetches).toBeGreaterThan(0);
    await cluster.during(leader.produce(['b'], { acks: -1 }));
    const [found] = await cluster.during(waiting, 100);
    expect(recordsIn(found!.records).map(({ value }) => value)).toEqual(['a', 'b']);

    const before = cluster.time.now();
    const nothing = await cluster.during(leader.fetch({ fetchOffset: 2 }, { maxWaitMs: 700 }));
    expect([nothing.sizeInBytes, cluster.time.now() - before]).toEqual([0, 700]);

    const refused = leader.fetch({ fetchOffset: 2 }, { maxWaitMs: 60_000, fromFollowers: false });
    await cluster.time.advance(10);
    const moved = cluster.time.now();
    await cluster.elect(2);
    expect((await cluster.during(refused)).errorCode).toBe(NOT_LEADER_OR_FOLLOWER);
    expect(cluster.time.now() - moved).toBeLessThan(100);
  });

  test('nobody waits for a connection that is gone', async () => {
    const cluster = await ReplicationCluster.start([1]);
    await cluster.elect(1);
    const connection = new AbortController();
    const answers = [1, 2].map(() =>
      cluster.broker(1).fetch({ fetchOffset: 0 }, { maxWaitMs: 1e9, closed: connection.signal }),
    );
    expect(cluster.broker(1).replicas.statistics().waitingFetches).toBe(2);
    connection.abort();
    await cluster.during(Promise.all(answers), 10);
    expect(cluster.broker(1).replicas.statistics().waitingFetches).toBe(0);
    await cluster.during(
      cluster.broker(1).fetch({ fetchOffset: 0 }, { maxWaitMs: 1e9, closed: connection.signal }),
      10,
    );
  });

  test('a fetch of nothing is answered at once', async () => {
    const cluster = await ReplicationCluster.start([1]);
    const before = cluster.time.now();
    expect(await fetchMany(cluster, [], { maxWaitMs: 1000 })).toEqual([]);
    expect(cluster.time.now()).toBe(before);
  });

  test('what was read while the broker lost its role is not served: it may be another leader’s', async () => {
    const cluster = await ReplicationCluster.start([1, 2]);
    await cluster.elect(1);
    const leader = cluster.broker(1);
    await cluster.during(leader.produce(['a'], { acks: -1 }));
    // A slow disk: the role changes while the read is under way.
    const log = leader.log();
    const read = log.read.bind(log);
    log.read = async (...args) => {
      await cluster.time.sleep(1000);
      return read(...args);
    };
    const waiting = leader.fetch({ fetchOffset: 0 }, { replicaId: 2 });
    await cluster.time.advance(10);
    await cluster.elect(2);
    expect(await cluster.during(waiting)).toMatchObject({ errorCode: NOT_LEADER_OR_FOLLOWER, sizeInBytes: 0 });
    const consumer = leader.fetch({ fetchOffset: 0 });
    await cluster.time.advance(10);
    await cluster.elect(1);
    expect(await cluster.during(consumer)).toMatchObject({ errorCode: NOT_LEADER_OR_FOLLOWER, sizeInBytes: 0 });
  });
});

describe('offsets by time', () => {
  const client = { replicaId: -1, version: 9, currentLeaderEpoch: -1, readCommitted: false };

  test('latest is the high watermark for clients and the log end for followers; earliest the log start', async () => {
    const cluster = await withUncommitted();
    const { replicas } = cluster.broker(1);
    const find = (timestamp: number, query: object = {}) =>
      cluster.during(replicas.listOffset('orders', 0, timestamp, { ...client, ...query }));
    expect(await find(-1)).toEqual({ errorCode: NONE, timestamp: -1, offset: 3, leaderEpoch: 0 });
    expect(await find(-1, { replicaId: 2 })).toMatchObject({ offset: 4 });
    expect(await find(-2)).toEqual({ errorCode: NONE, timestamp: -1, offset: 0, leaderEpoch: 0 });
    expect(await find(-4)).toMatchObject({ errorCode: NONE, offset: 0 });
    expect(await find(-5)).toMatchObject({ errorCode: NONE, offset: -1 });
    expect(await find(1000)).toEqual({ errorCode: NONE, timestamp: 1000, offset: 0, leaderEpoch: 0 });
    expect(await find(1001)).toEqual({ errorCode: NONE, timestamp: -1, offset: -1, leaderEpoch: -1 });
    expect(await find(-3)).toMatchObject({ errorCode: NONE, timestamp: 1000, offset: 0 });
    expect(await find(-3, { version: 6 })).toMatchObject({ errorCode: ErrorCode.UNSUPPORTED_VERSION });
    expect(await find(-6)).toMatchObject({ errorCode: ErrorCode.UNSUPPORTED_VERSION });
  });

  test('row 76: a new leader does not tell the latest offset before it has committed its predecessor’s records', async () => {
    const cluster = await withUncommitted();
    cluster.onProposal = () => new Promise(() => {});
    await cluster.elect(1);
    const { replicas } = cluster.broker(1);
    const find = (timestamp: number, query: object = {}) =>
      cluster.during(replicas.listOffset('orders', 0, timestamp, { ...client, ...query }));
    expect((await find(-1)).errorCode).toBe(ErrorCode.OFFSET_NOT_AVAILABLE);
    expect((await find(-1, { version: 4 })).errorCode).toBe(ErrorCode.LEADER_NOT_AVAILABLE);
    expect((await find(-1, { replicaId: 2 })).offset).toBe(4);
    expect((await find(-2)).offset).toBe(0);
    expect((await find(1000)).offset).toBe(0);
    expect((await find(2000)).errorCode).toBe(ErrorCode.OFFSET_NOT_AVAILABLE);
    await cluster.broker(2).start();
    cluster.announce();
    await cluster.elect(1);
    await cluster.time.until('the rest is committed', () => cluster.broker(1).log().highWatermark === 4);
    expect(await find(-1)).toMatchObject({ errorCode: NONE, offset: 4 });
  });
});
