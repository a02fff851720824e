import type { Timer, Timers } from '../../shared/runtime/clock.ts';
import { timedOut } from '../errors.ts';

interface Waiter {
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  readonly timer: Timer;
}

/** The producer's `buffer.memory`: bytes of records not yet acknowledged. Those who find it full wait in order. */
export class BufferMemory {
  readonly #limit: number;
  readonly #timers: Timers;
  readonly #waiters: Waiter[] = [];
  #used = 0;

  constructor(limit: number, timers: Timers) {
    this.#limit = limit;
    this.#timers = timers;
  }

  get hasWaiters(): boolean {
    return this.#waiters.length > 0;
  }

  /** Takes `bytes` if they are free and nobody waits for memory; tells whether it did. */
  tryTake(bytes: number): boolean {
    if (this.hasWaiters || this.#used + bytes > this.#limit) return false;
    this.#used += bytes;
    return true;
  }

  /**
   * Takes `bytes` as soon as they are free, after those who asked before.
   * @throws KafkaError (timed out) after `maxBlockMs`
   */
  take(bytes: number, maxBlockMs: number): Promise<void> {
    if (this.tryTake(bytes)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = this.#timers.after(maxBlockMs, () => {
        this.#remove(waiter);
        reject(timedOut(`no free buffer.memory (${this.#limit} bytes) within max.block.ms (${maxBlockMs} ms)`));
      });
      const waiter: Waiter = { bytes, resolve, reject, timer };
      this.#waiters.push(waiter);
    });
  }

  give(bytes: number): void {
    this.#used -= bytes;
    for (
      let next = this.#waiters[0];
      next !== undefined && this.#used + next.bytes <= this.#limit;
      next = this.#waiters[0]
    ) {
      this.#remove(next);
      this.#used += next.bytes;
      next.resolve();
    }
  }

  failWaiters(error: Error): void {
    for (const waiter of [...this.#waiters]) {
      this.#remove(waiter);
      waiter.reject(error);
    }
  }

  #remove(waiter: Waiter): void {
    const index = this.#waiters.indexOf(waiter);
    if (index < 0) return;
    this.#waiters.splice(index, 1);
    waiter.timer.cancel();
  }
}
