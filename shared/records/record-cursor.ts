import * as batch from './batch.ts';
import { DEFAULT_MAX_DECOMPRESSED_BYTES, decompress } from './compression.ts';
import { RecordsError } from './errors.ts';
import { int64FromHalves } from './int64.ts';
import { HEADER_SIZE } from './layout.ts';

/** A record header (KIP-82). */
export interface RecordHeader {
  readonly key: string;
  readonly value: Uint8Array | null;
}

const EMPTY = Buffer.alloc(0);

/**
 * Walks the records of one magic 2 batch without making an object a record: `next` moves the numeric fields, and
 * `key`, `value` and `headers` make views of the bytes when asked. One cursor can be used for batch after batch.
 *
 *     for (cursor.reset(buffer, at); cursor.next(); ) …
 *
 * Every length is checked against the record that holds it, so the accessors cannot fail; what does not fit throws
 * INVALID. A compressed batch is decompressed by `reset`. The checksum is the caller's concern.
 */
export class RecordCursor {
  offset = -1;
  /** `offset − baseOffset`. */
  offsetDelta = 0;
  /** Milliseconds since the epoch; −1 for none. */
  timestamp = -1;
  keyStart = 0;
  /** Bytes, −1 for a null key. */
  keyLength = -1;
  valueStart = 0;
  /** Bytes, −1 for a null value. */
  valueLength = -1;
  headerCount = 0;
  headersStart = 0;
  /** Where the current record begins and its size with its length field: its bytes as they are, in `bytes`. */
  recordStart = 0;
  recordSize = 0;
  /** What the `…Start` fields are positions in: the batch's buffer, or what was decompressed of it. */
  bytes: Buffer = EMPTY;

  private position = 0;
  private end = 0;
  private left = 0;
  private baseOffset = 0;
  private baseTimestamp = 0;
  /** Whether every record has the timestamp `appendTime`, which the broker set. */
  private isAppendTime = false;
  private appendTime = -1;

  /**
   * Stands before the first record of the batch at `at`. Decompressing to more than `maxDecompressedBytes` throws
   * TOO_LARGE; a codec that does not exist throws UNSUPPORTED_COMPRESSION.
   */
  reset(buffer: Buffer, at = 0, maxDecompressedBytes = DEFAULT_MAX_DECOMPRESSED_BYTES): this {
    this.left = 0;
    this.position = this.end = 0;
    const count = checkedCount(buffer, at);
    const end = at + batch.batchSizeInBytes(buffer, at);
    const codec = batch.compressionCodec(buffer, at);
    if (codec === 0) {
      this.bytes = buffer;
      this.position = at + HEADER_SIZE;
      this.end = end;
    } else {
      // A batch that compaction emptied keeps its header and has no stream.
      this.bytes =
        count === 0 ? EMPTY : decompress(codec, buffer.subarray(at + HEADER_SIZE, end), maxDecompressedBytes);
      this.end = this.bytes.length;
    }
    this.baseOffset = batch.baseOffset(buffer, at);
    this.baseTimestamp = batch.baseTimestamp(buffer, at);
    this.isAppendTime = batch.timestampType(buffer, at) === batch.LOG_APPEND_TIME;
    this.appendTime = batch.maxTimestamp(buffer, at);
    this.left = count;
    return this;
  }

  /** Steps to the next record; false behind the last one. */
  next(): boolean {
    if (this.left === 0) {
      if (this.position !== this.end) throw invalid('bytes are left behind the last record');
      return false;
    }
    this.left--;
    this.recordStart = this.position;
    const length = this.varint();
    const end = this.position + length;
    if (length < 0 || end > this.end) throw invalid('a record reaches beyond the batch');
    this.recordSize = end - this.recordStart;
    this.position++; // the record's attributes, of which none is in use
    const timestampDelta = this.varlong();
    this.timestamp = this.isAppendTime ? this.appendTime : this.baseTimestamp + timestampDelta;
    this.offsetDelta = this.varint();
    this.offset = this.baseOffset + this.offsetDelta;
    this.keyLength = this.varint();
    this.keyStart = this.position;
    if (this.keyLength > 0) this.position += this.keyLength;
    this.valueLength = this.varint();
    this.valueStart = this.position;
    if (this.valueLength > 0) this.position += this.valueLength;
    this.headerCount = this.varint();
    this.headersStart = this.position;
    if (this.headerCount !== 0) this.skipHeaders(end);
    if (this.position !== end) throw invalid('a field does not fit its record');
    if (this.keyLength < -1 || this.valueLength < -1) throw invalid('the length of a key or a value is below -1');
    return true;
  }

