import { LEADER_EPOCH_CHECKPOINT } from './checkpoints.ts';
import { syncFile } from './durable-files.ts';
import type { LogState } from './log-state.ts';
import { PARTITION_METADATA } from './partition-metadata.ts';
import { snapshotPath } from './producer-snapshot-files.ts';

/**
 * Forces a log to the device, off the loop, and moves its recovery point. One flush at a time; what is asked for
 * meanwhile is done together afterwards.
 */
export class LogFlusher {
  readonly #state: LogState;
  #lastFlushMs: number;
  #metadataSynced = false;
  #tail: Promise<void> = Promise.resolve();
  #waiting: { upTo: number; done: Promise<void> } | null = null;

  constructor(state: LogState) {
    this.#state = state;
    this.#lastFlushMs = state.environment.clock.now();
  }

  /** Wall-clock time of the last flush, or of opening the log. */
  get lastFlushMs(): number {
    return this.#lastFlushMs;
  }

  /**
   * Resolves when everything below `upTo` is on the device, as far as it is written now.
   * @throws StorageError STORAGE_ERROR
   */
  flush(upTo: number): Promise<void> {
    if (this.#waiting !== null) {
      this.#waiting.upTo = Math.max(this.#waiting.upTo, upTo);
      return this.#waiting.done;
    }
    const waiting = { upTo, done: this.#tail.then(() => this.#begin()) };
    this.#waiting = waiting;
    this.#tail = waiting.done.catch(() => {
      // Whoever asked for that flush hears of it.
    });
    return waiting.done;
  }

  async #begin(): Promise<void> {
    const { upTo } = this.#waiting!;
    this.#waiting = null;
    const state = this.#state;
    for (;;) {
      state.requireOnline();
      const { version } = state;
      const target = Math.min(upTo, state.logEndOffset);
      try {
        await this.#flushTo(target);
      } catch (error) {
        // A file that was deleted or cut meanwhile says nothing about the disk.
        if (version === state.version) throw state.ioFailure(error);
      }
      if (version !== state.version) continue;
      state.recoveryPoint = Math.max(state.recoveryPoint, target);
      this.#lastFlushMs = state.environment.clock.now();
      return;
    }
  }

  async #flushTo(target: number): Promise<void> {
    const state = this.#state;
    const { segments, recoveryPoint } = state;
    if (target > recoveryPoint || state.cutUnsynced) {
      state.cutUnsynced = false;
      const first = segments.floor(recoveryPoint).baseOffset;
      const unflushed = segments.all.filter(({ baseOffset }) => baseOffset >= first && baseOffset <= target);
      for (const segment of unflushed) await segment.flush();
    }
    await this.#flushSmallFiles();
  }

  async #flushSmallFiles(): Promise<void> {
    const state = this.#state;
    const { fs } = state.environment.resources;
    if (state.epochsUnsynced) {
      state.epochsUnsynced = false;
      await syncFile(fs, `${state.path}/${LEADER_EPOCH_CHECKPOINT}`);
    }
    for (const offset of state.producers.takeUnsynced()) await syncFile(fs, snapshotPath(state.path, offset));
    if (this.#metadataSynced) return;
    await syncFile(fs, `${state.path}/${PARTITION_METADATA}`);
    this.#metadataSynced = true;
  }
}
