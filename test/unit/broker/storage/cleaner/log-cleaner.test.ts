import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LogManager, LogManagerSetup } from '../../../../../broker/storage/log-manager.ts';
import type { PartitionLog } from '../../../../../broker/storage/partition-log.ts';
import type { CleanerOptions } from '../../../../../broker/storage/storage-setup.ts';
import * as batch from '../../../../../shared/records/batch.ts';
import { silentLogger } from '../../../../../shared/runtime/logger.ts';
import type { TopicConfigValues } from '../../../../../shared/topics/topic-config.ts';
import { batchOf, filesIn, type Fixture, fixture } from '../support.ts';
import { BACKOFF_MS, batchesOf, cleanAll, cleaning, kept, lines, ordersLog, put } from './support.ts';

const DIR = '/data/orders-0';
const DAY = 86_400_000;
/** Every batch of the tests gets a segment of its own. */
const COMPACT: Partial<TopicConfigValues> = {
  'cleanup.policy': ['compact'],
  'segment.bytes': 80,
  'min.cleanable.dirty.ratio': 0.01,
};

let f: Fixture;
let manager: LogManager;
let log: PartitionLog;

async function start(
  config: Partial<TopicConfigValues> = {},
  options: Partial<CleanerOptions> = {},
  setup: Partial<LogManagerSetup> = {},
): Promise<void> {
  f = fixture({ ...COMPACT, ...config });
  await open(options, setup);
}

async function open(options: Partial<CleanerOptions> = {}, setup: Partial<LogManagerSetup> = {}): Promise<void> {
  manager = await f.open({ ...cleaning(f.fs, options), ...setup });
  log = ordersLog(manager);
  log.updateHighWatermark(log.logEndOffset);
}

async function putAll(...texts: string[]): Promise<void> {
  for (const text of texts) {
    const [key, value] = text.split('=') as [string, string | undefined];
    await put(log, [{ key, value: value ?? null, timestamp: f.time.now() }]);
  }
}

function checkpoint(): string | null {
  const path = '/data/cleaner-offset-checkpoint';
  return f.fs.exists(path) ? f.fs.readFile(path).toString() : null;
}

const clean = () => cleanAll(f, manager);

beforeEach(() => start());
afterEach(() => manager.shutdown());

