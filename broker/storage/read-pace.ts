import type { Clock } from '../../shared/runtime/clock.ts';

/** A read that takes longer did not come from the page cache. */
const SLOW_MS = 1;
/** For how long reads go through the thread pool after a slow one; twice as long when the next try is slow as well. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 8_000;

/**
 * Decides which reads block. What is in the page cache is copied in less time than it takes to wake a thread up that
 * copies it; what is not makes the loop wait for the device. Which of the two it is the kernel does not tell beforehand
 * (Node has no preadv2 with RWF_NOWAIT), so blocking reads are measured, and after a slow one there are none for a while:
 *
 *     fast fast slow │ 250 ms │ slow │ 500 ms │ slow │ 1 s │ …      a device that has to be waited for
 *     fast fast slow │ 250 ms │ fast fast fast …                    one that had to be waited for once
 */
export class ReadPace {
  readonly #clock: Clock;
  readonly #longest: number;
  #pauseMs = 0;
  #pausedUntil = -Infinity;

  /** @param longestBytes reads of more bytes never block; 0: none does */
  constructor(clock: Clock, longestBytes: number) {
    this.#clock = clock;
    this.#longest = longestBytes;
  }

  /** Whether a read of so many bytes is to be done by `blocking`. */
  mayBlock(length: number): boolean {
    return length <= this.#longest && this.#clock.monotonic() >= this.#pausedUntil;
  }

  /** Runs a read, which blocks, and learns from the time that it takes. */
  blocking(read: () => number): number {
    const start = this.#clock.monotonic();
    const count = read();
    const end = this.#clock.monotonic();
    if (end - start > SLOW_MS) this.#pause(start, end);
    return count;
  }

  #pause(start: number, end: number): void {
    const isSlowAgain = start - this.#pausedUntil < this.#pauseMs;
    this.#pauseMs = isSlowAgain ? Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS) : FIRST_PAUSE_MS;
    this.#pausedUntil = end + this.#pauseMs;
  }
}
