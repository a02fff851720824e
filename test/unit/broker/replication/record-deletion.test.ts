import { describe, expect, test } from 'vitest';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import { readAll } from '../storage/support.ts';
import { ReplicationCluster, TOPIC } from './support.ts';

async function withRecords(ids: readonly number[], values = ['a', 'b', 'c', 'd']): Promise<ReplicationCluster> {
  const cluster = await ReplicationCluster.start(ids);
  await cluster.elect(ids[0]!);
  for (const value of values) await cluster.during(cluster.broker(ids[0]!).produce([value], { acks: -1 }));
  return cluster;
}

async function remove(cluster: ReplicationCluster, offset: number, { timeoutMs = 10_000, broker = 1 } = {}) {
  const entry = { topic: TOPIC, partition: 0, offset };
  const [result] = await cluster.during(cluster.broker(broker).replicas.deleteRecords([entry], timeoutMs));
  return { errorCode: result!.errorCode, lowWatermark: result!.lowWatermark };
}

describe('deleting records', () => {
  test('is done when all replicas have the log start; readers find nothing below it', async () => {
    const cluster = await withRecords([1, 2, 3]);
    expect(await remove(cluster, 2)).toEqual({ errorCode: ErrorCode.NONE, lowWatermark: 2 });
    for (const id of [1, 2, 3]) expect(cluster.broker(id).log().logStartOffset).toBe(2);
    expect((await readAll(cluster.broker(1).log())).map(({ value }) => value)).toEqual(['c', 'd']);
    const below = await cluster.during(cluster.broker(1).fetch({ fetchOffset: 1 }));
    expect(below.errorCode).toBe(ErrorCode.OFFSET_OUT_OF_RANGE);
    const query = { replicaId: -1, version: 7, currentLeaderEpoch: -1, readCommitted: false };
    expect(await cluster.broker(1).replicas.listOffset(TOPIC, 0, -2, query)).toMatchObject({ offset: 2 });
  });

  test('-1 means everything committed; what begins above already stays as it is', async () => {
    const cluster = await withRecords([1, 2]);
    expect(await remove(cluster, -1)).toEqual({ errorCode: ErrorCode.NONE, lowWatermark: 4 });
    expect(await remove(cluster, 1)).toEqual({ errorCode: ErrorCode.NONE, lowWatermark: 4 });
    expect(cluster.broker(2).log().logStartOffset).toBe(4);
    // The log goes on from its end.
    expect(await cluster.during(cluster.broker(1).produce(['e'], { acks: -1 }))).toMatchObject({ baseOffset: 4 });
  });

  test('beyond what is committed, or below zero, is out of range', async () => {
    const cluster = await withRecords([1]);
    expect(await remove(cluster, 5)).toEqual({ errorCode: ErrorCode.OFFSET_OUT_OF_RANGE, lowWatermark: -1 });
    expect(await remove(cluster, -2)).toEqual({ errorCode: ErrorCode.OFFSET_OUT_OF_RANGE, lowWatermark: -1 });
    expect(cluster.broker(1).log().logStartOffset).toBe(0);
  });

  test('waits for a live follower that does not answer, until the time limit', async () => {
    const cluster = await withRecords([1, 2]);
    cluster.broker(1).isStalled = true;
    const before = cluster.time.now();
    expect(await remove(cluster, 3, { timeoutMs: 2000 })).toEqual({
      errorCode: ErrorCode.REQUEST_TIMED_OUT,
      lowWatermark: 0,
    });
    expect(cluster.time.now() - before).toBe(2000);
    expect(cluster.broker(1).log().logStartOffset).toBe(3);
  });

  test('does not wait for a dead follower, nor for one that dies meanwhile', async () => {
    const cluster = await withRecords([1, 2, 3]);
    await cluster.broker(3).kill();
    cluster.broker(1).isStalled = true;
    const deletion = remove(cluster, 3, { timeoutMs: 30_000 });
    const before = cluster.time.now();
    await cluster.time.advance(100);
    await cluster.broker(2).kill();
    expect(await deletion).toEqual({ errorCode: ErrorCode.NONE, lowWatermark: 3 });
    expect(cluster.time.now() - before).toBeLessThan(1000);
  });

  test('the leader moves meanwhile: answered NOT_LEADER_OR_FOLLOWER at once', async () => {
    const cluster = await withRecords([1, 2]);
    cluster.broker(1).isStalled = true;
    const deletion = remove(cluster, 3);
    await cluster.time.advance(100);
    await cluster.elect(2);
    expect((await deletion).errorCode).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER);
  });

  test('a follower refuses; a topic nobody knows is unknown; internal topics and compacted ones are not touched', async () => {
    const cluster = await withRecords([1, 2]);
    expect((await remove(cluster, 1, { broker: 2 })).errorCode).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER);
    const others = [
      { topic: 'nothing', partition: 0, offset: 0 },
      { topic: '__consumer_offsets', partition: 0, offset: 0 },
    ];
    const answers = await cluster.broker(1).replicas.deleteRecords(others, 1000);
    expect(answers.map(({ errorCode }) => errorCode)).toEqual([
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      ErrorCode.INVALID_TOPIC_EXCEPTION,
    ]);
    cluster
      .broker(1)
      .log()
      .updateConfig({ ...cluster.config, 'cleanup.policy': ['compact'] });
    expect((await remove(cluster, 1)).errorCode).toBe(ErrorCode.POLICY_VIOLATION);
  });

  test('is remembered: the log begins there after a restart as well', async () => {
    const cluster = await withRecords([1]);
    await remove(cluster, 3);
    await cluster.during(cluster.broker(1).replicas.shutdown());
    await cluster.during(cluster.broker(1).logs.shutdown());
    await cluster.broker(1).start();
    expect(cluster.broker(1).log().logStartOffset).toBe(3);
  });
});
