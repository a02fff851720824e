import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BatchBuilder, maxRecordSize } from '../../../../shared/records/batch-builder.ts';
import * as batch from '../../../../shared/records/batch.ts';
import { CODECS } from '../../../../shared/records/compression.ts';
import type { CodecName } from '../../../../shared/records/compression.ts';
import { RecordCursor } from '../../../../shared/records/record-cursor.ts';
import {
  EMPTIED,
  T,
  TWO_RECORDS,
  anyRecords,
  build,
  bytes,
  fromHex,
  placed,
  read,
  expectNoOtherError,
  thrown,
} from './support.ts';
import { runs } from '../../../support/property-runs.ts';

const codecs = Object.keys(CODECS) as CodecName[];

describe('records built and read again', () => {
  it.each(codecs)('are the same with codec %s', name => {
    fc.assert(
      fc.property(anyRecords, fc.maxSafeNat(), (records, wanted) => {
        const baseOffset = Math.min(wanted, Number.MAX_SAFE_INTEGER - records.length);
        const built = build(records, { codec: CODECS[name], baseOffset });
        expect(batch.batchSizeInBytes(built, 0)).toBe(built.length);
        expect(batch.crcIsValid(built, 0)).toBe(true);
        expect(batch.compressionCodec(built, 0)).toBe(CODECS[name]);
        expect(batch.recordCount(built, 0)).toBe(records.length);
        expect(batch.maxTimestamp(built, 0)).toBe(Math.max(...records.map(record => record.timestamp)));
        expect(read(built)).toEqual(placed(records, baseOffset));
      }),
      runs(60),
    );
  });

  it('never outgrow the bound that a producer counts with', () => {
    fc.assert(
      fc.property(anyRecords, records => {
        const builder = new BatchBuilder();
        for (const { timestamp, key, value, headers } of records) {
          const before = builder.sizeInBytes;
          const record = [
            fromHex(key),
            fromHex(value),
            headers.map(header => ({ key: header.key, value: fromHex(header.value) })),
          ] as const;
          builder.append(timestamp, ...record);
          expect(builder.sizeInBytes - before).toBeLessThanOrEqual(maxRecordSize(...record));
        }
        expect(builder.recordCount).toBe(records.length);
        expect(builder.sizeInBytes).toBe(builder.build().length);
      }),
      runs(40),
    );
  });

  it('keep their offsets where compaction left gaps', () => {
    const builder = new BatchBuilder();
    builder.append(T, null, bytes('01'), [], 3);
    builder.append(T, null, bytes('02'), [], 90);
    const built = builder.build({ baseOffset: 1000, lastOffsetDelta: 200 });
    expect(read(built).map(record => record.offset)).toEqual([1003, 1090]);
    expect(batch.lastOffset(built, 0)).toBe(1200);
  });
});

/** A batch of one record with these bytes behind its length; the base timestamp is −1. */
function withRecord(hex: string): Buffer {
  const record = bytes(hex);
  const batchOf = Buffer.concat([build([]), Buffer.from([record.length << 1]), record]);
  batchOf.writeInt32BE(batchOf.length - 12, 8);
  batchOf.writeInt32BE(1, 57);
  return batchOf;
}

describe('the cursor', () => {
  it('reads a hand-written batch inside a larger buffer', () => {
    const buffer = Buffer.concat([Buffer.alloc(7, 0xff), TWO_RECORDS, Buffer.alloc(7, 0xff)]);
    expect(read(buffer, 7)).toEqual([
      { offset: 100, timestamp: T, key: '6b31', value: '68656c6c6f', headers: [{ key: 'h', value: '76' }] },
      { offset: 101, timestamp: T + 7, key: '6b32', value: null, headers: [] },
    ]);
  });

  it('gives views, not copies', () => {
    const buffer = Buffer.from(TWO_RECORDS);
    const cursor = new RecordCursor().reset(buffer);
    cursor.next();
    buffer.write('HELLO', cursor.valueStart);
    expect(cursor.value()!.toString()).toBe('HELLO');
    expect(cursor.offsetDelta).toBe(0);
    expect(buffer.subarray(cursor.recordStart, cursor.recordStart + cursor.recordSize)).toHaveLength(18);
  });

  it('can stop in the middle and go on with another batch', () => {
    const cursor = new RecordCursor().reset(TWO_RECORDS);
    cursor.next();
    expect(cursor.reset(build([{ timestamp: T, key: null, value: 'aa', headers: [] }], { codec: 4 })).next()).toBe(
      true,
    );
    expect(cursor.value()).toEqual(bytes('aa'));
    expect(cursor.next()).toBe(false);
    expect(cursor.next()).toBe(false);
  });

  it('reads a batch that compaction emptied, also if it says compressed', () => {
    expect(read(EMPTIED)).toEqual([]);
    const compressed = Buffer.from(EMPTIED);
    compressed.writeInt16BE(4, 21);
    expect(read(compressed)).toEqual([]);
  });

  it('takes record timestamps relative to the delete horizon', () => {
    const withHorizon = Buffer.from(TWO_RECORDS);
    withHorizon.writeInt16BE(0x40, 21);
    expect(batch.hasDeleteHorizon(withHorizon, 0)).toBe(true);
    expect(read(withHorizon).map(record => record.timestamp)).toEqual([T, T + 7]);
  });

  it('saturates a timestamp delta beyond 2^53', () => {
    // attributes, delta 2^63−1, offset delta 0, null key, null value, no headers
    expect(read(withRecord('00 feffffffffffffffff01 00 01 01 00'))[0]!.timestamp).toBe(Number.MAX_SAFE_INTEGER - 1);
  });
});

