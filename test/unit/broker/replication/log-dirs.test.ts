import { describe, expect, test } from 'vitest';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import { batchOf, filesIn, readAll } from '../storage/support.ts';
import { ReplicationCluster, TOPIC, type ReplicaBroker } from './support.ts';

const TWO_DIRECTORIES = { 'log.dirs': '/a,/b' };

async function start(ids: readonly number[] = [1], settings = {}): Promise<ReplicationCluster> {
  const cluster = await ReplicationCluster.start(ids, { ...TWO_DIRECTORIES, ...settings });
  await cluster.elect(ids[0]!);
  return cluster;
}

async function produce(cluster: ReplicationCluster, broker: number, ...values: string[]): Promise<void> {
  for (const value of values) {
    const result = await cluster.during(cluster.broker(broker).produce([value], { acks: -1 }));
    expect(result.errorCode).toBe(ErrorCode.NONE);
  }
}

async function alter(cluster: ReplicationCluster, broker: number, directory: string, topic = TOPIC, partition = 0) {
  const { replicas } = cluster.broker(broker);
  const [outcome] = await cluster.during(replicas.alterLogDirs([{ topic, partition, directory }]));
  return outcome!.errorCode;
}

const otherThan = (directory: string) => (directory === '/a' ? '/b' : '/a');
const valuesOf = async (broker: ReplicaBroker) => (await readAll(broker.log())).map(({ value }) => value);

/** Moves the log of orders-0 to the other directory and waits until it is there; returns the two directories. */
async function move(cluster: ReplicationCluster, id = 1): Promise<{ from: string; to: string }> {
  const broker = cluster.broker(id);
  const from = broker.log().directory;
  const to = otherThan(from);
  expect(await alter(cluster, id, to)).toBe(ErrorCode.NONE);
  await cluster.time.until('the log to move', () => broker.log().directory === to);
  return { from, to };
}

function partitionDirectories(broker: ReplicaBroker, directory: string): string[] {
  return filesIn(broker.fs, directory).filter(name => name.startsWith('orders-0'));
}

