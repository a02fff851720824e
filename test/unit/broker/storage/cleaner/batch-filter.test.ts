import { beforeEach, describe, expect, it } from 'vitest';
import { BatchFilter, type FilterCounts } from '../../../../../broker/storage/cleaner/batch-filter.ts';
import { CleanedTransactions } from '../../../../../broker/storage/cleaner/cleaned-transactions.ts';
import { OffsetMap } from '../../../../../broker/storage/cleaner/offset-map.ts';
import type { ActiveProducer, FateRules } from '../../../../../broker/storage/cleaner/record-fate.ts';
import type { AbortedTransaction } from '../../../../../broker/storage/transaction-index.ts';
import { BatchBuilder, type BatchOptions } from '../../../../../shared/records/batch-builder.ts';
import * as batch from '../../../../../shared/records/batch.ts';
import { CODECS } from '../../../../../shared/records/compression.ts';
import { readMessageSet, writeMessageSet } from '../../../../../shared/records/message-set.ts';
import { RecordCursor } from '../../../../../shared/records/record-cursor.ts';

const NOW = 1_700_000_000_000;
const RETENTION = 1000;

interface Given {
  readonly key: string | null;
  readonly value: string | null;
  readonly timestamp?: number;
  readonly headers?: { readonly key: string; readonly value: Uint8Array | null }[];
}

/** Records that begin at offset 100 unless the options say otherwise. */
function batchOf(records: readonly Given[], options: BatchOptions = {}): Buffer {
  const builder = new BatchBuilder();
  for (const { key, value, timestamp = 5000, headers } of records) {
    const bytes = (text: string | null) => (text === null ? null : Buffer.from(text));
    builder.append(timestamp, bytes(key), bytes(value), headers);
  }
  return builder.build({ baseOffset: 100, partitionLeaderEpoch: 3, ...options });
}

function marker(type: 'abort' | 'commit', producerId: number, baseOffset: number): Buffer {
  const builder = new BatchBuilder();
  builder.append(5000, Buffer.from([0, 0, 0, type === 'commit' ? 1 : 0]), Buffer.alloc(6));
  return builder.build({ baseOffset, producerId, producerEpoch: 0, isControl: true, isTransactional: true });
}

/** `offset key=value@timestamp` of each record. */
function contentOf(bytes: Buffer | null): string[] {
  const lines: string[] = [];
  if (bytes === null) return lines;
  for (const cursor = new RecordCursor().reset(bytes); cursor.next();) {
    lines.push(`${cursor.offset} ${String(cursor.key())}=${String(cursor.value())}@${cursor.timestamp}`);
  }
  return lines;
}

/** The header fields that compaction must not touch. */
function identityOf(bytes: Buffer) {
  return {
    baseOffset: batch.baseOffset(bytes, 0),
    lastOffset: batch.lastOffset(bytes, 0),
    epoch: batch.partitionLeaderEpoch(bytes, 0),
    producer: [batch.producerId(bytes, 0), batch.producerEpoch(bytes, 0), batch.baseSequence(bytes, 0)],
    lastSequence: batch.lastSequence(bytes, 0),
    timestampType: batch.timestampType(bytes, 0),
    flags: [batch.isTransactional(bytes, 0), batch.isControl(bytes, 0)],
  };
}

let counts: FilterCounts;
let filter: BatchFilter;

beforeEach(() => {
  counts = { recordsRead: 0, recordsKept: 0, keyless: 0 };
  filter = new BatchFilter(counts);
});

interface Circumstances extends Partial<Omit<FateRules, 'producers' | 'transactions'>> {
  readonly latest?: Readonly<Record<string, number>>;
  readonly mappedTo?: number;
  readonly producers?: readonly ActiveProducer[];
  readonly aborted?: readonly AbortedTransaction[];
}

function rules({
  latest = {},
  mappedTo = 10_000,
  producers = [],
  aborted = [],
  ...rest
}: Circumstances = {}): FateRules {
  const map = new OffsetMap(50);
  for (const [key, offset] of Object.entries(latest)) map.put(Buffer.from(key), offset);
  map.latestOffset = mappedTo;
  return {
    map,
    transactions: new CleanedTransactions(aborted),
    now: NOW,
    deleteRetentionMs: RETENTION,
    keepsLegacyTombstones: false,
    roundEnd: 20_000,
    ...rest,
    producers: new Map(producers.map(producer => [producer.producerId, producer])),
  };
}

