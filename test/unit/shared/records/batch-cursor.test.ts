import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BatchCursor } from '../../../../shared/records/batch-cursor.ts';
import * as batch from '../../../../shared/records/batch.ts';
import { COMMIT_MARKER, TWO_RECORDS, anyRecords, build, bytes, thrown } from './support.ts';
import { runs } from '../../../support/property-runs.ts';

function offsets(buffer: Buffer, cursor: BatchCursor): number[] {
  const found: number[] = [];
  while (cursor.next()) found.push(batch.baseOffset(buffer, cursor.position));
  return found;
}

describe('walking the batches of a buffer', () => {
  it('finds each, and no torn tail', () => {
    const log = Buffer.concat([TWO_RECORDS, COMMIT_MARKER]);
    const cursor = new BatchCursor().reset(log);
    expect(offsets(log, cursor)).toEqual([100, 102]);
    expect(cursor.tornBytes).toBe(0);
    expect(cursor.position).toBe(log.length);
    expect(cursor.next()).toBe(false);
  });

  it('finds nothing in nothing', () => {
    const cursor = new BatchCursor().reset(Buffer.alloc(0));
    expect(cursor.next()).toBe(false);
    expect(cursor.tornBytes).toBe(0);
  });

  it('keeps to the range it is given, and can start over', () => {
    const log = Buffer.concat([TWO_RECORDS, COMMIT_MARKER, TWO_RECORDS]);
    const cursor = new BatchCursor().reset(log, TWO_RECORDS.length, TWO_RECORDS.length + COMMIT_MARKER.length);
    expect(offsets(log, cursor)).toEqual([102]);
    expect(offsets(log, cursor.reset(log))).toEqual([100, 102, 100]);
  });

  it('stops, wherever the last batch is cut, behind the one before, and says how much is torn', () => {
    const log = Buffer.concat([TWO_RECORDS, COMMIT_MARKER]);
    for (let length = TWO_RECORDS.length; length < log.length; length++) {
      const cursor = new BatchCursor().reset(log.subarray(0, length));
      expect(offsets(log, cursor)).toEqual([100]);
      expect(cursor.position).toBe(TWO_RECORDS.length);
      expect(cursor.tornBytes).toBe(length - TWO_RECORDS.length);
    }
  });

  it('walks any concatenation, cut anywhere, to exactly its whole batches', () => {
    fc.assert(
      fc.property(fc.array(anyRecords, { maxLength: 4 }), fc.double({ min: 0, max: 1, noNaN: true }), (sets, cut) => {
        const batches = sets.map((records, i) => build(records, { baseOffset: i }));
        const log = Buffer.concat(batches);
        const length = Math.floor(cut * log.length);
        let whole = 0;
        let end = 0;
        while (whole < batches.length && end + batches[whole]!.length <= length) end += batches[whole++]!.length;
        const cursor = new BatchCursor().reset(log, 0, length);
        expect(offsets(log, cursor)).toEqual(batches.slice(0, whole).map((_, i) => i));
        expect(cursor.position).toBe(end);
        expect(cursor.tornBytes).toBe(length - end);
      }),
      runs(50),
    );
  });

  it.each([
    ['a magic from the future', (b: Buffer) => b.writeInt8(3, 16), /magic would be 3/],
    ['a negative magic', (b: Buffer) => b.writeInt8(-1, 16), /magic would be -1/],
    ['a size below the header’s', (b: Buffer) => b.writeInt32BE(48, 8), /size 60 bytes/],
    ['a negative size', (b: Buffer) => b.writeInt32BE(-1, 8), /size 11 bytes/],
    ['zeroes, as after a crash of the file system', (b: Buffer) => b.fill(0), /size 12 bytes/],
  ])('refuses %s, again and again, with the valid prefix still known', (_name, damage, message) => {
    const second = Buffer.from(COMMIT_MARKER);
    damage(second);
    const log = Buffer.concat([TWO_RECORDS, second]);
    const cursor = new BatchCursor().reset(log);
    expect(cursor.next()).toBe(true);
    for (let again = 0; again < 2; again++) {
      const error = thrown(() => cursor.next());
      expect(error).toMatchObject({ kind: 'CORRUPT' });
      expect(String(error)).toMatch(message);
      expect(cursor.position).toBe(TWO_RECORDS.length);
    }
  });

  it('takes a size of 2 GiB for a torn batch', () => {
    const cursor = new BatchCursor().reset(bytes(`0000000000000000 7fffffff 00000000 02 00000000`));
    expect(cursor.next()).toBe(false);
    expect(cursor.tornBytes).toBe(21);
  });
});
