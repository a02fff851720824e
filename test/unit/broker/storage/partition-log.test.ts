import { describe, expect, it } from 'vitest';
import { StorageError } from '../../../../broker/storage/errors.ts';
import type { PartitionLog } from '../../../../broker/storage/partition-log.ts';
import { CODECS } from '../../../../shared/records/compression.ts';
import { rawBatch } from '../../../support/raw-batch.ts';
import { batchOf, filesIn, fixture, ordersLog, readAll, recordsIn } from './support.ts';

const ALL = { upperBound: 'logEnd', minOneMessage: true } as const;
const STRICT = { upperBound: 'logEnd', minOneMessage: false } as const;

/** What of a StorageError a caller acts on. */
function failing(kind: string) {
  return expect.objectContaining({ name: 'StorageError', kind }) as StorageError;
}

async function values(log: PartitionLog, from?: number): Promise<string[]> {
  return (await readAll(log, from)).map(({ value }) => value);
}

/** Appends batches of one record each, with these values. */
async function append(log: PartitionLog, ...records: string[]): Promise<void> {
  await Promise.all(records.map(value => log.appendAsLeader(batchOf([value]), 0)));
}

describe('appending as leader', () => {
  it('gives offsets in the order of the calls and writes them at the end of the turn', async () => {
    const log = ordersLog(await fixture().open());
    const appends = [log.appendAsLeader(batchOf(['a', 'b']), 3), log.appendAsLeader(batchOf(['c']), 3)];
    expect(log.logEndOffset).toBe(0);
    const infos = await Promise.all(appends);
    expect(infos.map(info => [info.firstOffset, info.lastOffset, info.recordCount])).toEqual([
      [0, 1, 2],
      [2, 2, 1],
    ]);
    expect(log.logEndOffset).toBe(3);
    expect(await readAll(log)).toEqual([
      { offset: 0, value: 'a' },
      { offset: 1, value: 'b' },
      { offset: 2, value: 'c' },
    ]);
    expect(log.latestEpoch).toBe(3);
  });

  it('reads back compressed batches at the offsets it gave', async () => {
    const log = ordersLog(await fixture().open());
    for (const codec of Object.values(CODECS)) {
      const info = await log.appendAsLeader(batchOf(['x', 'y', 'z'], { codec }), 0);
      const found = await readAll(log, info.firstOffset);
      expect(found.map(({ offset }) => offset)).toEqual([info.firstOffset, info.firstOffset + 1, info.lastOffset]);
    }
  });

  it('writes a turn of many appends in their order, across the limits of a single write', async () => {
    const log = ordersLog(await fixture().open());
    const expected = Array.from({ length: 2500 }, (_, i) => `record ${i} ${'x'.repeat(600)}`);
    await append(log, ...expected);
    expect(await values(log)).toEqual(expected);
  });

  it('refuses a batch larger than max.message.bytes, which a follower accepts', async () => {
    const log = ordersLog(await fixture({ 'max.message.bytes': 200 }).open());
    const large = batchOf(['x'.repeat(200)]);
    await expect(log.appendAsLeader(large, 0)).rejects.toEqual(failing('MESSAGE_TOO_LARGE'));
    expect(log.logEndOffset).toBe(0);
    await log.appendAsFollower(large);
    expect(log.logEndOffset).toBe(1);
  });

  it('refuses more bytes than a segment holds', async () => {
    const log = ordersLog(await fixture({ 'segment.bytes': 100 }).open());
    await expect(log.appendAsLeader(batchOf(['x'.repeat(100)]), 0)).rejects.toEqual(failing('RECORD_LIST_TOO_LARGE'));
  });

  it('stores nothing of a batch with a malformed record, and what comes beside it', async () => {
    const log = ordersLog(await fixture().open());
    const malformed = rawBatch([{ value: Buffer.from('fine') }, { value: Buffer.from('gap'), offsetDelta: 2 }]);
    const results = await Promise.allSettled([
      log.appendAsLeader(batchOf(['good']), 0),
      log.appendAsLeader(malformed, 0),
      log.appendAsLeader(batchOf(['also good']), 0),
    ]);
    expect(results[1]).toEqual({ status: 'rejected', reason: failing('INVALID_RECORD') });
    expect(await readAll(log)).toEqual([
      { offset: 0, value: 'good' },
      { offset: 1, value: 'also good' },
    ]);
  });

  it('refuses what is broken without taking offsets for it', async () => {
    const log = ordersLog(await fixture().open());
    const corrupt = batchOf(['a']);
    corrupt[corrupt.length - 1]! ^= 1;
    const appends = [
      log.appendAsLeader(batchOf(['good']), 0),
      log.appendAsLeader(corrupt, 0),
      log.appendAsLeader(batchOf(['also good']), 0),
    ];
    const [first, second, third] = await Promise.allSettled(appends);
    expect(first).toMatchObject({ status: 'fulfilled', value: { firstOffset: 0 } });
    expect(second).toMatchObject({ status: 'rejected', reason: failing('CORRUPT_MESSAGE') });
    expect(third).toMatchObject({ status: 'fulfilled', value: { firstOffset: 1 } });
  });

  it('answers only after a flush when flush.messages asks for it', async () => {
    const f = fixture({ 'flush.messages': 2 });
    const log = ordersLog(await f.open());
    await append(log, 'a');
    expect(log.recoveryPoint).toBe(0);
    await append(log, 'b');
    expect(log.recoveryPoint).toBe(2);
  });
});

