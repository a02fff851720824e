import { Worker } from 'node:worker_threads';
import { BYTES_PER_SECOND, CONTROL_WORDS, GIVE_UP } from './cleaner-control.ts';
import type { CleanerAnswer } from './cleaner-worker.ts';
import { CleaningFailure, type CleaningExecutor, type CleaningSteps } from './storage/cleaner/steps.ts';

/** Beside this file, in the sources and where they are compiled or bundled. */
const WORKER = new URL(
  import.meta.url.endsWith('.ts') ? './cleaner-worker.ts' : './cleaner-worker.js',
  import.meta.url,
);
/** Beyond it a limit is none. */
const MOST_BYTES_PER_SECOND = 2 ** 31 - 1;

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: CleaningFailure) => void;
}

/**
 * Does the steps of cleaning in a thread of its own, which is started with the first one (docs/decisions/0009). One step
 * at a time.
 */
export class CleanerThread implements CleaningExecutor {
  readonly #bytesPerSecond: () => number;
  readonly #control = new Int32Array(new SharedArrayBuffer(CONTROL_WORDS * Int32Array.BYTES_PER_ELEMENT));
  #worker: Worker | null = null;
  #waiting: Waiting | null = null;

  /** @param bytesPerSecond what this thread may read and write together; asked with each step */
  constructor(bytesPerSecond: () => number) {
    this.#bytesPerSecond = bytesPerSecond;
  }

  get isStarted(): boolean {
    return this.#worker !== null;
  }

  async run<K extends keyof CleaningSteps>(
    step: K,
    order: CleaningSteps[K]['order'],
    signal: AbortSignal,
  ): Promise<CleaningSteps[K]['result']> {
    requireGoing(signal);
    const giveUp = () => {
      Atomics.store(this.#control, GIVE_UP, 1);
      Atomics.notify(this.#control, GIVE_UP);
    };
    Atomics.store(this.#control, GIVE_UP, 0);
    Atomics.store(this.#control, BYTES_PER_SECOND, this.#limit());
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      return (await this.#ask(step, order)) as CleaningSteps[K]['result'];
    } catch (error) {
      // What fails because files were taken away says nothing about the disk.
      requireGoing(signal);
      throw error;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  #limit(): number {
    const limit = this.#bytesPerSecond();
    return limit > MOST_BYTES_PER_SECOND ? 0 : Math.max(1, Math.floor(limit));
  }

  #ask(step: keyof CleaningSteps, order: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#worker ??= this.#start();
      this.#worker.postMessage({ step, order });
    });
  }

  #start(): Worker {
    const worker = new Worker(WORKER, { name: 'log-cleaner', workerData: this.#control.buffer });
    worker.on('message', (answer: CleanerAnswer) => this.#answered(answer));
    worker.on('error', error => this.#broke(worker, error));
    worker.on('exit', code => this.#broke(worker, new Error(`it ended with code ${code}`)));
    return worker;
  }

  #answered(answer: CleanerAnswer): void {
    const waiting = this.#waiting!;
    this.#waiting = null;
    if ('failure' in answer) waiting.reject(new CleaningFailure(answer.failure.kind, answer.failure.message));
    else waiting.resolve(answer.result);
  }

  #broke(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.reject(new CleaningFailure('crash', `The cleaner thread broke down: ${error.message}.`, { cause: error }));
  }

  async stop(): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }
}

function requireGoing(signal: AbortSignal): void {
  if (signal.aborted) throw new CleaningFailure('aborted', 'The cleaning was told to stop.');
}