  /** The key, a view of the batch's bytes. */
  key(): Buffer | null {
    return this.keyLength < 0 ? null : this.bytes.subarray(this.keyStart, this.keyStart + this.keyLength);
  }

  /** The value, a view of the batch's bytes; null in a tombstone. */
  value(): Buffer | null {
    return this.valueLength < 0 ? null : this.bytes.subarray(this.valueStart, this.valueStart + this.valueLength);
  }

  /** The headers in their order; keys need not be unique. */
  headers(): RecordHeader[] {
    const headers: RecordHeader[] = [];
    const resumeAt = this.position;
    this.position = this.headersStart;
    for (let i = 0; i < this.headerCount; i++) {
      const keyLength = this.varint();
      const key = this.bytes.toString('utf8', this.position, (this.position += keyLength));
      const valueLength = this.varint();
      const value = valueLength < 0 ? null : this.bytes.subarray(this.position, (this.position += valueLength));
      headers.push({ key, value });
    }
    this.position = resumeAt;
    return headers;
  }

  private skipHeaders(end: number): void {
    if (this.headerCount < 0) throw invalid('a header count is negative');
    for (let i = 0; i < this.headerCount; i++) {
      const keyLength = this.varint();
      if (keyLength < 0) throw invalid('a header key is null');
      this.position += keyLength;
      const valueLength = this.varint();
      if (valueLength < -1) throw invalid('a header length is negative');
      if (valueLength > 0) this.position += valueLength;
      if (this.position > end) throw invalid('a header reaches beyond its record');
    }
  }

  /**
   * The next varint. It may read past the record, where a byte of something else or nothing (taken for 0) is found:
   * `next` sees afterwards that the position is beyond the record's end.
   */
  private varint(): number {
    const first = this.bytes[this.position++]!;
    if (first < 0x80) return (first >>> 1) ^ -(first & 1);
    let zigzag = first & 0x7f;
    for (let shift = 7; shift < 35; shift += 7) {
      const byte = this.bytes[this.position++]!;
      zigzag |= (byte & 0x7f) << shift;
      if (!(byte >= 0x80)) return (zigzag >>> 1) ^ -(zigzag & 1);
    }
    throw invalid('a varint has more than 5 bytes');
  }

  /** The next varlong, saturated to a safe integer. */
  private varlong(): number {
    const first = this.bytes[this.position++]!;
    if (first < 0x80) return (first >>> 1) ^ -(first & 1);
    let low = first & 0x7f;
    let high = 0;
    for (let shift = 7; shift < 70; shift += 7) {
      const byte = this.bytes[this.position++]!;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (!(byte >= 0x80)) return unZigzag(high, low);
    }
    throw invalid('a varlong has more than 10 bytes');
  }
}

function unZigzag(high: number, low: number): number {
  const sign = -(low & 1);
  return int64FromHalves((high >>> 1) ^ sign, ((low >>> 1) | (high << 31)) ^ sign);
}

/** The record count of a batch that is a whole magic 2 batch. */
function checkedCount(buffer: Buffer, at: number): number {
  if (buffer.length - at < HEADER_SIZE || buffer.length - at < batch.batchSizeInBytes(buffer, at)) {
    throw new RecordsError('CORRUPT', `The batch at byte ${at} is cut off.`);
  }
  if (batch.magic(buffer, at) !== 2) throw invalid(`its magic is ${batch.magic(buffer, at)} where 2 is expected`);
  const count = batch.recordCount(buffer, at);
  if (count < 0) throw invalid('the record count is negative');
  return count;
}

function invalid(why: string): RecordsError {
  return new RecordsError('INVALID', `The record batch is malformed: ${why}.`);
}
