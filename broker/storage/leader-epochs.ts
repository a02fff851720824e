/** "From `startOffset` on, batches were written under leader epoch `epoch`" — until the next entry. */
export interface EpochEntry {
  readonly epoch: number;
  readonly startOffset: number;
}

/** Answer of `endOffsetFor`; both -1 when nothing is known. */
export interface EpochEndOffset {
  readonly leaderEpoch: number;
  readonly endOffset: number;
}

const UNDEFINED_EPOCH_OFFSET: EpochEndOffset = { leaderEpoch: -1, endOffset: -1 };

/**
 * The leader epochs of a log, ascending in epoch and start offset (KIP-101; Kafka: `LeaderEpochFileCache`). Pure: the
 * methods that change say so by returning true, and the owner writes the checkpoint.
 */
export class LeaderEpochs {
  #entries: EpochEntry[];

  /** @param entries ascending in both; a conflicting one is dropped, as `assign` does */
  constructor(entries: readonly EpochEntry[] = []) {
    this.#entries = [];
    for (const { epoch, startOffset } of entries) this.assign(epoch, startOffset);
  }

  get entries(): readonly EpochEntry[] {
    return this.#entries;
  }

  /** The newest epoch, or -1. */
  get latest(): number {
    return this.#entries.at(-1)?.epoch ?? -1;
  }

  /**
   * Notes that `epoch` begins at `startOffset`. Nothing changes when it is the latest and began no later; otherwise
   * trailing entries that conflict (same or newer epoch, same or later start) give way.
   */
  assign(epoch: number, startOffset: number): boolean {
    const last = this.#entries.at(-1);
    if (epoch < 0 || (last?.epoch === epoch && startOffset >= last.startOffset)) return false;
    while (this.#entries.length > 0) {
      const tail = this.#entries.at(-1)!;
      if (tail.epoch < epoch && tail.startOffset < startOffset) break;
      this.#entries.pop();
    }
    this.#entries.push({ epoch, startOffset });
    return true;
  }

  /**
   * Where `epoch` ended in this log: the start of the next known epoch, with the greatest known epoch ≤ `epoch`; the
   * log end offset for the latest; undefined (-1, -1) for an epoch newer than anything known.
   */
  endOffsetFor(epoch: number, logEndOffset: number): EpochEndOffset {
    if (epoch < 0) return UNDEFINED_EPOCH_OFFSET;
    if (epoch === this.latest) return { leaderEpoch: epoch, endOffset: logEndOffset };
    const next = this.#entries.findIndex(entry => entry.epoch > epoch);
    if (next < 0) return UNDEFINED_EPOCH_OFFSET;
    const floor = this.#entries[next - 1];
    return { leaderEpoch: floor?.epoch ?? epoch, endOffset: this.#entries[next]!.startOffset };
  }

  /** The epoch of the batch at `offset`, or -1. */
  epochAt(offset: number): number {
    return this.#entries.findLast(entry => entry.startOffset <= offset)?.epoch ?? -1;
  }

  /** Drops what begins at or after `endOffset`. */
  truncateFromEnd(endOffset: number): boolean {
    const kept = this.#entries.filter(entry => entry.startOffset < endOffset);
    if (kept.length === this.#entries.length) return false;
    this.#entries = kept;
    return true;
  }

  /** Drops what begins at or before `startOffset`, except the last such entry, which then begins there. */
  truncateFromStart(startOffset: number): boolean {
    const covering = this.#entries.findLast(entry => entry.startOffset <= startOffset);
    if (covering === undefined || (covering === this.#entries[0] && covering.startOffset === startOffset)) return false;
    const later = this.#entries.filter(entry => entry.startOffset > startOffset);
    this.#entries = [{ epoch: covering.epoch, startOffset }, ...later];
    return true;
  }

  /** Forgets everything: the log holds batches of a format without epochs. */
  clear(): boolean {
    const changed = this.#entries.length > 0;
    this.#entries = [];
    return changed;
  }
}
