import type { Timers } from '../../shared/runtime/clock.ts';
import type { MetadataCache } from './metadata-cache.ts';

interface Wait {
  readonly isDone: () => boolean;
  readonly finish: (done: boolean) => void;
}

/**
 * Waits until the metadata cache shows what an admin request asked for: topics led, topics gone, leaders moved.
 * The change itself is made elsewhere (a znode, the controller); the answer goes out when this broker has heard of it.
 */
export class MetadataWaits {
  readonly #timers: Timers;
  readonly #waits = new Set<Wait>();

  constructor(cache: MetadataCache, timers: Timers) {
    this.#timers = timers;
    cache.onChange(() => this.#recheck());
  }

  /** Resolves with true once `isDone` holds, with false after `timeoutMs` (at once when it is not positive). */
  until(isDone: () => boolean, timeoutMs: number): Promise<boolean> {
    if (isDone()) return Promise.resolve(true);
    if (timeoutMs <= 0) return Promise.resolve(false);
    return new Promise(resolve => {
      const timer = this.#timers.after(timeoutMs, () => wait.finish(false));
      const wait: Wait = {
        isDone,
        finish: done => {
          this.#waits.delete(wait);
          timer.cancel();
          resolve(done);
        },
      };
      this.#waits.add(wait);
    });
  }

  #recheck(): void {
    for (const wait of [...this.#waits]) if (wait.isDone()) wait.finish(true);
  }
}
