import type { Clock, Timer, Timers } from '../../shared/runtime/clock.ts';

/** What can be made of `after` alone. */
export abstract class TimersOverAfter implements Timers {
  abstract after(delayMs: number, callback: () => void): Timer;

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
}

interface Due {
  readonly atMs: number;
  readonly order: number;
  callback: (() => void) | null;
}

/** Time that stands still until a test moves it on: the next timer fires when all that is under way has settled. */
export class VirtualTime extends TimersOverAfter implements Clock {
  #nowMs = 1_700_000_000_000;
  #orders = 0;
  readonly #due = new DueHeap();

  /** Whole milliseconds, as a wall clock tells them. */
  now(): number {
    return Math.floor(this.#nowMs);
  }

  monotonic(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): Timer {
    const due: Due = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#orders++, callback };
    this.#due.push(due);
    return { cancel: () => void (due.callback = null) };
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
    const next = this.#due.peek();
    if (next === undefined || next.atMs > endMs) return false;
    this.#due.pop();
    this.#nowMs = Math.max(this.#nowMs, next.atMs);
    next.callback?.();
    return true;
  }
}

/** Timers by when they are due, then in the order in which they were set; cancelled ones are dropped on the way. */
class DueHeap {
  readonly #heap: Due[] = [];

  push(due: Due): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(due);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(due, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = due;
  }

  peek(): Due | undefined {
    while (this.#heap.length > 0 && this.#heap[0]!.callback === null) this.pop();
    return this.#heap[0];
  }

  pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (let child = 1; child < heap.length; child = at * 2 + 1) {
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Due, b: Due): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** Lets every promise that can settle do so. */
function settle(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
}
