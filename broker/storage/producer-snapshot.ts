import { crc32c } from '../../shared/records/crc32c.ts';
import { readInt64, writeInt64 } from '../../shared/records/int64.ts';
import { NONE, ProducerEntry } from './producer-entry.ts';

/**
 * The content of a `.snapshot` file (Kafka: `ProducerStateManager.writeSnapshot`), all integers big-endian:
 *
 *     0 version: int16 (1)   2 crc: uint32, CRC-32C of what follows   6 count: int32   10 entries, 46 bytes each:
 *
 *      0 producerId: int64   8 epoch: int16   10 lastSequence: int32   14 lastOffset: int64   22 offsetDelta: int32
 *     26 timestamp: int64   34 coordinatorEpoch: int32   38 currentTxnFirstOffset: int64
 *
 * Of the batches only the last one is kept: after a restart no older one is recognised any more.
 */
const VERSION = 1;
const HEADER_BYTES = 10;
const CHECKED_FROM = 6;
const ENTRY_BYTES = 46;

/** A snapshot file that cannot be used. */
export class CorruptSnapshotError extends Error {
  override readonly name = 'CorruptSnapshotError';
}

export function encodeSnapshot(entries: Iterable<ProducerEntry>, count: number): Buffer {
  const content = Buffer.alloc(HEADER_BYTES + count * ENTRY_BYTES);
  content.writeInt16BE(VERSION, 0);
  content.writeInt32BE(count, 6);
  let at = HEADER_BYTES;
  for (const entry of entries) {
    writeEntry(content, entry, at);
    at += ENTRY_BYTES;
  }
  content.writeUInt32BE(crc32c(content, CHECKED_FROM, content.length), 2);
  return content;
}

function writeEntry(content: Buffer, entry: ProducerEntry, at: number): void {
  writeInt64(content, entry.producerId, at);
  content.writeInt16BE(entry.epoch, at + 8);
  content.writeInt32BE(entry.lastSequence, at + 10);
  writeInt64(content, entry.lastOffset, at + 14);
  content.writeInt32BE(entry.lastOffsetDelta, at + 22);
  writeInt64(content, entry.lastTimestamp, at + 26);
  content.writeInt32BE(entry.coordinatorEpoch, at + 34);
  writeInt64(content, entry.currentTxnFirstOffset, at + 38);
}

/** @throws CorruptSnapshotError */
export function decodeSnapshot(content: Buffer): ProducerEntry[] {
  if (content.length < HEADER_BYTES) throw new CorruptSnapshotError(`it has only ${content.length} bytes`);
  const version = content.readInt16BE(0);
  if (version !== VERSION) throw new CorruptSnapshotError(`its version is ${version}`);
  const [stored, computed] = [content.readUInt32BE(2), crc32c(content, CHECKED_FROM, content.length)];
  if (stored !== computed) throw new CorruptSnapshotError(`it carries the CRC ${stored}, its bytes have ${computed}`);
  const count = content.readInt32BE(6);
  if (content.length !== HEADER_BYTES + count * ENTRY_BYTES) {
    throw new CorruptSnapshotError(`${count} producers do not take ${content.length} bytes`);
  }
  return Array.from({ length: count }, (_, index) => readEntry(content, HEADER_BYTES + index * ENTRY_BYTES));
}

function readEntry(content: Buffer, at: number): ProducerEntry {
  const entry = new ProducerEntry(readInt64(content, at));
  const epoch = content.readInt16BE(at + 8);
  const lastSequence = content.readInt32BE(at + 10);
  const lastOffset = readInt64(content, at + 14);
  const offsetDelta = content.readInt32BE(at + 22);
  const timestamp = readInt64(content, at + 26);
  entry.epoch = epoch;
  if (lastOffset > NONE)
    entry.append({ epoch, lastSequence, lastOffset, offsetDelta, timestamp, isTransactional: false });
  entry.lastTimestamp = timestamp;
  entry.coordinatorEpoch = content.readInt32BE(at + 34);
  entry.currentTxnFirstOffset = readInt64(content, at + 38);
  return entry;
}