describe('what is no batch', () => {
  const change = (edit: (b: Buffer) => void) => {
    const changed = Buffer.from(TWO_RECORDS);
    edit(changed);
    return changed;
  };

  it.each([
    ['a record longer than the batch', change(b => b.writeUInt8(0x7e, 61)), /reaches beyond the batch/],
    ['a negative record length', change(b => b.writeUInt8(0x01, 61)), /reaches beyond the batch/],
    ['a key longer than its record', change(b => b.writeUInt8(0x7e, 65)), /does not fit its record/],
    ['a key length of −2', withRecord('00 00 00 03 01 00'), /below -1/],
    ['a value length of −2', withRecord('00 00 00 01 03 00'), /below -1/],
    ['a record of no bytes', withRecord(''), /does not fit its record/],
    ['a value shorter than it takes', change(b => b.writeUInt8(0x08, 68)), /does not fit|header/],
    ['a negative header count', change(b => b.writeUInt8(0x01, 74)), /header count is negative/],
    ['a null header key', change(b => b.writeUInt8(0x01, 75)), /header key is null/],
    ['a header beyond its record', change(b => b.writeUInt8(0x7e, 77)), /header reaches beyond/],
    ['a header length of −2', change(b => b.writeUInt8(0x03, 77)), /header length is negative/],
    ['more records than bytes', change(b => b.writeInt32BE(3, 57)), /does not fit|reaches beyond/],
    ['fewer records than bytes', change(b => b.writeInt32BE(1, 57)), /left behind the last record/],
    ['a negative count', change(b => b.writeInt32BE(-1, 57)), /record count is negative/],
    ['another magic', change(b => b.writeInt8(1, 16)), /magic is 1/],
    ['an endless varint', change(b => b.fill(0xff, 61, 70)), /more than 5 bytes/],
    ['an endless varlong', change(b => b.fill(0xff, 63, 75)), /more than 10 bytes/],
  ])('%s is INVALID', (_name, bad, message) => {
    const error = thrown(() => read(bad));
    expect(error).toMatchObject({ name: 'RecordsError', kind: 'INVALID' });
    expect(String(error)).toMatch(message);
  });

  it('a batch cut anywhere is CORRUPT', () => {
    for (let length = 0; length < TWO_RECORDS.length; length++) {
      expect(thrown(() => read(TWO_RECORDS.subarray(0, length)))).toMatchObject({ kind: 'CORRUPT' });
    }
  });

  it('a codec that does not exist is UNSUPPORTED_COMPRESSION', () => {
    for (const codec of [5, 6, 7]) {
      const error = thrown(() => read(change(b => b.writeInt16BE(codec, 21))));
      expect(error).toMatchObject({ kind: 'UNSUPPORTED_COMPRESSION' });
      expect(String(error)).toContain(`id ${codec}`);
    }
  });

  it('random damage throws RecordsError or nothing, and no view leaves the batch', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(anyRecords, fc.constantFrom(...codecs), damage, (records, name, edits) => {
        const built = build(records, { codec: CODECS[name] });
        for (const [place, value] of edits) built[21 + (place % (built.length - 21))] = value;
        const cursor = new RecordCursor();
        expectNoOtherError(() => {
          for (cursor.reset(built, 0, 1 << 24); cursor.next();) {
            expect(cursor.key()?.length ?? -1).toBe(cursor.keyLength);
            expect(cursor.value()?.length ?? -1).toBe(cursor.valueLength);
            expect(cursor.headers()).toHaveLength(cursor.headerCount);
          }
        });
      }),
      runs(1500),
    );
  });
});
