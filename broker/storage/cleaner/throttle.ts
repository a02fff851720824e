/** Shorter pauses are saved up. */
const LEAST_PAUSE_MS = 20;
/** Longer ones are paid in parts, so that a changed limit counts soon. */
const MOST_PAUSE_MS = 500;
/** What was saved by slowness is forgotten after this. */
const WINDOW_MS = 1_000;

/** Spreads work over time (Kafka: `Throttler`): tells for how long to pause so that a rate is kept on the average. */
export class CleaningThrottle {
  #since: number;
  #bytes = 0;

  /** @param now milliseconds, as in `pauseAfter` */
  constructor(now: number) {
    this.#since = now;
  }

  /**
   * How many milliseconds to pause now that `bytes` more were read or written.
   * @param bytesPerSecond Infinity: no limit
   */
  pauseAfter(bytes: number, bytesPerSecond: number, now: number): number {
    this.#bytes += bytes;
    const elapsed = now - this.#since;
    const owed = (this.#bytes / bytesPerSecond) * 1000 - elapsed;
    if (owed >= LEAST_PAUSE_MS) return Math.min(owed, MOST_PAUSE_MS);
    if (elapsed >= WINDOW_MS) {
      this.#since = now;
      this.#bytes = 0;
    }
    return 0;
  }
}
