import { beforeEach, describe, expect, it, vi } from 'vitest';
import { AbortedTransactions } from '../../../../broker/storage/aborted-transactions.ts';
import { IndexCache } from '../../../../broker/storage/index-cache.ts';
import type { LogManager } from '../../../../broker/storage/log-manager.ts';
import { OpenTransactions } from '../../../../broker/storage/open-transactions.ts';
import type { PartitionLog } from '../../../../broker/storage/partition-log.ts';
import { type AbortedTransaction, decodeTransactionIndex } from '../../../../broker/storage/transaction-index.ts';
import { buildTransactionMarker } from '../../../../shared/records/transaction-marker.ts';
import type { TopicConfigValues } from '../../../../shared/topics/topic-config.ts';
import { MemoryFileSystem } from '../../../support/memory-file-system.ts';
import { batchOf, filesIn, fixture, type Fixture, ordersLog, recordsIn } from './support.ts';

const DIR = '/data/orders-0';

let f: Fixture;
let manager: LogManager;
let log: PartitionLog;
let sequences: Map<number, number>;

async function start(config: Partial<TopicConfigValues> = {}): Promise<void> {
  f = fixture(config);
  sequences = new Map();
  await open();
}

async function open(): Promise<void> {
  manager = await f.open();
  log = ordersLog(manager);
}

function plain(): Buffer {
  return batchOf([{ value: 'plain', timestamp: f.time.now() }]);
}

async function restart(how: 'clean' | 'killed' = 'clean'): Promise<void> {
  if (how === 'clean') await manager.shutdown();
  else f.fs.kill();
  await open();
}

beforeEach(() => start());

/** A transactional batch; resolves with its first offset. */
async function send(producerId: number, ...values: string[]): Promise<number> {
  const baseSequence = sequences.get(producerId) ?? 0;
  sequences.set(producerId, baseSequence + values.length);
  const records = values.map(value => ({ value, timestamp: f.time.now() }));
  const batch = batchOf(records, { producerId, producerEpoch: 0, baseSequence, isTransactional: true });
  return (await log.appendAsLeader(batch, 0)).firstOffset;
}

function markerOf(producerId: number, isCommit: boolean, coordinatorEpoch = 0): Buffer {
  const content = { isCommit, coordinatorEpoch, timestamp: f.time.now() };
  return buildTransactionMarker({ producerId, producerEpoch: 0 }, content);
}

async function end(producerId: number, how: 'commit' | 'abort'): Promise<number> {
  const { firstOffset } = await log.appendAsLeader(markerOf(producerId, how === 'commit'), 0, {
    origin: 'coordinator',
  });
  return firstOffset;
}

/** Everything is on all in-sync replicas. */
function replicate(offset = log.logEndOffset): void {
  log.updateHighWatermark(offset);
}

async function abortedIn(from: number, maxBytes = 1 << 20): Promise<readonly AbortedTransaction[] | null> {
  return (await log.read(from, maxBytes, { upperBound: 'lastStable', minOneMessage: true })).abortedTransactions;
}

