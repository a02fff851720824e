import { createRequire } from 'node:module';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as batch from '../../../../shared/records/batch.ts';
import { CODECS } from '../../../../shared/records/compression.ts';
import { readMessageSet, writeMessageSet } from '../../../../shared/records/message-set.ts';
import { T, anyRecords, build, fromHex, placed, read, toHex } from './support.ts';
import type { PlainRecord } from './support.ts';
import { runs } from '../../../support/property-runs.ts';

/** Both directions against the codec of kafkajs, which shares no line with ours. It brings gzip only. */

const require = createRequire(import.meta.url);
const protocol = 'kafkajs/src/protocol';
const { RecordBatch } = require(`${protocol}/recordBatch/v0`);
const encodeRecord = require(`${protocol}/recordBatch/record/v0`);
const decodeBatch = require(`${protocol}/recordBatch/v0/decoder`);
const encodeMessageSet = require(`${protocol}/messageSet`);
const decodeMessageSet = require(`${protocol}/messageSet/decoder`);
const encodeMessage = require(`${protocol}/message`);
const Encoder = require(`${protocol}/encoder`);
const Decoder = require(`${protocol}/decoder`);

const codecs = ['none', 'gzip'] as const;

/** What kafkajs decodes of a record or a message, as far as it is looked at. */
interface Decoded {
  offset: string;
  timestamp: string;
  key: Buffer | null;
  value: Buffer | null;
  headers: Record<string, Buffer>;
}

/** kafkajs has no null header values, and one value a header name. */
const records = anyRecords.map(list =>
  list.map(record => ({
    ...record,
    timestamp: T + (Math.abs(record.timestamp) % 1000),
    headers: record.headers.slice(0, 1).map(({ key, value }) => ({ key: `h${key}`, value: value ?? '' })),
  })),
);

function kafkajsRecord(record: PlainRecord, i: number, first: number) {
  return encodeRecord({
    offsetDelta: i,
    timestampDelta: record.timestamp - first,
    key: fromHex(record.key),
    value: fromHex(record.value),
    headers: Object.fromEntries(record.headers.map(({ key, value }) => [key, fromHex(value)])),
  });
}

describe('magic 2', () => {
  it.each(codecs)('what we build, kafkajs reads: %s', async name => {
    await fc.assert(
      fc.asyncProperty(records, async list => {
        const built = build(list, {
          codec: CODECS[name],
          baseOffset: 9,
          producerId: 7,
          producerEpoch: 1,
          baseSequence: 5,
        });
        const decoded = await decodeBatch(new Decoder(built));
        expect(decoded).toMatchObject({
          firstOffset: '9',
          lastOffsetDelta: list.length - 1,
          producerId: '7',
          producerEpoch: 1,
          firstSequence: 5,
          inTransaction: false,
          isControlBatch: false,
        });
        expect(
          decoded.records.map((record: Decoded) => ({
            offset: Number(record.offset),
            timestamp: Number(record.timestamp),
            key: toHex(record.key),
            value: toHex(record.value),
            headers: Object.entries(record.headers).map(([key, value]) => ({ key, value: toHex(value) })),
          })),
        ).toEqual(placed(list, 9));
      }),
      runs(40),
    );
  });

  it.each(codecs)('what kafkajs builds, we read, checksum included: %s', async name => {
    await fc.assert(
      fc.asyncProperty(records, async list => {
        const first = list[0]!.timestamp;
        const { buffer } = await RecordBatch({
          compression: CODECS[name],
          firstTimestamp: first,
          maxTimestamp: Math.max(...list.map(record => record.timestamp)),
          lastOffsetDelta: list.length - 1,
          transactional: true,
          producerId: 4001,
          producerEpoch: 2,
          firstSequence: 3,
          records: list.map((record, i) => kafkajsRecord(record, i, first)),
        });
        expect(batch.batchSizeInBytes(buffer, 0)).toBe(buffer.length);
        expect(batch.crcIsValid(buffer, 0)).toBe(true);
        expect(batch.isTransactional(buffer, 0)).toBe(true);
        expect(batch.producerId(buffer, 0)).toBe(4001);
        expect(batch.lastSequence(buffer, 0)).toBe(2 + list.length);
        expect(read(buffer)).toEqual(placed(list));
      }),
      runs(40),
    );
  });
});

describe('magic 0 and 1', () => {
  const entries = [
    { key: 'k1', value: 'hello', timestamp: T },
    { key: null, value: 'wörld', timestamp: T + 1 },
    { key: 'k3', value: null, timestamp: T + 2 },
  ];
  const plain = (magic: number) =>
    entries.map(({ key, value, timestamp }) => [key, value, magic === 0 ? -1 : timestamp] as const);

  it.each([
    [0, 'none'],
    [1, 'none'],
    [0, 'gzip'],
    [1, 'gzip'],
  ] as const)('what we write, kafkajs reads: magic %d, %s', async (magic, name) => {
    const set = writeMessageSet(
      entries.map(({ key, value, timestamp }, i) => ({
        offset: 20 + i,
        timestamp,
        timestampType: 0,
        key: key === null ? null : Buffer.from(key),
        value: value === null ? null : Buffer.from(value),
      })),
      magic,
      CODECS[name],
    );
    const framed = Buffer.concat([Buffer.alloc(4), set]);
    framed.writeInt32BE(set.length);
    const decoded = await decodeMessageSet(new Decoder(framed));
    expect(
      decoded.map((m: Decoded) => [Number(m.offset), m.key?.toString() ?? null, m.value?.toString() ?? null]),
    ).toEqual(entries.map(({ key, value }, i) => [20 + i, key, value]));
    if (magic === 1) expect(decoded.map((m: Decoded) => Number(m.timestamp))).toEqual([T, T + 1, T + 2]);
  });

  it.each([0, 1])('what kafkajs writes, we read: magic %d', messageVersion => {
    const { buffer } = encodeMessageSet({ messageVersion, compression: 0, entries });
    const found = [...readMessageSet(buffer)];
    expect(found.map(m => [m.key?.toString() ?? null, m.value?.toString() ?? null, m.timestamp])).toEqual(
      plain(messageVersion),
    );
  });

  it.each([0, 1])('what kafkajs wraps in gzip, we read: magic %d', async messageVersion => {
    const gzip = require(`${protocol}/message/compression/gzip`);
    const inner = encodeMessageSet({ messageVersion, compression: 1, entries });
    const message = encodeMessage({ version: messageVersion })({
      compression: 1,
      timestamp: T,
      key: null,
      value: await gzip.compress(inner),
    });
    const { buffer } = new Encoder().writeInt64(0).writeInt32(message.size()).writeEncoder(message);
    const found = [...readMessageSet(buffer)];
    expect(found.map(m => m.offset)).toEqual([0, 1, 2]);
    expect(found.map(m => [m.key?.toString() ?? null, m.value?.toString() ?? null, m.timestamp])).toEqual(
      plain(messageVersion),
    );
  });
});
