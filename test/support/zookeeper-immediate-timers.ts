import { systemTimers, type Timers } from '../../shared/runtime/clock.ts';

/** The system's timers, but for a delay of 0, which is none at all here: messages of an in-memory server go at once. */
export const immediateTimers: Timers = {
  ...systemTimers,
  after(delayMs, callback) {
    if (delayMs > 0) return systemTimers.after(delayMs, callback);
    const handle = setImmediate(callback);
    return { cancel: () => clearImmediate(handle) };
  },
};
