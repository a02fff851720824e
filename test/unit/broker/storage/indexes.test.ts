import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OffsetIndex } from '../../../../broker/storage/offset-index.ts';
import { SegmentIndexes } from '../../../../broker/storage/segment-indexes.ts';
import { TimeIndex } from '../../../../broker/storage/time-index.ts';
import { MemoryFileSystem } from '../../../support/memory-file-system.ts';
import { batchOf } from './support.ts';

const BASE = 1000;
const MAX = 0x7fffffff;

/** Strictly growing [offset, position] pairs. */
const offsetEntries = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 5000 })), { maxLength: 100 })
  .map(steps => {
    let [offset, position] = [BASE - 1, 0];
    return steps.map(([o, p]) => [(offset += o), (position += p)] as const);
  });

function offsetIndex(entries: readonly (readonly [number, number])[]): OffsetIndex {
  const index = new OffsetIndex(BASE);
  for (const [offset, position] of entries) expect(index.append(offset, position)).toBe(true);
  return index;
}

describe('the offset index', () => {
  it('has Kafka’s bytes', () => {
    const index = offsetIndex([[1037, 4135]]);
    expect(index.encode().toString('hex')).toBe('0000002500001027');
    expect(index.lookup(1036)).toBe(0);
    expect(index.lookup(1037)).toBe(4135);
  });

  it('finds the last entry not above an offset', () => {
    fc.assert(
      fc.property(offsetEntries, fc.integer({ min: BASE, max: BASE + 300_000 }), (entries, target) => {
        const expected = entries.findLast(([offset]) => offset <= target)?.[1] ?? 0;
        expect(offsetIndex(entries).lookup(target)).toBe(expected);
      }),
    );
  });

  it('reads what it wrote, also with reserved space behind, and refuses what cannot be', () => {
    fc.assert(
      fc.property(offsetEntries, fc.nat(5), (entries, spare) => {
        const index = offsetIndex(entries);
        const bytes = index.encode();
        const logSize = (entries.at(-1)?.[1] ?? 0) + 1;
        const padded = Buffer.concat([bytes, Buffer.alloc(spare * 8)]);
        expect(OffsetIndex.decode(BASE, padded, logSize)!.encode()).toEqual(bytes);
        expect(OffsetIndex.decode(BASE, Buffer.concat([bytes, Buffer.alloc(3)]), logSize)).toBeNull();
        if (entries.length === 0) return;
        expect(OffsetIndex.decode(BASE, bytes, logSize - 1)).toBeNull();
        expect(OffsetIndex.decode(BASE, Buffer.concat([bytes, bytes]), logSize)).toBeNull();
        expect(OffsetIndex.decode(BASE, Buffer.concat([Buffer.alloc(8), bytes]), logSize)).toBeNull();
      }),
    );
  });

  it('drops what is at or above an offset', () => {
    fc.assert(
      fc.property(offsetEntries, fc.integer({ min: BASE, max: BASE + 300_000 }), (entries, offset) => {
        const index = offsetIndex(entries);
        index.truncateTo(offset);
        expect(index.encode()).toEqual(offsetIndex(entries.filter(entry => entry[0] < offset)).encode());
      }),
    );
  });

  it('takes only entries that grow and fit 31 bits', () => {
    const index = offsetIndex([[1010, 50]]);
    expect(index.append(1010, 60)).toBe(false);
    expect(index.append(1011, 50)).toBe(false);
    expect(index.append(BASE + MAX + 1, 60)).toBe(false);
    expect(index.append(BASE + MAX, MAX)).toBe(true);
  });
});

