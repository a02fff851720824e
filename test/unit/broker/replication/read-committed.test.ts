import { describe, expect, test } from 'vitest';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import { buildTransactionMarker } from '../../../../shared/records/transaction-marker.ts';
import { batchOf, recordsIn } from '../storage/support.ts';
import { ReplicationCluster, TOPIC } from './support.ts';

const COMMITTED = { readCommitted: true };
const PRODUCER = { producerId: 7, producerEpoch: 0 };

async function started(): Promise<ReplicationCluster> {
  const cluster = await ReplicationCluster.start([1, 2]);
  await cluster.elect(1);
  return cluster;
}

function append(cluster: ReplicationCluster, records: Buffer, origin: 'client' | 'coordinator' = 'client') {
  const entries = [{ topic: TOPIC, partition: 0, records }];
  const request = { acks: -1, timeoutMs: 30_000, entries, legacyMagicAllowed: false, origin };
  return cluster.broker(1).replicas.append(request, () => {});
}

async function send(cluster: ReplicationCluster, value: string, baseSequence: number): Promise<void> {
  const batch = batchOf([value], { ...PRODUCER, baseSequence, isTransactional: true });
  await cluster.during(append(cluster, batch));
}

function mark(cluster: ReplicationCluster, isCommit: boolean) {
  const marker = buildTransactionMarker(PRODUCER, { isCommit, coordinatorEpoch: 0, timestamp: 1 });
  return append(cluster, marker, 'coordinator');
}

