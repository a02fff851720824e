import type { Clock, Timer, Timers } from '../../shared/runtime/clock.ts';

interface Entry {
  readonly at: number;
  readonly sequence: number;
  readonly callback: () => void;
  readonly period: number | null;
}

/** Time that stands still until a test moves it: timers run in order of their time, promises are let settle in between. */
export class ManualTime {
  #now = 0;
  #sequence = 0;
  #entries: Entry[] = [];

  readonly clock: Clock = { now: () => 1_700_000_000_000 + this.#now, monotonic: () => this.#now };

  readonly timers: Timers = {
    after: (delayMs, callback) => this.#add(delayMs, callback, null),
    every: (periodMs, callback, initialDelayMs = periodMs) => this.#add(initialDelayMs, callback, periodMs),
    endOfTurn: callback => void this.#add(0, callback, null),
    sleep: (delayMs, signal) =>
      new Promise((resolve, reject) => {
        const timer = this.#add(delayMs, resolve, null);
        signal?.addEventListener('abort', () => {
          timer.cancel();
          reject(signal.reason as Error);
        });
      }),
  };

  #add(delayMs: number, callback: () => void, period: number | null): Timer {
    const entry: Entry = { at: this.#now + Math.max(0, delayMs), sequence: this.#sequence++, callback, period };
    this.#entries.push(entry);
    return { cancel: () => (this.#entries = this.#entries.filter(e => e !== entry)) };
  }

  /** Lets everything happen that happens within the next `ms` milliseconds. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await settle();
      const next = this.#entries.filter(e => e.at <= end).sort((a, b) => a.at - b.at || a.sequence - b.sequence)[0];
      if (next === undefined) break;
      this.#entries = this.#entries.filter(e => e !== next);
      this.#now = Math.max(this.#now, next.at);
      if (next.period !== null) this.#add(next.period, next.callback, next.period);
      next.callback();
    }
    this.#now = end;
  }
}

/** Lets pending promises settle. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise(resolve => setImmediate(resolve));
}
