import * as batch from '../../../shared/records/batch.ts';
import type { CodecId } from '../../../shared/records/compression.ts';
import { compress } from '../../../shared/records/compression.ts';
import { writeInt64 } from '../../../shared/records/int64.ts';
import * as layout from '../../../shared/records/layout.ts';
import { type LegacyMagic, readMessageSet, writeMessageSet } from '../../../shared/records/message-set.ts';
import { RecordCursor } from '../../../shared/records/record-cursor.ts';
import { varlongSize, writeVarint, writeVarlong } from '../../../shared/records/varint.ts';
import { batchFate, type BatchFate, type FateRules, isKept, keepsTombstones } from './record-fate.ts';

/** What is counted while records are filtered. */
export interface FilterCounts {
  recordsRead: number;
  recordsKept: number;
  /** Records without a key, which do not belong into a compacted log and are dropped. */
  keyless: number;
}

/** Most that a record grows by when its timestamp delta is written anew: its length and the delta. */
const MOST_GROWTH = 5 + 10;

/**
 * Copies what is to stay of batches (Kafka: `MemoryRecords.filterTo`). Offsets, sequences and all of the header stay as
 * they are; a batch of which every record stays is the same bytes. One filter for a whole log, batch after batch.
 */
export class BatchFilter {
  readonly #counts: FilterCounts;
  readonly #cursor = new RecordCursor();
  /** Where the kept records of the batch begin, and their timestamps. */
  #starts: number[] = [];
  #sizes: number[] = [];
  #timestamps: number[] = [];

  constructor(counts: FilterCounts) {
    this.#counts = counts;
  }

  /**
   * What stays of the batch at `at`, which must be whole: a view of it, or new bytes; null: nothing.
   * @throws RecordsError when it is damaged
   */
  filter(buffer: Buffer, at: number, rules: FateRules): Buffer | null {
    batch.ensureCrc(buffer, at);
    const fate = batchFate(buffer, at, rules);
    if (batch.magic(buffer, at) < 2) return this.#filterLegacy(buffer, at, rules);
    if (fate.dropsRecords && !fate.keepsHeader) return null;
    const hasTombstones = this.#choose(buffer, at, fate, rules);
    if (this.#starts.length === 0) return fate.keepsHeader ? withoutRecords(buffer, at) : null;
    const setsHorizon = (hasTombstones || fate.isSpentMarker) && !batch.hasDeleteHorizon(buffer, at);
    const isWhole = this.#starts.length === batch.recordCount(buffer, at);
    if (isWhole && !setsHorizon) return buffer.subarray(at, at + batch.batchSizeInBytes(buffer, at));
    return this.#rebuild(buffer, at, setsHorizon ? rules.now + rules.deleteRetentionMs : null);
  }

  /** Notes which records stay; says whether a tombstone is among them. */
  #choose(buffer: Buffer, at: number, fate: BatchFate, rules: FateRules): boolean {
    this.#starts = [];
    this.#sizes = [];
    this.#timestamps = [];
    const isMarker = batch.isControl(buffer, at);
    const tombstonesStay = keepsTombstones(buffer, at, rules);
    let hasTombstones = false;
    for (const cursor = this.#cursor.reset(buffer, at); cursor.next();) {
      this.#counts.recordsRead++;
      const isTombstone = cursor.valueLength < 0;
      if (fate.dropsRecords) continue;
      if (!isMarker && !this.#stays(cursor.key(), cursor.offset, isTombstone, tombstonesStay, rules)) continue;
      this.#starts.push(cursor.recordStart);
      this.#sizes.push(cursor.recordSize);
      this.#timestamps.push(cursor.timestamp);
      if (isTombstone) hasTombstones = true;
    }
    this.#counts.recordsKept += this.#starts.length;
    return hasTombstones;
  }

  #stays(
    key: Buffer | null,
    offset: number,
    isTombstone: boolean,
    tombstonesStay: boolean,
    { map }: FateRules,
  ): boolean {
    if (offset > map.latestOffset) return true;
    if (key !== null) return isKept(key, offset, isTombstone, tombstonesStay, map);
    this.#counts.keyless++;
    return false;
  }

