import type { Clock, Timers } from '../../shared/runtime/clock.ts';

/** A log with appends that wait to be written. */
export interface PendingWriter {
  /** Writes everything that waits, blocking. */
  writeNow(): void;
  /** Writes it without blocking, in order; resolves when nothing waits any more. Joins what is under way already. */
  writeInBackground(): Promise<void>;
}

/** Milliseconds for which synchronous writes may hold up the loop in one turn; one that takes longer is slow. */
const TURN_BUDGET_MS = 20;
/** One slow turn says little: on a busy machine a process may lose the processor at any time. */
const SLOW_TURNS = 3;
/** For how long writes go through the thread pool then; twice as long when the next try is slow as well. */
const FIRST_BACKGROUND_MS = 25;
const LONGEST_BACKGROUND_MS = 8_000;
/** The kernel makes a writer wait for up to 200 ms at a time: a write in the background that takes longer was made to. */
const THROTTLED_MS = 200;

/**
 * Gathers the appends of a loop turn: at its end each log writes what it got in one go. A synchronous write is the
 * cheapest way into the page cache, until the kernel makes writers of dirty pages wait. So the time spent is measured:
 * when it is too long for several turns in a row, writes go through the thread pool, and then a synchronous one is tried
 * at longer and longer intervals, until one is quick:
 *
 *     slow slow slow │ 25 ms │ slow │ 50 ms │ slow │ 100 ms │ … │ quick quick …
 *
 * The thread pool is no cure for a busy machine: there its threads lack a processor as much as the loop does.
 */
export class WriteScheduler {
  readonly #clock: Clock;
  readonly #timers: Timers;
  #waiting: PendingWriter[] = [];
  #slowTurns = 0;
  #backgroundMs = 0;
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
    const mayBlock = start >= this.#backgroundUntil;
    let now = start;
    for (const writer of writers) {
      if (mayBlock && now - start <= TURN_BUDGET_MS) {
        writer.writeNow();
        now = this.#clock.monotonic();
      } else {
        void this.#writeInBackground(writer, now);
      }
    }
    if (mayBlock) this.#noteTurn(now - start > TURN_BUDGET_MS, now);
  }

  #noteTurn(wasSlow: boolean, now: number): void {
    this.#slowTurns = wasSlow ? this.#slowTurns + 1 : 0;
    if (this.#slowTurns < SLOW_TURNS) return;
    const isFirst = this.#slowTurns === SLOW_TURNS;
    this.#backgroundMs = isFirst ? FIRST_BACKGROUND_MS : Math.min(2 * this.#backgroundMs, LONGEST_BACKGROUND_MS);
    this.#backgroundUntil = now + this.#backgroundMs;
  }

  async #writeInBackground(writer: PendingWriter, start: number): Promise<void> {
    await writer.writeInBackground();
    const now = this.#clock.monotonic();
    if (now - start > THROTTLED_MS) this.#backgroundUntil = Math.max(this.#backgroundUntil, now + this.#backgroundMs);
  }
}
