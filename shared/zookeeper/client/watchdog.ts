import type { Timer, Timers } from '../../runtime/clock.ts';

/** Checks in one session timeout. */
const CHECKS_PER_SESSION = 8;
/** Checks in a row without a sign of life after which the connection is given up. */
const SILENT_CHECKS = 3;
const MIN_PERIOD_MS = 50;

/**
 * Finds out that a connection is dead although its socket says nothing: the server is frozen, or packets vanish. Gives
 * up after 3/8 to 4/8 of the session timeout, early enough to move the session to another server.
 *
 * It counts checks instead of measuring time. When our own loop was stalled, the answers lie unread in the socket while
 * the clock says that nobody has spoken for long; but the stall delays the checks as much, and reading comes before the next.
 */
export class Watchdog {
  readonly #timers: Timers;
  readonly #probe: () => void;
  readonly #giveUp: () => void;
  #timer: Timer | null = null;
  #silent = 0;

  /**
   * @param probe asks the server for a sign of life
   * @param giveUp cuts the connection
   */
  constructor(timers: Timers, probe: () => void, giveUp: () => void) {
    this.#timers = timers;
    this.#probe = probe;
    this.#giveUp = giveUp;
  }

  start(sessionTimeoutMs: number): void {
    this.stop();
    this.#silent = 0;
    const period = Math.max(MIN_PERIOD_MS, Math.floor(sessionTimeoutMs / CHECKS_PER_SESSION));
    this.#timer = this.#timers.every(period, () => this.#check());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Something was received. */
  heard(): void {
    this.#silent = 0;
  }

  #check(): void {
    this.#silent++;
    if (this.#silent > SILENT_CHECKS) {
      this.#silent = 0;
      this.#giveUp();
    } else if (this.#silent > 1) {
      this.#probe();
    }
  }
}
