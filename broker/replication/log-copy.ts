import type { PartitionLog } from '../storage/partition-log.ts';
import { truncationFor } from './truncation.ts';

/** Fills a future log from the current one, as a follower is filled from its leader. One call at a time. */
export class LogCopy {
  readonly #current: PartitionLog;
  readonly #future: PartitionLog;

  constructor(current: PartitionLog, future: PartitionLog) {
    this.#current = current;
    this.#future = future;
  }

  get current(): PartitionLog {
    return this.#current;
  }

  get future(): PartitionLog {
    return this.#future;
  }

  /** Whether one of the two logs is in that log directory. */
  touches(directory: string): boolean {
    return this.#current.directory === directory || this.#future.directory === directory;
  }

  /** Records that the future log lacks. */
  get missing(): number {
    return this.#current.logEndOffset - this.#future.logEndOffset;
  }

  /**
   * Cuts the future log, which may be of an earlier life of the broker, to where both logs agree: by leader epochs where
   * it has any, else to what was committed.
   */
  async align(): Promise<void> {
    const current = this.#current;
    const future = this.#future;
    current.takeLowestCut();
    for (;;) {
      const epoch = future.latestEpoch;
      const { offset, isComplete } = truncationFor(
        epoch < 0 ? { leaderEpoch: -1, endOffset: -1 } : current.endOffsetForEpoch(epoch),
        {
          logEndOffset: future.logEndOffset,
          fetchOffset: Math.min(future.highWatermark, current.logEndOffset),
          endOffsetForEpoch: own => future.endOffsetForEpoch(own),
        },
      );
      await future.truncateTo(offset);
      if (isComplete || future.latestEpoch === epoch) return;
    }
  }

  /**
   * Copies once; what the current log has lost meanwhile, the future one loses, too.
   * @param isCancelled asked before anything is appended
   * @returns bytes copied; 0 when there is nothing to copy, or it was cancelled
   */
  async step(maxBytes: number, isCancelled: () => boolean = () => false): Promise<number> {
    const current = this.#current;
    const future = this.#future;
    await this.#followCuts();
    const from = future.logEndOffset;
    if (from >= current.logEndOffset) {
      this.#followOffsets();
      return 0;
    }
    const { records, sizeInBytes } = await current.read(from, maxBytes, { upperBound: 'logEnd', minOneMessage: true });
    if (isCancelled()) return 0;
    // Records that were cut off while they were read go again with the next step.
    await future.appendAsFollower(Buffer.concat(records));
    this.#followOffsets();
    return sizeInBytes;
  }

  async #followCuts(): Promise<void> {
    const cut = this.#current.takeLowestCut();
    if (cut < this.#future.logEndOffset) await this.#future.truncateTo(cut);
    const start = this.#current.logStartOffset;
    if (this.#future.logEndOffset < start) await this.#future.truncateFullyAndStartAt(start);
  }

  #followOffsets(): void {
    const { highWatermark, logStartOffset } = this.#current;
    this.#future.updateHighWatermark(highWatermark);
    if (logStartOffset <= this.#future.highWatermark) this.#future.incrementLogStartOffset(logStartOffset);
  }
}
