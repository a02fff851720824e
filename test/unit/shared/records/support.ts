import * as fc from 'fast-check';
import { BatchBuilder } from '../../../../shared/records/batch-builder.ts';
import type { BatchOptions } from '../../../../shared/records/batch-builder.ts';
import { RecordsError } from '../../../../shared/records/errors.ts';
import { RecordCursor } from '../../../../shared/records/record-cursor.ts';

/** A record as the tests compare it: bytes as hex, so that a difference can be read. */
export interface PlainRecord {
  timestamp: number;
  key: string | null;
  value: string | null;
  headers: { key: string; value: string | null }[];
}

export interface PlacedRecord extends PlainRecord {
  offset: number;
}

export const T = 1_700_000_000_000;

/** The bytes of hex text, in which anything from `|` to the end of the line is a remark. */
export function bytes(text: string): Buffer {
  return Buffer.from(text.replace(/\|.*$/gm, '').replace(/\s+/g, ''), 'hex');
}

export function toHex(data: Uint8Array | null): string | null {
  return data === null ? null : Buffer.from(data).toString('hex');
}

const maybeBytes = (maxLength: number) =>
  fc.option(
    fc.uint8Array({ maxLength }).map(data => Buffer.from(data).toString('hex')),
    { nil: null },
  );

/** Records of all shapes; compressible ones among them, and such that cross the block sizes of lz4 and snappy. */
export const anyRecords: fc.Arbitrary<PlainRecord[]> = fc.array(
  fc.record({
    timestamp: fc.oneof(fc.integer({ min: T, max: T + 1000 }), fc.constant(-1), fc.nat(2 ** 31), fc.nat(2 ** 52)),
    key: maybeBytes(40),
    value: fc.oneof(
      { weight: 8, arbitrary: maybeBytes(300) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 100_000 }).map(n => 'ab'.repeat(n)) },
    ),
    headers: fc.array(fc.record({ key: fc.string({ unit: 'grapheme', maxLength: 8 }), value: maybeBytes(20) }), {
      maxLength: 3,
    }),
  }),
  { minLength: 1, maxLength: 30 },
);

export function fromHex(text: string | null): Buffer | null {
  return text === null ? null : Buffer.from(text, 'hex');
}

export function build(records: readonly PlainRecord[], options: BatchOptions = {}): Buffer {
  const builder = new BatchBuilder();
  for (const { timestamp, key, value, headers } of records) {
    builder.append(
      timestamp,
      fromHex(key),
      fromHex(value),
      headers.map(header => ({ key: header.key, value: fromHex(header.value) })),
    );
  }
  return builder.build(options);
}

export function read(batch: Buffer, at = 0, limit?: number): PlacedRecord[] {
  const records: PlacedRecord[] = [];
  const cursor = new RecordCursor().reset(batch, at, limit);
  while (cursor.next()) {
    records.push({
      offset: cursor.offset,
      timestamp: cursor.timestamp,
      key: toHex(cursor.key()),
      value: toHex(cursor.value()),
      headers: cursor.headers().map(({ key, value }) => ({ key, value: toHex(value) })),
    });
  }
  return records;
}

export function placed(records: readonly PlainRecord[], baseOffset = 0): PlacedRecord[] {
  return records.map((record, i) => ({ ...record, offset: baseOffset + i }));
}

/** What `work` throws. */
export function thrown(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** Runs `work`, which may throw a RecordsError and nothing else: damaged input must not surface as a TypeError. */
export function expectNoOtherError(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof RecordsError)) throw error;
  }
}

/** A batch written by hand from the format: two records of an idempotent producer. */
export const TWO_RECORDS = bytes(`
  00 00 00 00 00 00 00 64 00 00 00 4c 00 00 00 05 | base offset 100, length, leader epoch 5
  02 3b 16 bd 9a 00 00 00 00 00 01 00 00 01 8b cf | magic, crc, attributes, last offset delta 1
  e5 68 00 00 00 01 8b cf e5 68 07 00 00 00 00 00 | base timestamp, max timestamp
  00 0f a1 00 00 00 00 00 0a 00 00 00 02          | producer 4001, epoch 0, sequence 10, 2 records
  22 00 00 00 04 6b 31 0a 68 65 6c 6c 6f 02 02 68 02 76
  10 00 0e 02 04 6b 32 01 00`);

export const COMMIT_MARKER = bytes(`
  00 00 00 00 00 00 00 66 00 00 00 42 00 00 00 05
  02 90 89 1a 0e 00 30 00 00 00 00 00 00 01 8b cf
  e5 68 09 00 00 01 8b cf e5 68 09 00 00 00 00 00
  00 0f a1 00 00 ff ff ff ff 00 00 00 01
  20 00 00 00 08 00 00 00 01 0c 00 00 00 00 00 03 00`);

export const EMPTIED = bytes(`
  00 00 00 00 00 00 00 64 00 00 00 31 00 00 00 05 02 f6 3d bc a5 00 00 00 00 00 01 ff ff ff ff ff
  ff ff ff 00 00 01 8b cf e5 68 07 00 00 00 00 00 00 0f a1 00 00 00 00 00 0a 00 00 00 00`);