describe('a read_committed fetch', () => {
  test('row 91: stops at the last stable offset, and goes on with the aborted transaction named', async () => {
    const cluster = await started();
    const leader = cluster.broker(1);
    await cluster.during(leader.produce(['plain'], { acks: -1 }));
    await send(cluster, 'open', 0);
    const before = await leader.fetch({ fetchOffset: 0 }, COMMITTED);
    expect(recordsIn(before.records)).toEqual([{ offset: 0, value: 'plain' }]);
    expect(before).toMatchObject({ highWatermark: 2, lastStableOffset: 1, abortedTransactions: [] });
    const uncommitted = await leader.fetch({ fetchOffset: 0 });
    expect(recordsIn(uncommitted.records)).toHaveLength(2);
    expect(uncommitted).toMatchObject({ highWatermark: 2, lastStableOffset: 1, abortedTransactions: null });
    await cluster.during(mark(cluster, false));
    expect(await leader.fetch({ fetchOffset: 1 }, COMMITTED)).toMatchObject({
      highWatermark: 3,
      lastStableOffset: 3,
      abortedTransactions: [{ producerId: 7, firstOffset: 1 }],
    });
  });

  test('waits where there is only undecided to read, and is woken by the end of the transaction', async () => {
    const cluster = await started();
    const leader = cluster.broker(1);
    await send(cluster, 'a', 0);
    const waiting = leader.fetch({ fetchOffset: 0 }, { ...COMMITTED, maxWaitMs: 60_000 });
    await cluster.during(leader.produce(['plain'], { acks: -1 }));
    await cluster.time.advance(1000);
    expect(leader.replicas.statistics().waitingFetches).toBeGreaterThan(0);
    const before = cluster.time.now();
    await cluster.during(mark(cluster, true));
    const found = await cluster.during(waiting, 10);
    expect(cluster.time.now() - before).toBeLessThan(1000);
    expect(recordsIn(found.records).slice(0, 2)).toMatchObject([{ value: 'a' }, { value: 'plain' }]);
    expect(found.abortedTransactions).toEqual([]);
  });

  test('in a session, too, is woken by the end of the transaction', async () => {
    const cluster = await started();
    const leader = cluster.broker(1);
    await send(cluster, 'a', 0);
    const partitions = [
      { partition: 0, fetchOffset: 0, currentLeaderEpoch: -1, lastFetchedEpoch: -1, logStartOffset: -1 },
    ].map(partition => ({ ...partition, partitionMaxBytes: 1 << 20 }));
    const topics = [{ topicId: cluster.topicIds.get(TOPIC)!, partitions }];
    const common = { isolationLevel: 1, maxWaitMs: 1, minBytes: 1, maxBytes: 1 << 20 };
    const full = { ...common, sessionId: 0, sessionEpoch: 0, topics };
    const { sessionId, responses } = await cluster.during(leader.exchangeFetch(full));
    expect(responses[0]!.partitions[0]).toMatchObject({
      highWatermark: 1,
      lastStableOffset: 0,
      abortedTransactions: [],
    });
    const next = { ...common, sessionId, topics: [] };
    expect((await cluster.during(leader.exchangeFetch({ ...next, sessionEpoch: 1 }))).responses).toEqual([]);
    const waiting = leader.exchangeFetch({ ...next, sessionEpoch: 2, maxWaitMs: 60_000 });
    await cluster.during(mark(cluster, false));
    const [topic] = (await cluster.during(waiting, 1000)).responses;
    expect(topic!.partitions[0]).toMatchObject({
      highWatermark: 2,
      lastStableOffset: 2,
      abortedTransactions: [{ producerId: 7, firstOffset: 0 }],
    });
  });

  test('from a follower shows what is decided there; followers themselves are given everything', async () => {
    const cluster = await started();
    await send(cluster, 'a', 0);
    await send(cluster, 'b', 1);
    await cluster.during(mark(cluster, false));
    await send(cluster, 'open', 2);
    await cluster.time.until(
      'the follower to know the high watermark',
      () => cluster.broker(2).log().highWatermark === 4,
    );
    expect(await cluster.during(cluster.broker(2).fetch({ fetchOffset: 0 }, COMMITTED))).toMatchObject({
      lastStableOffset: 3,
      abortedTransactions: [{ producerId: 7, firstOffset: 0 }],
    });
    const replicated = await cluster.during(
      cluster.broker(1).fetch({ fetchOffset: 3 }, { ...COMMITTED, replicaId: 2 }),
    );
    expect(recordsIn(replicated.records)).toEqual([{ offset: 3, value: 'open' }]);
    expect(replicated.abortedTransactions).toBeNull();
  });

  test('after a change of leaders stops at the same offset', async () => {
    const cluster = await started();
    await cluster.during(cluster.broker(1).produce(['plain'], { acks: -1 }));
    await send(cluster, 'open', 0);
    await cluster.elect(2);
    await cluster.time.until('the new leader to have committed', () => cluster.broker(2).log().highWatermark === 2);
    const found = await cluster.during(cluster.broker(2).fetch({ fetchOffset: 0 }, COMMITTED));
    expect(recordsIn(found.records)).toEqual([{ offset: 0, value: 'plain' }]);
    expect(found.lastStableOffset).toBe(1);
  });
});

test('ListOffsets: the latest offset and times are those of what is decided, for read_committed', async () => {
  const cluster = await started();
  const leader = cluster.broker(1);
  await cluster.during(leader.produce(['plain'], { acks: -1 }));
  const open = batchOf([{ value: 'open', timestamp: 2000 }], { ...PRODUCER, baseSequence: 0, isTransactional: true });
  await cluster.during(append(cluster, open));
  const find = (timestamp: number, readCommitted: boolean) => {
    const query = { replicaId: -1, version: 9, currentLeaderEpoch: -1, readCommitted };
    return cluster.during(leader.replicas.listOffset(TOPIC, 0, timestamp, query));
  };
  expect(await find(-1, true)).toMatchObject({ errorCode: ErrorCode.NONE, offset: 1 });
  expect(await find(-1, false)).toMatchObject({ offset: 2 });
  expect(await find(2000, true)).toMatchObject({ errorCode: ErrorCode.NONE, offset: -1 });
  expect(await find(2000, false)).toMatchObject({ offset: 1 });
  expect(await find(-3, true)).toMatchObject({ offset: -1 });
  await cluster.during(mark(cluster, true));
  expect(await find(-1, true)).toMatchObject({ offset: 3 });
  expect(await find(2000, true)).toMatchObject({ offset: 1 });
});