  /**
   * The batch with the chosen records only. Their deltas are counted from the delete horizon, where there is one, for
   * it stands in the place of the first timestamp (KIP-534).
   */
  #rebuild(buffer: Buffer, at: number, newHorizon: number | null): Buffer {
    const hasHorizon = newHorizon !== null || batch.hasDeleteHorizon(buffer, at);
    const baseTimestamp = newHorizon ?? (hasHorizon ? batch.baseTimestamp(buffer, at) : this.#timestamps[0]!);
    const records = this.#encode(baseTimestamp);
    const bits = batch.attributes(buffer, at);
    const codec = batch.compressionCodec(buffer, at) as CodecId;
    const header = buffer.subarray(at, at + layout.HEADER_SIZE);
    const result = Buffer.concat([header, compress(codec, records)]);
    result.writeInt16BE(hasHorizon ? bits | layout.DELETE_HORIZON_BIT : bits, layout.ATTRIBUTES_AT);
    writeInt64(result, baseTimestamp, layout.BASE_TIMESTAMP_AT);
    if (batch.timestampType(buffer, at) === batch.CREATE_TIME) {
      const largest = this.#timestamps.reduce((most, timestamp) => Math.max(most, timestamp), layout.NO_TIMESTAMP);
      writeInt64(result, largest, layout.MAX_TIMESTAMP_AT);
    }
    result.writeInt32BE(this.#starts.length, layout.RECORD_COUNT_AT);
    return finished(result);
  }

  /** The chosen records with their timestamps as deltas to `baseTimestamp`; all behind that is copied. */
  #encode(baseTimestamp: number): Buffer {
    const { bytes } = this.#cursor;
    const target = Buffer.allocUnsafe(this.#sizes.reduce((sum, size) => sum + size + MOST_GROWTH, 0));
    let end = 0;
    for (const [i, start] of this.#starts.entries()) {
      const attributes = behindVarint(bytes, start);
      const rest = behindVarint(bytes, attributes + 1);
      const restSize = start + this.#sizes[i]! - rest;
      const delta = this.#timestamps[i]! - baseTimestamp;
      end = writeVarint(target, 1 + varlongSize(delta) + restSize, end);
      target[end++] = bytes[attributes]!;
      end = writeVarlong(target, delta, end);
      end += bytes.copy(target, end, rest, rest + restSize);
    }
    return target.subarray(0, end);
  }

  /** An entry of magic 0 or 1 keeps its format; a compressed one is packed anew with what stays. */
  #filterLegacy(buffer: Buffer, at: number, rules: FateRules): Buffer | null {
    const entry = buffer.subarray(at, at + batch.batchSizeInBytes(buffer, at));
    const tombstonesStay = keepsTombstones(buffer, at, rules);
    const messages = [...readMessageSet(entry)];
    const kept = messages.filter(({ key, value, offset }) =>
      this.#stays(key, offset, value === null, tombstonesStay, rules),
    );
    this.#counts.recordsRead += messages.length;
    this.#counts.recordsKept += kept.length;
    if (kept.length === messages.length) return entry;
    if (kept.length === 0) return null;
    return writeMessageSet(kept, batch.magic(entry, 0) as LegacyMagic, batch.compressionCodec(entry, 0) as CodecId);
  }
}

/** The header alone, which still tells the offsets and sequences that the batch took. */
function withoutRecords(buffer: Buffer, at: number): Buffer {
  const header = Buffer.from(buffer.subarray(at, at + layout.HEADER_SIZE));
  const bits = batch.attributes(buffer, at);
  header.writeInt16BE(bits & ~(layout.CODEC_MASK | layout.DELETE_HORIZON_BIT), layout.ATTRIBUTES_AT);
  writeInt64(header, layout.NO_TIMESTAMP, layout.BASE_TIMESTAMP_AT);
  header.writeInt32BE(0, layout.RECORD_COUNT_AT);
  return finished(header);
}

/** Sets what follows from the rest: length and checksum. */
function finished(bytes: Buffer): Buffer {
  bytes.writeInt32BE(bytes.length - layout.LOG_OVERHEAD, layout.LENGTH_AT);
  batch.updateCrc(bytes, 0);
  return bytes;
}

function behindVarint(bytes: Buffer, at: number): number {
  let end = at;
  while (bytes[end++]! >= 0x80);
  return end;
}
