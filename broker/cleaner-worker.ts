import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../shared/runtime/clock.ts';
import { realFileSystem } from '../shared/runtime/real-file-system.ts';
import { BYTES_PER_SECOND, GIVE_UP } from './cleaner-control.ts';
import { CleaningSession } from './storage/cleaner/session.ts';
import {
  asCleaningFailure,
  CleaningFailure,
  type CleaningFailureKind,
  type CleaningSteps,
} from './storage/cleaner/steps.ts';
import { CleaningThrottle } from './storage/cleaner/throttle.ts';
import type { Work } from './storage/cleaner/work.ts';

/** What the thread is asked. */
interface Question<K extends keyof CleaningSteps = keyof CleaningSteps> {
  readonly step: K;
  readonly order: CleaningSteps[K]['order'];
}

/** What it answers. */
export type CleanerAnswer =
  | { readonly result: unknown }
  | { readonly failure: { readonly kind: CleaningFailureKind; readonly message: string } };

/** The thread that compacts logs: everything in it blocks, and nothing waits for it but the cleaning of one log. */
const control = new Int32Array(workerData as SharedArrayBuffer);
const session = new CleaningSession(realFileSystem);
const throttle = new CleaningThrottle(systemClock.monotonic());

parentPort!.on('message', ({ step, order }: Question) => parentPort!.postMessage(answer(step, order)));

function answer<K extends keyof CleaningSteps>(step: K, order: CleaningSteps[K]['order']): CleanerAnswer {
  try {
    return { result: drive(session.perform(step, order)) };
  } catch (error) {
    const { kind, message } = asCleaningFailure(error);
    return { failure: { kind, message } };
  }
}

function drive<T>(work: Work<T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    pause(value);
    if (Atomics.load(control, GIVE_UP) === 0) continue;
    // It removes what it has written.
    work.return(undefined as T);
    throw new CleaningFailure('aborted', 'The cleaning was told to stop.');
  }
}

/** Sleeps as long as the limit wants it for so many bytes, unless it is woken to give up. */
function pause(bytes: number): void {
  for (let unpaid = bytes; ; unpaid = 0) {
    const limit = Atomics.load(control, BYTES_PER_SECOND) || Infinity;
    const ms = throttle.pauseAfter(unpaid, limit, systemClock.monotonic());
    if (ms === 0 || Atomics.wait(control, GIVE_UP, 0, ms) !== 'timed-out') return;
  }
}
