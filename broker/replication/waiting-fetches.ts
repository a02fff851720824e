import type { Timers } from '../../shared/runtime/clock.ts';
import { DelayedOperations } from '../delayed/delayed-operations.ts';
import { DelayedFetch } from './delayed-fetch.ts';
import type { FetchedPartition, FetchView } from './fetch-target.ts';
import type { FetchParams, FetchReader } from './fetch.ts';

/** Fetches, and those among them that wait for something to read. */
export class WaitingFetches {
  readonly #reader: FetchReader;
  readonly #timers: Timers;
  readonly #waiting: DelayedOperations;
  /** Keys under which fetches are to be tried again at the end of this turn. */
  readonly #woken = new Set<string>();

  constructor(reader: FetchReader, timers: Timers) {
    this.#reader = reader;
    this.#timers = timers;
    this.#waiting = new DelayedOperations(timers);
  }

  /** Fetches that wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** See `ReplicaManager.fetch`. */
  fetch(params: FetchParams, view: FetchView, onParked: () => void): Promise<FetchedPartition[]> {
    const looks = this.#reader.look(params, view, true);
    const isAboutNothing = looks.length === 0 && view.contact === null;
    const timeoutMs = isAboutNothing ? 0 : params.maxWaitMs;
    return new Promise(resolve => {
      const operation = new DelayedFetch(this.#reader, params, view, looks, resolve);
      const waiting = this.#waiting.tryCompleteElseWatch(operation, view.watchKeys(), timeoutMs);
      if (waiting === null) return;
      if (params.closed !== undefined) operation.cancelOn(params.closed, waiting);
      onParked();
    });
  }

  /**
   * Has the fetches that wait under `key` tried again at the end of the turn: by then all appends of the turn are
   * written, and a fetch of many partitions is answered once with all of them instead of with the first.
   */
  wake(key: string): void {
    if (this.#woken.has(key) || !this.#waiting.isWatched(key)) return;
    this.#woken.add(key);
    if (this.#woken.size > 1) return;
    this.#timers.endOfTurn(() => {
      const woken = [...this.#woken];
      this.#woken.clear();
      for (const each of woken) this.#waiting.check(each);
    });
  }

  /** Ends all that wait: the broker stops. */
  cancelAll(): void {
    this.#waiting.cancelAll();
  }
}
