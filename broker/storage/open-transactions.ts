/** Whose transaction it is: when it last wrote, milliseconds. */
interface Writer {
  readonly lastTimestamp: number;
}

/** A transaction whose marker is in the log, but perhaps not yet on all in-sync replicas. Offsets are inclusive. */
interface EndedTransaction {
  readonly firstOffset: number;
  readonly markerOffset: number;
}

/**
 * Where the transactions of a log begin that are undecided, or decided by a marker at or above the high watermark: what
 * lies from the first of them on is not stable (Kafka: `ProducerStateManager.ongoingTxns`, `unreplicatedTxns`).
 *
 *     offsets      10 A   12 B   15 B's marker   17 C   20 A's marker      high watermark 18
 *     ongoing                                    17
 *     unstable     10                            17        A is decided, but its marker may still be lost
 *
 * Maps and sets keep the order in which transactions began, which is that of the offsets, so that the first is the least.
 */
export class OpenTransactions {
  readonly #ongoing = new Map<number, Writer>();
  readonly #unstable = new Set<number>();
  /** By marker, from `#endedFrom` on. */
  #ended: EndedTransaction[] = [];
  #endedFrom = 0;
  #first = Infinity;

  /** The least first offset of a transaction that is not stable; Infinity when all is. */
  get firstUnstable(): number {
    return this.#first;
  }

  /** The least first offset of an undecided transaction; `fallback` when there is none. */
  firstOngoing(fallback: number): number {
    return firstOf(this.#ongoing.keys()) ?? fallback;
  }

  /** When the one whose undecided transaction began first wrote for the last time, milliseconds; null: all are decided. */
  get oldestLastWriteMs(): number | null {
    return firstOf(this.#ongoing.values())?.lastTimestamp ?? null;
  }

  /** A transaction has begun behind all others. */
  begin(firstOffset: number, writer: Writer): void {
    this.#ongoing.set(firstOffset, writer);
    this.#unstable.add(firstOffset);
    if (firstOffset < this.#first) this.#first = firstOffset;
  }

  /** The marker of a transaction has been written, behind those of all others. */
  end(firstOffset: number, markerOffset: number): void {
    this.#ongoing.delete(firstOffset);
    this.#ended.push({ firstOffset, markerOffset });
  }

  /** The high watermark is at `highWatermark`: markers below it stay. */
  replicatedUpTo(highWatermark: number): void {
    const ended = this.#ended;
    let from = this.#endedFrom;
    if (from === ended.length || ended[from]!.markerOffset >= highWatermark) return;
    for (; from < ended.length && ended[from]!.markerOffset < highWatermark; from++) {
      this.#unstable.delete(ended[from]!.firstOffset);
    }
    this.#endedFrom = from;
    if (from * 2 > ended.length) this.#dropSettled();
    this.#first = firstOf(this.#unstable) ?? Infinity;
  }

  #dropSettled(): void {
    this.#ended = this.#ended.slice(this.#endedFrom);
    this.#endedFrom = 0;
  }

  clear(): void {
    this.#ongoing.clear();
    this.#unstable.clear();
    this.#ended = [];
    this.#endedFrom = 0;
    this.#first = Infinity;
  }
}

function firstOf<T>(all: Iterable<T>): T | undefined {
  for (const one of all) return one;
  return undefined;
}