describe('a compacted log', () => {
  it('keeps the last record of each key under its offset, and the active segment as it is', async () => {
    await putAll('a=1', 'b=2', 'a=3', 'c=4', 'a=5', 'b=6');
    await clean();
    expect(await lines(log)).toEqual(['1 b=2', '3 c=4', '4 a=5', '5 b=6']);
    expect([log.logStartOffset, log.logEndOffset]).toEqual([0, 6]);
  });

  it('does not touch a log whose policy is to delete', async () => {
    await manager.shutdown();
    await start({ 'cleanup.policy': ['delete'] });
    await putAll('a=1', 'a=2', 'a=3');
    await clean();
    expect(await lines(log)).toEqual(['0 a=1', '1 a=2', '2 a=3']);
    expect(checkpoint()).toBeNull();
  });

  it('goes on from where it was cleaned, which the checkpoint tells, also after a restart', async () => {
    await putAll('a=1', 'a=2', 'b=3', 'b=4');
    await clean();
    expect(checkpoint()).toBe('0\n1\norders 0 3\n');
    await manager.shutdown();
    await open();
    await putAll('a=5', 'c=6');
    await clean();
    expect(await lines(log)).toEqual(['3 b=4', '4 a=5', '5 c=6']);
    expect(checkpoint()).toBe('0\n1\norders 0 5\n');
  });

  it('puts small segments together, and leaves no other file', async () => {
    await manager.shutdown();
    await start({ 'segment.bytes': 80, 'file.delete.delay.ms': 500 });
    await putAll('a=1', 'a=2', 'a=3', 'a=4', 'b=5');
    f.config = { ...f.config, 'segment.bytes': 1000 };
    manager.updateTopicConfig('orders');
    await clean();
    f.time.advance(1000);
    await clean();
    const segments = filesIn(f.fs, DIR).filter(name => /^\d/.test(name));
    const files = (base: number) =>
      ['index', 'log', 'timeindex'].map(kind => `${String(base).padStart(20, '0')}.${kind}`);
    expect(segments.filter(name => !name.endsWith('.snapshot'))).toEqual([...files(0), ...files(4)]);
  });

  it('keeps the modification time of the last file', async () => {
    await putAll('a=1', 'a=2', 'b=3');
    const modified = f.fs.stat(`${DIR}/00000000000000000001.log`)!.modifiedMs;
    f.time.advance(5_000);
    f.config = { ...f.config, 'segment.bytes': 1000 };
    manager.updateTopicConfig('orders');
    await clean();
    expect(f.fs.stat(`${DIR}/00000000000000000000.log`)!.modifiedMs).toBe(modified);
  });

  it('is cleaned in parts when the keys do not fit, and is clean in the end', async () => {
    await manager.shutdown();
    await start({}, { dedupeBufferBytes: 4 * 24 });
    await putAll(...Array.from({ length: 40 }, (_, i) => `k${i % 20}=${i}`), 'end=1');
    await clean();
    const found = (await kept(log)).map(({ offset }) => offset);
    expect(found).toEqual(Array.from({ length: 21 }, (_, i) => 20 + i));
    expect(manager.cleaner!.statistics.cleanings).toBeGreaterThan(5);
  });

  it('is left alone where records are too young, not committed, or of an open transaction', async () => {
    await manager.shutdown();
    await start({ 'min.compaction.lag.ms': 60_000 });
    for (const value of ['1', '2']) await put(log, [{ key: 'a', value, timestamp: f.time.now() - 61_000 }]);
    await putAll('a=3', 'a=4', 'a=5');
    log.updateHighWatermark(1);
    await clean();
    expect(await lines(log)).toHaveLength(5);
    log.updateHighWatermark(5);
    await clean();
    expect((await lines(log)).slice(-4)).toEqual(['1 a=2', '2 a=3', '3 a=4', '4 a=5']);
    f.time.advance(61_000);
    await clean();
    expect(await lines(log)).toEqual(['3 a=4', '4 a=5']);
  });

  it('is left alone from the beginning of an open transaction on', async () => {
    await putAll('a=1', 'a=2');
    const options = { producerId: 9, producerEpoch: 0, baseSequence: 0, isTransactional: true, baseOffset: 2 };
    await log.appendAsFollower(batchOf([{ key: 'a', value: 'open' }], options));
    await putAll('a=4', 'a=5');
    await clean();
    expect(await lines(log)).toEqual(['1 a=2', '2 a=open', '3 a=4', '4 a=5']);
  });

  it('loses tombstones delete.retention.ms after they were first seen, not after they were written', async () => {
    await putAll('a=1');
    f.time.advance(30 * DAY);
    await putAll('a', 'b=1', 'c=1');
    await clean();
    expect(await lines(log)).toEqual(['1 a=null', '2 b=1', '3 c=1']);
    f.time.advance(DAY - 10_000);
    await putAll('d=1', 'd=2');
    await clean();
    expect(await lines(log)).toContain('1 a=null');
    f.time.advance(20_000);
    await putAll('e=1', 'e=2');
    await clean();
    expect(await lines(log)).not.toContain('1 a=null');
  });

  it('loses records without a key', async () => {
    f.config = { ...f.config, 'cleanup.policy': ['delete'] };
    manager.updateTopicConfig('orders');
    await log.appendAsLeader(batchOf([{ key: null, value: 'x' }]), 0);
    f.config = { ...f.config, 'cleanup.policy': ['compact'] };
    manager.updateTopicConfig('orders');
    await putAll('a=1', 'b=2');
    await clean();
    expect(await lines(log)).toEqual(['1 a=1', '2 b=2']);
  });

  it('remembers an idempotent producer of whom no record is left, also without its snapshots', async () => {
    const producer = { producerId: 9, producerEpoch: 2 };
    await put(log, [{ key: 'a', value: '1', timestamp: f.time.now() }], { ...producer, baseSequence: 0 });
    await put(log, [{ key: 'a', value: '2', timestamp: f.time.now() }], { ...producer, baseSequence: 1 });
    await putAll('a=3', 'b=4');
    await clean();
    expect(await lines(log)).toEqual(['2 a=3', '3 b=4']);
    const empty = (await batchesOf(log))[0]!;
    expect([batch.recordCount(empty, 0), batch.lastSequence(empty, 0), batch.baseOffset(empty, 0)]).toEqual([0, 1, 1]);
    await manager.shutdown();
    for (const name of filesIn(f.fs, DIR)) if (name.endsWith('.snapshot')) f.fs.removeFileSync(`${DIR}/${name}`);
    f.fs.removeFileSync('/data/.kafka_cleanshutdown');
    await open();
    await put(log, [{ key: 'c', value: '5', timestamp: f.time.now() }], { ...producer, baseSequence: 2 });
    await expect(put(log, [{ key: 'c', value: '6' }], { ...producer, baseSequence: 9 })).rejects.toThrow(/sequence/i);
  });

  it('answers by time and by offset as before', async () => {
    const t0 = f.time.now();
    for (let i = 0; i < 10; i++) {
      await putAll(`k${i % 3}=${i}`);
      f.time.advance(100);
    }
    await clean();
    expect(await log.offsetForTimestamp(t0 + 650)).toMatchObject({ offset: 7, timestamp: t0 + 700 });
    expect(await log.offsetForTimestamp(t0)).toMatchObject({ offset: 6 });
    expect(await log.maxTimestampOffset()).toMatchObject({ offset: 9, timestamp: t0 + 900 });
    const { records } = await log.read(2, 1 << 20, { upperBound: 'highWatermark', minOneMessage: true });
    expect(batch.baseOffset(records[0]!, 0)).toBe(6);
    expect(log.epochAt(0)).toBe(0);
  });

  it('gives consumers what follows segments of nothing but headers', async () => {
    for (const [i, id] of [11, 12, 13].entries()) {
      const options = { producerId: id, producerEpoch: 0, baseSequence: 0 };
      await put(log, [{ key: 'a', value: String(i), timestamp: f.time.now() }], options);
    }
    await putAll('a=3', 'b=4');
    await clean();
    const read = async (upperBound: 'logEnd' | 'highWatermark') => {
      const { records } = await log.read(0, 1 << 20, { upperBound, minOneMessage: true });
      return [batch.baseOffset(records[0]!, 0), batch.recordCount(records[0]!, 0)];
    };
    expect(await read('logEnd')).toEqual([0, 0]);
    expect(await read('highWatermark')).toEqual([3, 1]);
    log.updateHighWatermark(3);
    expect(await read('highWatermark')).toEqual([2, 0]);
  });

  it('gives consumers what follows a header in the same segment, however little they ask for', async () => {
    await manager.shutdown();
    await start({ 'segment.bytes': 300 });
    await put(log, [{ key: 'a', value: '0', timestamp: f.time.now() }], {
      producerId: 11,
      producerEpoch: 0,
      baseSequence: 0,
    });
    await putAll('b=1', 'a=2', 'c=3', 'd=4', 'e=5', 'f=6', 'g=7');
    await clean();
    const first = async (upperBound: 'logEnd' | 'highWatermark') => {
      const { records } = await log.read(0, 1, { upperBound, minOneMessage: true });
      return [batch.baseOffset(records[0]!, 0), batch.recordCount(records[0]!, 0)];
    };
    expect(await first('logEnd')).toEqual([0, 0]);
    expect(await first('highWatermark')).toEqual([1, 1]);
  });
});