describe('a move to another log directory', () => {
  test('takes records, offsets and epochs along; the former directory is deleted later', async () => {
    const cluster = await start();
    await produce(cluster, 1, 'a', 'b');
    await cluster.elect(1);
    await produce(cluster, 1, 'c', 'd');
    await cluster.during(cluster.broker(1).replicas.deleteRecords([{ topic: TOPIC, partition: 0, offset: 1 }], 1000));
    const { from, to } = await move(cluster);
    const broker = cluster.broker(1);
    expect(await valuesOf(broker)).toEqual(['b', 'c', 'd']);
    const log = broker.log();
    expect([log.logStartOffset, log.highWatermark, log.logEndOffset, log.latestEpoch]).toEqual([1, 4, 4, 1]);
    expect(log.endOffsetForEpoch(0)).toEqual({ leaderEpoch: 0, endOffset: 2 });
    expect(log.topicId).toBe(cluster.topicIds.get(TOPIC));
    expect(partitionDirectories(broker, to)).toEqual(['orders-0']);
    expect(partitionDirectories(broker, from)).toEqual([expect.stringMatching(/^orders-0\.[0-9a-f]{32}-delete$/)]);
    await cluster.time.advance(60_000);
    expect(partitionDirectories(broker, from)).toEqual([]);
    // Row 88: and everything goes on.
    await produce(cluster, 1, 'e');
    expect(await valuesOf(broker)).toEqual(['b', 'c', 'd', 'e']);
  });

  test('loses nothing while producers write and consumers wait', async () => {
    const cluster = await start([1, 2]);
    const broker = cluster.broker(1);
    const from = broker.log().directory;
    let offset = 0;
    const read: number[] = [];
    const reader = (async () => {
      while (offset < 300) {
        const found = await broker.fetch({ fetchOffset: offset }, { maxWaitMs: 100 });
        expect(found.errorCode).toBe(ErrorCode.NONE);
        for (const piece of found.records) offset = Math.max(offset, Number(piece.readBigInt64BE(0)) + 1);
        read.push(offset);
      }
    })();
    const writer = (async () => {
      for (let i = 0; i < 300; i++) {
        if (i === 50) void broker.replicas.alterLogDirs([{ topic: TOPIC, partition: 0, directory: otherThan(from) }]);
        const result = await broker.produce([String(i)], { acks: -1 });
        expect(result).toMatchObject({ errorCode: ErrorCode.NONE, baseOffset: i });
      }
    })();
    await cluster.during(Promise.all([reader, writer]), 600_000);
    expect(broker.log().directory).toBe(otherThan(from));
    expect(await valuesOf(broker)).toEqual(Array.from({ length: 300 }, (_, i) => String(i)));
    expect(await valuesOf(cluster.broker(2))).toHaveLength(300);
  });

  test('works for a follower, which goes on following', async () => {
    const cluster = await start([1, 2]);
    await produce(cluster, 1, 'a', 'b');
    await move(cluster, 2);
    await produce(cluster, 1, 'c');
    expect(await valuesOf(cluster.broker(2))).toEqual(['a', 'b', 'c']);
    expect(cluster.states.get('orders-0')!.isr).toEqual([1, 2]);
  });

  test('goes on after a restart with what both logs have of the new leader’s', async () => {
    const cluster = await start([1, 2]);
    await produce(cluster, 1, 'a', 'b');
    const broker = cluster.broker(2);
    const to = otherThan(broker.log().directory);
    // Records that the next leader does not have.
    await cluster.broker(1).kill();
    await cluster.during(broker.log().appendAsLeader(batchOf(['lost']), 0));
    await broker.kill();
    await broker.start();
    await cluster.broker(1).start();
    cluster.announce();
    const future = broker.logs.createFutureLog(broker.log(), to);
    for (const { value } of await readAll(broker.log())) {
      await cluster.during(future.appendAsLeader(batchOf([value]), 0));
    }
    expect(future.logEndOffset).toBe(3);
    await cluster.elect(1, { isr: [1] });
    await produce(cluster, 1, 'new', 'newer');
    await cluster.time.until('the log to move', () => broker.log().directory === to);
    await cluster.time.until('it to catch up', () => broker.log().logEndOffset === 4);
    expect(await valuesOf(broker)).toEqual(['a', 'b', 'new', 'newer']);
  });

  test('goes on after a restart', async () => {
    const cluster = await start([1]);
    await produce(cluster, 1, 'a', 'b', 'c');
    const broker = cluster.broker(1);
    const to = otherThan(broker.log().directory);
    const future = broker.logs.createFutureLog(broker.log(), to);
    const { records } = await broker.log().read(0, 1, { upperBound: 'logEnd', minOneMessage: true });
    await cluster.during(future.appendAsFollower(Buffer.concat(records)));
    await broker.kill();
    await broker.start();
    expect(broker.logs.getFutureLog(TOPIC, 0)?.logEndOffset).toBe(1);
    cluster.announce();
    await cluster.elect(1);
    await cluster.time.until('the log to move', () => broker.log().directory === to);
    expect(await valuesOf(broker)).toEqual(['a', 'b', 'c']);
    expect(broker.logs.getFutureLog(TOPIC, 0)).toBeUndefined();
  });

  test('that a crash interrupted in the middle of the swap is finished at the next start', async () => {
    const cluster = await start([1]);
    await produce(cluster, 1, 'a', 'b');
    const broker = cluster.broker(1);
    const from = broker.log().directory;
    const to = otherThan(from);
    broker.fs.inject({ operation: 'rename', path: /-future$/, code: 'EIO' });
    expect(await alter(cluster, 1, to)).toBe(ErrorCode.NONE);
    const renamed = () => partitionDirectories(broker, from).some(name => name.endsWith('-delete'));
    await cluster.time.until('the current log to be renamed', renamed);
    expect((await cluster.during(broker.produce(['c']))).errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
    await broker.kill();
    await broker.start();
    cluster.announce();
    await cluster.elect(1);
    expect(broker.log().directory).toBe(to);
    expect(await valuesOf(broker)).toEqual(['a', 'b']);
  });

  test('to the directory where the log is ends a move that is under way', async () => {
    const cluster = await start([1]);
    await produce(cluster, 1, 'a');
    const broker = cluster.broker(1);
    const from = broker.log().directory;
    broker.logs.createFutureLog(broker.log(), otherThan(from));
    expect(await alter(cluster, 1, from)).toBe(ErrorCode.NONE);
    expect(broker.logs.getFutureLog(TOPIC, 0)).toBeUndefined();
    expect(broker.log().directory).toBe(from);
  });

  test('is ended by the deletion of the topic, which takes both logs', async () => {
    const cluster = await start([1]);
    await produce(cluster, 1, 'a');
    const broker = cluster.broker(1);
    broker.logs.createFutureLog(broker.log(), otherThan(broker.log().directory));
    await cluster.elect(1);
    await cluster.during(cluster.stop(1));
    await cluster.time.advance(61_000);
    expect([...partitionDirectories(broker, '/a'), ...partitionDirectories(broker, '/b')]).toEqual([]);
  });

  test('keeps to its rate', async () => {
    const settings = { 'replica.fetch.max.bytes': '1000' };
    const cluster = await start([1], settings);
    for (let i = 0; i < 20; i++) await produce(cluster, 1, 'x'.repeat(900));
    const broker = cluster.broker(1);
    const { size } = broker.log();
    broker.config.setDynamic('broker', { 'replica.alter.log.dirs.io.max.bytes.per.second': '2000' });
    const before = cluster.time.now();
    await move(cluster);
    const seconds = (cluster.time.now() - before) / 1000;
    expect(seconds).toBeGreaterThan((size / 2000) * 0.9);
    expect(seconds).toBeLessThan((size / 2000) * 1.3);
  });

  test('ends when the new directory fails; the log stays where it is and in use', async () => {
    const cluster = await start([1]);
    await produce(cluster, 1, 'a');
    const broker = cluster.broker(1);
    const from = broker.log().directory;
    broker.fs.inject({ operation: 'write', path: /-future\/.*\.log$/, code: 'EIO' });
    expect(await alter(cluster, 1, otherThan(from))).toBe(ErrorCode.NONE);
    await cluster.time.until('the directory to fail', () => broker.logs.offlineDirectories.length === 1);
    await produce(cluster, 1, 'b');
    expect(broker.log().directory).toBe(from);
    expect(await alter(cluster, 1, otherThan(from))).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
  });
});

describe('orders about log directories', () => {
  test('a directory that is none of ours, an unknown partition, a name that leaves no room', async () => {
    const cluster = await start([1, 2]);
    expect(await alter(cluster, 1, '/elsewhere')).toBe(ErrorCode.LOG_DIR_NOT_FOUND);
    expect(await alter(cluster, 1, '/a', 'nothing')).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    expect(await alter(cluster, 1, '/a', 'x'.repeat(240))).toBe(ErrorCode.INVALID_TOPIC_EXCEPTION);
    await cluster.elect(2, { replicas: [2], partition: 1 });
    expect(await alter(cluster, 1, '/a', TOPIC, 1)).toBe(ErrorCode.REPLICA_NOT_AVAILABLE);
  });

  test('about a partition that is not there yet are remembered for when it comes', async () => {
    const cluster = await start([1]);
    for (const partition of [1, 2, 3]) {
      expect(await alter(cluster, 1, '/b', TOPIC, partition)).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
      await cluster.elect(1, { partition });
      expect(cluster.broker(1).log(TOPIC, partition).directory).toBe('/b');
    }
  });

  test('descriptions tell size, lag and moves of each log, and the room on the volume', async () => {
    const cluster = await start([1]);
    await produce(cluster, 1, 'a', 'b', 'c');
    const broker = cluster.broker(1);
    const from = broker.log().directory;
    const future = broker.logs.createFutureLog(broker.log(), otherThan(from));
    const { records, sizeInBytes } = await broker.log().read(0, 1, { upperBound: 'logEnd', minOneMessage: true });
    await cluster.during(future.appendAsFollower(Buffer.concat(records)));
    const described = await broker.replicas.describeLogDirs(() => true);
    const byPath = new Map(described.map(({ path, ...rest }) => [path, rest]));
    expect(byPath.get(from)).toMatchObject({
      isOffline: false,
      totalBytes: 2 ** 40,
      logs: [{ topic: TOPIC, partition: 0, size: broker.log().size, offsetLag: 0, isFuture: false }],
    });
    expect(byPath.get(otherThan(from))!.logs).toEqual([
      { topic: TOPIC, partition: 0, size: sizeInBytes, offsetLag: 2, isFuture: true },
    ]);
    expect((await broker.replicas.describeLogDirs(() => false)).map(({ logs }) => logs)).toEqual([[], []]);
  });

  test('an offline directory is described as such', async () => {
    const cluster = await start([1]);
    const broker = cluster.broker(1);
    const { directory } = broker.log();
    broker.fs.inject({ operation: 'write', path: /orders-0/, code: 'EIO', times: 1 });
    await cluster.during(broker.produce(['a']));
    await cluster.time.advance(10);
    const described = await broker.replicas.describeLogDirs(() => true);
    expect(described.find(({ path }) => path === directory)).toMatchObject({
      isOffline: true,
      logs: [],
      totalBytes: -1,
    });
  });
});
