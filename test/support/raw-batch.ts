import { compress, type CodecId } from '../../shared/records/compression.ts';
import * as batch from '../../shared/records/batch.ts';
import { writeVarint, writeVarlong } from '../../shared/records/varint.ts';

/** A record as it is to stand in a batch, sensible or not. */
export interface RawRecord {
  readonly timestampDelta?: number;
  /** The default is its index. */
  readonly offsetDelta?: number;
  readonly key?: Uint8Array | null;
  readonly value?: Uint8Array | null;
  readonly headers?: readonly (readonly [string, Uint8Array | null])[];
}

export interface RawBatchOptions {
  readonly baseTimestamp?: number;
  /** What the header says; the default is the largest there is. */
  readonly maxTimestamp?: number;
  readonly codec?: CodecId;
}

const HEADER_SIZE = 61;

/** A magic 2 batch written field by field, so that what is written may also be wrong; its checksum is right. */
export function rawBatch(records: readonly RawRecord[], options: RawBatchOptions = {}): Buffer {
  const { baseTimestamp = 0, codec = 0 } = options;
  const plain = Buffer.concat(records.map((record, index) => rawRecord(record, index)));
  const body = compress(codec, plain);
  const latest = baseTimestamp + Math.max(...records.map(({ timestampDelta = 0 }) => timestampDelta));
  const bytes = Buffer.alloc(HEADER_SIZE + body.length);
  bytes.set(body, HEADER_SIZE);
  bytes.writeInt32BE(bytes.length - 12, 8);
  bytes.writeInt32BE(-1, 12);
  bytes.writeInt8(2, 16);
  bytes.writeInt16BE(codec, 21);
  bytes.writeInt32BE(records.length - 1, 23);
  bytes.writeBigInt64BE(BigInt(baseTimestamp), 27);
  bytes.writeBigInt64BE(BigInt(options.maxTimestamp ?? latest), 35);
  bytes.writeBigInt64BE(-1n, 43);
  bytes.writeInt16BE(-1, 51);
  bytes.writeInt32BE(-1, 53);
  bytes.writeInt32BE(records.length, 57);
  batch.updateCrc(bytes, 0);
  return bytes;
}

function rawRecord(
  { timestampDelta = 0, offsetDelta, key = null, value = null, headers = [] }: RawRecord,
  index: number,
) {
  const body = Buffer.concat([
    Buffer.from([0]),
    varlong(timestampDelta),
    varint(offsetDelta ?? index),
    sized(key),
    sized(value),
    varint(headers.length),
    ...headers.flatMap(([name, content]) => [sized(Buffer.from(name)), sized(content)]),
  ]);
  return Buffer.concat([varint(body.length), body]);
}

function sized(bytes: Uint8Array | null): Buffer {
  return bytes === null ? varint(-1) : Buffer.concat([varint(bytes.length), bytes]);
}

export function varint(value: number): Buffer {
  const target = Buffer.alloc(5);
  return target.subarray(0, writeVarint(target, value, 0));
}

function varlong(value: number): Buffer {
  const target = Buffer.alloc(10);
  return target.subarray(0, writeVarlong(target, value, 0));
}