describe('the order of cleaning', () => {
  it('is by dirtiness; the settings of a log decide whether it is its turn', async () => {
    await manager.shutdown();
    await start({ 'min.cleanable.dirty.ratio': 0.5 });
    await putAll('a=1', 'a=2', 'a=3');
    await clean();
    expect(await lines(log)).toEqual(['1 a=2', '2 a=3']);
    await putAll(...'bcdefgh'.split('').map(key => `${key}=1`));
    await clean();
    const before = manager.cleaner!.statistics.cleanings;
    await putAll('b=2', 'b=3');
    await clean();
    expect(manager.cleaner!.statistics.cleanings).toBe(before);
    expect(manager.cleaner!.statistics.maxDirtyPercent).toBeGreaterThan(0);
    expect(manager.cleaner!.statistics.maxDirtyPercent).toBeLessThanOrEqual(50);
  });

  it('gives way to max.compaction.lag.ms, which also ends segments', async () => {
    await manager.shutdown();
    await start({ 'segment.bytes': 1 << 20, 'min.cleanable.dirty.ratio': 1, 'max.compaction.lag.ms': 60_000 });
    await putAll('a=1', 'a=2');
    f.time.advance(61_000);
    await putAll('b=1');
    await clean();
    expect(await lines(log)).toEqual(['1 a=2', '2 b=1']);
  });
});

