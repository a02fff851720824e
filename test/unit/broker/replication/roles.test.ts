import { describe, expect, test, vi } from 'vitest';
import { readOffsets } from '../../../../broker/storage/checkpoints.ts';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import { LeaderAndIsr } from '../../../../shared/protocol/messages/leader-and-isr.ts';
import { filesIn, readAll } from '../storage/support.ts';
import { recode, ReplicationCluster, TOPIC_ID } from './support.ts';

const { NONE, STALE_CONTROLLER_EPOCH } = ErrorCode;

async function start(ids = [1, 2]): Promise<ReplicationCluster> {
  const cluster = await ReplicationCluster.start(ids);
  await cluster.elect(1);
  return cluster;
}

/** Sends broker 1 a LeaderAndIsr that changes what it has been told. */
async function order(
  cluster: ReplicationCluster,
  changes: object,
  options: Parameters<ReplicationCluster['order']>[2] = {},
  brokerId = 1,
) {
  const state = { ...cluster.states.get('orders-0')!, ...changes };
  return cluster.during(cluster.order(brokerId, [{ topic: 'orders', partition: 0, state }], options));
}

const codeOf = (response: Awaited<ReturnType<typeof order>>) => response.topics?.[0]?.partitionErrors[0]?.errorCode;

/** Lets the request get as far as it can without time passing: to where it waits for the append to be written. */
async function microtasks(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

describe('LeaderAndIsr', () => {
  test('row 83: the leader epoch that the broker has already is stale, and nothing changes', async () => {
    const cluster = await start();
    expect(codeOf(await order(cluster, { leader: 2, partitionEpoch: 9 }))).toBe(STALE_CONTROLLER_EPOCH);
    expect(cluster.broker(1).replicas.partitionsLedHere()).toEqual([{ topic: 'orders', partition: 0 }]);
  });

  test('row 84: a lower leader epoch is stale for its partition, a lower controller epoch for the request', async () => {
    const cluster = await start();
    await cluster.elect(1);
    expect(codeOf(await order(cluster, { leader: 2, leaderEpoch: 0 }))).toBe(STALE_CONTROLLER_EPOCH);
    const response = await order(cluster, { leader: 2, leaderEpoch: 9 }, { controllerEpoch: 0 });
    expect(response).toEqual({ errorCode: STALE_CONTROLLER_EPOCH });
    expect(cluster.broker(1).replicas.partitionsLedHere()).toEqual([{ topic: 'orders', partition: 0 }]);
  });

  test('a request about many partitions lets others have the loop in between', async () => {
    const cluster = await start();
    // What takes time on a real machine is made to: each look at the clock is 3 ms after the last one.
    let nowMs = cluster.time.monotonic();
    vi.spyOn(cluster.time, 'monotonic').mockImplementation(() => (nowMs += 3));
    const turns = vi.spyOn(cluster.time, 'endOfTurn');
    const state = { ...cluster.states.get('orders-0')!, isNew: true };
    const orders = Array.from({ length: 40 }, (_, i) => ({ topic: 'orders', partition: 1 + i, state }));
    const response = await cluster.during(cluster.order(1, orders));
    expect(response.topics![0]!.partitionErrors.map(({ errorCode }) => errorCode)).toEqual(orders.map(() => NONE));
    expect(cluster.broker(1).replicas.partitionsLedHere()).toHaveLength(41);
    expect(turns.mock.calls.length).toBeGreaterThanOrEqual(10);
  });

  test('a broker epoch of a former life is refused', async () => {
    const cluster = await start();
    cluster.broker(1).brokerEpoch = 5n;
    const response = await order(cluster, { leaderEpoch: 9 }, { brokerEpoch: 4n });
    expect(response).toEqual({ errorCode: ErrorCode.STALE_BROKER_EPOCH });
  });

  test('another topic id than the log has, a broker that is no replica, an older partition epoch', async () => {
    const cluster = await start();
    const other = await order(cluster, { leaderEpoch: 9 }, { topicId: 'ARdKkNXPQ3iNVlOqkYIyRA' });
    expect(codeOf(other)).toBe(ErrorCode.INCONSISTENT_TOPIC_ID);
    expect(codeOf(await order(cluster, { leaderEpoch: 9, replicas: [2, 3] }))).toBe(
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    );
    await cluster.elect(1, { partitionEpoch: 7 });
    expect(codeOf(await order(cluster, { leader: 2, leaderEpoch: 9, partitionEpoch: 6 }))).toBe(NONE);
    expect(cluster.broker(1).replicas.partitionsLedHere().length).toBe(1);
  });

  test('the same leader epoch is fine if it only supplies a missing topic id', async () => {
    const cluster = await ReplicationCluster.start([1]);
    cluster.topicIds.clear();
    await cluster.elect(1);
    expect(cluster.broker(1).log().topicId).toBeNull();
    expect(codeOf(await order(cluster, {}, { topicId: TOPIC_ID }))).toBe(NONE);
    expect(cluster.broker(1).log().topicId).toBe(TOPIC_ID);
    expect(codeOf(await order(cluster, {}, { topicId: TOPIC_ID }))).toBe(STALE_CONTROLLER_EPOCH);
  });

  test('old versions are answered by topic name', async () => {
    const cluster = await start();
    const response = await order(cluster, { leaderEpoch: 9 }, { version: 4 });
    expect(recode(LeaderAndIsr.response, response, 4)).toMatchObject({
      errorCode: NONE,
      partitionErrors: [{ topicName: 'orders', partitionIndex: 0, errorCode: NONE }],
    });
  });

  test('a leader that is not alive: the log is made, epoch and role stay, so that a later order is still news', async () => {
    const cluster = await ReplicationCluster.start([1, 2]);
    await cluster.broker(2).kill();
    await cluster.elect(2);
    expect(cluster.broker(1).log().logEndOffset).toBe(0);
    expect(cluster.broker(1).replicas.statistics()).toMatchObject({ partitionCount: 1, leaderCount: 0, fetchers: 0 });
    await cluster.broker(2).start();
    cluster.announce();
    expect(codeOf(await order(cluster, {}))).toBe(NONE);
    expect(cluster.broker(1).replicas.statistics().fetchers).toBe(1);
  });

  test('row 85: a new leader begins with the high watermark of the checkpoint, its epoch begins at the log end', async () => {
    const cluster = await start([1, 2]);
    await cluster.during(cluster.broker(1).produce(['a', 'b'], { acks: -1 }));
    await cluster.time.advance(6000);
    await cluster.broker(2).kill();
    await cluster.during(cluster.broker(1).produce(['c'], { acks: 1 }));
    await cluster.time.advance(6000);
    await cluster.broker(1).kill();
    await cluster.broker(1).start();
    const broker = cluster.broker(1);
    cluster.onProposal = () => new Promise(() => {});
    await cluster.elect(1, { isr: [1, 2] });
    expect([broker.log().highWatermark, broker.log().logEndOffset, broker.log().latestEpoch]).toEqual([2, 3, 1]);
    expect(broker.log().endOffsetForEpoch(0)).toEqual({ leaderEpoch: 0, endOffset: 3 });
  });

  test('row 87: every high watermark is in the checkpoint after a shutdown, and now and then before', async () => {
    const cluster = await start([1]);
    await cluster.elect(1, { partition: 1 });
    const { fs, replicas } = cluster.broker(1);
    await cluster.during(cluster.broker(1).produce(['a', 'b'], { acks: -1 }));
    const checkpoint = () => Object.fromEntries(readOffsets(fs, '/data/replication-offset-checkpoint'));
    await cluster.time.advance(5000);
    expect(checkpoint()).toEqual({ 'orders-0': 2, 'orders-1': 0 });
    await cluster.during(cluster.broker(1).produce(['c'], { acks: -1, partition: 1 }));
    await cluster.during(replicas.shutdown());
    expect(checkpoint()).toEqual({ 'orders-0': 2, 'orders-1': 1 });
  });

  test('who gains and loses leaderships is told', async () => {
    const cluster = await ReplicationCluster.start([1, 2]);
    const heard: string[] = [];
    cluster
      .broker(1)
      .replicas.onLeadershipChange(({ gained, lost }) => heard.push(`+${gained.length} -${lost.length}`));
    await cluster.elect(1);
    await cluster.elect(1);
    await cluster.elect(2);
    await cluster.during(cluster.stop(1));
    expect(heard).toEqual(['+1 -0', '+0 -0', '+0 -1', '+0 -1']);
  });

  test('appends under way when the role changes are of the former epoch and come before the start of the new one', async () => {
    const cluster = await start([1]);
    const before = cluster.broker(1).produce(['before']);
    const change = cluster.elect(1);
    await microtasks();
    const during = cluster.broker(1).produce(['during']);
    const results = await cluster.during(Promise.all([before, during]));
    await cluster.during(change);
    expect(results.map(({ errorCode, baseOffset }) => [errorCode, baseOffset])).toEqual([
      [NONE, 0],
      [NONE, 1],
    ]);
    const log = cluster.broker(1).log();
    expect((await readAll(log)).map(({ value }) => value)).toEqual(['before', 'during']);
    expect(log.endOffsetForEpoch(0)).toEqual({ leaderEpoch: 0, endOffset: 1 });
    expect(log.epochAt(1)).toBe(1);
  });

  test('a former leader refuses what waited for its role', async () => {
    const cluster = await start([1, 2]);
    const before = cluster.broker(1).produce(['before'], { acks: 1 });
    const change = cluster.elect(2);
    await microtasks();
    const during = cluster.broker(1).produce(['during'], { acks: 1 });
    const results = await cluster.during(Promise.all([before, during]));
    await cluster.during(change);
    expect(results.map(({ errorCode }) => errorCode)).toEqual([NONE, ErrorCode.NOT_LEADER_OR_FOLLOWER]);
  });
});

describe('StopReplica', () => {
  test('row 86: the log directory is renamed, who waits is answered, the partition is gone', async () => {
    const cluster = await start([1, 2]);
    await cluster.broker(2).kill();
    const broker = cluster.broker(1);
    const produce = broker.produce(['a'], { acks: -1 });
    const fetch = broker.fetch({ fetchOffset: 0 }, { maxWaitMs: 60_000 });
    await cluster.time.advance(100);
    const before = cluster.time.now();
    expect(await cluster.during(cluster.stop(1))).toMatchObject({
      errorCode: NONE,
      partitionErrors: [{ errorCode: NONE }],
    });
    // Row 69
    expect(await cluster.during(fetch)).toMatchObject({ errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER });
    expect(await cluster.during(produce)).toMatchObject({ errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER });
    expect(cluster.time.now() - before).toBeLessThan(100);
    expect(filesIn(broker.fs, '/data').filter(name => name.startsWith('orders'))).toEqual([
      expect.stringMatching(/^orders-0\.[0-9a-f]{32}-delete$/),
    ]);
    expect(broker.replicas.statistics()).toMatchObject({ partitionCount: 0, waitingFetches: 0, waitingProduces: 0 });
  });

  test('row 86: an older leader epoch is fenced and deletes nothing; the current one, or none, is fine', async () => {
    const cluster = await start([1]);
    await cluster.elect(1);
    const fenced = await cluster.during(cluster.stop(1, { leaderEpoch: 0 }));
    expect(fenced.partitionErrors).toEqual([
      { topicName: 'orders', partitionIndex: 0, errorCode: ErrorCode.FENCED_LEADER_EPOCH },
    ]);
    expect(cluster.broker(1).log().logEndOffset).toBe(0);
    const current = await cluster.during(cluster.stop(1, { leaderEpoch: 1 }));
    expect(current.partitionErrors[0]!.errorCode).toBe(NONE);
    expect(cluster.broker(1).logs.getLog('orders', 0)).toBeUndefined();
  });

  test('without deletion a follower stops to fetch, and its log stays', async () => {
    const cluster = await start([1, 2]);
    await cluster.during(cluster.broker(1).produce(['a'], { acks: -1 }));
    await cluster.during(cluster.stop(2, { leaderEpoch: 0, deletePartition: false }));
    await cluster.during(cluster.broker(1).produce(['b'], { acks: 1 }));
    await cluster.time.advance(5000);
    expect(cluster.broker(2).log().logEndOffset).toBe(1);
    expect(cluster.broker(2).replicas.statistics().fetchers).toBe(0);
  });

  test('a log that a former life of the broker has left is deleted; a stale controller deletes nothing', async () => {
    const cluster = await start([1]);
    await cluster.broker(1).kill();
    await cluster.broker(1).start();
    await order(cluster, { replicas: [2] }, { controllerEpoch: 5 });
    const stale = await cluster.during(cluster.stop(1, { controllerEpoch: 4 }));
    expect(stale).toEqual({ errorCode: STALE_CONTROLLER_EPOCH, partitionErrors: [] });
    expect(cluster.broker(1).logs.getLog('orders', 0)).toBeDefined();
    await cluster.during(cluster.stop(1, { controllerEpoch: 5 }));
    expect(cluster.broker(1).logs.getLog('orders', 0)).toBeUndefined();
  });

  test('a topic deleted and made again begins anew, on the followers too', async () => {
    const cluster = await start([1, 2]);
    await cluster.during(cluster.broker(1).produce(['old', 'old'], { acks: -1 }));
    for (const id of [1, 2]) await cluster.during(cluster.stop(id));
    cluster.states.clear();
    cluster.topicIds.set('orders', 'ARdKkNXPQ3iNVlOqkYIyRA');
    await cluster.elect(1);
    await cluster.during(cluster.broker(1).produce(['new'], { acks: -1 }));
    expect(await readAll(cluster.broker(2).log())).toEqual([{ offset: 0, value: 'new' }]);
  });
});

describe('a log directory that fails (row 90)', () => {
  test('its partitions are offline: requests are told, the controller is told, the others go on', async () => {
    const cluster = await start([1, 2]);
    const broker = cluster.broker(1);
    broker.fs.inject({ operation: 'write', path: /orders-0.*\.log$/, code: 'EIO' });
    const failed = await cluster.during(broker.produce(['a'], { acks: -1 }));
    expect(failed.errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
    await cluster.time.advance(1);
    expect(broker.replicas.statistics()).toMatchObject({ offlineReplicaCount: 1, leaderCount: 0 });
    const again = await cluster.during(broker.produce(['a'], { acks: 1 }));
    expect(again.errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
    const read = await cluster.during(broker.fetch({ fetchOffset: 0 }));
    expect(read.errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
    expect(codeOf(await order(cluster, { leaderEpoch: 9 }))).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
    const stopped = await cluster.during(cluster.stop(1));
    expect(stopped.partitionErrors[0]!.errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
  });

  test('who waits for the replicas is answered', async () => {
    const cluster = await start([1, 2]);
    await cluster.broker(2).kill();
    const broker = cluster.broker(1);
    const waiting = broker.produce(['a'], { acks: -1 });
    await cluster.time.advance(10);
    broker.fs.inject({ operation: 'write', path: /orders-0.*\.log$/, code: 'EIO' });
    void broker.produce(['b'], { acks: 1 });
    expect(await cluster.during(waiting, 1000)).toMatchObject({ errorCode: ErrorCode.KAFKA_STORAGE_ERROR });
  });

  test('a follower whose directory fails stops to fetch', async () => {
    const cluster = await start([1, 2]);
    const follower = cluster.broker(2);
    follower.fs.inject({ operation: 'write', path: /orders-0.*\.log$/, code: 'EIO' });
    await cluster.during(cluster.broker(1).produce(['a'], { acks: 1 }));
    await cluster.time.advance(2000);
    expect(follower.replicas.statistics()).toMatchObject({ offlineReplicaCount: 1 });
    const requests = cluster.broker(1).fetchRequests.length;
    await cluster.time.advance(5000);
    expect(cluster.broker(1).fetchRequests.length).toBe(requests);
  });
});
