import * as batch from '../../shared/records/batch.ts';
import type { FileSystem } from '../../shared/runtime/file-system.ts';
import { OFFSET_ENTRY_SIZE, OffsetIndex } from './offset-index.ts';
import { TIME_ENTRY_SIZE, TimeIndex, type TimestampOffset } from './time-index.ts';

/** Entries that may wait in memory before they are written to the files. */
const WRITE_AFTER = 512;

export const NO_TIMESTAMP: TimestampOffset = { timestamp: -1, offset: -1 };

/** How dense and how large indexes become: `index.interval.bytes` and `segment.index.bytes` of the topic. */
export interface IndexLimits {
  readonly intervalBytes: number;
  readonly maxBytes: number;
}

/** Kafka's defaults, for indexes of old segments that have to be made anew. */
export const DEFAULT_INDEX_LIMITS: IndexLimits = { intervalBytes: 4096, maxBytes: 10 << 20 };

/** Paths of a segment's two index files. */
export interface IndexPaths {
  readonly offsets: string;
  readonly times: string;
}

/**
 * Both indexes of a segment in memory, and how they grow: an entry each whenever more than `index.interval.bytes` were
 * appended since the last. Node cannot map files into memory, so the files follow in batches; recovery rebuilds what a
 * crash kept from them.
 */
export class SegmentIndexes {
  readonly offsets: OffsetIndex;
  readonly times: TimeIndex;
  /** The largest timestamp so far, and the last offset of the batch that has it. */
  #largest: TimestampOffset;
  #bytesSinceEntry = 0;
  /** How many of the entries the files hold. */
  #offsetsWritten: number;
  #timesWritten: number;
  /** Whether the files end with these entries; otherwise what lies behind them is to be cut off. */
  #filesEndThere: boolean;

  constructor(offsets: OffsetIndex, times: TimeIndex) {
    this.offsets = offsets;
    this.times = times;
    this.#largest = times.last ?? NO_TIMESTAMP;
    this.#offsetsWritten = 0;
    this.#timesWritten = 0;
    this.#filesEndThere = false;
  }

  static empty(baseOffset: number): SegmentIndexes {
    return new SegmentIndexes(new OffsetIndex(baseOffset), new TimeIndex(baseOffset));
  }

  /** From the files' contents; null when one of them is no valid index of a log of `logSize` bytes. */
  static decode(baseOffset: number, offsets: Buffer, times: Buffer, logSize: number): SegmentIndexes | null {
    const offsetIndex = OffsetIndex.decode(baseOffset, offsets, logSize);
    const timeIndex = TimeIndex.decode(baseOffset, times);
    if (offsetIndex === null || timeIndex === null) return null;
    // A closed segment's time index has at least its final entry, unless no record has a timestamp.
    if (logSize > 0 && timeIndex.length === 0) return null;
    const indexes = new SegmentIndexes(offsetIndex, timeIndex);
    indexes.#offsetsWritten = offsetIndex.length;
    indexes.#timesWritten = timeIndex.length;
    const used = offsetIndex.length * OFFSET_ENTRY_SIZE + timeIndex.length * TIME_ENTRY_SIZE;
    indexes.#filesEndThere = used === offsets.length + times.length;
    return indexes;
  }

  get largest(): TimestampOffset {
    return this.#largest;
  }

  /** Bytes of memory, roughly. */
  get memory(): number {
    return 256 + this.offsets.length * OFFSET_ENTRY_SIZE + this.times.length * TIME_ENTRY_SIZE;
  }

  /** Whether either is full, the time index keeping room for its final entry: the segment should be rolled. */
  isFull({ maxBytes }: IndexLimits): boolean {
    return (
      this.offsets.length >= Math.floor(maxBytes / OFFSET_ENTRY_SIZE) ||
      this.times.length >= Math.floor(maxBytes / TIME_ENTRY_SIZE) - 1
    );
  }

  /** Takes note of the entry of the log at `at` in `buffer`, which has gone to `position` in the file. */
  note(buffer: Buffer, at: number, position: number, limits: IndexLimits): void {
    const lastOffset = batch.lastOffset(buffer, at);
    const timestamp = batch.maxTimestamp(buffer, at);
    if (timestamp > this.#largest.timestamp) this.#largest = { timestamp, offset: lastOffset };
    if (this.#bytesSinceEntry > limits.intervalBytes && !this.isFull(limits)) {
      this.offsets.append(lastOffset, position);
      this.#appendTime();
      this.#bytesSinceEntry = 0;
    }
    this.#bytesSinceEntry += batch.batchSizeInBytes(buffer, at);
  }

  #appendTime(): void {
    if (this.#largest.timestamp >= 0) this.times.append(this.#largest.timestamp, this.#largest.offset);
  }

  /** The last entry of the time index, so that it tells the segment's largest timestamp: on rolling and closing. */
  finish(): void {
    this.#appendTime();
  }

  /** Drops what is at or above `offset`; the largest timestamp is then what the time index still knows. */
  truncateTo(offset: number): void {
    this.#filesEndThere = false;
    this.offsets.truncateTo(offset);
    this.times.truncateTo(offset);
    this.#offsetsWritten = Math.min(this.#offsetsWritten, this.offsets.length);
    this.#timesWritten = Math.min(this.#timesWritten, this.times.length);
    this.#largest = this.times.last ?? NO_TIMESTAMP;
    this.#bytesSinceEntry = 0;
  }

  /** Writes to the files if enough has come together. */
  writeSome(fs: FileSystem, paths: IndexPaths): void {
    if (this.offsets.length - this.#offsetsWritten >= WRITE_AFTER) this.write(fs, paths);
  }

  /** Brings the files up to date and to exactly the size used. */
  write(fs: FileSystem, paths: IndexPaths): void {
    const pending = this.offsets.length - this.#offsetsWritten + this.times.length - this.#timesWritten;
    if (pending === 0 && this.#filesEndThere) return;
    writeTail(fs, paths.offsets, this.#offsetsWritten * OFFSET_ENTRY_SIZE, this.offsets.encode(this.#offsetsWritten));
    this.#offsetsWritten = this.offsets.length;
    writeTail(fs, paths.times, this.#timesWritten * TIME_ENTRY_SIZE, this.times.encode(this.#timesWritten));
    this.#timesWritten = this.times.length;
    this.#filesEndThere = true;
  }
}

/** Makes a file's content from `position` on be `tail`. */
function writeTail(fs: FileSystem, path: string, position: number, tail: Buffer): void {
  const handle = fs.open(path, fs.exists(path) ? 'r+' : 'w+');
  try {
    const size = handle.sizeSync();
    if (tail.length > 0 && handle.writevSync([tail], position) < tail.length) {
      throw new Error(`Only a part of the bytes were written to ${path}: the disk is probably full.`);
    }
    if (size > position + tail.length) handle.truncateSync(position + tail.length);
  } finally {
    handle.closeSync();
  }
}
