import type { Timer, Timers } from '../../shared/runtime/clock.ts';

/** Why an operation ended. 'cancelled': its requester is gone, or the broker stops. */
export type Completion = 'ready' | 'expired' | 'cancelled';

/** Work that waits for something to happen to one of the things it watches (Kafka: `DelayedOperation`). */
export interface DelayedOperation {
  /**
   * Whether the operation can be completed now.
   * @param key the watched thing that changed; undefined on the first try, which looks at everything
   */
  isReady(key?: string): boolean;
  /** Completes the operation. Called exactly once, and never before `isReady` was tried once. */
  complete(how: Completion): void;
}

/** An operation that waits. */
export interface WaitingOperation {
  /** Completes it as cancelled, unless it has been completed. */
  cancel(): void;
}

interface Waiting extends WaitingOperation {
  readonly operation: DelayedOperation;
  readonly keys: readonly string[];
  timer: Timer | null;
}

/**
 * Operations that wait for a condition or a time limit, whichever comes first (Kafka: `DelayedOperationPurgatory`).
 *
 *     key 'orders-0' ─→ { produce 1, produce 2 }        an operation is in the set of each key that it watches
 *     key 'orders-1' ─→ { produce 2 }
 *
 * Kafka tries an operation again after it is watched, because the condition may have come true in between; here nothing
 * can happen in between, as long as `isReady` is synchronous. A completed operation leaves its keys at once, so that
 * what is held is bounded by the requests that wait, and there is nothing to purge.
 */
export class DelayedOperations {
  readonly #timers: Timers;
  readonly #watched = new Map<string, Set<Waiting>>();
  readonly #waiting = new Set<Waiting>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** Operations that wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Whether an operation waits for a change of `key`. */
  isWatched(key: string): boolean {
    return this.#watched.has(key);
  }

  /**
   * Completes the operation if it is ready; otherwise it waits, at most `timeoutMs` milliseconds (not positive: it
   * expires at once), for a `check` of one of its keys.
   * @returns the wait, or null when the operation is complete
   */
  tryCompleteElseWatch(
    operation: DelayedOperation,
    keys: readonly string[],
    timeoutMs: number,
  ): WaitingOperation | null {
    if (operation.isReady()) {
      operation.complete('ready');
      return null;
    }
    if (timeoutMs <= 0) {
      operation.complete('expired');
      return null;
    }
    const waiting: Waiting = { operation, keys, timer: null, cancel: () => this.#finish(waiting, 'cancelled') };
    waiting.timer = this.#timers.after(timeoutMs, () => this.#finish(waiting, 'expired'));
    this.#waiting.add(waiting);
    for (const key of keys) this.#watchersOf(key).add(waiting);
    return waiting;
  }

  /** Tries the operations that watch `key`, the oldest first; returns how many were completed. */
  check(key: string): number {
    const watchers = this.#watched.get(key);
    if (watchers === undefined) return 0;
    let completed = 0;
    // Completing one may complete others of the same set, or add new ones: neither is to be tried in this round.
    for (const waiting of [...watchers]) {
      if (this.#waiting.has(waiting) && waiting.operation.isReady(key)) {
        this.#finish(waiting, 'ready');
        completed += 1;
      }
    }
    return completed;
  }

  /** Completes everything that waits, as cancelled. */
  cancelAll(): void {
    for (const waiting of [...this.#waiting]) this.#finish(waiting, 'cancelled');
  }

  #watchersOf(key: string): Set<Waiting> {
    let watchers = this.#watched.get(key);
    if (watchers === undefined) this.#watched.set(key, (watchers = new Set()));
    return watchers;
  }

  /** The one way out: whoever takes the operation from `#waiting` completes it. */
  #finish(waiting: Waiting, how: Completion): void {
    if (!this.#waiting.delete(waiting)) return;
    waiting.timer?.cancel();
    for (const key of waiting.keys) {
      const watchers = this.#watched.get(key);
      watchers?.delete(waiting);
      if (watchers?.size === 0) this.#watched.delete(key);
    }
    waiting.operation.complete(how);
  }
}
