import type { Clock, Timers } from '../../shared/runtime/clock.ts';

/** A log with appends that wait to be written. */
export interface PendingWriter {
  /** Writes everything that waits, blocking. */
  writeNow(): void;
  /** Writes it without blocking, in order; does nothing when that is under way already. */
  writeInBackground(): void;
}

/** Milliseconds for which synchronous writes may hold up the loop in one turn. */
const TURN_BUDGET_MS = 10;
/** Milliseconds for which writes stay in the background after the kernel made a turn exceed its budget. */
const BACKGROUND_MS = 1000;

/**
 * Gathers the appends of a loop turn: at its end each log writes what it got in one go. A synchronous write is the
 * cheapest way into the page cache, until the kernel makes writers of dirty pages wait, for 200 ms at a time. So the
 * time spent is measured: beyond the budget of a turn, and for a while after that happened, writes go through the
 * thread pool.
 */
export class WriteScheduler {
  readonly #clock: Clock;
  readonly #timers: Timers;
  #waiting: PendingWriter[] = [];
  #backgroundUntil = -Infinity;

  constructor(clock: Clock, timers: Timers) {
    this.#clock = clock;
    this.#timers = timers;
  }

  /** Has the log written to at the end of this turn. To be called once for the first append that waits. */
  schedule(writer: PendingWriter): void {
    if (this.#waiting.push(writer) === 1) this.#timers.endOfTurn(() => this.#run());
  }

  #run(): void {
    const writers = this.#waiting;
    this.#waiting = [];
    const start = this.#clock.monotonic();
    let now = start;
    for (const writer of writers) {
      if (now >= this.#backgroundUntil) {
        writer.writeNow();
        now = this.#clock.monotonic();
        if (now - start > TURN_BUDGET_MS) this.#backgroundUntil = now + BACKGROUND_MS;
      } else {
        writer.writeInBackground();
      }
    }
  }
}
