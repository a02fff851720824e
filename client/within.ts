import type { Timers } from '../shared/runtime/clock.ts';

/** That something did not come in time. It goes on. */
export const LATE = Symbol('late');

/** What `work` comes to, or LATE when that takes longer than `ms` milliseconds (Infinity: it may take for ever). */
export async function within<T>(work: Promise<T>, ms: number, timers: Timers): Promise<T | typeof LATE> {
  if (ms === Infinity) return work;
  return new Promise((resolve, reject) => {
    const timer = timers.after(Math.max(0, ms), () => resolve(LATE));
    work.then(resolve, reject).finally(() => timer.cancel());
  });
}
