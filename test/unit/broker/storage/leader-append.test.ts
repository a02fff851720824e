import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StorageError } from '../../../../broker/storage/errors.ts';
import { type LeaderAppendOptions, prepareLeaderAppend } from '../../../../broker/storage/leader-append.ts';
import * as batch from '../../../../shared/records/batch.ts';
import { CODECS } from '../../../../shared/records/compression.ts';
import { type LegacyMessage, writeMessageSet } from '../../../../shared/records/message-set.ts';
import { RecordCursor } from '../../../../shared/records/record-cursor.ts';
import { BUILT_IN_TOPIC_CONFIG, type TopicConfigValues } from '../../../../shared/topics/topic-config.ts';
import { rawBatch, varint, type RawRecord } from '../../../support/raw-batch.ts';
import { batchOf } from './support.ts';

const NOW = 1_000_000;

function prepare(records: Buffer, config: Partial<TopicConfigValues> = {}, options: LeaderAppendOptions = {}) {
  const context = { config: { ...BUILT_IN_TOPIC_CONFIG, ...config }, leaderEpoch: 7, nextOffset: 100, now: NOW };
  return prepareLeaderAppend(records, options, context);
}

/** The error that preparing throws. */
function refusal(records: Buffer, config: Partial<TopicConfigValues> = {}, options: LeaderAppendOptions = {}) {
  try {
    prepare(records, config, options);
  } catch (error) {
    if (error instanceof StorageError) return error;
    throw error;
  }
  throw new Error('It was accepted.');
}

/** A batch with one of its fields changed, and the checksum made right. */
function patched(change: (bytes: Buffer) => void): Buffer {
  const bytes = batchOf(['a', 'b']);
  change(bytes);
  batch.updateCrc(bytes, 0);
  return bytes;
}

describe('an accepted batch', () => {
  it('gets its offsets and epoch in place, with the checksum still right', () => {
    const bytes = batchOf(['a', 'b', 'c']);
    const prepared = prepare(bytes);
    expect(prepared).toMatchObject({ firstOffset: 100, lastOffset: 102, recordCount: 3, logAppendTime: -1 });
    expect(prepared.bytes).toBe(bytes);
    expect(batch.baseOffset(bytes, 0)).toBe(100);
    expect(batch.partitionLeaderEpoch(bytes, 0)).toBe(7);
    expect(batch.crcIsValid(bytes, 0)).toBe(true);
  });

  it('gets the broker’s time where the topic says LogAppendTime, compressed or not', () => {
    for (const codec of Object.values(CODECS)) {
      const bytes = batchOf([{ timestamp: 1 }, { timestamp: 2 }], { codec });
      const prepared = prepare(bytes, { 'message.timestamp.type': 'LogAppendTime' });
      expect(prepared).toMatchObject({ logAppendTime: NOW, maxTimestamp: NOW });
      expect(batch.timestampType(prepared.bytes, 0)).toBe(batch.LOG_APPEND_TIME);
      expect(batch.crcIsValid(prepared.bytes, 0)).toBe(true);
      const cursor = new RecordCursor().reset(prepared.bytes);
      while (cursor.next()) expect(cursor.timestamp).toBe(NOW);
    }
  });

  it('is brought to the codec of the topic, and left alone if it has it', () => {
    for (const [name, codec] of Object.entries(CODECS)) {
      const type = name === 'none' ? 'uncompressed' : name;
      const other = codec === CODECS.gzip ? CODECS.zstd : CODECS.gzip;
      const prepared = prepare(batchOf(['a', 'b'], { codec: other, producerId: 9, baseSequence: 5 }), {
        'compression.type': type,
      });
      expect(batch.compressionCodec(prepared.bytes, 0)).toBe(codec);
      expect(batch.crcIsValid(prepared.bytes, 0)).toBe(true);
      expect([batch.producerId(prepared.bytes, 0), batch.baseSequence(prepared.bytes, 0)]).toEqual([9, 5]);
      const same = batchOf(['a', 'b'], { codec });
      expect(prepare(same, { 'compression.type': type }).bytes).toBe(same);
    }
  });

  it('is checked for size again after it was brought to another codec', () => {
    const small = batchOf(['x'.repeat(5000)], { codec: CODECS.gzip });
    const config = { 'compression.type': 'uncompressed', 'max.message.bytes': 1000 };
    expect(refusal(small, config).kind).toBe('MESSAGE_TOO_LARGE');
  });
});

