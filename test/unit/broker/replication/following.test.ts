import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fetcherIndex } from '../../../../broker/replication/fetcher-manager.ts';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import { ListOffsets } from '../../../../shared/protocol/messages/list-offsets.ts';
import { readAll } from '../storage/support.ts';
import { ReplicationCluster, TOPIC, TOPIC_ID } from './support.ts';

const values = async (cluster: ReplicationCluster, id: number) =>
  (await readAll(cluster.broker(id).log())).map(({ value }) => value);

/** Lets broker `from` append alone, as the leader of the next epoch, what nobody else gets. */
async function appendAlone(cluster: ReplicationCluster, from: number, ...batches: string[][]): Promise<void> {
  for (const id of cluster.brokers.keys()) if (id !== from && cluster.broker(id).isUp) await cluster.broker(id).kill();
  if (!cluster.broker(from).isUp) await cluster.broker(from).start();
  await cluster.elect(from, { isr: [from] });
  for (const batch of batches) {
    expect((await cluster.during(cluster.broker(from).produce(batch))).errorCode).toBe(ErrorCode.NONE);
  }
}

async function startAll(cluster: ReplicationCluster): Promise<void> {
  for (const broker of cluster.brokers.values()) if (!broker.isUp) await broker.start();
  cluster.announce();
}

async function start(ids = [1, 2]): Promise<ReplicationCluster> {
  const cluster = await ReplicationCluster.start(ids);
  await cluster.elect(1);
  return cluster;
}

/** Waits until broker `id` has the log of broker `leader`, and has heard that all is committed. */
async function converge(cluster: ReplicationCluster, leader: number, id: number): Promise<void> {
  await cluster.time.until(`broker ${id} has it all`, async () => {
    const [theirs, own] = [cluster.broker(leader).log(), cluster.broker(id).log()];
    if (own.logEndOffset !== theirs.logEndOffset || own.highWatermark !== theirs.logEndOffset) return false;
    return String(await values(cluster, id)) === String(await values(cluster, leader));
  });
}