describe('the time index', () => {
  /** Timestamps that grow strictly, with offsets that do not shrink. */
  const timeEntries = fc
    .array(fc.tuple(fc.integer({ min: 1, max: 10 ** 9 }), fc.nat(100)), { maxLength: 60 })
    .map(steps => {
      let [timestamp, offset] = [-1, BASE];
      return steps.map(([t, o]) => ({ timestamp: (timestamp += t), offset: (offset += o) }));
    });

  function timeIndex(entries: readonly { timestamp: number; offset: number }[]): TimeIndex {
    const index = new TimeIndex(BASE);
    for (const { timestamp, offset } of entries) expect(index.append(timestamp, offset)).toBe(true);
    return index;
  }

  it('has Kafka’s bytes', () => {
    const index = timeIndex([{ timestamp: 1_700_000_000_007, offset: 1037 }]);
    expect(index.encode().toString('hex')).toBe('0000018bcfe5680700000025');
    expect(index.last).toEqual({ timestamp: 1_700_000_000_007, offset: 1037 });
  });

  it('leads to where all earlier records are older', () => {
    fc.assert(
      fc.property(timeEntries, fc.integer({ min: 0, max: 10 ** 10 }), (entries, target) => {
        const expected = entries.findLast(({ timestamp }) => timestamp < target)?.offset ?? BASE;
        expect(timeIndex(entries).lookup(target)).toBe(expected);
      }),
    );
  });

  it('reads what it wrote, drops what is above, and refuses what cannot be', () => {
    fc.assert(
      fc.property(timeEntries, fc.nat(3000), (entries, above) => {
        const index = timeIndex(entries);
        const bytes = index.encode();
        const isReservedSpace = bytes.every(byte => byte === 0);
        const expected = isReservedSpace ? Buffer.alloc(0) : bytes;
        expect(TimeIndex.decode(BASE, Buffer.concat([bytes, Buffer.alloc(24)]))!.encode()).toEqual(expected);
        expect(TimeIndex.decode(BASE, Buffer.concat([bytes, Buffer.alloc(5)]))).toBeNull();
        if (!isReservedSpace) expect(TimeIndex.decode(BASE, Buffer.concat([bytes, bytes]))).toBeNull();
        index.truncateTo(BASE + above);
        expect(index.encode()).toEqual(timeIndex(entries.filter(({ offset }) => offset < BASE + above)).encode());
      }),
    );
  });

  it('keeps a first entry at timestamp 0 when others follow', () => {
    const bytes = timeIndex([
      { timestamp: 0, offset: BASE },
      { timestamp: 5, offset: BASE + 1 },
    ]).encode();
    expect(TimeIndex.decode(BASE, bytes)!.encode()).toEqual(bytes);
  });

  it('takes only later timestamps at offsets that do not go back', () => {
    const index = timeIndex([{ timestamp: 5, offset: 1010 }]);
    expect(index.append(5, 1011)).toBe(false);
    expect(index.append(6, 1009)).toBe(false);
    expect(index.append(6, 1010)).toBe(true);
  });
});

describe('both indexes of a segment', () => {
  const limits = { intervalBytes: 100, maxBytes: 10_000 };
  const paths = { offsets: '/o', times: '/t' };

  it('get an entry when more than the interval was appended since the last', () => {
    const indexes = SegmentIndexes.empty(0);
    const positions: number[] = [];
    for (let i = 0, position = 0; i < 10; i++) {
      const bytes = batchOf([{ value: `${i}`, timestamp: 100 - i }], { baseOffset: i });
      indexes.note(bytes, 0, position, limits);
      positions.push(position);
      position += bytes.length;
    }
    // 69 bytes a batch: every second one.
    expect(Array.from({ length: indexes.offsets.length }, (_, i) => indexes.offsets.positionAt(i))).toEqual(
      [2, 4, 6, 8].map(i => positions[i]),
    );
    expect(indexes.times.length).toBe(1);
    expect(indexes.largest).toEqual({ timestamp: 100, offset: 0 });
  });

  it('write what was added, and cut off what was taken away', () => {
    const fs = new MemoryFileSystem();
    fs.writeFile('/o', Buffer.alloc(800, 7));
    const indexes = SegmentIndexes.empty(0);
    const note = (from: number, to: number) => {
      for (let i = from; i < to; i++) {
        indexes.note(batchOf([{ timestamp: i }], { baseOffset: i }), 0, i * 150, { ...limits, intervalBytes: 1 });
      }
    };
    const expectFiles = () => {
      indexes.write(fs, paths);
      expect(fs.readFile('/o')).toEqual(indexes.offsets.encode());
      expect(fs.readFile('/t')).toEqual(indexes.times.encode());
    };
    note(0, 20);
    expectFiles();
    note(20, 30);
    expectFiles();
    indexes.truncateTo(10);
    expectFiles();
    note(10, 12);
    expectFiles();
    expect(indexes.offsets.length).toBe(10);
    const decoded = SegmentIndexes.decode(0, fs.readFile('/o'), fs.readFile('/t'), 2000)!;
    fs.inject({ operation: 'open', code: 'EIO' });
    decoded.write(fs, paths); // nothing to do: touches no file
  });

  it('never outgrow their limit', () => {
    const indexes = SegmentIndexes.empty(0);
    const small = { intervalBytes: 0, maxBytes: 60 };
    for (let i = 0; i < 20; i++) indexes.note(batchOf([{ timestamp: i }], { baseOffset: i }), 0, i * 70, small);
    indexes.finish();
    expect(indexes.isFull(small)).toBe(true);
    expect(indexes.times.encode().length).toBeLessThanOrEqual(60);
    expect(indexes.offsets.encode().length).toBeLessThanOrEqual(60);
    expect(indexes.times.last).toEqual({ timestamp: 19, offset: 19 });
  });
});
