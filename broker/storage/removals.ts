import type { Timer, Timers } from '../../shared/runtime/clock.ts';
import type { FileSystem } from '../../shared/runtime/file-system.ts';
import type { Logger } from '../../shared/runtime/logger.ts';

/**
 * Removes files and directories that were renamed out of the way, some time later and off the loop, so that reads in
 * progress end undisturbed. What a stop leaves over, the next start finds by its name.
 */
export class Removals {
  readonly #fs: FileSystem;
  readonly #timers: Timers;
  readonly #logger: Logger;
  readonly #waiting = new Set<Timer>();

  constructor(fs: FileSystem, timers: Timers, logger: Logger) {
    this.#fs = fs;
    this.#timers = timers;
    this.#logger = logger;
  }

  removeFiles(paths: readonly string[], delayMs: number): void {
    this.#later(delayMs, () => Promise.all(paths.map(path => this.#fs.removeFile(path))));
  }

  removeDirectory(path: string, delayMs: number): void {
    this.#later(delayMs, async () => {
      await this.#fs.removeDirectory(path);
      this.#logger.info({ path }, 'removed a deleted log');
    });
  }

  #later(delayMs: number, remove: () => Promise<unknown>): void {
    const timer = this.#timers.after(delayMs, () => {
      this.#waiting.delete(timer);
      remove().catch((error: unknown) => this.#logger.warn({ err: error }, 'could not remove deleted files'));
    });
    this.#waiting.add(timer);
  }

  /** Forgets what has not been removed yet. */
  cancel(): void {
    for (const timer of this.#waiting) timer.cancel();
    this.#waiting.clear();
  }
}