describe('a follower', () => {
  test('row 56: whose history is of other epochs truncates step by step, until it has the leader’s', async () => {
    const cluster = await start();
    // Broker 1 leads in the even epochs, broker 2 in the odd ones; neither hears of the other.
    for (let epoch = 0; epoch < 3; epoch++) {
      await appendAlone(cluster, 1, [`1 in ${epoch}`], [`1 again in ${epoch}`]);
      await appendAlone(cluster, 2, [`2 in ${epoch}`], [`2 again in ${epoch}`]);
    }
    const leaders = await values(cluster, 2);
    await startAll(cluster);
    await cluster.elect(2, { isr: [2] });
    await converge(cluster, 2, 1);
    expect(await values(cluster, 1)).toEqual(leaders);
    const truncations = cluster
      .broker(2)
      .fetchRequests.filter(({ response }) =>
        response.responses.some(({ partitions }) => partitions.some(({ divergingEpoch }) => divergingEpoch.epoch >= 0)),
      );
    expect(truncations.length).toBeGreaterThan(1);
  });

  test('row 57: that differs only at the end keeps what both have', async () => {
    const cluster = await start();
    await cluster.during(cluster.broker(1).produce(['a', 'b'], { acks: -1 }));
    await appendAlone(cluster, 1, ['lost']);
    await appendAlone(cluster, 2, ['kept'], ['and more']);
    await startAll(cluster);
    await cluster.elect(2, { isr: [2] });
    await converge(cluster, 2, 1);
    expect(await values(cluster, 1)).toEqual(['a', 'b', 'kept', 'and more']);
    const log = cluster.broker(1).log();
    expect(log.endOffsetForEpoch(0)).toEqual({ leaderEpoch: 0, endOffset: 2 });
  });

  test('row 59: ahead of its leader, which was elected uncleanly, truncates to the leader’s end', async () => {
    const cluster = await start();
    await appendAlone(cluster, 1, ['a'], ['b'], ['c']);
    await appendAlone(cluster, 2);
    await startAll(cluster);
    await cluster.elect(2, { isr: [2] });
    await converge(cluster, 2, 1);
    expect(await values(cluster, 1)).toEqual([]);
    await cluster.during(cluster.broker(2).produce(['new'], { acks: -1 }));
    await converge(cluster, 2, 1);
  });

  test('row 60: behind the leader’s log start begins anew there', async () => {
    const cluster = await start();
    await cluster.during(cluster.broker(1).produce(['a'], { acks: -1 }));
    await appendAlone(cluster, 1, ['b'], ['c'], ['d']);
    cluster.broker(1).log().incrementLogStartOffset(3);
    await startAll(cluster);
    await cluster.elect(1, { isr: [1] });
    await cluster.time.until('it has begun anew', () => cluster.broker(2).log().logStartOffset === 3);
    await converge(cluster, 1, 2);
    expect(await readAll(cluster.broker(2).log())).toEqual([{ offset: 3, value: 'd' }]);
  });

  test('without any epoch truncates to its high watermark before it fetches (row 58)', async () => {
    const cluster = await start();
    await cluster.during(cluster.broker(1).produce(['a'], { acks: -1 }));
    await cluster.time.advance(1000);
    await appendAlone(cluster, 2, ['not committed']);
    await cluster.broker(2).kill();
    // As a log of old formats would be.
    await startAll(cluster);
    const log = cluster.broker(2).log();
    log.updateHighWatermark(1);
    cluster.broker(2).fs.writeFile('/data/orders-0/leader-epoch-checkpoint', '0\n0\n');
    await cluster.broker(2).kill();
    await startAll(cluster);
    expect([cluster.broker(2).log().latestEpoch, cluster.broker(2).log().logEndOffset]).not.toEqual([-1, 1]);
    await cluster.elect(1, { isr: [1] });
    await converge(cluster, 1, 2);
    expect(await values(cluster, 2)).toEqual(['a']);
  });

  test('row 61: fenced, gives up until the next LeaderAndIsr', async () => {
    const cluster = await start();
    await cluster.during(cluster.broker(1).produce(['a'], { acks: -1 }));
    // Only the leader hears of the new epoch.
    const state = { ...cluster.states.get('orders-0')!, leaderEpoch: 1, partitionEpoch: 1 };
    await cluster.during(cluster.order(1, [{ topic: 'orders', partition: 0, state }]));
    await cluster.time.until('it has given up', () => cluster.broker(2).replicas.statistics().failedPartitions === 1);
    await cluster.during(cluster.broker(1).produce(['b']));
    await cluster.time.advance(10_000);
    expect(await values(cluster, 2)).toEqual(['a']);
    await cluster.during(cluster.order(2, [{ topic: 'orders', partition: 0, state }]));
    await cluster.time.until('it goes on', () => cluster.broker(2).log().logEndOffset === 2);
    expect(cluster.broker(2).replicas.statistics().failedPartitions).toBe(0);
  });

  test('row 62: that hears of an epoch before its leader tries again, soon', async () => {
    const cluster = await start();
    const state = { ...cluster.states.get('orders-0')!, leaderEpoch: 1, partitionEpoch: 1 };
    await cluster.during(cluster.order(2, [{ topic: 'orders', partition: 0, state }]));
    await cluster.during(cluster.broker(1).produce(['a']));
    await cluster.time.advance(700);
    expect(await values(cluster, 2)).toEqual([]);
    expect(cluster.broker(2).replicas.statistics().failedPartitions).toBe(0);
    await cluster.during(cluster.order(1, [{ topic: 'orders', partition: 0, state }]));
    await cluster.time.until('it goes on', () => cluster.broker(2).log().logEndOffset === 1, 1100);
  });

  test('row 63: that gets damaged records appends nothing and fetches the same again', async () => {
    const cluster = await start();
    const leader = cluster.broker(1).log();
    const read = leader.read.bind(leader);
    let damages = 3;
    leader.read = async (...args) => {
      const result = await read(...args);
      if (result.sizeInBytes === 0 || damages-- <= 0) return result;
      const records = Buffer.concat(result.records);
      records[records.length - 1]! ^= 1;
      return { ...result, records: [records] };
    };
    await cluster.during(cluster.broker(1).produce(['a', 'b']));
    await cluster.time.advance(60);
    expect(cluster.broker(2).log().logEndOffset).toBe(0);
    await converge(cluster, 1, 2);
    expect(damages).toBeLessThanOrEqual(0);
  });

  test('row 64: ignores records that come with a diverging epoch', async () => {
    const cluster = await start();
    await cluster.during(cluster.broker(1).produce(['a', 'b'], { acks: -1 }));
    await appendAlone(cluster, 1, ['lost']);
    await appendAlone(cluster, 2, ['kept']);
    await startAll(cluster);
    const { fetchSessions } = cluster.broker(2).replicas;
    const open = fetchSessions.open.bind(fetchSessions);
    fetchSessions.open = (request, version) => {
      const context = open(request, version);
      return {
        ...context,
        answer: fetched =>
          context.answer(
            fetched.map(found =>
              found.divergingEpoch === null ? found : { ...found, records: [Buffer.from('not records')] },
            ),
          ),
      };
    };
    await cluster.elect(2, { isr: [2] });
    await converge(cluster, 2, 1);
  });

  test('comes back after its leader was unreachable, and after a connection broke in the middle', async () => {
    const cluster = await start();
    for (let round = 0; round < 5; round++) {
      for (const connection of [...cluster.broker(2).connections]) connection.close();
      const result = await cluster.during(cluster.broker(1).produce([`${round}`], { acks: -1 }));
      expect(result.errorCode).toBe(ErrorCode.NONE);
    }
    await converge(cluster, 1, 2);
  });

  test('gets over a lost session at once', async () => {
    const cluster = await start();
    await cluster.during(cluster.broker(1).produce(['a'], { acks: -1 }));
    const { fetchSessions } = cluster.broker(1).replicas;
    const open = fetchSessions.open.bind(fetchSessions);
    fetchSessions.open = (request, version) => {
      const isLost = request.sessionEpoch > 0 && request.sessionEpoch % 3 === 0;
      return open(isLost ? { ...request, sessionId: 1 } : request, version);
    };
    const before = cluster.time.now();
    for (let round = 0; round < 10; round++)
      await cluster.during(cluster.broker(1).produce([`${round}`], { acks: -1 }));
    expect(cluster.time.now() - before).toBeLessThan(3000);
    await converge(cluster, 1, 2);
  });

  test('speaks Fetch 17 with topic ids, and 12 as long as a topic has none', async () => {
    const cluster = await ReplicationCluster.start([1, 2]);
    cluster.topicIds.clear();
    await cluster.elect(1);
    await cluster.during(cluster.broker(1).produce(['a'], { acks: -1 }));
    expect(new Set(cluster.broker(1).fetchRequests.map(({ version }) => version))).toEqual(new Set([12]));
    cluster.topicIds.set('orders', TOPIC_ID);
    await cluster.elect(1);
    await cluster.during(cluster.broker(1).produce(['b'], { acks: -1 }));
    expect(cluster.broker(1).fetchRequests.at(-1)!.version).toBe(17);
    await converge(cluster, 1, 2);
  });

  test('of many idle partitions fetches with empty requests and answers', async () => {
    const cluster = await start();
    for (let partition = 1; partition < 100; partition++) await cluster.elect(1, { partition });
    await cluster.time.advance(2000);
    const requests = cluster.broker(1).fetchRequests;
    requests.length = 0;
    await cluster.time.advance(10_000);
    expect(requests.length).toBeGreaterThan(10);
    expect(requests.length).toBeLessThan(30);
    for (const { request, response } of requests) {
      expect([request.topics, request.forgottenTopicsData, response.responses]).toEqual([[], [], []]);
    }
    await cluster.during(cluster.broker(1).produce(['a'], { acks: -1, partition: 42 }), 100);
  });

  test('takes up a change of num.replica.fetchers while it runs, and goes on', async () => {
    const cluster = await ReplicationCluster.start([1, 2]);
    for (let partition = 0; partition < 10; partition++) await cluster.elect(1, { partition });
    const follower = cluster.broker(2);
    expect(follower.replicas.statistics().fetchers).toBe(1);
    for (const count of [4, 2]) {
      follower.config.setDynamic('cluster', { 'num.replica.fetchers': String(count) });
      await cluster.time.until('the fetchers', () => follower.replicas.statistics().fetchers === count);
      for (let partition = 0; partition < 10; partition++) {
        const result = await cluster.during(cluster.broker(1).produce(['a'], { acks: -1, partition }));
        expect(result.errorCode).toBe(ErrorCode.NONE);
      }
    }
    expect(follower.log(TOPIC, 9).logEndOffset).toBe(2);
    expect(cluster.states.get('orders-9')!.isr).toEqual([1, 2]);
  });

  test('follows several partitions of a leader over as many connections as num.replica.fetchers', async () => {
    const cluster = await ReplicationCluster.start([1, 2], { 'num.replica.fetchers': '3' });
    for (let partition = 0; partition < 12; partition++) await cluster.elect(1, { partition });
    expect(cluster.broker(2).replicas.statistics().fetchers).toBe(3);
    for (let partition = 0; partition < 12; partition++) {
      await cluster.during(cluster.broker(1).produce(['a'], { acks: -1, partition }), 1000);
    }
    for (let partition = 0; partition < 12; partition++) await cluster.during(cluster.stop(2, { partition }));
    expect(cluster.broker(2).replicas.statistics().fetchers).toBe(0);
  });

  test('asks its leader for offsets with its own id and epoch', async () => {
    const cluster = await start();
    await cluster.during(cluster.broker(1).produce(['a'], { acks: -1 }));
    await appendAlone(cluster, 1, ['b'], ['c']);
    cluster.broker(1).log().incrementLogStartOffset(2);
    await startAll(cluster);
    const asked: unknown[] = [];
    const leader = cluster.broker(1);
    const answer = leader.answer.bind(leader);
    leader.answer = (api, request, version) => {
      if (api.key === ListOffsets.key) asked.push([version, request]);
      return answer(api, request, version);
    };
    const { leaderEpoch } = await cluster.elect(1, { isr: [1] });
    await converge(cluster, 1, 2);
    const query = (timestamp: number) => [
      9,
      expect.objectContaining({
        replicaId: 2,
        topics: [
          expect.objectContaining({
            partitions: [expect.objectContaining({ timestamp, currentLeaderEpoch: leaderEpoch })],
          }),
        ],
      }),
    ];
    expect(asked).toEqual([query(-1), query(-2)]);
  });
});

describe('the fetcher of a partition', () => {
  test('is chosen as Kafka chooses it', () => {
    // "orders".hashCode() = -1008770331, "a".hashCode() = 97
    expect(fetcherIndex('a', 1, 4)).toBe((31 * 97 + 1) % 4);
    expect(fetcherIndex('orders', 0, 7)).toBe(Math.abs(Math.imul(31, -1_008_770_331)) % 7);
    fc.assert(
      fc.property(fc.string(), fc.nat(), fc.integer({ min: 1, max: 10 }), (topic, partition, fetchers) => {
        const index = fetcherIndex(topic, partition, fetchers);
        expect(index >= 0 && index < fetchers).toBe(true);
      }),
    );
  });
});
