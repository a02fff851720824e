import { describe, expect, it } from 'vitest';
import { BatchBuilder } from '../../../../shared/records/batch-builder.ts';
import * as batch from '../../../../shared/records/batch.ts';
import { COMMIT_MARKER, EMPTIED, T, TWO_RECORDS, build, bytes, read, thrown } from './support.ts';

const LEGACY_V0 = bytes('0000000000000003 00000015 71ef5770 00 00 00000002 6b31 00000005 68656c6c6f');
const LEGACY_V1 = bytes('0000000000000003 0000001d 9e349596 01 00 0000018bcfe56800 00000002 6b31 00000005 68656c6c6f');

describe('building a batch', () => {
  it('writes an idempotent producer’s two records byte for byte', () => {
    const builder = new BatchBuilder();
    builder.append(T, Buffer.from('k1'), Buffer.from('hello'), [{ key: 'h', value: Buffer.from('v') }]);
    builder.append(T + 7, Buffer.from('k2'), null);
    expect(builder.sizeInBytes).toBe(TWO_RECORDS.length);
    const built = builder.build({
      baseOffset: 100,
      partitionLeaderEpoch: 5,
      producerId: 4001,
      producerEpoch: 0,
      baseSequence: 10,
    });
    expect(built.toString('hex')).toBe(TWO_RECORDS.toString('hex'));
  });

  it('writes a commit marker byte for byte', () => {
    const builder = new BatchBuilder();
    builder.append(T + 9, bytes('0000 0001'), bytes('0000 00000003'));
    const built = builder.build({
      baseOffset: 102,
      partitionLeaderEpoch: 5,
      producerId: 4001,
      producerEpoch: 0,
      isTransactional: true,
      isControl: true,
    });
    expect(built.toString('hex')).toBe(COMMIT_MARKER.toString('hex'));
  });

  it('writes a batch emptied by compaction byte for byte', () => {
    const built = new BatchBuilder().build({
      baseOffset: 100,
      partitionLeaderEpoch: 5,
      producerId: 4001,
      producerEpoch: 0,
      baseSequence: 10,
      lastOffsetDelta: 1,
      maxTimestamp: T + 7,
    });
    expect(built.toString('hex')).toBe(EMPTIED.toString('hex'));
  });
});

describe('reading a batch’s header in place', () => {
  /** The batch somewhere inside a larger buffer, as in a request. */
  const at = 5;
  const inside = (entry: Buffer) => Buffer.concat([Buffer.alloc(at, 0xee), entry, Buffer.alloc(9, 0xee)]);

  it('tells every field of a magic 2 batch', () => {
    const buffer = inside(TWO_RECORDS);
    expect({
      size: batch.batchSizeInBytes(buffer, at),
      magic: batch.magic(buffer, at),
      baseOffset: batch.baseOffset(buffer, at),
      lastOffset: batch.lastOffset(buffer, at),
      lastOffsetDelta: batch.lastOffsetDelta(buffer, at),
      partitionLeaderEpoch: batch.partitionLeaderEpoch(buffer, at),
      codec: batch.compressionCodec(buffer, at),
      timestampType: batch.timestampType(buffer, at),
      isTransactional: batch.isTransactional(buffer, at),
      isControl: batch.isControl(buffer, at),
      hasDeleteHorizon: batch.hasDeleteHorizon(buffer, at),
      baseTimestamp: batch.baseTimestamp(buffer, at),
      maxTimestamp: batch.maxTimestamp(buffer, at),
      producerId: batch.producerId(buffer, at),
      producerEpoch: batch.producerEpoch(buffer, at),
      baseSequence: batch.baseSequence(buffer, at),
      lastSequence: batch.lastSequence(buffer, at),
      recordCount: batch.recordCount(buffer, at),
      crcIsValid: batch.crcIsValid(buffer, at),
    }).toEqual({
      size: 88,
      magic: 2,
      baseOffset: 100,
      lastOffset: 101,
      lastOffsetDelta: 1,
      partitionLeaderEpoch: 5,
      codec: 0,
      timestampType: batch.CREATE_TIME,
      isTransactional: false,
      isControl: false,
      hasDeleteHorizon: false,
      baseTimestamp: T,
      maxTimestamp: T + 7,
      producerId: 4001,
      producerEpoch: 0,
      baseSequence: 10,
      lastSequence: 11,
      recordCount: 2,
      crcIsValid: true,
    });
  });

  it('tells a transaction marker', () => {
    expect(batch.isControl(COMMIT_MARKER, 0)).toBe(true);
    expect(batch.isTransactional(COMMIT_MARKER, 0)).toBe(true);
    expect(batch.lastSequence(COMMIT_MARKER, 0)).toBe(-1);
    expect(batch.crcIsValid(COMMIT_MARKER, 0)).toBe(true);
  });

  it('answers for magic 0 and 1 too, with nothing for what they lack', () => {
    for (const [entry, format, timestamp] of [
      [LEGACY_V0, 0, -1],
      [LEGACY_V1, 1, T],
    ] as const) {
      const buffer = inside(entry);
      expect(batch.magic(buffer, at)).toBe(format);
      expect(batch.batchSizeInBytes(buffer, at)).toBe(entry.length);
      expect(batch.baseOffset(buffer, at)).toBe(3);
      expect(batch.lastOffset(buffer, at)).toBe(3);
      expect(batch.maxTimestamp(buffer, at)).toBe(timestamp);
      expect(batch.baseTimestamp(buffer, at)).toBe(timestamp);
      expect(batch.recordCount(buffer, at)).toBe(1);
      expect(batch.partitionLeaderEpoch(buffer, at)).toBe(-1);
      expect(batch.producerId(buffer, at)).toBe(-1);
      expect(batch.producerEpoch(buffer, at)).toBe(-1);
      expect(batch.baseSequence(buffer, at)).toBe(-1);
      expect(batch.isTransactional(buffer, at)).toBe(false);
      expect(batch.isControl(buffer, at)).toBe(false);
      expect(batch.crcIsValid(buffer, at)).toBe(true);
    }
  });

  it('lets sequences go from 2147483647 to 0', () => {
    const record = { timestamp: T, key: null, value: '00', headers: [] };
    const wrapped = build([record, record, record], { producerId: 1, producerEpoch: 0, baseSequence: 2147483646 });
    expect(batch.lastSequence(wrapped, 0)).toBe(0);
  });

  it('keeps a producer id and an offset of 2^53−1 exact and saturates beyond', () => {
    const high = Buffer.from(TWO_RECORDS);
    batch.setBaseOffset(high, 0, Number.MAX_SAFE_INTEGER);
    expect(batch.baseOffset(high, 0)).toBe(Number.MAX_SAFE_INTEGER);
    high.fill(0xff, 1, 8).writeUInt8(0x7f, 0);
    expect(batch.baseOffset(high, 0)).toBe(Number.MAX_SAFE_INTEGER);
    high.fill(0, 1, 8).writeUInt8(0x80, 0);
    expect(batch.baseOffset(high, 0)).toBe(Number.MIN_SAFE_INTEGER);
    batch.setBaseOffset(high, 0, -2);
    expect(batch.baseOffset(high, 0)).toBe(-2);
  });
});

