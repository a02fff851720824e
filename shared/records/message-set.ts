import { crc32 } from 'node:zlib';
import { BatchCursor } from './batch-cursor.ts';
import * as batch from './batch.ts';
import type { TimestampType } from './batch.ts';
import { CODECS, DEFAULT_MAX_DECOMPRESSED_BYTES, codecName, compress, decompress } from './compression.ts';
import type { CodecId } from './compression.ts';
import { RecordsError } from './errors.ts';
import { writeInt64 } from './int64.ts';
import * as layout from './layout.ts';
import { compressLz4, decompressLz4 } from './lz4.ts';

/**
 * The message sets of magic 0 and 1: what clients before 0.11 send and are sent, and what old log files hold. A
 * compressed message, the wrapper, has a whole set as its value:
 *
 *     magic 0: inner offsets are absolute
 *     magic 1: inner offsets count from 0, and the wrapper has the offset of the last inner message
 *
 * Layout of a message: `layout.ts`.
 */

export type LegacyMagic = 0 | 1;

/** A message of a set, out of its wrapper. Key and value are views. */
export interface LegacyMessage {
  readonly offset: number;
  /** Milliseconds since the epoch, −1 for none (always in magic 0). */
  readonly timestamp: number;
  readonly timestampType: TimestampType;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

/**
 * The messages of `set`, compressed ones unpacked, at most `maxDecompressedBytes` in all (else TOO_LARGE). Throws
 * CORRUPT for a wrong checksum or a torn set, INVALID for what is no message set of magic 0 or 1.
 */
export function* readMessageSet(
  set: Buffer,
  maxDecompressedBytes = DEFAULT_MAX_DECOMPRESSED_BYTES,
): Generator<LegacyMessage, void, undefined> {
  let room = maxDecompressedBytes;
  for (const entry of entries(set)) {
    if (entry.codec === 0) {
      yield entry.message;
    } else {
      const inner = unwrap(entry, room);
      room -= inner.length;
      yield* innerMessages(entry, inner);
    }
  }
}

/** A message as it stands in a set: still a wrapper if `codec` is not 0. */
interface Entry {
  readonly magic: LegacyMagic;
  readonly codec: number;
  readonly message: LegacyMessage;
}

function* entries(set: Buffer): Generator<Entry, void, undefined> {
  const cursor = new BatchCursor().reset(set);
  while (cursor.next()) yield readEntry(set, cursor.position, cursor.size);
  if (cursor.tornBytes > 0) throw new RecordsError('CORRUPT', 'The message set ends within a message.');
}

function readEntry(set: Buffer, at: number, size: number): Entry {
  const magic = batch.magic(set, at);
  if (magic > 1) throw invalid(`a message has the magic ${magic}`);
  batch.ensureCrc(set, at);
  const end = at + size;
  const keyAt = at + (magic === 0 ? layout.LEGACY_TIMESTAMP_AT : layout.LEGACY_TIMESTAMP_AT + 8);
  const key = readBytes(set, keyAt, end);
  const valueAt = keyAt + 4 + (key?.length ?? 0);
  const value = readBytes(set, valueAt, end);
  if (valueAt + 4 + (value?.length ?? 0) !== end) throw invalid('a message has bytes behind its value');
  return {
    magic: magic as LegacyMagic,
    codec: batch.compressionCodec(set, at),
    message: {
      offset: batch.baseOffset(set, at),
      timestamp: batch.maxTimestamp(set, at),
      timestampType: batch.timestampType(set, at),
      key,
      value,
    },
  };
}

function readBytes(set: Buffer, at: number, end: number): Buffer | null {
  if (at + 4 > end) throw invalid('a field does not fit its message');
  const length = set.readInt32BE(at);
  if (length === -1) return null;
  if (length < 0 || at + 4 + length > end) throw invalid('a field does not fit its message');
  return set.subarray(at + 4, at + 4 + length);
}

function unwrap({ codec, message: { value } }: Entry, limit: number): Buffer {
  if (value === null) throw invalid('a compressed message has no value');
  if (codec === CODECS.zstd) throw zstdUnsupported();
  return codec === CODECS.lz4 ? decompressLz4(value, limit, true) : decompress(codec, value, limit);
}

/** The messages of a wrapper, in a list because only the last one tells the first one's offset. */
function innerMessages({ magic, message: wrapper }: Entry, set: Buffer): LegacyMessage[] {
  const messages: LegacyMessage[] = [];
  for (const inner of entries(set)) {
    if (inner.codec !== 0) throw invalid('a compressed message holds a compressed message');
    if (inner.magic !== magic) throw invalid('a compressed message holds messages of another magic');
    messages.push(inner.message);
  }
  const last = messages.at(-1);
  if (last === undefined) throw invalid('a compressed message holds no messages');
  // A producer's wrapper says 0 and is no base to count from.
  const shift = magic === 0 ? 0 : Math.max(wrapper.offset - last.offset, 0);
  const { timestampType } = wrapper;
  return messages.map(({ offset, timestamp, key, value }) => ({
    offset: offset + shift,
    timestamp: timestampType === batch.LOG_APPEND_TIME ? wrapper.timestamp : timestamp,
    timestampType,
    key,
    value,
  }));
}

/**
 * Writes `messages` (offsets ascending) as a set of `magic`, in one wrapper if `codec` is not 0. No messages make an
 * empty set. Throws UNSUPPORTED_COMPRESSION for zstd, which came only with magic 2 (KIP-110).
 */
export function writeMessageSet(messages: readonly LegacyMessage[], magic: LegacyMagic, codec: CodecId): Buffer {
  if (codec === CODECS.zstd) throw zstdUnsupported();
  const last = messages.at(-1);
  if (last === undefined || codec === 0) return Buffer.concat(messages.map(message => writeMessage(message, magic, 0)));
  const base = magic === 0 ? 0 : messages[0]!.offset;
  const inner = messages.map(message => writeMessage({ ...message, offset: message.offset - base }, magic, 0));
  const wrapper: LegacyMessage = {
    offset: last.offset,
    timestamp: messages.reduce((most, { timestamp }) => Math.max(most, timestamp), layout.NO_TIMESTAMP),
    timestampType: last.timestampType,
    key: null,
    value: wrap(Buffer.concat(inner), magic, codec),
  };
  return writeMessage(wrapper, magic, codec);
}

function wrap(set: Buffer, magic: LegacyMagic, codec: CodecId): Buffer {
  return codec === CODECS.lz4 ? compressLz4(set, magic === 0) : compress(codec, set);
}

function writeMessage(message: LegacyMessage, magic: LegacyMagic, codec: CodecId): Buffer {
  const { key, value, timestampType } = message;
  const size = layout.LEAST_SIZE[magic]! + (key?.length ?? 0) + (value?.length ?? 0);
  const target = Buffer.allocUnsafe(size);
  writeInt64(target, message.offset, 0);
  target.writeInt32BE(size - layout.LOG_OVERHEAD, layout.LENGTH_AT);
  target.writeInt8(magic, layout.MAGIC_AT);
  const typeBit = magic === 1 && timestampType === batch.LOG_APPEND_TIME ? layout.LOG_APPEND_TIME_BIT : 0;
  target.writeInt8(codec | typeBit, layout.LEGACY_ATTRIBUTES_AT);
  if (magic === 1) writeInt64(target, message.timestamp, layout.LEGACY_TIMESTAMP_AT);
  const keyAt = layout.LEGACY_TIMESTAMP_AT + (magic === 1 ? 8 : 0);
  writeBytes(target, value, writeBytes(target, key, keyAt));
  target.writeUInt32BE(crc32(target.subarray(layout.MAGIC_AT)), layout.LEGACY_CRC_AT);
  return target;
}

function writeBytes(target: Buffer, bytes: Buffer | null, at: number): number {
  target.writeInt32BE(bytes?.length ?? -1, at);
  if (bytes !== null) target.set(bytes, at + 4);
  return at + 4 + (bytes?.length ?? 0);
}

function zstdUnsupported(): RecordsError {
  const message = `Message sets of magic 0 and 1 cannot be compressed with ${codecName(CODECS.zstd)}.`;
  return new RecordsError('UNSUPPORTED_COMPRESSION', message);
}

function invalid(why: string): RecordsError {
  return new RecordsError('INVALID', `The message set is malformed: ${why}.`);
}