function filtered(bytes: Buffer, circumstances: Circumstances = {}): Buffer | null {
  const result = filter.filter(bytes, 0, rules(circumstances));
  if (result !== null) expect(batch.crcIsValid(result, 0)).toBe(true);
  return result;
}

const AB = [
  { key: 'a', value: '1', timestamp: 5000 },
  { key: 'b', value: '2', timestamp: 5001 },
  { key: 'a', value: '3', timestamp: 5002 },
];

describe('records with values', () => {
  it('stay, in the very same bytes, when each is the latest of its key', () => {
    const bytes = batchOf(AB.slice(0, 2));
    expect(filtered(bytes, { latest: { a: 100, b: 101 } })).toEqual(bytes);
    expect(filtered(bytes)).toEqual(bytes);
  });

  it('go when there is a later one of their key, and leave a gap', () => {
    const bytes = batchOf(AB, { producerId: 7, producerEpoch: 1, baseSequence: 40 });
    const result = filtered(bytes, { latest: { a: 102, b: 101 } })!;
    expect(contentOf(result)).toEqual(['101 b=2@5001', '102 a=3@5002']);
    expect(identityOf(result)).toEqual(identityOf(bytes));
    expect(counts).toEqual({ recordsRead: 3, recordsKept: 2, keyless: 0 });
  });

  it('keep the last offset and sequence of their batch when the last of them goes', () => {
    const bytes = batchOf(AB, { producerId: 7, producerEpoch: 1, baseSequence: 40 });
    const result = filtered(bytes, { latest: { a: 500, b: 101 } })!;
    expect(contentOf(result)).toEqual(['101 b=2@5001']);
    expect(identityOf(result)).toEqual(identityOf(bytes));
    expect(batch.maxTimestamp(result, 0)).toBe(5001);
  });

  it('go with their batch when none of them stays', () => {
    expect(filtered(batchOf(AB), { latest: { a: 500, b: 500 } })).toBeNull();
  });

  it('stay where they lie beyond what the map knows', () => {
    const bytes = batchOf(AB);
    const result = filtered(bytes, { latest: { a: 102, b: 500 }, mappedTo: 100 });
    expect(contentOf(result)).toEqual(['101 b=2@5001', '102 a=3@5002']);
  });

  it('go when they have no key, and are counted', () => {
    const bytes = batchOf([
      { key: null, value: 'x' },
      { key: 'a', value: 'y' },
      { key: null, value: null },
    ]);
    expect(contentOf(filtered(bytes))).toEqual(['101 a=y@5000']);
    expect(counts.keyless).toBe(2);
  });

  it('keep headers, also such that are no UTF-8', () => {
    const headers = [
      { key: 'trace', value: Buffer.from([0xff, 0xfe]) },
      { key: '', value: null },
    ];
    const bytes = batchOf([
      { key: 'a', value: 'old' },
      { key: 'b', value: 'x', headers },
    ]);
    const cursor = new RecordCursor().reset(filtered(bytes, { latest: { a: 500 } })!);
    expect(cursor.next()).toBe(true);
    expect(cursor.headers()).toEqual(headers);
  });

  it.each(Object.entries(CODECS))('are compressed with %s again', (_, codec) => {
    const many = Array.from({ length: 200 }, (_, i) => ({
      key: `k${i % 50}`,
      value: `value ${i}`,
      timestamp: 5000 + i,
    }));
    const latest = Object.fromEntries(many.map(({ key }, i) => [key, 100 + i]));
    const result = filtered(batchOf(many, { codec }), { latest })!;
    expect(batch.compressionCodec(result, 0)).toBe(codec);
    expect(contentOf(result)).toEqual(
      many.slice(150).map(({ key, value }, i) => `${250 + i} ${key}=${value}@${5150 + i}`),
    );
  });

  it('keep the time of the append where the broker set it', () => {
    const bytes = batchOf(AB, { timestampType: 1, maxTimestamp: 9999 });
    const result = filtered(bytes, { latest: { a: 102 } })!;
    expect(contentOf(result)).toEqual(['101 b=2@9999', '102 a=3@9999']);
    expect(identityOf(result)).toEqual(identityOf(bytes));
  });

  it('of a batch whose checksum is wrong are not touched', () => {
    const bytes = batchOf(AB);
    bytes[bytes.length - 1]! ^= 1;
    expect(() => filtered(bytes)).toThrow(/CRC/);
  });
});