describe('a refused batch', () => {
  it.each([
    ['no batch at all', Buffer.alloc(0), 'INVALID_RECORD'],
    ['a cut batch', batchOf(['a']).subarray(0, 64), 'INVALID_RECORD'],
    ['two batches', Buffer.concat([batchOf(['a']), batchOf(['b'])]), 'INVALID_RECORD'],
    ['bytes behind the batch', Buffer.concat([batchOf(['a']), Buffer.alloc(5)]), 'INVALID_RECORD'],
    ['a base offset', batchOf(['a'], { baseOffset: 3 }), 'INVALID_RECORD'],
    ['a wrong count', patched(bytes => bytes.writeInt32BE(3, 57)), 'INVALID_RECORD'],
    ['no records', patched(bytes => bytes.writeInt32BE(0, 57)), 'INVALID_RECORD'],
    ['a wrong last offset delta', patched(bytes => bytes.writeInt32BE(7, 23)), 'INVALID_RECORD'],
    ['a control batch', batchOf(['a'], { isControl: true, isTransactional: true }), 'INVALID_RECORD'],
    ['a producer id without sequence', batchOf(['a'], { producerId: 1 }), 'INVALID_RECORD'],
    ['an unknown codec', patched(bytes => bytes.writeInt16BE(6, 21)), 'UNSUPPORTED_COMPRESSION_TYPE'],
    ['an unknown format', patched(bytes => bytes.writeInt8(3, 16)), 'CORRUPT_MESSAGE'],
    ['a wrong record length', patched(bytes => bytes.writeInt8(bytes[61]! + 2, 61)), 'INVALID_RECORD'],
  ] as const)('has %s', (_what, bytes, kind) => {
    expect(refusal(Buffer.from(bytes)).kind).toBe(kind);
  });

  it('fails by its checksum whichever bit is wrong', () => {
    const good = batchOf(['a', 'b']);
    for (let at = 21; at < good.length; at++) {
      const bad = Buffer.from(good);
      bad[at]! ^= 4;
      expect(refusal(bad).kind).toBe('CORRUPT_MESSAGE');
    }
  });

  it('names the records without key in a compacted topic, compressed or not', () => {
    for (const codec of [CODECS.none, CODECS.lz4]) {
      const bytes = batchOf([{ key: 'k' }, 'no key', { key: 'l' }, 'nor here'], { codec });
      const error = refusal(bytes, { 'cleanup.policy': ['compact'] });
      expect(error.kind).toBe('INVALID_RECORD');
      expect(error.recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([1, 3]);
    }
  });

  it('names the records whose timestamps are too far off, and lets those without pass', () => {
    const bytes = batchOf([{ timestamp: NOW }, { timestamp: NOW - 101 }, { timestamp: -1 }, { timestamp: NOW + 51 }]);
    const bounds = { 'message.timestamp.before.max.ms': 100, 'message.timestamp.after.max.ms': 50 };
    const error = refusal(bytes, bounds);
    expect(error.kind).toBe('INVALID_TIMESTAMP');
    expect(error.recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([1, 3]);
    const fine = batchOf([{ timestamp: NOW - 100 }, { timestamp: NOW + 50 }, { timestamp: -1 }]);
    expect(prepare(fine, bounds).recordCount).toBe(3);
    expect(prepare(bytes, { ...bounds, 'message.timestamp.type': 'LogAppendTime' }).recordCount).toBe(4);
  });
});

describe('a coordinator', () => {
  it('may append control batches, and several batches', () => {
    const marker = batchOf(['m'], { isControl: true, isTransactional: true, producerId: 4 });
    const prepared = prepare(Buffer.concat([batchOf(['a', 'b']), marker]), {}, { origin: 'coordinator' });
    expect(prepared).toMatchObject({ firstOffset: 100, lastOffset: 102 });
    expect(batch.baseOffset(prepared.bytes, batch.batchSizeInBytes(prepared.bytes, 0))).toBe(102);
  });
});

describe('the older formats', () => {
  const messages: LegacyMessage[] = ['a', 'b', 'c'].map((value, offset) => ({
    offset,
    timestamp: 5000 + offset,
    timestampType: batch.CREATE_TIME,
    key: null,
    value: Buffer.from(value),
  }));

  it('become one batch of the current one', () => {
    for (const magic of [0, 1] as const) {
      for (const codec of [CODECS.none, CODECS.gzip, CODECS.snappy]) {
        const prepared = prepare(writeMessageSet(messages, magic, codec));
        expect(prepared).toMatchObject({ firstOffset: 100, lastOffset: 102, recordCount: 3 });
        expect(prepared.maxTimestamp).toBe(magic === 0 ? -1 : 5002);
        expect(batch.compressionCodec(prepared.bytes, 0)).toBe(codec);
      }
    }
  });

  it('are refused where the request’s version allows the current one only', () => {
    expect(refusal(writeMessageSet(messages, 1, 0), {}, { requiredMagic: 2 }).kind).toBe('INVALID_RECORD');
  });

  it('may not hold several compressed messages', () => {
    const set = writeMessageSet(messages, 1, CODECS.gzip);
    expect(refusal(Buffer.concat([set, set])).kind).toBe('INVALID_RECORD');
  });
});

describe('the records of a batch', () => {
  const fine: RawRecord = { key: Buffer.from('k'), value: Buffer.from('v'), headers: [['h', Buffer.from('x')]] };

  /** A batch of two records, the second written by hand: what follows its length, which is right. */
  function withBody(...body: readonly number[]): Buffer {
    const [first] = [rawBatch([fine])];
    const bytes = Buffer.concat([first, varint(body.length), Buffer.from(body)]);
    bytes.writeInt32BE(bytes.length - 12, 8);
    bytes.writeInt32BE(1, 23);
    bytes.writeInt32BE(2, 57);
    batch.updateCrc(bytes, 0);
    return bytes;
  }

  // attributes, timestamp delta, offset delta, key length, value length, header count; zig-zag
  it.each([
    ['is fine', [0, 0, 2, 1, 1, 0], null],
    ['is fine, with a number that takes more bytes than it needs', [0, 0x80, 0, 2, 1, 1, 0], null],
    ['has the offset delta of the one before', [0, 0, 0, 1, 1, 0], /offset delta 0/],
    ['has an offset delta that leaves one out', [0, 0, 4, 1, 1, 0], /offset delta 2/],
    ['has a key longer than itself', [0, 0, 2, 40, 1, 0], /malformed/],
    ['has a key that ends in the next field', [0, 0, 2, 2, 1, 0], /malformed/],
    ['has a key with a length below -1', [0, 0, 2, 3, 1, 0], /below -1/],
    ['has a value with a length below -1', [0, 0, 2, 1, 3, 0], /below -1/],
    ['has headers fewer than none', [0, 0, 2, 1, 1, 1], /malformed/],
    ['has fewer headers than it says', [0, 0, 2, 1, 1, 4, 0, 1], /malformed/],
    ['has more headers than it says', [0, 0, 2, 1, 1, 2, 0, 1, 0, 1], /malformed/],
    ['has a header without key', [0, 0, 2, 1, 1, 2, 1, 1], /malformed/],
    ['has a header longer than itself', [0, 0, 2, 1, 1, 2, 0, 40], /malformed/],
    ['has a number without end', [0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80], /malformed/],
    ['has bytes behind its last field', [0, 0, 2, 1, 1, 0, 0], /malformed/],
    ['is empty', [], /malformed/],
  ])('one %s', (_what, body, problem) => {
    const bytes = withBody(...body);
    if (problem === null) expect(prepare(bytes).recordCount).toBe(2);
    else {
      const before = Buffer.from(bytes);
      expect(refusal(bytes)).toMatchObject({ kind: 'INVALID_RECORD', message: expect.stringMatching(problem) });
      expect(bytes.equals(before)).toBe(true);
    }
  });

  it('are looked at where they are decompressed anyway', () => {
    const bytes = rawBatch([fine, { offsetDelta: 5 }], { codec: CODECS.lz4 });
    expect(refusal(bytes, { 'compression.type': 'gzip' }).kind).toBe('INVALID_RECORD');
    expect(prepare(bytes, { 'compression.type': 'lz4' }).recordCount).toBe(2);
  });

  it('break the rules of a topic in different ways: one wrong timestamp names the error, all are told', () => {
    const bytes = rawBatch([{}, { ...fine, timestampDelta: -500 }, fine], { baseTimestamp: NOW });
    const error = refusal(bytes, { 'cleanup.policy': ['compact'], 'message.timestamp.before.max.ms': 100 });
    expect(error.kind).toBe('INVALID_TIMESTAMP');
    expect(error.recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([0, 1]);
  });

  it('may not say LogAppendTime where that is so; where it is not, they have said nothing', () => {
    const said = () => batchOf([{ timestamp: 5 }, { timestamp: 7 }], { timestampType: batch.LOG_APPEND_TIME });
    const error = refusal(said(), { 'message.timestamp.type': 'LogAppendTime' });
    expect(error.kind).toBe('INVALID_TIMESTAMP');
    expect(error.recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([0, 1]);
    const { bytes } = prepare(said());
    expect(batch.timestampType(bytes, 0)).toBe(batch.CREATE_TIME);
    expect(batch.crcIsValid(bytes, 0)).toBe(true);
  });

  it('say what the largest timestamp is, whatever the header says', () => {
    for (const maxTimestamp of [-1, NOW, NOW + 9_000]) {
      const prepared = prepare(rawBatch([{ timestampDelta: 3 }, {}], { baseTimestamp: NOW, maxTimestamp }));
      expect(prepared.maxTimestamp).toBe(NOW + 3);
      expect(batch.crcIsValid(prepared.bytes, 0)).toBe(true);
    }
    const late = rawBatch([{ timestampDelta: 51 }], { baseTimestamp: NOW, maxTimestamp: NOW });
    expect(refusal(late, { 'message.timestamp.after.max.ms': 50 }).kind).toBe('INVALID_TIMESTAMP');
  });

  it('are refused exactly when a reader fails over them or their offsets have gaps, whatever the bytes', () => {
    const change = fc.tuple(fc.nat(), fc.nat(255));
    const payload = fc.uint8Array({ maxLength: 300 });
    fc.assert(
      fc.property(
        fc.array(payload, { minLength: 1, maxLength: 80 }),
        fc.array(change, { maxLength: 3 }),
        (all, changes) => {
          const bytes = rawBatch(all.map(value => ({ ...fine, value })));
          for (const [at, value] of changes) bytes[61 + (at % (bytes.length - 61))] = value;
          batch.updateCrc(bytes, 0);
          const expected = isReadable(bytes);
          const accepted = () => prepare(Buffer.from(bytes)).recordCount;
          if (expected) expect(accepted()).toBe(all.length);
          else expect(accepted).toThrow(StorageError);
        },
      ),
    );
  });

  function isReadable(bytes: Buffer): boolean {
    try {
      const cursor = new RecordCursor().reset(bytes);
      for (let index = 0; cursor.next(); index++) if (cursor.offsetDelta !== index) return false;
      return true;
    } catch {
      return false;
    }
  }
});
