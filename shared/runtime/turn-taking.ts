import type { Clock, Timers } from './clock.ts';

/** For so long others wait at most; half of what a tail reader would notice. */
const TURN_MS = 10;

/**
 * Cuts long work on the loop into turns, so that whoever else waits for the loop is seen to in between:
 *
 *     for (const item of items) {
 *       work(item);
 *       if (turns.isOver) await turns.next();
 *     }
 *
 * Under virtual time, which stands still meanwhile, no turn is ever over.
 */
export class TurnTaking {
  readonly #clock: Clock;
  readonly #timers: Timers;
  #began: number;

  constructor(clock: Clock, timers: Timers) {
    this.#clock = clock;
    this.#timers = timers;
    this.#began = clock.monotonic();
  }

  /** Whether it is time to let others go on. */
  get isOver(): boolean {
    return this.#clock.monotonic() - this.#began >= TURN_MS;
  }

  /** Resolves when the loop has been round. */
  async next(): Promise<void> {
    await new Promise<void>(resolve => this.#timers.endOfTurn(resolve));
    this.#began = this.#clock.monotonic();
  }
}
