import { describe, expect, test } from 'vitest';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import { batchOf, readAll } from '../storage/support.ts';
import { ReplicationCluster } from './support.ts';

const SHORT_LAG = { 'replica.lag.time.max.ms': '2000' };

async function withMinIsr(minIsr: number, ids = [1, 2, 3]): Promise<ReplicationCluster> {
  const cluster = await ReplicationCluster.start(ids, SHORT_LAG);
  cluster.config = { ...cluster.config, 'min.insync.replicas': minIsr };
  await cluster.elect(1);
  return cluster;
}

describe('produce', () => {
  test('row 65: acks other than -1, 0, 1 are refused at once, nothing is appended', async () => {
    const cluster = await ReplicationCluster.start([1]);
    await cluster.elect(1);
    for (const acks of [2, -2]) {
      expect(await cluster.broker(1).produce(['a'], { acks })).toMatchObject({
        errorCode: ErrorCode.INVALID_REQUIRED_ACKS,
      });
    }
    expect(cluster.broker(1).log().logEndOffset).toBe(0);
  });

  test('records take their places in the order of the calls, each is answered with its own offset', async () => {
    const cluster = await ReplicationCluster.start([1]);
    await cluster.elect(1);
    const results = [['a'], ['b', 'c'], ['d']].map(values => cluster.broker(1).produce(values, { acks: -1 }));
    const answers = await cluster.during(Promise.all(results));
    expect(answers.map(({ baseOffset }) => baseOffset)).toEqual([0, 1, 3]);
    expect((await readAll(cluster.broker(1).log())).map(({ value }) => value)).toEqual(['a', 'b', 'c', 'd']);
    expect(cluster.broker(1).log().highWatermark).toBe(4);
  });

  test('a request is parked when its records have their places, before they are written', async () => {
    const cluster = await ReplicationCluster.start([1]);
    await cluster.elect(1);
    const { replicas } = cluster.broker(1);
    const entries = [{ topic: 'orders', partition: 0, records: batchOf(['a']) }];
    let isParked = false;
    const request = { acks: 1, timeoutMs: 1000, entries, legacyMagicAllowed: false, origin: 'client' as const };
    const answer = replicas.append(request, () => (isParked = true));
    expect(isParked).toBe(true);
    expect(cluster.broker(1).log().logEndOffset).toBe(0);
    expect(await cluster.during(answer)).toMatchObject([{ errorCode: ErrorCode.NONE, baseOffset: 0 }]);
  });

  test('acks=1 does not wait for followers; acks=all does, until its time limit', async () => {
    const cluster = await withMinIsr(1);
    for (const id of [2, 3]) cluster.broker(id).isStalled = true;
    const one = await cluster.during(cluster.broker(1).produce(['a'], { acks: 1 }), 100);
    expect(one.errorCode).toBe(ErrorCode.NONE);
    const before = cluster.time.now();
    for (const id of [2, 3]) await cluster.broker(id).kill();
    const all = await cluster.during(cluster.broker(1).produce(['b'], { acks: -1, timeoutMs: 1000 }));
    expect(all).toMatchObject({ errorCode: ErrorCode.REQUEST_TIMED_OUT, baseOffset: 1 });
    expect(cluster.time.now() - before).toBe(1000);
  });

  test('fewer in sync than min.insync.replicas: acks=all is refused and nothing appended, acks=1 is not', async () => {
    const cluster = await withMinIsr(2);
    await cluster.elect(1, { isr: [1] });
    for (const id of [2, 3]) await cluster.broker(id).kill();
    const refused = await cluster.during(cluster.broker(1).produce(['a'], { acks: -1 }));
    expect(refused.errorCode).toBe(ErrorCode.NOT_ENOUGH_REPLICAS);
    expect(refused.errorMessage).toBe('orders-0 has 1 replicas in sync, and 2 are needed.');
    expect(cluster.broker(1).log().logEndOffset).toBe(0);
    const taken = await cluster.during(cluster.broker(1).produce(['b'], { acks: 1 }));
    expect(taken).toMatchObject({ errorCode: ErrorCode.NONE, baseOffset: 0 });
    // Row 82: below min ISR nothing is committed, though the leader alone is in sync and has it.
    await cluster.time.advance(10_000);
    expect(cluster.broker(1).log().highWatermark).toBe(0);
  });

  test('with more replicas asked for than there are, all of them are enough', async () => {
    const cluster = await withMinIsr(3, [1, 2]);
    const result = await cluster.during(cluster.broker(1).produce(['a'], { acks: -1 }));
    expect(result.errorCode).toBe(ErrorCode.NONE);
  });

  test('the ISR shrinks below the minimum while acks=all waits: not committed, and told at the time limit', async () => {
    const cluster = await withMinIsr(2);
    for (const id of [2, 3]) await cluster.broker(id).kill();
    const result = await cluster.during(cluster.broker(1).produce(['a'], { acks: -1, timeoutMs: 10_000 }));
    expect(result.errorCode).toBe(ErrorCode.REQUEST_TIMED_OUT);
    expect(cluster.states.get('orders-0')!.isr).toEqual([1]);
    expect(cluster.broker(1).log().highWatermark).toBe(0);
  });

  test('row 66: acks=all waits, the broker becomes a follower: answered NOT_LEADER_OR_FOLLOWER at once', async () => {
    const cluster = await withMinIsr(1);
    for (const id of [2, 3]) await cluster.broker(id).kill();
    const waiting = cluster.broker(1).produce(['a'], { acks: -1 });
    await cluster.time.advance(100);
    await cluster.broker(2).start();
    cluster.announce();
    const before = cluster.time.now();
    await cluster.elect(2);
    expect(await cluster.during(waiting)).toMatchObject({ errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER });
    expect(cluster.time.now() - before).toBeLessThan(100);
  });

  test('a broker that does not lead says so; a topic nobody knows is unknown', async () => {
    const cluster = await ReplicationCluster.start([1, 2]);
    await cluster.elect(1);
    const answers = await cluster.during(
      Promise.all([
        cluster.broker(2).produce(['a']),
        cluster.broker(2).produce(['a'], { topic: 'nothing' }),
        cluster.broker(1).produce(['a'], { partition: 7 }),
      ]),
    );
    expect(answers.map(({ errorCode }) => errorCode)).toEqual([
      ErrorCode.NOT_LEADER_OR_FOLLOWER,
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    ]);
  });

  test('internal topics take records of coordinators only', async () => {
    const cluster = await ReplicationCluster.start([1]);
    cluster.topicIds.set('__consumer_offsets', 'BRdKkNXPQ3iNVlOqkYIyRA');
    await cluster.elect(1, { topic: '__consumer_offsets' });
    const answers = await cluster.during(
      Promise.all([
        cluster.broker(1).produce(['a'], { topic: '__consumer_offsets' }),
        cluster.broker(1).produce(['a'], { topic: '__consumer_offsets', origin: 'coordinator' }),
      ]),
    );
    expect(answers.map(({ errorCode }) => errorCode)).toEqual([ErrorCode.INVALID_TOPIC_EXCEPTION, ErrorCode.NONE]);
  });

  test('one bad entry does not hurt the others of the request', async () => {
    const cluster = await ReplicationCluster.start([1]);
    await cluster.elect(1);
    await cluster.elect(1, { partition: 1 });
    const damaged = batchOf(['a']);
    damaged[damaged.length - 1]! ^= 1;
    const entries = [
      { topic: 'orders', partition: 0, records: damaged },
      { topic: 'orders', partition: 1, records: batchOf(['b']) },
    ];
    const request = { acks: -1, timeoutMs: 1000, entries, legacyMagicAllowed: false, origin: 'client' as const };
    const answers = await cluster.during(cluster.broker(1).replicas.append(request, () => {}));
    expect(answers.map(({ errorCode }) => errorCode)).toEqual([ErrorCode.CORRUPT_MESSAGE, ErrorCode.NONE]);
  });

  test('a request that names a partition twice waits for both of its batches', async () => {
    const cluster = await withMinIsr(1, [1, 2]);
    cluster.broker(2).isStalled = true;
    await cluster.broker(2).kill();
    const entries = [batchOf(['a']), batchOf(['b'])].map(records => ({ topic: 'orders', partition: 0, records }));
    const request = { acks: -1, timeoutMs: 500, entries, legacyMagicAllowed: false, origin: 'client' as const };
    const answers = await cluster.during(cluster.broker(1).replicas.append(request, () => {}));
    const { REQUEST_TIMED_OUT } = ErrorCode;
    expect(answers.map(({ errorCode }) => errorCode)).toEqual([REQUEST_TIMED_OUT, REQUEST_TIMED_OUT]);
  });
});
