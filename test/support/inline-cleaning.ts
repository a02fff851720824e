import { CleaningSession } from '../../broker/storage/cleaner/session.ts';
import {
  asCleaningFailure,
  CleaningFailure,
  type CleaningExecutor,
  type CleaningSteps,
} from '../../broker/storage/cleaner/steps.ts';
import type { FileSystem } from '../../shared/runtime/file-system.ts';

/** Does the steps of cleaning on the loop, a bit each turn: for disks in memory, which no thread can see. */
export class InlineCleaning implements CleaningExecutor {
  readonly #session: CleaningSession;
  readonly #turn: () => Promise<void>;
  isStarted = false;

  /** @param turn resolves when others have had their turn */
  constructor(fs: FileSystem, turn: () => Promise<void>) {
    this.#session = new CleaningSession(fs);
    this.#turn = turn;
  }

  async run<K extends keyof CleaningSteps>(
    step: K,
    order: CleaningSteps[K]['order'],
    signal: AbortSignal,
  ): Promise<CleaningSteps[K]['result']> {
    this.isStarted = true;
    const work = this.#session.perform(step, order);
    try {
      for (;;) {
        if (signal.aborted) work.return(undefined as never);
        if (signal.aborted) throw new CleaningFailure('aborted', 'told to stop');
        const { done, value } = work.next();
        if (done) return value;
        await this.#turn();
      }
    } catch (error) {
      throw signal.aborted ? new CleaningFailure('aborted', 'told to stop') : asCleaningFailure(error);
    }
  }

  async stop(): Promise<void> {
    this.isStarted = false;
  }
}