describe('patching a batch in place', () => {
  it('sets offset and leader epoch without touching the checksum', () => {
    const patched = Buffer.from(TWO_RECORDS);
    batch.setBaseOffset(patched, 0, 2 ** 40 + 17);
    batch.setPartitionLeaderEpoch(patched, 0, 77);
    expect(batch.crcIsValid(patched, 0)).toBe(true);
    expect(patched.subarray(16).equals(TWO_RECORDS.subarray(16))).toBe(true);
    expect(batch.partitionLeaderEpoch(patched, 0)).toBe(77);
    expect(read(patched).map(record => record.offset)).toEqual([2 ** 40 + 17, 2 ** 40 + 18]);
  });

  it('gives every record the append time, with a valid checksum, and takes it back', () => {
    const patched = Buffer.from(TWO_RECORDS);
    batch.setMaxTimestampAndType(patched, 0, batch.LOG_APPEND_TIME, T + 5000);
    expect(batch.crcIsValid(patched, 0)).toBe(true);
    expect(batch.timestampType(patched, 0)).toBe(batch.LOG_APPEND_TIME);
    expect(read(patched).map(record => record.timestamp)).toEqual([T + 5000, T + 5000]);
    batch.setMaxTimestampAndType(patched, 0, batch.CREATE_TIME, T + 7);
    expect(patched.equals(TWO_RECORDS)).toBe(true);
  });
});

describe('the checksum', () => {
  it.each([
    ['magic 2', TWO_RECORDS, 17],
    ['magic 1', LEGACY_V1, 12],
    ['magic 0', LEGACY_V0, 12],
  ])('notices every changed bit of what it covers, and of itself, in %s', (_name, entry, from) => {
    for (let at = from; at < entry.length; at++) {
      if (at === 16) continue; // another magic means another checksum: see below
      for (let bit = 0; bit < 8; bit++) {
        const damaged = Buffer.from(entry);
        damaged[at]! ^= 1 << bit;
        expect(batch.crcIsValid(damaged, 0), `byte ${at} bit ${bit}`).toBe(false);
      }
    }
  });

  it('is named with the offset when it is wrong', () => {
    const damaged = Buffer.from(TWO_RECORDS);
    damaged[70]! ^= 1;
    batch.ensureCrc(TWO_RECORDS, 0);
    const error = thrown(() => batch.ensureCrc(damaged, 0));
    expect(error).toMatchObject({ name: 'RecordsError', kind: 'CORRUPT' });
    expect(String(error)).toMatch(/The batch at offset 100 carries the CRC 3b16bd9a, its bytes have [0-9a-f]+\.$/);
  });
});
