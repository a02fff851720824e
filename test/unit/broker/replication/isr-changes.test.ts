import { describe, expect, test } from 'vitest';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import { refusal, ReplicationCluster } from './support.ts';

const LAG_MS = 2000;

async function start(): Promise<ReplicationCluster> {
  const cluster = await ReplicationCluster.start([1, 2, 3], { 'replica.lag.time.max.ms': String(LAG_MS) });
  await cluster.elect(1);
  // All followers have fetched.
  await cluster.time.advance(100);
  return cluster;
}

const isrOf = (cluster: ReplicationCluster) => [...cluster.states.get('orders-0')!.isr].sort();

/** The members of each proposed ISR so far. */
function proposed(cluster: ReplicationCluster): number[][] {
  return cluster.proposals.flatMap(({ topics }) =>
    topics.flatMap(({ partitions }) =>
      partitions.map(({ newIsrWithEpochs }) => newIsrWithEpochs.map(({ brokerId }) => brokerId).sort()),
    ),
  );
}

describe('changes of the ISR', () => {
  test('row 78: a silent follower leaves the ISR after replica.lag.time.max.ms; then the high watermark goes on', async () => {
    const cluster = await start();
    await cluster.broker(3).kill();
    const waiting = cluster.broker(1).produce(['a'], { acks: -1 });
    await cluster.time.advance(LAG_MS - 100);
    expect(proposed(cluster)).toEqual([]);
    expect(cluster.broker(1).log().highWatermark).toBe(0);
    expect(await cluster.during(waiting)).toMatchObject({ errorCode: ErrorCode.NONE });
    expect(proposed(cluster)).toEqual([[1, 2]]);
    expect(isrOf(cluster)).toEqual([1, 2]);
    expect(cluster.broker(1).replicas.statistics()).toMatchObject({ isrShrinks: 1, underReplicatedPartitions: 1 });
  });

  test('followers that keep up stay in sync, busy or idle, and nothing is proposed', async () => {
    const cluster = await start();
    for (let round = 0; round < 30; round++) {
      await cluster.during(cluster.broker(1).produce([`${round}`], { acks: -1 }));
      await cluster.time.advance(round * 40);
    }
    await cluster.time.advance(10 * LAG_MS);
    await cluster.during(cluster.broker(1).produce(['after the pause'], { acks: -1 }), 1000);
    expect(proposed(cluster)).toEqual([]);
  });

  test('until the controller has committed a shrink, the high watermark waits for those that leave (row 79)', async () => {
    const cluster = await start();
    cluster.onProposal = () => new Promise(() => {});
    await cluster.broker(3).kill();
    await cluster.during(cluster.broker(1).produce(['a'], { acks: 1 }));
    await cluster.time.advance(5 * LAG_MS);
    expect(proposed(cluster)).toEqual([[1, 2]]);
    expect(cluster.broker(1).log().highWatermark).toBe(0);
  });

  test('a follower that has caught up returns; while that is under way the newcomer counts already (row 79)', async () => {
    const cluster = await start();
    await cluster.broker(3).kill();
    await cluster.during(cluster.broker(1).produce(['a'], { acks: -1 }));
    expect(isrOf(cluster)).toEqual([1, 2]);
    let commit = () => {};
    cluster.onProposal = request => new Promise(resolve => (commit = () => resolve(cluster.commit(request))));
    await cluster.broker(3).start();
    await cluster.elect(1);
    await cluster.time.until('the expansion is proposed', () => proposed(cluster).length === 2);
    expect(proposed(cluster)[1]).toEqual([1, 2, 3]);
    expect(isrOf(cluster)).toEqual([1, 2]);
    await cluster.broker(3).kill();
    const waiting = cluster.broker(1).produce(['b'], { acks: -1, timeoutMs: 1000 });
    expect(await cluster.during(waiting)).toMatchObject({ errorCode: ErrorCode.REQUEST_TIMED_OUT });
    expect(cluster.broker(1).log().highWatermark).toBe(1);
    cluster.onProposal = null;
    commit();
    await cluster.time.until('it shrinks again', () => cluster.broker(1).log().highWatermark === 2);
    expect(isrOf(cluster)).toEqual([1, 2]);
  });

  test('a replica that is not assigned any more, but still in sync, holds the high watermark back', async () => {
    const cluster = await start();
    await cluster.elect(1, { replicas: [1, 2], isr: [1, 2, 3] });
    const waiting = cluster.broker(1).produce(['a'], { acks: -1, timeoutMs: 1000 });
    expect(await cluster.during(waiting)).toMatchObject({ errorCode: ErrorCode.REQUEST_TIMED_OUT });
    expect(cluster.broker(2).log().logEndOffset).toBe(1);
    expect(cluster.broker(1).log().highWatermark).toBe(0);
    await cluster.elect(1, { replicas: [1, 2], isr: [1, 2] });
    await cluster.time.until('it goes on', () => cluster.broker(1).log().highWatermark === 1);
  });

  test('row 81: a follower that is not alive is not proposed', async () => {
    const cluster = await start();
    await cluster.broker(3).kill();
    await cluster.during(cluster.broker(1).produce(['a'], { acks: -1 }));
    const before = proposed(cluster).length;
    await cluster.broker(3).start();
    await cluster.elect(1);
    // The leader's metadata does not have it, though it fetches.
    cluster.broker(3).isUp = false;
    cluster.announce();
    cluster.broker(3).isUp = true;
    await cluster.time.advance(5000);
    expect(cluster.broker(3).log().logEndOffset).toBe(1);
    expect(proposed(cluster).length).toBe(before);
    cluster.announce();
    await cluster.time.until('it returns', () => isrOf(cluster).length === 3);
  });

  test('row 80: INELIGIBLE_REPLICA goes back to what is committed, and it is tried again when there is a reason', async () => {
    const cluster = await start();
    cluster.onProposal = request => refusal(request, ErrorCode.INELIGIBLE_REPLICA);
    await cluster.broker(3).kill();
    await cluster.time.advance(LAG_MS * 3);
    expect(cluster.broker(1).replicas.statistics()).toMatchObject({ failedIsrUpdates: 0, isrShrinks: 0 });
    await cluster.during(cluster.broker(1).produce(['a'], { acks: 1 }));
    await cluster.time.advance(LAG_MS * 2);
    expect(cluster.broker(1).replicas.statistics().failedIsrUpdates).toBeGreaterThan(0);
    cluster.onProposal = null;
    await cluster.time.until('it shrinks', () => cluster.broker(1).log().highWatermark === 1);
    expect(isrOf(cluster)).toEqual([1, 2]);
  });

  test('row 80: INVALID_UPDATE_VERSION keeps the pending state until the next LeaderAndIsr', async () => {
    const cluster = await start();
    cluster.onProposal = request => refusal(request, ErrorCode.INVALID_UPDATE_VERSION);
    await cluster.broker(3).kill();
    await cluster.during(cluster.broker(1).produce(['a'], { acks: 1 }));
    await cluster.time.advance(LAG_MS * 10);
    expect(proposed(cluster).length).toBe(1);
    expect(cluster.broker(1).log().highWatermark).toBe(0);
    cluster.onProposal = null;
    await cluster.elect(1);
    await cluster.time.until('it shrinks', () => cluster.broker(1).log().highWatermark === 1);
    expect(isrOf(cluster)).toEqual([1, 2]);
  });

  test('row 80: any other error is tried again until it works', async () => {
    const cluster = await start();
    const answers = [ErrorCode.UNKNOWN_SERVER_ERROR, ErrorCode.NOT_CONTROLLER, ErrorCode.UNKNOWN_SERVER_ERROR];
    cluster.onProposal = request => {
      const errorCode = answers.shift();
      if (errorCode === undefined) return null;
      return errorCode === ErrorCode.NOT_CONTROLLER
        ? { throttleTimeMs: 0, errorCode, topics: [] }
        : refusal(request, errorCode);
    };
    await cluster.broker(3).kill();
    const waiting = cluster.broker(1).produce(['a'], { acks: -1, timeoutMs: 10_000 });
    expect(await cluster.during(waiting)).toMatchObject({ errorCode: ErrorCode.NONE });
    expect(cluster.proposals.length).toBe(4);
  });

  test('row 75: a follower that has all that is committed, but not all from before the epoch, is not proposed', async () => {
    const cluster = await start();
    await cluster.broker(3).kill();
    await cluster.during(cluster.broker(1).produce(['a'], { acks: -1 }));
    // Not committed: broker 2 does not get it either.
    await cluster.broker(2).kill();
    await cluster.during(cluster.broker(1).produce(['b'], { acks: 1 }));
    cluster.onProposal = () => new Promise(() => {});
    await cluster.elect(1, { isr: [1, 2] });
    const leader = cluster.broker(1);
    expect([leader.log().highWatermark, leader.log().logEndOffset]).toEqual([1, 2]);
    const fetchFrom = (fetchOffset: number) =>
      leader.fetch({ fetchOffset, currentLeaderEpoch: cluster.states.get('orders-0')!.leaderEpoch }, { replicaId: 3 });
    leader.metadata.apply({
      controllerId: 1,
      brokers: [1, 2, 3].map(id => ({
        id,
        rack: null,
        endpoints: [{ listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: 'test', port: id }],
      })),
      topics: [],
    });
    const before = proposed(cluster).length;
    await cluster.during(fetchFrom(1));
    await cluster.time.advance(100);
    expect(proposed(cluster).length).toBe(before);
    await cluster.during(fetchFrom(2));
    await cluster.time.advance(100);
    expect(proposed(cluster).slice(before)).toEqual([[1, 2, 3]]);
  });

  test('all changes of a turn go in one request, one request at a time', async () => {
    const cluster = await start();
    for (let partition = 1; partition < 50; partition++) await cluster.elect(1, { partition });
    let release = () => {};
    cluster.onProposal = request => new Promise(resolve => (release = () => resolve(cluster.commit(request))));
    await cluster.broker(3).kill();
    await cluster.during(
      Promise.all(Array.from({ length: 50 }, (_, partition) => cluster.broker(1).produce(['a'], { partition }))),
    );
    await cluster.time.until('the proposal', () => cluster.proposals.length === 1);
    expect(cluster.proposals[0]!.topics[0]!.partitions.length).toBe(50);
    await cluster.time.advance(LAG_MS);
    expect(cluster.proposals.length).toBe(1);
    cluster.onProposal = null;
    release();
    await cluster.time.until('all shrink', () => [...cluster.states.values()].every(({ isr }) => isr.length === 2));
  });

  test('a dead follower outside the ISR does not hold the high watermark back for its time limit', async () => {
    const cluster = await start();
    await cluster.elect(1, { isr: [1, 2] });
    cluster.onProposal = request => refusal(request, ErrorCode.INELIGIBLE_REPLICA);
    await cluster.time.advance(500);
    await cluster.broker(3).kill();
    const before = cluster.time.now();
    await cluster.during(cluster.broker(1).produce(['a'], { acks: -1 }));
    expect(cluster.time.now() - before).toBeLessThan(LAG_MS / 2);
  });
});
