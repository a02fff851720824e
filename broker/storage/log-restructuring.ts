import type { LogCompaction } from './cleaner/log-compaction.ts';
import { deletableNow, gatherSegmentFacts } from './log-retention.ts';
import type { LogState } from './log-state.ts';
import type { LogTruncation } from './log-truncation.ts';
import type { LogWriter } from './log-writer.ts';
import { rebuildProducers } from './producer-rebuild.ts';

/** What cuts must be agreed with. */
export interface CutListeners {
  /** Resolves when no checkpoint on the device says that the log is clean beyond `offset`, where it is to be cut. */
  readonly beforeCut: (offset: number) => Promise<void>;
  /** Brings what has been cut, and the lower recovery point, to the device soon. */
  readonly afterCut: () => void;
}

interface RestructuringParts {
  readonly state: LogState;
  readonly writer: LogWriter;
  readonly truncation: LogTruncation;
  readonly compaction: LogCompaction;
  readonly listeners: CutListeners;
}

/**
 * Changes of a log's structure as its users ask for them: each waits until nothing is being written, is done in one turn
 * (`LogTruncation`), and takes those along who must know: checkpoints, the state of producers, compaction.
 */
export class LogRestructuring {
  readonly #parts: RestructuringParts;
  #lowestCut = Infinity;

  constructor(parts: RestructuringParts) {
    this.#parts = parts;
  }

  /** Makes a change when nothing is being written. */
  async whenQuiet<T>(change: () => T): Promise<T> {
    await this.#parts.writer.quiesce();
    return this.#parts.state.io(change);
  }

  /** See `PartitionLog.truncateTo`. */
  async truncateTo(offset: number): Promise<boolean> {
    const { state, truncation, listeners } = this.#parts;
    await listeners.beforeCut(offset);
    const cut = await this.whenQuiet(() => truncation.truncateTo(offset));
    if (!cut) return false;
    await state.findProducers(() => this.#rebuildProducers());
    this.#afterCut();
    return true;
  }

  /** Retention may take segments away meanwhile; then it begins anew. */
  async #rebuildProducers(): Promise<void> {
    const { state } = this.#parts;
    for (;;) {
      state.requireOnline();
      const { version, path, segments, logStartOffset, logEndOffset } = state;
      try {
        const log = { directory: path, segments: [...segments.all], logStartOffset, endOffset: logEndOffset };
        await rebuildProducers(state.producers, log);
        return;
      } catch (error) {
        if (version === state.version) throw state.ioFailure(error);
      }
    }
  }

  /** Deletes everything; the log then begins and ends at `offset`. */
  async restartAt(offset: number): Promise<void> {
    const { truncation, listeners } = this.#parts;
    await listeners.beforeCut(offset);
    await this.whenQuiet(() => truncation.restartAt(offset));
    this.#afterCut();
  }

  #afterCut(): void {
    const { state, listeners } = this.#parts;
    this.#lowestCut = Math.min(this.#lowestCut, state.logEndOffset);
    listeners.afterCut();
  }

  /** See `PartitionLog.takeLowestCut`. */
  takeLowestCut(): number {
    const cut = this.#lowestCut;
    this.#lowestCut = Infinity;
    return cut;
  }

  /** See `PartitionLog.deleteOldSegments`. */
  async deleteOldSegments(): Promise<number> {
    const { state, truncation, compaction } = this.#parts;
    // What is being cleaned is looked at the next time (Kafka: `LogCleanerManager.deletableLogs`).
    if (compaction.isRunning) return 0;
    const { version } = state;
    const facts = await gatherSegmentFacts(state);
    return this.whenQuiet(() => {
      const count = version === state.version ? deletableNow(state, facts) : 0;
      if (count > 0) {
        compaction.interrupt();
        truncation.deleteOldest(count);
      }
      return count;
    });
  }
}