describe('the last stable offset', () => {
  it('row 102: is the open transaction’s first offset until the high watermark has passed the marker', async () => {
    await send(1, 'before');
    await end(1, 'commit');
    replicate();
    expect(log.lastStableOffset).toBe(2);
    await send(1, 'a', 'b');
    expect(log.lastStableOffset).toBe(2);
    replicate();
    expect(log.lastStableOffset).toBe(2);
    const marker = await end(1, 'commit');
    expect(log.lastStableOffset).toBe(2);
    replicate(marker);
    expect(log.lastStableOffset).toBe(2);
    replicate(marker + 1);
    expect(log.lastStableOffset).toBe(marker + 1);
  });

  it('row 103: of transactions that end out of order, follows the first that is still open', async () => {
    for (const id of [1, 2, 3]) await send(id, String(id));
    for (const [id, expected] of [
      [2, 0],
      [1, 2],
      [3, 6],
    ] as const) {
      await end(id, 'commit');
      replicate();
      expect(log.lastStableOffset).toBe(expected);
    }
  });

  it('row 104: is never before the log’s start', async () => {
    await send(1, 'a', 'b', 'c', 'd');
    await send(1, 'e');
    replicate();
    log.incrementLogStartOffset(4);
    expect(log.lastStableOffset).toBe(4);
  });

  it('row 107: does not change, nor does the index, by a marker without data', async () => {
    await log.appendAsLeader(plain(), 0);
    await end(1, 'abort');
    replicate();
    expect(log.lastStableOffset).toBe(2);
    expect(filesIn(f.fs, DIR).some(name => name.endsWith('.txnindex'))).toBe(false);
  });

  it('bounds reads, and what a waiting fetch can count on', async () => {
    await log.appendAsLeader(plain(), 0);
    await send(1, 'open');
    replicate();
    const bound = { upperBound: 'lastStable', minOneMessage: true } as const;
    const { records, abortedTransactions } = await log.read(0, 1 << 20, bound);
    expect(recordsIn(records)).toEqual([{ offset: 0, value: 'plain' }]);
    expect(abortedTransactions).toEqual([]);
    expect(log.sizeBetween(0, 'lastStable').bytes).toBe(records[0]!.length);
    expect(log.sizeBetween(1, 'lastStable').bytes).toBe(0);
    expect(log.sizeBetween(1, 'highWatermark').bytes).toBeGreaterThan(0);
    expect((await log.read(1, 1 << 20, bound)).records).toEqual([]);
    expect((await log.read(0, 1 << 20, { ...bound, upperBound: 'highWatermark' })).abortedTransactions).toBeNull();
  });

  it('is known again after a stop and after a crash', async () => {
    await log.appendAsLeader(plain(), 0);
    await send(2, 'of another');
    await send(1, 'open');
    await end(2, 'abort');
    for (const how of ['clean', 'killed', 'clean'] as const) {
      await restart(how);
      replicate();
      expect(log.lastStableOffset, how).toBe(2);
    }
  });

  it('does not let a producer with an open transaction be forgotten', async () => {
    await start({ 'retention.ms': -1 });
    await send(1, 'open');
    f.time.advance(10 * 86_400_000);
    log.removeExpiredProducers();
    replicate();
    expect(log.lastStableOffset).toBe(0);
    await restart();
    replicate();
    expect(log.lastStableOffset).toBe(0);
  });
});