describe('appending as follower', () => {
  it('keeps offsets, epochs and bytes as they are', async () => {
    const log = ordersLog(await fixture().open());
    const bytes = Buffer.concat([
      batchOf(['a', 'b'], { partitionLeaderEpoch: 2 }),
      batchOf(['c'], { baseOffset: 2, partitionLeaderEpoch: 4 }),
    ]);
    const info = await log.appendAsFollower(bytes);
    expect(info).toMatchObject({ firstOffset: 0, lastOffset: 2, validBytes: bytes.length });
    expect(Buffer.concat((await log.read(0, 10_000, ALL)).records)).toEqual(bytes);
    expect(log.endOffsetForEpoch(2)).toEqual({ leaderEpoch: 2, endOffset: 2 });
    expect(log.latestEpoch).toBe(4);
  });

  it('leaves out a batch that is cut off at the end', async () => {
    const log = ordersLog(await fixture().open());
    const whole = batchOf(['a']);
    const cut = batchOf(['b'], { baseOffset: 1 }).subarray(0, 65);
    expect(await log.appendAsFollower(Buffer.concat([whole, cut]))).toMatchObject({ validBytes: whole.length });
    expect(await log.appendAsFollower(cut)).toMatchObject({ validBytes: 0 });
    expect(log.logEndOffset).toBe(1);
  });

  it('refuses offsets below its end, and offsets that do not grow', async () => {
    const log = ordersLog(await fixture().open());
    await log.appendAsFollower(batchOf(['a', 'b']));
    await expect(log.appendAsFollower(batchOf(['c'], { baseOffset: 1 }))).rejects.toEqual(failing('UNEXPECTED_OFFSET'));
    const backwards = [batchOf(['c'], { baseOffset: 5 }), batchOf(['d'], { baseOffset: 3 })];
    await expect(log.appendAsFollower(Buffer.concat(backwards))).rejects.toEqual(failing('UNEXPECTED_OFFSET'));
    expect(await values(log)).toEqual(['a', 'b']);
  });

  it('refuses a batch with a wrong checksum', async () => {
    const log = ordersLog(await fixture().open());
    const corrupt = batchOf(['a']);
    corrupt[corrupt.length - 1]! ^= 1;
    await expect(log.appendAsFollower(corrupt)).rejects.toEqual(failing('CORRUPT_MESSAGE'));
  });

  it('begins an empty log where a batch that reaches it begins, but not with one wholly below it', async () => {
    const log = ordersLog(await fixture().open());
    await log.truncateFullyAndStartAt(4);
    const below = batchOf(['x', 'y'], { baseOffset: 2 });
    await expect(log.appendAsFollower(below)).rejects.toEqual(failing('UNEXPECTED_OFFSET'));
    await log.appendAsFollower(batchOf(['a', 'b', 'c'], { baseOffset: 3 }));
    expect([log.logStartOffset, log.logEndOffset]).toEqual([3, 6]);
  });
});

