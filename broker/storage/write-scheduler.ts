import type { Clock, Timers } from '../../shared/runtime/clock.ts';

/** A log with appends that wait to be written. */
export interface PendingWriter {
  /** Writes everything that waits, blocking. */
  writeNow(): void;
  /** Writes it without blocking, in order; resolves when nothing waits any more. Joins what is under way already. */
  writeInBackground(): Promise<void>;
}

/** Milliseconds for which synchronous writes may hold up the loop in one turn; a write that takes longer is slow. */
const TURN_BUDGET_MS = 20;
/** Milliseconds for which writes stay in the background after a slow one. */
const BACKGROUND_MS = 250;

/**
 * Gathers the appends of a loop turn: at its end each log writes what it got in one go. A synchronous write is the
 * cheapest way into the page cache, until the kernel makes writers of dirty pages wait, for 200 ms at a time. So the
 * time spent is measured: beyond the budget of a turn, and until writes have not been slow for a while, they go through
 * the thread pool. A busy machine, where a process may lose the processor for as long, makes no difference for long.
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
      if (now < this.#backgroundUntil) {
        void this.#writeInBackground(writer, now);
      } else {
        writer.writeNow();
        now = this.#clock.monotonic();
        this.#noteDuration(start, now);
      }
    }
  }

  async #writeInBackground(writer: PendingWriter, start: number): Promise<void> {
    await writer.writeInBackground();
    this.#noteDuration(start, this.#clock.monotonic());
  }

  #noteDuration(start: number, end: number): void {
    if (end - start > TURN_BUDGET_MS) this.#backgroundUntil = end + BACKGROUND_MS;
  }
}