describe('the transaction index', () => {
  it('is what Kafka writes, byte for byte', async () => {
    await log.truncateFullyAndStartAt(200);
    await send(4001, ...Array.from({ length: 15 }, String));
    expect(await end(4001, 'abort')).toBe(215);
    expect(f.fs.readFile(`${DIR}/00000000000000000200.txnindex`).toString('hex')).toBe(
      '0000' + '0000000000000fa1' + '00000000000000c8' + '00000000000000d7' + '00000000000000d8',
    );
  });

  it('tells of the first transaction that was still open', async () => {
    await send(1, 'a');
    await send(2, 'b');
    await send(3, 'c');
    await end(3, 'abort');
    await end(1, 'abort');
    expect(await index(0)).toEqual([
      { producerId: 3, firstOffset: 2, lastOffset: 3, lastStableOffset: 0 },
      { producerId: 1, firstOffset: 0, lastOffset: 4, lastStableOffset: 1 },
    ]);
  });

  it('row 106: the entry stands with the marker, and reads before and between find it', async () => {
    await start({ 'segment.bytes': 150 });
    await send(1, 'a');
    await send(2, 'b');
    await send(1, 'c');
    await end(2, 'commit');
    const marker = await end(1, 'abort');
    await log.appendAsLeader(plain(), 0);
    replicate();
    const withIndex = filesIn(f.fs, DIR).filter(name => name.endsWith('.txnindex'));
    expect(withIndex).toHaveLength(1);
    expect(Number.parseInt(withIndex[0]!)).toBeGreaterThan(2);
    const entry = { producerId: 1, firstOffset: 0, lastOffset: marker, lastStableOffset: marker + 1 };
    for (let from = 0; from <= marker; from++) expect(await abortedIn(from, 1), String(from)).toEqual([entry]);
    expect(await abortedIn(marker + 1)).toEqual([]);
  });

  it('row 38: is made anew after a crash, and when an operator has deleted the indexes', async () => {
    await start({ 'segment.bytes': 300 });
    for (let i = 0; i < 12; i++) {
      await send(i % 3, 'x');
      if (i % 4 === 1) await end(i % 3, 'abort');
    }
    const before = await everything();
    expect(before.length).toBeGreaterThan(2);
    await restart('killed');
    expect(await everything()).toEqual(before);
    await manager.shutdown();
    for (const name of filesIn(f.fs, DIR)) if (/index$/.test(name)) f.fs.removeFileSync(`${DIR}/${name}`);
    await open();
    expect(await everything()).toEqual(before);
  });

  it.each([
    ['torn', (content: Buffer) => content.subarray(0, content.length - 1)],
    ['of other offsets', (content: Buffer) => Buffer.concat([content.subarray(0, 18), Buffer.alloc(16, 0x01)])],
    ['empty of sense', () => Buffer.from('nonsense')],
  ])('that is damaged (%s) is made anew, even after a clean stop', async (_how, damage) => {
    await send(1, 'a');
    await end(1, 'abort');
    await send(2, 'b');
    const before = await everything();
    await manager.shutdown();
    const path = `${DIR}/00000000000000000000.txnindex`;
    f.fs.writeFile(path, damage(f.fs.readFile(path)));
    await open();
    expect(await everything()).toEqual(before);
    replicate();
    expect(log.lastStableOffset).toBe(2);
  });

  it('goes with its segment when that is deleted, and is cut when the log is', async () => {
    await start({ 'segment.bytes': 150, 'file.delete.delay.ms': 1000 });
    await send(1, 'a');
    const first = await end(1, 'abort');
    await send(1, 'b');
    const second = await end(1, 'abort');
    await send(1, 'c');
    replicate();
    expect((await everything()).map(({ lastOffset }) => lastOffset)).toEqual([first, second]);
    await log.truncateTo(second);
    expect((await everything()).map(({ lastOffset }) => lastOffset)).toEqual([first]);
    log.incrementLogStartOffset(second);
    await log.deleteOldSegments();
    f.time.advance(1000);
    await new Promise(setImmediate);
    expect(await everything()).toEqual([]);
    expect(filesIn(f.fs, DIR).filter(name => /txnindex.deleted/.test(name))).toEqual([]);
  });

  it('row 38, on a follower: is written as on the leader', async () => {
    await send(1, 'a');
    await send(2, 'b');
    await end(1, 'abort');
    await send(1, 'c');
    await end(2, 'commit');
    await end(1, 'abort');
    const { records } = await log.read(0, 1 << 20, { upperBound: 'logEnd', minOneMessage: true });
    const leaders = await everything();
    await log.truncateFullyAndStartAt(0);
    expect(await everything()).toEqual([]);
    await log.appendAsFollower(Buffer.concat(records));
    expect(await everything()).toEqual(leaders);
    expect(leaders).toHaveLength(2);
  });

  it('that cannot be written takes the directory offline, and nobody is told that the marker is there', async () => {
    await send(1, 'a');
    f.fs.inject({ operation: 'write', path: /txnindex/, code: 'ENOSPC' });
    await expect(end(1, 'abort')).rejects.toMatchObject({ kind: 'STORAGE_ERROR' });
    expect(log.isOffline).toBe(true);
    expect(log.logEndOffset).toBe(1);
  });

  async function index(baseOffset: number): Promise<AbortedTransaction[]> {
    const path = `${DIR}/${String(baseOffset).padStart(20, '0')}.txnindex`;
    return Promise.resolve(f.fs.exists(path) ? decodeTransactionIndex(f.fs.readFile(path)) : []);
  }

  async function everything(): Promise<AbortedTransaction[]> {
    const names = filesIn(f.fs, DIR).filter(name => name.endsWith('.txnindex'));
    return (await Promise.all(names.map(name => index(Number.parseInt(name))))).flat();
  }
});

