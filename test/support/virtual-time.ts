import type { Clock, Timer, Timers } from '../../shared/runtime/clock.ts';

interface Due {
  readonly atMs: number;
  readonly order: number;
  callback: (() => void) | null;
}

/** Time that stands still until a test moves it on: the next timer fires when all that is under way has settled. */
export class VirtualTime implements Clock, Timers {
  #nowMs = 1_700_000_000_000;
  #orders = 0;
  #due: Due[] = [];

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): Timer {
    const due: Due = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#orders++, callback };
    this.#due.push(due);
    return { cancel: () => void (due.callback = null) };
  }

  every(periodMs: number, callback: () => void, initialDelayMs = periodMs): Timer {
    const again = () => {
      timer = this.after(periodMs, again);
      callback();
    };
    let timer = this.after(initialDelayMs, again);
    return { cancel: () => timer.cancel() };
  }

  endOfTurn(callback: () => void): void {
    this.after(0, callback);
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason as Error);
        return;
      }
      const onAbort = () => {
        timer.cancel();
        reject(signal!.reason as Error);
      };
      const timer = this.after(delayMs, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort);
    });
  }

  /** Moves on, timer by timer, until the condition holds. Throws when it does not within `limitMs` of this time. */
  async until(what: string, condition: () => boolean | Promise<boolean>, limitMs = 60_000): Promise<void> {
    const endMs = this.#nowMs + limitMs;
    while (!(await this.#holds(condition))) {
      if (!this.#fireNext(endMs)) throw new Error(`${what}: not within ${limitMs} ms of virtual time`);
    }
  }

  /** Moves on by `durationMs`, firing all that is due. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    do await settle();
    while (this.#fireNext(endMs));
    this.#nowMs = endMs;
  }

  async #holds(condition: () => boolean | Promise<boolean>): Promise<boolean> {
    await settle();
    const asked = condition();
    if (typeof asked === 'boolean') return asked;
    let pending = true;
    const done = asked.finally(() => {
      pending = false;
    });
    const isPending = () => pending;
    // A condition may itself wait for timers (a read over a slow connection).
    do await settle();
    while (isPending() && this.#fireNext(Infinity));
    return done;
  }

  #fireNext(endMs: number): boolean {
    let next: Due | null = null;
    this.#due = this.#due.filter(due => due.callback !== null);
    for (const due of this.#due) {
      if (next === null || due.atMs < next.atMs || (due.atMs === next.atMs && due.order < next.order)) next = due;
    }
    if (next === null || next.atMs > endMs) return false;
    this.#due.splice(this.#due.indexOf(next), 1);
    this.#nowMs = Math.max(this.#nowMs, next.atMs);
    next.callback?.();
    return true;
  }
}

/** Lets every promise that can settle do so. */
function settle(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
}
