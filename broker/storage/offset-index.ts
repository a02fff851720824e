/** Bytes of an entry on disk: int32 offset − base offset, int32 position in the log. */
export const OFFSET_ENTRY_SIZE = 8;

const INITIAL_ENTRIES = 16;

/**
 * A segment's sparse map from offsets to byte positions (Kafka: `OffsetIndex`), in memory. An entry (o, p) says that
 * the batch (or set of batches) whose last offset is base + o begins at p. Offsets are absolute at the interface.
 *
 * Entries grow strictly in both, so a search finds the last one not above its target; the batch wanted begins there or
 * later.
 */
export class OffsetIndex {
  readonly baseOffset: number;
  /** [offset − base, position] pairs. */
  #pairs = new Int32Array(INITIAL_ENTRIES * 2);
  #length = 0;

  constructor(baseOffset: number) {
    this.baseOffset = baseOffset;
  }

  /**
   * Reads a file's content. Zeros at the end are space that Kafka reserved; the first entry's position is never 0.
   * Returns null when it is no valid index of a log of `logSize` bytes, and must be rebuilt.
   */
  static decode(baseOffset: number, content: Buffer, logSize: number): OffsetIndex | null {
    if (content.length % OFFSET_ENTRY_SIZE !== 0) return null;
    const index = new OffsetIndex(baseOffset);
    for (let at = 0; at < content.length; at += OFFSET_ENTRY_SIZE) {
      const offset = content.readInt32BE(at);
      const position = content.readInt32BE(at + 4);
      if (offset === 0 && position === 0) return isZeroFrom(content, at) ? index : null;
      if (position >= logSize || !index.append(baseOffset + offset, position)) return null;
    }
    return index;
  }

  get length(): number {
    return this.#length;
  }

  /** The last entry's offset, or the base offset when there is none. */
  get lastOffset(): number {
    return this.#length === 0 ? this.baseOffset : this.offsetAt(this.#length - 1);
  }

  offsetAt(entry: number): number {
    return this.baseOffset + this.#pairs[entry * 2]!;
  }

  positionAt(entry: number): number {
    return this.#pairs[entry * 2 + 1]!;
  }

  /** Adds an entry; false, without effect, when it would not grow in both offset and position or not fit 31 bits. */
  append(offset: number, position: number): boolean {
    const relative = offset - this.baseOffset;
    const at = this.#length * 2;
    if (relative < 0 || relative > 0x7fffffff || position < 1 || position > 0x7fffffff) return false;
    if (at > 0 && (relative <= this.#pairs[at - 2]! || position <= this.#pairs[at - 1]!)) return false;
    if (at === this.#pairs.length) this.#grow();
    this.#pairs[at] = relative;
    this.#pairs[at + 1] = position;
    this.#length++;
    return true;
  }

  #grow(): void {
    const grown = new Int32Array(this.#pairs.length * 2);
    grown.set(this.#pairs);
    this.#pairs = grown;
  }

  /** Where to begin to look for the batch that holds `offset`: the last entry's position not above it, else 0. */
  lookup(offset: number): number {
    const entry = this.#floor(offset - this.baseOffset);
    return entry < 0 ? 0 : this.positionAt(entry);
  }

  /** Where an entry begins that the batch with `offset` does not reach: the first entry's above it, if there is one. */
  lookupAbove(offset: number): number | null {
    const entry = this.#floor(offset - this.baseOffset) + 1;
    return entry < this.#length ? this.positionAt(entry) : null;
  }

  /** The last entry whose relative offset is ≤ `relative`, or -1. */
  #floor(relative: number): number {
    let low = 0;
    let high = this.#length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      if (this.#pairs[middle * 2]! <= relative) low = middle + 1;
      else high = middle - 1;
    }
    return high;
  }

  /** Drops the entries at or above `offset`. */
  truncateTo(offset: number): void {
    this.#length = this.#floor(offset - 1 - this.baseOffset) + 1;
  }

  /** The entries from number `from` on, as they stand in the file. */
  encode(from = 0): Buffer {
    const content = Buffer.allocUnsafe((this.#length - from) * OFFSET_ENTRY_SIZE);
    for (let entry = from; entry < this.#length; entry++) {
      content.writeInt32BE(this.#pairs[entry * 2]!, (entry - from) * OFFSET_ENTRY_SIZE);
      content.writeInt32BE(this.#pairs[entry * 2 + 1]!, (entry - from) * OFFSET_ENTRY_SIZE + 4);
    }
    return content;
  }
}

/** Whether only zeros follow: the unused rest of a file that was given its full size beforehand. */
export function isZeroFrom(content: Buffer, at: number): boolean {
  for (let i = at; i < content.length; i++) if (content[i] !== 0) return false;
  return true;
}