describe('reading', () => {
  it('finds nothing at the log end, and refuses what is outside the log', async () => {
    const log = ordersLog(await fixture().open());
    await append(log, 'a', 'b', 'c');
    expect((await log.read(3, 1000, ALL)).records).toEqual([]);
    await expect(log.read(4, 1000, ALL)).rejects.toEqual(failing('OFFSET_OUT_OF_RANGE'));
    log.updateHighWatermark(3);
    log.incrementLogStartOffset(1);
    await expect(log.read(0, 1000, ALL)).rejects.toEqual(failing('OFFSET_OUT_OF_RANGE'));
  });

  it('goes on behind a gap, also in the next segment', async () => {
    const log = ordersLog(await fixture({ 'segment.bytes': 150 }).open());
    await log.appendAsFollower(batchOf(['a']));
    await log.appendAsFollower(batchOf(['b'], { baseOffset: 5 }));
    await log.appendAsFollower(batchOf(['c'], { baseOffset: 10 }));
    expect(await readAll(log, 2)).toEqual([
      { offset: 5, value: 'b' },
      { offset: 10, value: 'c' },
    ]);
    expect((await readAll(log, 6))[0]).toEqual({ offset: 10, value: 'c' });
  });

  it('returns a first batch that exceeds the limit whole, or its beginning, as asked', async () => {
    const log = ordersLog(await fixture().open());
    const bytes = batchOf(['x'.repeat(500)]);
    await log.appendAsLeader(bytes, 0);
    const whole = await log.read(0, 100, ALL);
    expect(whole).toMatchObject({ sizeInBytes: bytes.length, firstEntryIncomplete: false });
    const partial = await log.read(0, 100, STRICT);
    expect(partial).toMatchObject({ sizeInBytes: 100, firstEntryIncomplete: true });
    expect(Buffer.concat(partial.records)).toEqual(bytes.subarray(0, 100));
    expect(await log.read(0, 0, STRICT)).toMatchObject({ sizeInBytes: 0 });
  });

  it('never returns what is above the high watermark to those bound by it', async () => {
    const log = ordersLog(await fixture().open());
    await append(log, 'a', 'b', 'c');
    log.updateHighWatermark(2);
    const committed = { upperBound: 'highWatermark', minOneMessage: true } as const;
    expect(recordsIn((await log.read(0, 10_000, committed)).records).map(({ value }) => value)).toEqual(['a', 'b']);
    expect((await log.read(2, 10_000, committed)).records).toEqual([]);
  });

  it('keeps to the limit, whole batches only', async () => {
    const log = ordersLog(await fixture().open());
    await append(log, 'a', 'b', 'c', 'd');
    const size = batchOf(['a']).length;
    for (const limit of [size, size * 2 - 1, size * 2, size * 3 + 1]) {
      const { records } = await log.read(1, limit, ALL);
      expect(recordsIn(records)).toHaveLength(Math.min(3, Math.floor(limit / size)));
    }
  });

  it('serves appends to those who read at the end from memory', async () => {
    const f = fixture();
    const log = ordersLog(await f.open());
    await append(log, 'a');
    await log.read(1, 1000, ALL);
    await append(log, 'b', 'c');
    f.fs.inject({ operation: 'read', code: 'EIO' });
    expect(recordsIn((await log.read(1, 1000, ALL)).records).map(({ value }) => value)).toEqual(['b', 'c']);
    expect(recordsIn((await log.read(2, 1000, ALL)).records).map(({ value }) => value)).toEqual(['c']);
    expect(recordsIn((await log.read(1, 80, ALL)).records).map(({ value }) => value)).toEqual(['b']);
  });

  it('counts the bytes that wait for a reader', async () => {
    const log = ordersLog(await fixture({ 'segment.bytes': 400 }).open());
    await append(log, 'a', 'b');
    const size = batchOf(['a']).length;
    expect(log.sizeBetween(0, 'logEnd')).toEqual({ bytes: 2 * size, isOnOlderSegment: false });
    expect(log.sizeBetween(2, 'logEnd')).toEqual({ bytes: 0, isOnOlderSegment: false });
    expect(log.sizeBetween(0, 'highWatermark').bytes).toBe(0);
    await append(log, 'c');
    expect(log.sizeBetween(2, 'logEnd')).toEqual({ bytes: size, isOnOlderSegment: false });
    await append(log, 'd', 'e', 'f', 'g');
    expect(log.sizeBetween(2, 'logEnd').isOnOlderSegment).toBe(true);
  });

  /** A disk whose reads can be made to wait at their end, and then to fail. */
  function withHeldReads(f: ReturnType<typeof fixture>) {
    let gate: Promise<void> | null = null;
    const open = f.fs.open.bind(f.fs);
    f.fs.open = (path, flags) => {
      const handle = open(path, flags);
      const read = handle.read.bind(handle);
      return Object.assign(handle, {
        read: async (...args: Parameters<typeof read>) => {
          const count = await read(...args);
          await gate;
          return count;
        },
      });
    };
    return () => {
      let settle!: (error?: Error) => void;
      gate = new Promise((resolve, reject) => {
        settle = error => {
          gate = null;
          if (error === undefined) resolve();
          else reject(error);
        };
      });
      return settle;
    };
  }

  it('is done again when a truncation overtakes it', async () => {
    const f = fixture();
    const hold = withHeldReads(f);
    const log = ordersLog(await f.open());
    await append(log, 'a', 'b', 'c');
    const goOn = hold();
    const reading = log.read(1, 10_000, ALL);
    await new Promise(resolve => setImmediate(resolve));
    await log.truncateTo(1);
    await log.appendAsLeader(batchOf(['x', 'y']), 1);
    goOn();
    expect(recordsIn((await reading).records).map(({ value }) => value)).toEqual(['x', 'y']);
  });

  it('does not take an error for one of the disk when the segment was deleted meanwhile', async () => {
    const f = fixture({ 'segment.bytes': 100, 'retention.ms': 1000 });
    const hold = withHeldReads(f);
    const manager = await f.open();
    const log = ordersLog(manager);
    await append(log, 'a', 'b', 'c');
    log.updateHighWatermark(3);
    const goOn = hold();
    const reading = log.read(0, 1000, ALL);
    await log.deleteOldSegments();
    goOn(Object.assign(new Error('gone'), { code: 'ENOENT' }));
    await expect(reading).rejects.toEqual(failing('OFFSET_OUT_OF_RANGE'));
    expect(manager.offlineDirectories).toEqual([]);
  });

  it('reads on undisturbed while old segments are deleted and files removed', async () => {
    const f = fixture({ 'segment.bytes': 100, 'retention.ms': 1000, 'file.delete.delay.ms': 60_000 });
    const log = ordersLog(await f.open());
    await append(log, 'a', 'b', 'c');
    log.updateHighWatermark(3);
    const reading = log.read(0, 1000, ALL);
    await log.deleteOldSegments();
    // Whatever comes first: the data, or that it is gone.
    await reading.then(
      ({ records }) => expect(recordsIn(records)[0]).toEqual({ offset: 0, value: 'a' }),
      (error: unknown) => expect(error).toEqual(failing('OFFSET_OUT_OF_RANGE')),
    );
    expect(filesIn(f.fs, '/data/orders-0').some(name => name.endsWith('.deleted'))).toBe(true);
    f.time.advance(60_000);
    await new Promise(resolve => setImmediate(resolve));
    expect(filesIn(f.fs, '/data/orders-0').some(name => name.endsWith('.deleted'))).toBe(false);
    expect(f.failures).toEqual([]);
  });
});