describe('what happens to a log while it is cleaned', () => {
  const aTurn = () => {
    f.time.advance(BACKOFF_MS);
    return new Promise(resolve => setImmediate(resolve));
  };

  /** Begins a cleaning and comes back in the middle of it. */
  async function inTheMiddle(): Promise<void> {
    await putAll(...Array.from({ length: 60 }, (_, i) => `k${i % 7}=${i}`));
    while (!log.compaction.isRunning) await aTurn();
    for (let turn = 0; turn < 90; turn++) await aTurn();
    expect(log.compaction.isRunning).toBe(true);
  }

  const rest = () => filesIn(f.fs, DIR).filter(name => /cleaned|swap/.test(name));

  it('is cut by a truncation: the cleaning ends, the checkpoint goes back, the next cleaning is right', async () => {
    await putAll(...Array.from({ length: 30 }, (_, i) => `j${i % 5}=${i}`));
    await clean();
    expect(checkpoint()).toBe('0\n1\norders 0 29\n');
    await inTheMiddle();
    await log.truncateTo(27);
    await clean();
    expect(checkpoint()).toMatch(/^0\n1\norders 0 2[67]\n$/);
    expect(rest()).toEqual([]);
    await putAll('j0=new', 'j1=new', 'x=1');
    await clean();
    expect((await kept(log)).map(({ key, value }) => `${key}=${String(value)}`).sort()).toEqual(
      // What was compacted away below the cut is gone.
      ['j0=new', 'j1=new', 'x=1'],
    );
  });

  it('is deleted, and made again: nothing of the former one counts', async () => {
    await inTheMiddle();
    await manager.deleteLog('orders', 0);
    log = ordersLog(manager);
    await putAll('a=1', 'a=2', 'a=3');
    await clean();
    expect(await lines(log)).toEqual(['1 a=2', '2 a=3']);
    expect(rest()).toEqual([]);
    expect(f.failures).toEqual([]);
  });

  it('loses its policy: the cleaning ends', async () => {
    await inTheMiddle();
    f.config = { ...f.config, 'cleanup.policy': ['delete'] };
    manager.updateTopicConfig('orders');
    await clean();
    expect(checkpoint()).toBeNull();
    expect(rest()).toEqual([]);
  });

  it('is asked to stop with its broker, which starts again without a trace of it', async () => {
    await inTheMiddle();
    await manager.shutdown();
    expect(rest()).toEqual([]);
    await open();
    await clean();
    expect((await kept(log)).length).toBeLessThanOrEqual(8);
  });

  it('moves to another directory: no cleaning meanwhile, and the checkpoint moves with it', async () => {
    await manager.shutdown();
    await start({}, {}, { directories: ['/data', '/other'] });
    await putAll('a=1', 'a=2', 'b=3');
    await clean();
    const future = manager.createFutureLog(log, '/other');
    await putAll('a=4', 'a=5', 'a=6');
    await clean();
    expect(await lines(log)).toHaveLength(5);
    for (const bytes of await batchesOf(log)) await future.appendAsFollower(bytes);
    log = manager.swapInFutureLog('orders', 0);
    await clean();
    expect((await lines(log)).slice(-3)).toEqual(['2 b=3', '4 a=5', '5 a=6']);
    expect(checkpoint()).toBe('0\n0\n');
    expect(f.fs.readFile('/other/cleaner-offset-checkpoint').toString()).toBe('0\n1\norders 0 5\n');
  });
});

describe('what cannot be cleaned', () => {
  it('is marked by damage in a batch, reported once, and left alone; others are cleaned', async () => {
    const errors: object[] = [];
    await manager.shutdown();
    const logger = { ...silentLogger };
    logger.error = (fields: unknown) => void errors.push(fields as object);
    await start({}, {}, { logger });
    await putAll('a=1', 'a=2', 'a=3', 'a=4');
    const handle = f.fs.open(`${DIR}/00000000000000000001.log`, 'r+');
    handle.writevSync([Buffer.from('XX')], 66);
    handle.closeSync();
    await clean();
    expect(manager.cleaner!.uncleanable).toEqual([log]);
    expect(errors).toHaveLength(1);
    expect(f.failures).toEqual([]);
    const other = manager.getOrCreateLog('others', 0, { topicId: null, isNew: true });
    for (const value of ['1', '2', '3']) await put(other, [{ key: 'k', value }]);
    await clean();
    expect(await lines(other)).toEqual(['1 k=2', '2 k=3']);
    expect(errors).toHaveLength(1);
  });

  it('is a disk that fails: its directory goes offline', async () => {
    await putAll('a=1', 'a=2', 'a=3');
    f.fs.inject({ operation: 'write', path: /cleaned/, code: 'EIO' });
    f.time.advance(1_000);
    for (let i = 0; i < 100 && f.failures.length === 0; i++) {
      f.time.advance(1_000);
      await new Promise(resolve => setImmediate(resolve));
    }
    expect(f.failures).toEqual(['/data']);
  });

  it('is a batch with more keys than there is memory for', async () => {
    await manager.shutdown();
    await start({ 'segment.bytes': 1000 }, { dedupeBufferBytes: 4 * 24 });
    await put(
      log,
      'abcdefgh'.split('').map(key => ({ key, value: '1' })),
    );
    f.config = { ...f.config, 'segment.bytes': 80 };
    manager.updateTopicConfig('orders');
    await putAll('a=2', 'a=3');
    await clean();
    expect(manager.cleaner!.uncleanable).toEqual([log]);
  });
});
