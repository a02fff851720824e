import type { LogState } from './log-state.ts';
import type { LogWriter } from './log-writer.ts';
import { Segment } from './segment.ts';

/** Gets the files of segments that were taken away, renamed, to be removed after `file.delete.delay.ms`. */
export type RemoveLater = (paths: readonly string[], delayMs: number) => void;

/**
 * Cuts logs: from the end, from the beginning, or altogether. Each change is done in one turn, with nothing waiting to
 * be written, and tells readers by `LogState.version` that what they are looking at is gone.
 */
export class LogTruncation {
  readonly #state: LogState;
  readonly #writer: LogWriter;
  readonly #removeLater: RemoveLater;

  constructor(state: LogState, writer: LogWriter, removeLater: RemoveLater) {
    this.#state = state;
    this.#writer = writer;
    this.#removeLater = removeLater;
  }

  /** See `PartitionLog.truncateTo`. Nothing may wait to be written. */
  truncateTo(offset: number): boolean {
    const state = this.#state;
    if (offset >= state.logEndOffset) {
      if (state.epochs.truncateFromEnd(state.logEndOffset)) state.saveEpochs();
      return false;
    }
    if (offset < state.segments.first.baseOffset) {
      this.restartAt(offset);
      return true;
    }
    state.version++;
    // The active segment is none of those that compaction reads.
    if (offset < state.segments.active.baseOffset) state.cleaning?.abort();
    const above = state.segments.removeAbove(offset);
    // From the end, so that a crash in between leaves a log without a gap.
    this.#delete(above.reverse());
    const end = state.segments.active.truncateTo(offset, state.indexLimits);
    this.#endsAt(end);
    if (state.epochs.truncateFromEnd(end)) state.saveEpochs();
    return true;
  }

  /** Deletes everything and makes the log begin, empty, at `offset`. */
  restartAt(offset: number): void {
    const state = this.#state;
    const { environment, path, segments } = state;
    state.version++;
    state.cleaning?.abort();
    this.#delete([...segments.all].reverse());
    segments.replaceAll(Segment.create(environment.resources, path, offset, environment.clock.now()));
    this.#endsAt(offset);
    state.logStartOffset = state.highWatermark = state.recoveryPoint = offset;
    if (state.epochs.clear()) state.saveEpochs();
    state.producers.restartAt(path, offset);
  }

  #endsAt(offset: number): void {
    const state = this.#state;
    state.tail.clear();
    state.positions.clear();
    state.cutUnsynced = true;
    state.logEndOffset = offset;
    state.recoveryPoint = Math.min(state.recoveryPoint, offset);
    state.logStartOffset = Math.min(state.logStartOffset, offset);
    state.highWatermark = Math.min(state.highWatermark, offset);
    this.#writer.restartAt(offset);
  }

  /** Deletes the `count` oldest segments; a new active one is begun if that is all of them. */
  deleteOldest(count: number): void {
    const state = this.#state;
    if (count === state.segments.all.length) this.#writer.roll(state.logEndOffset);
    const oldest = state.segments.removeFirst(count);
    this.raiseStart(state.segments.first.baseOffset);
    state.version++;
    state.positions.clear();
    this.#delete(oldest);
  }

  /** Makes the log begin at `offset`, at most the log end offset, if it begins before. */
  raiseStart(offset: number): boolean {
    const state = this.#state;
    if (offset <= state.logStartOffset) return false;
    state.logStartOffset = offset;
    state.highWatermark = Math.max(state.highWatermark, offset);
    state.recoveryPoint = Math.max(state.recoveryPoint, offset);
    if (state.epochs.truncateFromStart(offset)) state.saveEpochs();
    return true;
  }

  #delete(segments: readonly Segment[]): void {
    const delay = this.#state.config['file.delete.delay.ms'];
    for (const segment of segments) {
      const paths = segment.markDeleted();
      segment.close();
      this.#removeLater(paths, delay);
    }
  }
}
