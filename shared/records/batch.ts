import { crc32 } from 'node:zlib';
import { crc32c } from './crc32c.ts';
import { RecordsError } from './errors.ts';
import { readInt64, writeInt64 } from './int64.ts';
import * as layout from './layout.ts';
import { CODEC_MASK, LOG_APPEND_TIME_BIT, LOG_OVERHEAD, NO_TIMESTAMP } from './layout.ts';

/**
 * Reading and patching batches where they lie: every function takes a buffer and the position `at` of the batch's first
 * byte, and allocates nothing. Those for the fields that magic 0 and 1 lack answer −1, false or CreateTime for such
 * entries, so that old log files need no second path. The caller has seen that the batch is whole (`BatchCursor`).
 */

/** Who set the timestamps: the producer (0) or the broker that appended (1). */
export type TimestampType = 0 | 1;
export const CREATE_TIME = 0;
export const LOG_APPEND_TIME = 1;

/** The batch's total size in bytes. Needs only the first 12 bytes. */
export function batchSizeInBytes(buffer: Buffer, at: number): number {
  return LOG_OVERHEAD + buffer.readInt32BE(at + layout.LENGTH_AT);
}

/** The format: 0, 1 or 2. */
export function magic(buffer: Buffer, at: number): number {
  return buffer.readInt8(at + layout.MAGIC_AT);
}

/** The first offset. Of a compressed magic 0 or 1 entry it is the last one: only decompressing tells the first. */
export function baseOffset(buffer: Buffer, at: number): number {
  return readInt64(buffer, at);
}

/** The last offset; after compaction no record may have it, the next batch begins behind it all the same. */
export function lastOffset(buffer: Buffer, at: number): number {
  const base = readInt64(buffer, at);
  return isLegacy(buffer, at) ? base : base + buffer.readInt32BE(at + layout.LAST_OFFSET_DELTA_AT);
}

/** `lastOffset − baseOffset`. */
export function lastOffsetDelta(buffer: Buffer, at: number): number {
  return isLegacy(buffer, at) ? 0 : buffer.readInt32BE(at + layout.LAST_OFFSET_DELTA_AT);
}

/** The epoch of the leader that appended the batch, −1 before that. */
export function partitionLeaderEpoch(buffer: Buffer, at: number): number {
  return isLegacy(buffer, at) ? layout.NO_LEADER_EPOCH : buffer.readInt32BE(at + layout.LEADER_EPOCH_AT);
}

/** The attribute bits. */
export function attributes(buffer: Buffer, at: number): number {
  return isLegacy(buffer, at)
    ? buffer[at + layout.LEGACY_ATTRIBUTES_AT]!
    : buffer.readInt16BE(at + layout.ATTRIBUTES_AT);
}

/** The id of the compression codec, 0 to 7, of which 0 to 4 exist. */
export function compressionCodec(buffer: Buffer, at: number): number {
  return attributes(buffer, at) & CODEC_MASK;
}

/** Who set the timestamps. */
export function timestampType(buffer: Buffer, at: number): TimestampType {
  return magic(buffer, at) > 0 && attributes(buffer, at) & LOG_APPEND_TIME_BIT ? LOG_APPEND_TIME : CREATE_TIME;
}

/** Whether the batch belongs to a transaction. */
export function isTransactional(buffer: Buffer, at: number): boolean {
  return (attributes(buffer, at) & layout.TRANSACTIONAL_BIT) !== 0 && !isLegacy(buffer, at);
}

/** Whether the batch holds a transaction marker instead of data. */
export function isControl(buffer: Buffer, at: number): boolean {
  return (attributes(buffer, at) & layout.CONTROL_BIT) !== 0 && !isLegacy(buffer, at);
}

/** Whether `baseTimestamp` holds the delete horizon (KIP-534). */
export function hasDeleteHorizon(buffer: Buffer, at: number): boolean {
  return (attributes(buffer, at) & layout.DELETE_HORIZON_BIT) !== 0 && !isLegacy(buffer, at);
}

/** Milliseconds since the epoch: the first record's timestamp, or the delete horizon; −1 for none. */
export function baseTimestamp(buffer: Buffer, at: number): number {
  return isLegacy(buffer, at) ? maxTimestamp(buffer, at) : readInt64(buffer, at + layout.BASE_TIMESTAMP_AT);
}

/** The largest timestamp of the records, in milliseconds since the epoch; −1 for none. */
export function maxTimestamp(buffer: Buffer, at: number): number {
  const format = magic(buffer, at);
  if (format >= 2) return readInt64(buffer, at + layout.MAX_TIMESTAMP_AT);
  return format === 1 ? readInt64(buffer, at + layout.LEGACY_TIMESTAMP_AT) : NO_TIMESTAMP;
}

