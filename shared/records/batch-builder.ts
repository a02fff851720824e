import { setBaseOffset, setPartitionLeaderEpoch, updateCrc } from './batch.ts';
import type { TimestampType } from './batch.ts';
import { compress } from './compression.ts';
import type { CodecId } from './compression.ts';
import { writeInt64 } from './int64.ts';
import * as layout from './layout.ts';
import type { RecordHeader } from './record-cursor.ts';
import { varintSize, varlongSize, writeVarint, writeVarlong } from './varint.ts';

const NO_HEADERS: readonly RecordHeader[] = [];
const DEFAULT_CAPACITY = 1024;

/** What the header says besides what follows from the records. The defaults are a plain producer's. */
export interface BatchOptions {
  readonly codec?: CodecId;
  /** See `compress`. */
  readonly level?: number | undefined;
  readonly baseOffset?: number;
  readonly partitionLeaderEpoch?: number;
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly isTransactional?: boolean;
  readonly isControl?: boolean;
  readonly timestampType?: TimestampType;
  /** Default: the largest timestamp appended. With LogAppendTime: the time of the append. */
  readonly maxTimestamp?: number;
  /** Default: the last record's. More, if the records that followed were compacted away. */
  readonly lastOffsetDelta?: number;
}

/**
 * An upper bound for what a record adds to a batch, in bytes, whatever its timestamp and place: by it a producer decides
 * whether the record still goes into the batch.
 */
export function maxRecordSize(
  key: Uint8Array | null,
  value: Uint8Array | null,
  headers: readonly RecordHeader[] = NO_HEADERS,
): number {
  const lengthAttributesTimestampOffset = 5 + 1 + 10 + 5;
  return lengthAttributesTimestampOffset + bodySize(key, value, headers);
}

/**
 * Builds one magic 2 batch. Records are encoded as they are appended, behind the place of the header:
 *
 *     const builder = new BatchBuilder();
 *     builder.append(now, key, value);
 *     const batch = builder.build({ codec: CODECS.zstd });
 */
export class BatchBuilder {
  #buffer: Buffer;
  #size = layout.HEADER_SIZE;
  #count = 0;
  #baseTimestamp = layout.NO_TIMESTAMP;
  #maxTimestamp = layout.NO_TIMESTAMP;
  #lastOffsetDelta = -1;

  /** `capacity`: the bytes to begin with. The buffer doubles when it is full. */
  constructor(capacity = DEFAULT_CAPACITY) {
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(capacity, layout.HEADER_SIZE));
  }

  /** The size of the batch in bytes if it were built now, uncompressed. */
  get sizeInBytes(): number {
    return this.#size;
  }

  get recordCount(): number {
    return this.#count;
  }

  /** The largest timestamp appended, −1 for none. */
  get maxTimestamp(): number {
    return this.#maxTimestamp;
  }

  /**
   * Appends a record, copying its bytes. `timestamp` is in milliseconds since the epoch, −1 for none. `offsetDelta`
   * must exceed the last one's; the default is the next.
   */
  append(
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeader[] = NO_HEADERS,
    offsetDelta = this.#lastOffsetDelta + 1,
  ): void {
    if (this.#count === 0) this.#baseTimestamp = timestamp;
    const timestampDelta = timestamp - this.#baseTimestamp;
    const length = 1 + varlongSize(timestampDelta) + varintSize(offsetDelta) + bodySize(key, value, headers);
    this.#reserve(5 + length);
    const target = this.#buffer;
    let at = writeVarint(target, length, this.#size);
    target[at++] = 0;
    at = writeVarlong(target, timestampDelta, at);
    at = writeVarint(target, offsetDelta, at);
    at = writeBytes(target, key, at);
    at = writeBytes(target, value, at);
    at = writeVarint(target, headers.length, at);
    for (const header of headers) at = writeHeader(target, header, at);
    this.#size = at;
    this.#count++;
    this.#lastOffsetDelta = offsetDelta;
    if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp;
  }

  /**
   * The finished batch. Uncompressed it is a view of the builder's buffer, so the builder is spent; compressed it is a
   * buffer of its own.
   */
  build(options: BatchOptions = {}): Buffer {
    const { codec = 0, level } = options;
    const records = this.#buffer.subarray(layout.HEADER_SIZE, this.#size);
    const batch =
      codec === 0 || this.#count === 0
        ? this.#buffer.subarray(0, this.#size)
        : Buffer.concat([this.#buffer.subarray(0, layout.HEADER_SIZE), compress(codec, records, level)]);
    this.#writeHeader(batch, options);
    return batch;
  }

  #writeHeader(batch: Buffer, options: BatchOptions): void {
    setBaseOffset(batch, 0, options.baseOffset ?? 0);
    batch.writeInt32BE(batch.length - layout.LOG_OVERHEAD, layout.LENGTH_AT);
    setPartitionLeaderEpoch(batch, 0, options.partitionLeaderEpoch ?? layout.NO_LEADER_EPOCH);
    batch.writeInt8(2, layout.MAGIC_AT);
    batch.writeInt16BE(attributeBits(options), layout.ATTRIBUTES_AT);
    batch.writeInt32BE(options.lastOffsetDelta ?? this.#lastOffsetDelta, layout.LAST_OFFSET_DELTA_AT);
    writeInt64(batch, this.#baseTimestamp, layout.BASE_TIMESTAMP_AT);
    writeInt64(batch, options.maxTimestamp ?? this.#maxTimestamp, layout.MAX_TIMESTAMP_AT);
    writeInt64(batch, options.producerId ?? layout.NO_PRODUCER_ID, layout.PRODUCER_ID_AT);
    batch.writeInt16BE(options.producerEpoch ?? -1, layout.PRODUCER_EPOCH_AT);
    batch.writeInt32BE(options.baseSequence ?? layout.NO_SEQUENCE, layout.BASE_SEQUENCE_AT);
    batch.writeInt32BE(this.#count, layout.RECORD_COUNT_AT);
    updateCrc(batch, 0);
  }

  #reserve(bytes: number): void {
    const needed = this.#size + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#size);
    this.#buffer = grown;
  }
}

function attributeBits({ codec = 0, timestampType = 0, isTransactional, isControl }: BatchOptions): number {
  return (
    codec |
    (timestampType && layout.LOG_APPEND_TIME_BIT) |
    (isTransactional ? layout.TRANSACTIONAL_BIT : 0) |
    (isControl ? layout.CONTROL_BIT : 0)
  );
}

/** Key, value and headers with their lengths and the header count. */
function bodySize(key: Uint8Array | null, value: Uint8Array | null, headers: readonly RecordHeader[]): number {
  let size = bytesSize(key) + bytesSize(value) + varintSize(headers.length);
  for (const header of headers) {
    const keyLength = Buffer.byteLength(header.key);
    size += varintSize(keyLength) + keyLength + bytesSize(header.value);
  }
  return size;
}

function bytesSize(bytes: Uint8Array | null): number {
  return bytes === null ? 1 : varintSize(bytes.length) + bytes.length;
}

function writeBytes(target: Buffer, bytes: Uint8Array | null, at: number): number {
  if (bytes === null) return writeVarint(target, -1, at);
  const start = writeVarint(target, bytes.length, at);
  target.set(bytes, start);
  return start + bytes.length;
}

function writeHeader(target: Buffer, header: RecordHeader, at: number): number {
  const start = writeVarint(target, Buffer.byteLength(header.key), at);
  return writeBytes(target, header.value, start + target.write(header.key, start));
}