describe('AbortedTransactions', () => {
  const entry = (n: number): AbortedTransaction => ({
    producerId: n,
    firstOffset: n * 10,
    lastOffset: n * 10 + 5,
    lastStableOffset: n * 10 + 6,
  });

  const indexIn = (fs: MemoryFileSystem, cacheBytes = 1 << 20) =>
    new AbortedTransactions(fs, () => '/0.txnindex', new IndexCache(cacheBytes));

  async function collected(aborted: AbortedTransactions, from: number, to: number) {
    const into: AbortedTransaction[] = [];
    const isAll = await aborted.collect(from, to, into);
    return { producers: into.map(({ producerId }) => producerId), isAll };
  }

  /** The second one is too long to be kept in memory. */
  it.each([5_000, 40_000])('finds what overlaps in %i, and says whether a later segment may have more', async count => {
    const fs = new MemoryFileSystem();
    const written = indexIn(fs);
    for (let n = 0; n < count; n += 1000) written.append(Array.from({ length: 1000 }, (_, i) => entry(n + i)));
    const end = count * 10;
    for (const aborted of [written, indexIn(fs), indexIn(fs, 100)]) {
      expect(await collected(aborted, 0, 6)).toEqual({ producers: [0], isAll: true });
      expect(await collected(aborted, 30_005, 30_025)).toEqual({ producers: [3000, 3001, 3002], isAll: true });
      expect(await collected(aborted, 30_006, 30_020)).toEqual({ producers: [3001], isAll: true });
      expect(await collected(aborted, end - 10, end + 9)).toEqual({ producers: [count - 1], isAll: false });
      expect((await collected(aborted, 10_000, 40_000)).producers).toHaveLength(3000);
      expect(await collected(aborted, end - 4, end + 9)).toEqual({ producers: [], isAll: false });
      expect(aborted.mayConcern(end - 5)).toBe(true);
      expect(aborted.mayConcern(end - 4)).toBe(false);
    }
  });

  it('is read once, as long as there is room for it and it stays what it is', async () => {
    const fs = new MemoryFileSystem();
    const aborted = indexIn(fs);
    aborted.append([entry(1), entry(2)]);
    const opened = vi.spyOn(fs, 'open');
    for (let n = 0; n < 3; n++) expect((await collected(aborted, 0, 99)).producers).toEqual([1, 2]);
    expect(opened).toHaveBeenCalledTimes(1);
    aborted.append([entry(3)]);
    expect((await collected(aborted, 0, 99)).producers).toEqual([1, 2, 3]);
    aborted.truncateTo(20);
    expect((await collected(aborted, 0, 99)).producers).toEqual([1]);
    opened.mockClear();
    aborted.dropIndexes();
    expect((await collected(aborted, 0, 99)).producers).toEqual([1]);
    expect(opened).toHaveBeenCalledTimes(1);
  });

  it('is not kept as it was when it changes while it is being read', async () => {
    const aborted = indexIn(new MemoryFileSystem());
    aborted.append([entry(1)]);
    const reading = collected(aborted, 0, 99);
    aborted.append([entry(2)]);
    await reading;
    expect((await collected(aborted, 0, 99)).producers).toEqual([1, 2]);
  });

  it('is cut by marker, and goes on behind that', async () => {
    const fs = new MemoryFileSystem();
    const aborted = indexIn(fs);
    aborted.append([entry(1), entry(2), entry(3)]);
    expect((await collected(aborted, 0, 99)).producers).toEqual([1, 2, 3]);
    aborted.truncateTo(25);
    expect(aborted.mayConcern(16)).toBe(false);
    aborted.append([entry(7)]);
    expect(decodeTransactionIndex(fs.readFile('/0.txnindex'))).toEqual([entry(1), entry(7)]);
    aborted.truncateTo(0);
    expect(await collected(aborted, 0, 99)).toEqual({ producers: [], isAll: false });
  });

  it('without a file has none, and is asked for none', () => {
    const aborted = indexIn(new MemoryFileSystem());
    expect(aborted.mayConcern(0)).toBe(false);
  });
});

describe('OpenTransactions', () => {
  it('forgets what is settled, however long another stays open', () => {
    const open = new OpenTransactions();
    const [old, young] = [{ lastTimestamp: 5 }, { lastTimestamp: 9 }];
    expect(open.oldestLastWriteMs).toBeNull();
    open.begin(0, old);
    for (let i = 1; i < 1000; i += 2) {
      open.begin(i, young);
      expect(open.oldestLastWriteMs).toBe(5);
      open.end(i, i + 1);
      open.replicatedUpTo(i + 2);
      expect(open.firstUnstable).toBe(0);
    }
    expect(open.firstOngoing(99)).toBe(0);
    old.lastTimestamp = 7;
    expect(open.oldestLastWriteMs).toBe(7);
    open.end(0, 1001);
    expect(open.firstOngoing(99)).toBe(99);
    expect(open.oldestLastWriteMs).toBeNull();
    open.replicatedUpTo(1001);
    expect(open.firstUnstable).toBe(0);
    open.replicatedUpTo(1002);
    expect(open.firstUnstable).toBe(Infinity);
  });
});
