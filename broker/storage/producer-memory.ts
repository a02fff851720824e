/** A log that remembers producers. */
export interface RememberingLog {
  /** How many. */
  readonly size: number;
  /** Forgets up to `count` of those that have not written for the longest time. */
  removeOldest(count: number): void;
}

/** Share of the largest log's producers that goes when there are too many altogether. */
const SHARE_REMOVED = 1 / 16;

/**
 * Bounds how many producers all logs of a broker remember: anybody who may write could invent ids without end, and they
 * would stay for `producer.id.expiration.ms`. Beyond the limit, the log with the most of them forgets those that have
 * not written for the longest time; to them it is as if they had expired.
 */
export class ProducerMemory {
  readonly #limit: number;
  readonly #logs = new Set<RememberingLog>();
  #count = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Producers remembered, one counted once for each partition it writes to. */
  get count(): number {
    return this.#count;
  }

  join(log: RememberingLog): void {
    this.#logs.add(log);
  }

  leave(log: RememberingLog): void {
    this.#logs.delete(log);
  }

  /** A log has one more; perhaps one log, the same or another, gets fewer in this call. */
  added(): void {
    this.#count++;
    if (this.#count <= this.#limit) return;
    let largest: RememberingLog | null = null;
    for (const log of this.#logs) if (largest === null || log.size > largest.size) largest = log;
    largest?.removeOldest(Math.ceil(largest.size * SHARE_REMOVED));
  }

  removed(count: number): void {
    this.#count -= count;
  }
}
