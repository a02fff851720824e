import { describe, expect, it } from 'vitest';
import { BatchBuilder } from '../../../../shared/records/batch-builder.ts';
import * as batch from '../../../../shared/records/batch.ts';
import { CODECS } from '../../../../shared/records/compression.ts';
import type { CodecName } from '../../../../shared/records/compression.ts';
import { downConvert, recompress, upConvert } from '../../../../shared/records/conversion.ts';
import { readMessageSet, writeMessageSet } from '../../../../shared/records/message-set.ts';
import type { LegacyMessage } from '../../../../shared/records/message-set.ts';
import { COMMIT_MARKER, EMPTIED, T, TWO_RECORDS, build, bytes, read, thrown } from './support.ts';

const legacyCodecs = ['none', 'gzip', 'snappy', 'lz4'] as const;

const MESSAGES: LegacyMessage[] = ['a', null, 'c'].map((value, i) => ({
  offset: i,
  timestamp: T + i,
  timestampType: 0,
  key: i === 2 ? null : Buffer.from('k'),
  value: value === null ? null : Buffer.from(value),
}));

describe('up-conversion', () => {
  it.each(legacyCodecs)('makes one magic 2 batch of a set, keeping its codec: %s', name => {
    for (const magic of [0, 1] as const) {
      const converted = upConvert(writeMessageSet(MESSAGES, magic, CODECS[name]));
      expect(batch.crcIsValid(converted, 0)).toBe(true);
      expect(batch.compressionCodec(converted, 0)).toBe(CODECS[name]);
      expect(batch.batchSizeInBytes(converted, 0)).toBe(converted.length);
      expect(batch.producerId(converted, 0)).toBe(-1);
      const time = (i: number) => (magic === 0 ? -1 : T + i);
      expect(batch.maxTimestamp(converted, 0)).toBe(time(2));
      expect(read(converted)).toEqual([
        { offset: 0, timestamp: time(0), key: '6b', value: '61', headers: [] },
        { offset: 1, timestamp: time(1), key: '6b', value: null, headers: [] },
        { offset: 2, timestamp: time(2), key: null, value: '63', headers: [] },
      ]);
    }
  });

  it('numbers from 0 whatever the producer wrote, over several wrappers', () => {
    const one = writeMessageSet(
      MESSAGES.map(message => ({ ...message, offset: message.offset + 70 })),
      1,
      CODECS.gzip,
    );
    const converted = upConvert(Buffer.concat([one, one]));
    expect(read(converted).map(record => record.offset)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(batch.lastOffset(converted, 0)).toBe(5);
  });

  it('can change the codec', () => {
    const converted = upConvert(writeMessageSet(MESSAGES, 1, CODECS.gzip), CODECS.zstd, { level: 5 });
    expect(batch.compressionCodec(converted, 0)).toBe(CODECS.zstd);
    expect(read(converted)).toHaveLength(3);
    expect(batch.compressionCodec(upConvert(writeMessageSet(MESSAGES, 1, CODECS.gzip), CODECS.none), 0)).toBe(0);
  });

  it('lets a message’s LogAppendTime be seen', () => {
    const stamped = MESSAGES.map(message => ({ ...message, timestampType: 1 as const, timestamp: T }));
    expect(batch.timestampType(upConvert(writeMessageSet(stamped, 1, 0)), 0)).toBe(batch.LOG_APPEND_TIME);
    expect(batch.timestampType(upConvert(writeMessageSet(stamped, 1, CODECS.lz4)), 0)).toBe(batch.LOG_APPEND_TIME);
  });

  it('of nothing is a batch without records', () => {
    expect(batch.recordCount(upConvert(Buffer.alloc(0)), 0)).toBe(0);
  });

  it('is bounded', () => {
    const set = writeMessageSet([{ ...MESSAGES[0]!, value: Buffer.alloc(100_000) }], 1, CODECS.gzip);
    expect(thrown(() => upConvert(set, undefined, { maxDecompressedBytes: 99_999 }))).toMatchObject({
      kind: 'TOO_LARGE',
    });
  });
});

describe('down-conversion', () => {
  const values = (set: Buffer) =>
    [...readMessageSet(set)].map(({ offset, value }) => [offset, value?.toString() ?? null]);
  const records = [0, 1, 2].map(i => ({
    timestamp: T + i,
    key: null,
    value: `3${i}`,
    headers: [{ key: 'h', value: '01' }],
  }));

  it.each(legacyCodecs)('keeps offsets, timestamps and the codec, drops headers: %s', name => {
    const source = build(records, { baseOffset: 40, codec: CODECS[name], partitionLeaderEpoch: 3 });
    for (const magic of [0, 1] as const) {
      const set = downConvert(source, magic);
      expect(batch.compressionCodec(set, 0)).toBe(CODECS[name]);
      expect(batch.magic(set, 0)).toBe(magic);
      expect([...readMessageSet(set)]).toEqual(
        [0, 1, 2].map(i => ({
          offset: 40 + i,
          timestamp: magic === 0 ? -1 : T + i,
          timestampType: 0,
          key: null,
          value: Buffer.from(String(i)),
        })),
      );
      if (name !== 'none') expect(batch.lastOffset(set, 0)).toBe(42);
    }
  });

  it('drops control batches, emptied batches and the torn tail', () => {
    const log = Buffer.concat([COMMIT_MARKER, TWO_RECORDS, EMPTIED, COMMIT_MARKER.subarray(0, 50)]);
    expect(values(downConvert(log, 1))).toEqual([
      [100, 'hello'],
      [101, null],
    ]);
    expect(downConvert(COMMIT_MARKER, 1)).toHaveLength(0);
  });

  it('leaves out records below the start offset, but of uncompressed batches only', () => {
    expect(values(downConvert(TWO_RECORDS, 1, 101))).toEqual([[101, null]]);
    expect(values(downConvert(recompress(TWO_RECORDS, 0, CODECS.lz4), 1, 101))).toHaveLength(2);
  });

  it('carries LogAppendTime over to magic 1', () => {
    for (const codec of [CODECS.none, CODECS.gzip]) {
      const source = build(records, { codec });
      batch.setMaxTimestampAndType(source, 0, batch.LOG_APPEND_TIME, T + 50);
      const set = downConvert(source, 1);
      expect([...readMessageSet(set)].map(({ timestamp, timestampType }) => [timestamp, timestampType])).toEqual(
        Array(3).fill([T + 50, 1]),
      );
    }
  });

  it('hands old entries on as they are, and makes magic 0 of magic 1', () => {
    for (const codec of [CODECS.none, CODECS.lz4]) {
      const one = writeMessageSet(MESSAGES, 1, codec);
      expect(downConvert(one, 1).equals(one)).toBe(true);
      const zero = downConvert(one, 0);
      expect(zero.equals(writeMessageSet(MESSAGES, 0, codec))).toBe(true);
      expect(downConvert(zero, 1).equals(zero)).toBe(true);
    }
  });

  it('of zstd is refused, as in Kafka', () => {
    const error = thrown(() => downConvert(build(records, { codec: CODECS.zstd }), 1));
    expect(error).toMatchObject({ kind: 'UNSUPPORTED_COMPRESSION' });
  });

  it('keeps the offsets of a batch with gaps', () => {
    const builder = new BatchBuilder();
    builder.append(T, null, bytes('31'), [], 2);
    builder.append(T, null, bytes('32'), [], 9);
    for (const codec of [CODECS.none, CODECS.gzip]) {
      expect(values(downConvert(builder.build({ baseOffset: 10, lastOffsetDelta: 20, codec }), 1))).toEqual([
        [12, '1'],
        [19, '2'],
      ]);
    }
  });

  it('and up again gives the same records', () => {
    const plain = records.map(record => ({ ...record, headers: [] }));
    for (const name of legacyCodecs) {
      const source = build(plain, { codec: CODECS[name] });
      expect(read(upConvert(downConvert(source, 1)))).toEqual(read(source));
    }
  });
});

describe('recompression', () => {
  const names = Object.keys(CODECS) as CodecName[];

  it.each(names)('to %s from every codec keeps records and header', to => {
    for (const from of names) {
      const buffer = Buffer.concat([Buffer.alloc(3), recompress(TWO_RECORDS, 0, CODECS[from])]);
      const result = recompress(buffer, 3, CODECS[to]);
      expect(batch.crcIsValid(result, 0)).toBe(true);
      expect(batch.compressionCodec(result, 0)).toBe(CODECS[to]);
      expect(read(result)).toEqual(read(TWO_RECORDS));
      expect(recompress(result, 0, CODECS.none).equals(TWO_RECORDS)).toBe(true);
    }
  });

  it('of a batch without records stays one', () => {
    const result = recompress(recompress(EMPTIED, 0, CODECS.zstd), 0, CODECS.gzip);
    expect(result).toHaveLength(EMPTIED.length);
    expect(read(result)).toEqual([]);
  });

  it('is bounded', () => {
    const big = build([{ timestamp: T, key: null, value: '00'.repeat(5000), headers: [] }], { codec: CODECS.gzip });
    expect(thrown(() => recompress(big, 0, CODECS.zstd, { maxDecompressedBytes: 4000 }))).toMatchObject({
      kind: 'TOO_LARGE',
    });
  });
});