describe('tombstones', () => {
  const deletion = batchOf([
    { key: 'a', value: null, timestamp: 5000 },
    { key: 'b', value: '2', timestamp: 7000 },
  ]);

  it('get a delete horizon when they are first seen, however old they are; times stay what they were', () => {
    const result = filtered(deletion)!;
    expect(batch.hasDeleteHorizon(result, 0)).toBe(true);
    expect(batch.baseTimestamp(result, 0)).toBe(NOW + RETENTION);
    expect(contentOf(result)).toEqual(['100 a=null@5000', '101 b=2@7000']);
    expect(batch.maxTimestamp(result, 0)).toBe(7000);
  });

  it('stay, in the very same bytes, until then, and go from then on', () => {
    const marked = filtered(deletion)!;
    expect(filtered(marked, { now: NOW + RETENTION - 1 })).toEqual(marked);
    expect(contentOf(filtered(marked, { now: NOW + RETENTION }))).toEqual(['101 b=2@7000']);
  });

  it('keep their horizon when others of the batch go before them', () => {
    const marked = filtered(deletion)!;
    const result = filtered(marked, { now: NOW + 1, latest: { b: 500 } })!;
    expect(batch.baseTimestamp(result, 0)).toBe(NOW + RETENTION);
    expect(contentOf(result)).toEqual(['100 a=null@5000']);
    expect(filtered(result, { now: NOW + RETENTION })).toBeNull();
  });

  it('go at once when there is a later record of their key', () => {
    const result = filtered(deletion, { latest: { a: 500 } })!;
    expect(contentOf(result)).toEqual(['101 b=2@7000']);
    expect(batch.hasDeleteHorizon(result, 0)).toBe(false);
  });
});

describe('batches of which no record stays', () => {
  const bytes = batchOf(AB, { codec: CODECS.gzip, producerId: 7, producerEpoch: 1, baseSequence: 40 });
  const gone = { latest: { a: 500, b: 500 } };

  it('stay as a header when they are the last of an active producer', () => {
    const result = filtered(bytes, { ...gone, producers: [{ producerId: 7, epoch: 1, lastOffset: 102 }] })!;
    expect(result.length).toBe(61);
    expect(identityOf(result)).toEqual(identityOf(bytes));
    expect(batch.recordCount(result, 0)).toBe(0);
    expect(batch.maxTimestamp(result, 0)).toBe(5002);
    expect(contentOf(result)).toEqual([]);
    expect(filtered(result, { producers: [{ producerId: 7, epoch: 1, lastOffset: 102 }] })).toEqual(result);
  });

  it('go when the producer has written since, or is not known any more', () => {
    expect(filtered(bytes, { ...gone, producers: [{ producerId: 7, epoch: 1, lastOffset: 900 }] })).toBeNull();
    expect(filtered(bytes, { ...gone, producers: [{ producerId: 8, epoch: 1, lastOffset: 102 }] })).toBeNull();
    const empty = filtered(bytes, { ...gone, producers: [{ producerId: 7, epoch: 1, lastOffset: 102 }] })!;
    expect(filtered(empty, { producers: [{ producerId: 7, epoch: 1, lastOffset: 900 }] })).toBeNull();
  });

  it('stay as a header where the cleaning ends, so that the log still tells how far it goes', () => {
    expect(filtered(batchOf(AB), { ...gone, roundEnd: 103 })!.length).toBe(61);
    expect(filtered(batchOf(AB), { ...gone, roundEnd: 104 })).toBeNull();
  });
});