/** The idempotent producer's id, −1 for none. */
export function producerId(buffer: Buffer, at: number): number {
  return isLegacy(buffer, at) ? layout.NO_PRODUCER_ID : readInt64(buffer, at + layout.PRODUCER_ID_AT);
}

/** The idempotent producer's epoch, −1 for none. */
export function producerEpoch(buffer: Buffer, at: number): number {
  return isLegacy(buffer, at) ? -1 : buffer.readInt16BE(at + layout.PRODUCER_EPOCH_AT);
}

/** The sequence number of the first record, −1 for none. */
export function baseSequence(buffer: Buffer, at: number): number {
  return isLegacy(buffer, at) ? layout.NO_SEQUENCE : buffer.readInt32BE(at + layout.BASE_SEQUENCE_AT);
}

/** The sequence number at the last offset, −1 for none; sequences go from 2147483647 to 0. */
export function lastSequence(buffer: Buffer, at: number): number {
  const base = baseSequence(buffer, at);
  return base < 0 ? layout.NO_SEQUENCE : (base + lastOffsetDelta(buffer, at)) & 0x7fff_ffff;
}

/** The number of records, −1 if only reading them would tell (magic 0 and 1, compressed). */
export function recordCount(buffer: Buffer, at: number): number {
  if (!isLegacy(buffer, at)) return buffer.readInt32BE(at + layout.RECORD_COUNT_AT);
  return compressionCodec(buffer, at) === 0 ? 1 : -1;
}

/** Whether the checksum that the batch carries is that of its bytes. */
export function crcIsValid(buffer: Buffer, at: number): boolean {
  return storedCrc(buffer, at) === computedCrc(buffer, at);
}

/** Throws CORRUPT, naming both checksums, unless `crcIsValid`. */
export function ensureCrc(buffer: Buffer, at: number): void {
  if (crcIsValid(buffer, at)) return;
  const [stored, computed] = [storedCrc(buffer, at), computedCrc(buffer, at)].map(crc => crc.toString(16));
  const offset = baseOffset(buffer, at);
  throw new RecordsError(
    'CORRUPT',
    `The batch at offset ${offset} carries the CRC ${stored}, its bytes have ${computed}.`,
  );
}

/** Sets the first offset, and with it every record's. Outside the checksum. */
export function setBaseOffset(buffer: Buffer, at: number, offset: number): void {
  writeInt64(buffer, offset, at);
}

/** Stamps a magic 2 batch with the epoch of the leader that appends it. Outside the checksum. */
export function setPartitionLeaderEpoch(buffer: Buffer, at: number, epoch: number): void {
  buffer.writeInt32BE(epoch, at + layout.LEADER_EPOCH_AT);
}

/**
 * Sets the timestamp type and the largest timestamp of a magic 2 batch, and its checksum anew. With LogAppendTime that
 * is all it takes to give every record the timestamp, compressed or not.
 */
export function setMaxTimestampAndType(buffer: Buffer, at: number, type: TimestampType, timestamp: number): void {
  const bits = buffer.readInt16BE(at + layout.ATTRIBUTES_AT);
  const typed = type === LOG_APPEND_TIME ? bits | LOG_APPEND_TIME_BIT : bits & ~LOG_APPEND_TIME_BIT;
  buffer.writeInt16BE(typed, at + layout.ATTRIBUTES_AT);
  writeInt64(buffer, timestamp, at + layout.MAX_TIMESTAMP_AT);
  updateCrc(buffer, at);
}

/** Numbers a magic 2 batch for an idempotent producer, and sets its checksum anew. */
export function setProducer(buffer: Buffer, at: number, id: number, epoch: number, sequence: number): void {
  writeInt64(buffer, id, at + layout.PRODUCER_ID_AT);
  buffer.writeInt16BE(epoch, at + layout.PRODUCER_EPOCH_AT);
  buffer.writeInt32BE(sequence, at + layout.BASE_SEQUENCE_AT);
  updateCrc(buffer, at);
}

/** Writes the checksum of a magic 2 batch whose other fields are final. */
export function updateCrc(buffer: Buffer, at: number): void {
  buffer.writeUInt32BE(computedCrc(buffer, at), at + layout.CRC_AT);
}

function isLegacy(buffer: Buffer, at: number): boolean {
  return magic(buffer, at) < 2;
}

function storedCrc(buffer: Buffer, at: number): number {
  return buffer.readUInt32BE(at + (isLegacy(buffer, at) ? layout.LEGACY_CRC_AT : layout.CRC_AT));
}

function computedCrc(buffer: Buffer, at: number): number {
  const end = at + batchSizeInBytes(buffer, at);
  if (isLegacy(buffer, at)) return crc32(buffer.subarray(at + layout.MAGIC_AT, end));
  return crc32c(buffer, at + layout.ATTRIBUTES_AT, end);
}
