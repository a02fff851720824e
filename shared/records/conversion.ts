import { BatchBuilder } from './batch-builder.ts';
import { BatchCursor } from './batch-cursor.ts';
import * as batch from './batch.ts';
import { DEFAULT_MAX_DECOMPRESSED_BYTES, codecName, compress, decompress } from './compression.ts';
import type { CodecId } from './compression.ts';
import * as layout from './layout.ts';
import { readMessageSet, writeMessageSet } from './message-set.ts';
import type { LegacyMagic, LegacyMessage } from './message-set.ts';
import { RecordCursor } from './record-cursor.ts';

/** Between the formats and codecs: for clients before 0.11, and for topics whose `compression.type` is not the producer's. */

export interface ConversionOptions {
  /** See `compress`. */
  readonly level?: number;
  /** What the records of one batch or message set may decompress to; beyond it TOO_LARGE is thrown. */
  readonly maxDecompressedBytes?: number;
}

/**
 * The message set of a Produce request v0 to v2 as one magic 2 batch, offsets from 0 (Kafka's `LogValidator`). `codec`
 * is the target's; the default is that of the set's last compressed message, or none. Magic 0 messages get the
 * timestamp −1. The batch says LogAppendTime if a message does, which from a producer is for the caller to refuse.
 * Throws as `readMessageSet`; an empty set makes a batch without records.
 */
export function upConvert(set: Buffer, codec?: CodecId, options: ConversionOptions = {}): Buffer {
  const builder = new BatchBuilder(layout.HEADER_SIZE + set.length);
  let timestampType: batch.TimestampType = batch.CREATE_TIME;
  for (const message of readMessageSet(set, options.maxDecompressedBytes)) {
    builder.append(message.timestamp, message.key, message.value);
    if (message.timestampType === batch.LOG_APPEND_TIME) timestampType = batch.LOG_APPEND_TIME;
  }
  return builder.build({ codec: codec ?? lastCodec(set), timestampType, level: options.level });
}

function lastCodec(set: Buffer): CodecId {
  let codec = 0;
  const cursor = new BatchCursor().reset(set);
  while (cursor.next()) codec = batch.compressionCodec(set, cursor.position) || codec;
  return codec as CodecId;
}

/**
 * What the log holds, as a message set for Fetch v0, v1 (`toMagic` 0) or v2, v3 (1), as Kafka's `RecordsUtil`: headers
 * and control batches are dropped, offsets and compression kept, entries that are old enough go as they are. Records
 * below `startOffset` are left out of uncompressed batches. A torn tail is ignored. The result may be empty. Throws
 * UNSUPPORTED_COMPRESSION if a batch is compressed with zstd.
 */
export function downConvert(
  batches: Buffer,
  toMagic: LegacyMagic,
  startOffset = 0,
  options: ConversionOptions = {},
): Buffer {
  const parts: Buffer[] = [];
  const cursor = new BatchCursor().reset(batches);
  while (cursor.next()) {
    const { position, size } = cursor;
    const format = batch.magic(batches, position);
    if (format <= toMagic) {
      parts.push(batches.subarray(position, position + size));
    } else if (!batch.isControl(batches, position)) {
      const entry = batches.subarray(position, position + size);
      parts.push(convertEntry(entry, format, toMagic, startOffset, options.maxDecompressedBytes));
    }
  }
  return Buffer.concat(parts);
}

function convertEntry(
  entry: Buffer,
  format: number,
  toMagic: LegacyMagic,
  startOffset: number,
  limit = DEFAULT_MAX_DECOMPRESSED_BYTES,
): Buffer {
  const codec = batch.compressionCodec(entry, 0);
  codecName(codec); // an unknown one is refused before anything is read
  const messages = format === 2 ? messagesOf(entry, limit) : [...readMessageSet(entry, limit)];
  // A compressed batch goes out whole, as it would unconverted: clients skip what they did not ask for.
  const wanted = codec === 0 ? messages.filter(({ offset }) => offset >= startOffset) : messages;
  return writeMessageSet(wanted, toMagic, codec as CodecId);
}

function messagesOf(entry: Buffer, limit: number): LegacyMessage[] {
  const messages: LegacyMessage[] = [];
  const timestampType = batch.timestampType(entry, 0);
  const cursor = new RecordCursor().reset(entry, 0, limit);
  while (cursor.next()) {
    messages.push({
      offset: cursor.offset,
      timestamp: cursor.timestamp,
      timestampType,
      key: cursor.key(),
      value: cursor.value(),
    });
  }
  return messages;
}

/**
 * The magic 2 batch at `at` with its records compressed with `codec` instead, all else kept. A new buffer, also if the
 * codec is the same.
 */
export function recompress(buffer: Buffer, at: number, codec: CodecId, options: ConversionOptions = {}): Buffer {
  const recordsAt = at + layout.HEADER_SIZE;
  const source = buffer.subarray(recordsAt, at + batch.batchSizeInBytes(buffer, at));
  // A batch without records has no stream, whatever its codec bits say.
  const empty = batch.recordCount(buffer, at) === 0;
  const plain = empty ? source : decompress(batch.compressionCodec(buffer, at), source, options.maxDecompressedBytes);
  const target = empty ? plain : compress(codec, plain, options.level);
  const result = Buffer.concat([buffer.subarray(at, recordsAt), target]);
  result.writeInt32BE(result.length - layout.LOG_OVERHEAD, layout.LENGTH_AT);
  const bits = batch.attributes(buffer, at);
  result.writeInt16BE((bits & ~layout.CODEC_MASK) | codec, layout.ATTRIBUTES_AT);
  batch.updateCrc(result, 0);
  return result;
}