describe('transactions', () => {
  const data = batchOf(AB, { producerId: 7, producerEpoch: 0, baseSequence: 0, isTransactional: true });
  const aborted = [{ producerId: 7, firstOffset: 100, lastOffset: 110, lastStableOffset: 111 }];
  const markerRules = (circumstances: Circumstances = {}) => rules(circumstances);

  it('that were aborted lose their records', () => {
    expect(filtered(data, { aborted })).toBeNull();
    expect(filtered(batchOf(AB, { producerId: 8, producerEpoch: 0, baseSequence: 0 }), { aborted })).not.toBeNull();
  });

  it('that were aborted keep their marker while data of theirs was there, and their place in the index', () => {
    const together = markerRules({ aborted });
    filter.filter(data, 0, together);
    const abort = marker('abort', 7, 110);
    expect(filter.filter(abort, 0, together)).toEqual(abort);
    expect(together.transactions.takeRetained()).toEqual(aborted);
    expect(together.transactions.takeRetained()).toEqual([]);
  });

  it('that were aborted lose their marker delete.retention.ms after their data has gone', () => {
    const abort = marker('abort', 7, 110);
    const first = filtered(abort, { aborted })!;
    expect([batch.hasDeleteHorizon(first, 0), batch.baseTimestamp(first, 0)]).toEqual([true, NOW + RETENTION]);
    expect(identityOf(first)).toEqual(identityOf(abort));
    expect(filtered(first, { aborted, now: NOW + RETENTION - 1 })).toEqual(first);
    expect(filtered(first, { aborted, now: NOW + RETENTION })).toBeNull();
  });

  it('that were committed keep their records, and their marker as long as one is there', () => {
    const together = markerRules();
    expect(filter.filter(data, 0, together)).toEqual(data);
    const commit = marker('commit', 7, 110);
    expect(filter.filter(commit, 0, together)).toEqual(commit);
    const first = filtered(commit)!;
    expect(batch.hasDeleteHorizon(first, 0)).toBe(true);
    expect(filtered(first, { now: NOW + RETENTION })).toBeNull();
  });

  it('leave a marker that alone tells the epoch of an active producer', () => {
    const spent = filtered(marker('commit', 7, 110))!;
    const kept = filtered(spent, { now: NOW + RETENTION, producers: [{ producerId: 7, epoch: 0, lastOffset: -1 }] })!;
    expect([batch.recordCount(kept, 0), batch.isControl(kept, 0)]).toEqual([0, true]);
    expect(filtered(kept, { producers: [{ producerId: 7, epoch: 0, lastOffset: -1 }] })).toEqual(kept);
    expect(filtered(kept)).toBeNull();
  });
});

describe('messages of magic 0 and 1', () => {
  const messages = ['1', '2', '3', null].map((value, i) => ({
    offset: 100 + i,
    timestamp: 5000 + i,
    timestampType: 0 as const,
    key: Buffer.from(i === 3 ? 'dead' : 'ab'[i % 2]!),
    value: value === null ? null : Buffer.from(value),
  }));

  it.each([
    [0, CODECS.none],
    [0, CODECS.gzip],
    [1, CODECS.none],
    [1, CODECS.lz4],
  ] as const)('of magic %i with codec %i keep format, offsets and times', (magic, codec) => {
    const set = writeMessageSet(messages, magic, codec);
    const parts: Buffer[] = [];
    const all = rules({ latest: { a: 102, b: 101 } });
    for (let at = 0; at < set.length; at += batch.batchSizeInBytes(set, at)) {
      const kept = filter.filter(set, at, all);
      if (kept !== null) parts.push(Buffer.from(kept));
    }
    const found = [...readMessageSet(Buffer.concat(parts))];
    expect(found.map(({ offset, value }) => `${offset}=${String(value)}`)).toEqual(['101=2', '102=3']);
    expect(found.map(({ timestamp }) => timestamp)).toEqual(magic === 0 ? [-1, -1] : [5001, 5002]);
    expect(batch.magic(parts[0]!, 0)).toBe(magic);
  });

  it('keep tombstones while the file is young', () => {
    const set = writeMessageSet(messages.slice(3), 1, CODECS.none);
    expect(filtered(set, { keepsLegacyTombstones: true })).toEqual(set);
    expect(filtered(set, { keepsLegacyTombstones: false })).toBeNull();
    expect(filtered(set, { keepsLegacyTombstones: false, roundEnd: 104 })).toBeNull();
  });
});
