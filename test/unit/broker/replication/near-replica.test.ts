import { describe, expect, test } from 'vitest';
import { rackAware, type ReadableReplica } from '../../../../broker/replication/replica-selector.ts';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import { ReplicationCluster } from './support.ts';

const replica = (brokerId: number, rack: string | null, logEndOffset = 10, lagMs = 0): ReadableReplica => ({
  brokerId,
  rack,
  logEndOffset,
  lagMs,
});

describe('the rack-aware selector', () => {
  const leader = replica(1, 'a');

  test.each<[string, string, ReadableReplica[], number]>([
    ['stays at the leader without a rack', '', [replica(2, 'b')], 1],
    ['stays at a leader in the same rack', 'a', [replica(2, 'a', 99)], 1],
    ['stays at the leader when nobody else is in the rack', 'c', [replica(2, 'b'), replica(3, null)], 1],
    ['goes to a follower in the rack', 'b', [replica(2, 'b'), replica(3, 'c')], 2],
    ['goes to the one with most records', 'b', [replica(2, 'b', 8), replica(3, 'b', 9)], 3],
    ['then to the one that was caught up last', 'b', [replica(2, 'b', 9, 5), replica(3, 'b', 9, 7)], 2],
  ])('%s', (_what, rack, followers, expected) => {
    expect(rackAware(rack, leader, followers).brokerId).toBe(expected);
  });
});

const RACK_AWARE = { 'replica.selector.class': 'org.apache.kafka.common.replica.RackAwareReplicaSelector' };

/** Broker n is in rack `rack-n`. */
async function start(settings: Record<string, string> = RACK_AWARE): Promise<ReplicationCluster> {
  const cluster = await ReplicationCluster.start([1, 2, 3], { ...settings, 'replica.lag.time.max.ms': '2000' });
  await cluster.elect(1);
  for (const value of ['a', 'b', 'c']) await cluster.during(cluster.broker(1).produce([value], { acks: -1 }));
  // Followers hear of the high watermark with their next fetch.
  await cluster.time.advance(1000);
  return cluster;
}

describe('reading from a near replica', () => {
  test('row 71: the leader answers at once with the follower in the client’s rack and no records', async () => {
    const cluster = await start();
    const before = cluster.time.now();
    const sent = await cluster.during(
      cluster.broker(1).fetch({ fetchOffset: 3 }, { clientRack: 'rack-2', maxWaitMs: 9000 }),
    );
    expect(cluster.time.now() - before).toBeLessThan(100);
    expect(sent).toMatchObject({
      errorCode: ErrorCode.NONE,
      preferredReadReplica: 2,
      sizeInBytes: 0,
      highWatermark: 3,
    });
    const read = await cluster.during(cluster.broker(2).fetch({}, { clientRack: 'rack-2' }));
    expect(read).toMatchObject({ preferredReadReplica: -1, highWatermark: 3 });
    expect(read.sizeInBytes).toBeGreaterThan(0);
  });

  test('is not offered by a leader in the same rack, to clients without a rack, to followers, nor without a selector', async () => {
    const cluster = await start();
    for (const params of [{ clientRack: 'rack-1' }, { clientRack: '' }, { clientRack: 'rack-2', replicaId: 3 }]) {
      const found = await cluster.during(cluster.broker(1).fetch({}, params));
      expect(found.preferredReadReplica).toBe(-1);
      expect(found.sizeInBytes).toBeGreaterThan(0);
    }
    const plain = await start({});
    expect((await plain.during(plain.broker(1).fetch({}, { clientRack: 'rack-2' }))).preferredReadReplica).toBe(-1);
  });

  test('is not offered where the follower is out of sync, or does not have the offset', async () => {
    const cluster = await start();
    cluster.broker(1).isStalled = true;
    await cluster.during(cluster.broker(1).produce(['d'], { acks: 1 }));
    const fetch = (fetchOffset: number) =>
      cluster.during(cluster.broker(1).fetch({ fetchOffset }, { clientRack: 'rack-2' }));
    expect((await fetch(3)).preferredReadReplica).toBe(2);
    expect((await fetch(4)).preferredReadReplica).toBe(-1);
    await cluster.elect(1, { isr: [1] });
    expect((await fetch(3)).preferredReadReplica).toBe(-1);
  });

  test('a follower gives consumers what it knows to be committed, and wakes them when it hears of more', async () => {
    const cluster = await start();
    const waiting = cluster.broker(2).fetch({ fetchOffset: 3 }, { maxWaitMs: 9000 });
    await cluster.during(cluster.broker(1).produce(['d'], { acks: -1 }));
    const found = await cluster.during(waiting);
    expect(found.sizeInBytes).toBeGreaterThan(0);
    expect(found.highWatermark).toBe(4);
    const beyond = await cluster.during(cluster.broker(2).fetch({ fetchOffset: 5 }));
    expect(beyond.errorCode).toBe(ErrorCode.OFFSET_OUT_OF_RANGE);
    const old = await cluster.during(cluster.broker(2).fetch({}, { fromFollowers: false }));
    expect(old.errorCode).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER);
  });

  test('within a session the preferred replica is told like any other news', async () => {
    const cluster = await start();
    const { replicas } = cluster.broker(1);
    const partition = { partition: 0, fetchOffset: 3, partitionMaxBytes: 1 << 20 };
    const request = {
      maxWaitMs: 0,
      minBytes: 1,
      maxBytes: 1 << 20,
      sessionId: 0,
      sessionEpoch: 0,
      topics: [{ topic: 'orders', topicId: cluster.topicIds.get('orders')!, partitions: [partition] }],
      forgottenTopicsData: [],
      rackId: 'rack-3',
    };
    const answer = await cluster.during(cluster.broker(1).exchangeFetch(request));
    expect(answer.responses[0]!.partitions[0]!.preferredReadReplica).toBe(3);
    const next = { ...request, sessionId: answer.sessionId, sessionEpoch: 1, topics: [] };
    const again = await cluster.during(cluster.broker(1).exchangeFetch(next));
    expect(again.responses[0]!.partitions[0]!.preferredReadReplica).toBe(3);
    expect(replicas.statistics().fetchSessions).toBeGreaterThan(0);
  });
});
