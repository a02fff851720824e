import { readInt64, writeInt64 } from '../../shared/records/int64.ts';
import { isZeroFrom } from './offset-index.ts';

/** Bytes of an entry on disk: int64 timestamp, int32 offset − base offset. */
export const TIME_ENTRY_SIZE = 12;

const INITIAL_ENTRIES = 16;

/** A timestamp in milliseconds and the offset of the (last record of the) batch that has it. */
export interface TimestampOffset {
  readonly timestamp: number;
  readonly offset: number;
}

/**
 * A segment's sparse map from timestamps to offsets (Kafka: `TimeIndex`), in memory. An entry (t, o) says that all
 * records up to offset o have timestamps ≤ t. Timestamps grow strictly, offsets never shrink.
 */
export class TimeIndex {
  readonly baseOffset: number;
  #timestamps = new Float64Array(INITIAL_ENTRIES);
  #offsets = new Int32Array(INITIAL_ENTRIES);
  #length = 0;

  constructor(baseOffset: number) {
    this.baseOffset = baseOffset;
  }

  /**
   * Reads a file's content, passing over reserved zeros at the end. Returns null when it is no valid index. A lone entry
   * (0, base offset) looks like reserved space and is passed over too: it leads where no entry leads.
   */
  static decode(baseOffset: number, content: Buffer): TimeIndex | null {
    if (content.length % TIME_ENTRY_SIZE !== 0) return null;
    const index = new TimeIndex(baseOffset);
    for (let at = 0; at < content.length; at += TIME_ENTRY_SIZE) {
      const timestamp = readInt64(content, at);
      const offset = content.readInt32BE(at + 8);
      if (timestamp === 0 && offset === 0 && isZeroFrom(content, at)) return index;
      if (!index.append(timestamp, baseOffset + offset)) return null;
    }
    return index;
  }

  get length(): number {
    return this.#length;
  }

  /** The entry with the largest timestamp, or null. */
  get last(): TimestampOffset | null {
    return this.#length === 0 ? null : this.entryAt(this.#length - 1);
  }

  entryAt(entry: number): TimestampOffset {
    return { timestamp: this.#timestamps[entry]!, offset: this.baseOffset + this.#offsets[entry]! };
  }

  /** Adds an entry; false, without effect, when its timestamp is not above the last one or its offset goes back. */
  append(timestamp: number, offset: number): boolean {
    const relative = offset - this.baseOffset;
    if (relative < 0 || relative > 0x7fffffff || timestamp < 0) return false;
    const last = this.#length - 1;
    if (last >= 0 && (timestamp <= this.#timestamps[last]! || relative < this.#offsets[last]!)) return false;
    if (this.#length === this.#offsets.length) this.#grow();
    this.#timestamps[this.#length] = timestamp;
    this.#offsets[this.#length] = relative;
    this.#length++;
    return true;
  }

  #grow(): void {
    const timestamps = new Float64Array(this.#length * 2);
    const offsets = new Int32Array(this.#length * 2);
    timestamps.set(this.#timestamps);
    offsets.set(this.#offsets);
    this.#timestamps = timestamps;
    this.#offsets = offsets;
  }

  /**
   * The offset from which on to look for the first record with a timestamp ≥ `timestamp`: that of the last entry whose
   * timestamp is below it, else the base offset.
   */
  lookup(timestamp: number): number {
    let low = 0;
    let high = this.#length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      if (this.#timestamps[middle]! < timestamp) low = middle + 1;
      else high = middle - 1;
    }
    return high < 0 ? this.baseOffset : this.baseOffset + this.#offsets[high]!;
  }

  /** Drops the entries at or above `offset`. */
  truncateTo(offset: number): void {
    while (this.#length > 0 && this.baseOffset + this.#offsets[this.#length - 1]! >= offset) this.#length--;
  }

  /** The entries from number `from` on, as they stand in the file. */
  encode(from = 0): Buffer {
    const content = Buffer.allocUnsafe((this.#length - from) * TIME_ENTRY_SIZE);
    for (let entry = from; entry < this.#length; entry++) {
      const at = (entry - from) * TIME_ENTRY_SIZE;
      writeInt64(content, this.#timestamps[entry]!, at);
      content.writeInt32BE(this.#offsets[entry]!, at + 8);
    }
    return content;
  }
}
