/**
 * Time as a seam. Domain rooms never read the system clock or set a timer themselves; they are handed these two
 * interfaces, so that a simulation can run them on virtual time (compare Kafka's `Time`).
 */

/** Reads the time. */
export interface Clock {
  /** Wall-clock time in milliseconds since the Unix epoch, an integer. May jump. For timestamps that are stored or shown. */
  now(): number;
  /** Milliseconds since an arbitrary start, fractional, never moving back. For durations and deadlines. */
  monotonic(): number;
}

/** A scheduled call that can be taken back. Cancelling twice, or after it ran, does nothing. */
export interface Timer {
  cancel(): void;
}

/** Schedules calls. A callback that throws is a bug of the callback: it surfaces as an uncaught exception. */
export interface Timers {
  /** Calls `callback` once, `delayMs` milliseconds from now (0 = as soon as the loop is free). */
  after(delayMs: number, callback: () => void): Timer;
  /** Calls `callback` every `periodMs` milliseconds, first after `initialDelayMs` (default: one period). */
  every(periodMs: number, callback: () => void, initialDelayMs?: number): Timer;
  /** Calls `callback` after the current loop turn's input has been handled: where work of one turn is gathered. */
  endOfTurn(callback: () => void): void;
  /** Resolves after `delayMs`; rejects with `signal.reason` as soon as the signal aborts. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};

/** The largest delay that Node's timers take; a longer one would fire at once. */
const MAX_DELAY_MS = 0x7fffffff;

export const systemTimers: Timers = {
  after(delayMs, callback) {
    const handle = setTimeout(callback, Math.min(delayMs, MAX_DELAY_MS));
    return { cancel: () => clearTimeout(handle) };
  },
  every(periodMs, callback, initialDelayMs = periodMs) {
    const period = Math.min(periodMs, MAX_DELAY_MS);
    let interval: NodeJS.Timeout | undefined;
    const first = setTimeout(
      () => {
        interval = setInterval(callback, period);
        callback();
      },
      Math.min(initialDelayMs, MAX_DELAY_MS),
    );
    return {
      cancel() {
        clearTimeout(first);
        clearInterval(interval);
      },
    };
  },
  endOfTurn(callback) {
    setImmediate(callback);
  },
  sleep(delayMs, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const onAbort = () => {
        clearTimeout(handle);
        reject(signal!.reason as Error);
      };
      const handle = setTimeout(
        () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
        Math.min(delayMs, MAX_DELAY_MS),
      );
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  },
};