describe('rolling', () => {
  /** Base offsets of the segments. */
  function segments(f: ReturnType<typeof fixture>): number[] {
    return filesIn(f.fs, '/data/orders-0')
      .filter(name => name.endsWith('.log'))
      .map(name => Number.parseInt(name));
  }

  it('begins a new segment when the size is reached', async () => {
    const f = fixture({ 'segment.bytes': 150 });
    const log = ordersLog(await f.open());
    await append(log, 'a', 'b', 'c', 'd', 'e');
    expect(segments(f)).toEqual([0, 2, 4]);
    expect(await values(log)).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('begins a new segment when the records span segment.ms', async () => {
    const f = fixture({ 'segment.ms': 1000 });
    const log = ordersLog(await f.open());
    await log.appendAsLeader(batchOf([{ value: 'a', timestamp: 5000 }]), 0);
    await log.appendAsLeader(batchOf([{ value: 'b', timestamp: 6000 }]), 0);
    expect(segments(f)).toEqual([0]);
    await log.appendAsLeader(batchOf([{ value: 'c', timestamp: 6001 }]), 0);
    expect(segments(f)).toEqual([0, 2]);
  });

  it('goes by the clock where records have no timestamps', async () => {
    const f = fixture({ 'segment.ms': 1000 });
    const log = ordersLog(await f.open());
    await log.appendAsLeader(batchOf([{ value: 'a', timestamp: -1 }]), 0);
    f.time.advance(1001);
    await log.appendAsLeader(batchOf([{ value: 'b', timestamp: -1 }]), 0);
    expect(segments(f)).toEqual([0, 1]);
  });

  it('begins a new segment when an index is full', async () => {
    const f = fixture({ 'segment.index.bytes': 24, 'index.interval.bytes': 0 });
    const log = ordersLog(await f.open());
    for (const value of 'abcdefgh') {
      await log.appendAsLeader(batchOf([{ value, timestamp: 1000 + value.charCodeAt(0) }]), 0);
    }
    expect(segments(f).length).toBeGreaterThan(2);
    expect(await values(log)).toEqual([...'abcdefgh']);
  });

  it('begins a new segment when an offset would be too far from the base', async () => {
    const f = fixture();
    const log = ordersLog(await f.open());
    await log.appendAsFollower(batchOf(['a']));
    await log.appendAsFollower(batchOf(['b'], { baseOffset: 2 ** 31 }));
    expect(segments(f)).toEqual([0, 2 ** 31]);
    expect((await readAll(log, 1))[0]).toEqual({ offset: 2 ** 31, value: 'b' });
  });

  it('flushes what is behind and moves the recovery point', async () => {
    const f = fixture({ 'segment.bytes': 100 });
    const log = ordersLog(await f.open());
    await append(log, 'a', 'b');
    await expect.poll(() => log.recoveryPoint).toBe(1);
  });
});

describe('timestamps', () => {
  it('finds the first record at or after a time, and the largest of all', async () => {
    const log = ordersLog(await fixture({ 'segment.bytes': 200, 'index.interval.bytes': 0 }).open());
    const times = [100, 300, 200, 700, 500, 600, 650];
    for (const timestamp of times) await log.appendAsLeader(batchOf([{ timestamp }, { timestamp: timestamp + 5 }]), 2);
    for (const target of [0, 100, 101, 106, 201, 305, 306, 501, 705]) {
      const all = times.flatMap(t => [t, t + 5]);
      const offset = all.findIndex(t => t >= target);
      expect(await log.offsetForTimestamp(target)).toEqual({ timestamp: all[offset], offset, leaderEpoch: 2 });
    }
    expect(await log.offsetForTimestamp(706)).toBeNull();
    expect(await log.maxTimestampOffset()).toEqual({ timestamp: 705, offset: 7, leaderEpoch: 2 });
  });

  it('has no answers in a log without timestamps', async () => {
    const log = ordersLog(await fixture().open());
    await log.appendAsLeader(batchOf([{ timestamp: -1 }]), 0);
    expect(await log.offsetForTimestamp(0)).toBeNull();
    expect(await log.maxTimestampOffset()).toBeNull();
  });
});

describe('high watermark and log start', () => {
  it('keeps the high watermark within the log', async () => {
    const log = ordersLog(await fixture().open());
    await append(log, 'a', 'b', 'c');
    expect(log.updateHighWatermark(7)).toBe(3);
    expect(log.updateHighWatermark(2)).toBe(2);
    log.incrementLogStartOffset(1);
    expect(log.updateHighWatermark(0)).toBe(1);
  });

  it('moves the log start up to the high watermark only', async () => {
    const log = ordersLog(await fixture().open());
    await append(log, 'a', 'b', 'c');
    log.updateHighWatermark(2);
    expect(() => log.incrementLogStartOffset(3)).toThrow(failing('OFFSET_OUT_OF_RANGE'));
    expect(log.incrementLogStartOffset(2)).toBe(true);
    expect(log.incrementLogStartOffset(1)).toBe(false);
    expect(log.logStartOffset).toBe(2);
  });
});

describe('an I/O error', () => {
  it('takes the directory offline: everything fails from then on, and nothing that failed is readable', async () => {
    const f = fixture();
    const manager = await f.open();
    const log = ordersLog(manager);
    await append(log, 'a');
    f.fs.inject({ operation: 'write', code: 'EIO', path: /\.log$/ });
    const waiting = [log.appendAsLeader(batchOf(['b']), 0), log.appendAsLeader(batchOf(['c']), 0)];
    for (const result of await Promise.allSettled(waiting)) {
      expect(result).toMatchObject({ status: 'rejected', reason: failing('STORAGE_ERROR') });
    }
    await expect(log.read(0, 100, ALL)).rejects.toEqual(failing('STORAGE_ERROR'));
    await expect(log.appendAsLeader(batchOf(['d']), 0)).rejects.toEqual(failing('STORAGE_ERROR'));
    await expect.poll(() => f.failures).toEqual(['/data']);
    expect(manager.offlineDirectories).toEqual(['/data']);
    expect(manager.getLog('orders', 0)).toBeUndefined();
    f.fs.kill();
    expect(await values(ordersLog(await f.open()))).toEqual(['a']);
  });

  it('cuts a short write off the file again', async () => {
    const f = fixture();
    const log = ordersLog(await f.open());
    await append(log, 'a');
    const size = f.fs.stat('/data/orders-0/00000000000000000000.log')!.size;
    f.fs.setCapacity(f.fs.used + 30);
    await expect(log.appendAsLeader(batchOf(['b']), 0)).rejects.toEqual(failing('STORAGE_ERROR'));
    expect(f.fs.stat('/data/orders-0/00000000000000000000.log')!.size).toBe(size);
  });
});
