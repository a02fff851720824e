import { MAX_LONG } from '../../../shared/config/types.ts';
import { StorageError } from '../errors.ts';
import {
  CLEANED_SUFFIX,
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  SEGMENT_SUFFIXES,
  SNAPSHOT_SUFFIX,
  SWAP_SUFFIX,
  TIME_INDEX_SUFFIX,
  TRANSACTION_INDEX_SUFFIX,
} from '../file-names.ts';
import type { LogState } from '../log-state.ts';
import type { RemoveLater } from '../log-truncation.ts';
import { NONE } from '../producer-entry.ts';
import { Segment } from '../segment.ts';
import { removeCleaned } from './cleaned-file.ts';
import { type CompactionFacts, floorIndex, type SegmentFacts } from './dirtiness.ts';
import type { ActiveProducer } from './record-fate.ts';

const KEPT_WITH_ITS_BASE = SEGMENT_SUFFIXES.filter(suffix => suffix !== SNAPSHOT_SUFFIX);
/** The log first: while any file has the mark `.cleaned`, a start undoes the replacement. */
const REPLACED_SUFFIXES = [LOG_SUFFIX, OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TRANSACTION_INDEX_SUFFIX];

/** What compaction sees of a log, and what it changes: it puts a cleaned segment in the place of others. */
export class LogCompaction {
  readonly #state: LogState;
  readonly #removeLater: RemoveLater;
  /** Whether cleaning has failed by what the log holds: it is left alone until the next start. */
  isUncleanable = false;

  constructor(state: LogState, removeLater: RemoveLater) {
    this.#state = state;
    this.#removeLater = removeLater;
  }

  /** Whether the topic's policy is to compact. */
  get isWanted(): boolean {
    return this.#state.config['cleanup.policy'].includes('compact');
  }

  /** Whether a cleaning is under way. */
  get isRunning(): boolean {
    return this.#state.cleaning !== null;
  }

  get path(): string {
    return this.#state.path;
  }

  get segments(): readonly Segment[] {
    return this.#state.segments.all;
  }

  /**
   * What the decision needs to know; times are read only where they count.
   * @param firstDirty offset from which on segments are dirty
   * @returns null when the log was changed meanwhile
   * @throws StorageError STORAGE_ERROR
   */
  async gather(firstDirty: number): Promise<CompactionFacts | null> {
    const state = this.#state;
    state.requireOnline();
    const { version, config, logStartOffset, logEndOffset } = state;
    const leastLagMs = config['min.compaction.lag.ms'];
    const greatestLagMs = config['max.compaction.lag.ms'];
    try {
      const segments: SegmentFacts[] = [];
      const all = [...state.segments.all];
      const dirtyFrom = floorIndex(all, firstDirty);
      for (const [i, segment] of all.entries()) {
        const isDirty = i >= dirtyFrom && i < all.length - 1;
        const { baseOffset, size } = segment;
        segments.push({
          baseOffset,
          size,
          ...(isDirty && leastLagMs > 0 ? { largestMs: (await segment.largestTimestamp()).timestamp } : {}),
          ...(isDirty && greatestLagMs < MAX_LONG ? { firstMs: segment.firstTimestamp ?? -1 } : {}),
        });
      }
      if (version !== state.version) return null;
      const times = { leastLagMs, greatestLagMs, now: state.environment.clock.now() };
      const leastRatio = config['min.cleanable.dirty.ratio'];
      return { logStartOffset, logEndOffset, stableOffset: state.lastStableOffset, segments, leastRatio, ...times };
    } catch (error) {
      // A file that was deleted or cut meanwhile says nothing about the disk.
      if (version !== state.version) return null;
      throw state.ioFailure(error);
    }
  }

  /** The active producers whose last record is within the offsets, or of whom only a marker is known. */
  activeProducers(from: number, to: number): ActiveProducer[] {
    const found: ActiveProducer[] = [];
    for (const { producerId, epoch, lastOffset } of this.#state.producers.entries()) {
      if (lastOffset === NONE || (lastOffset >= from && lastOffset < to)) found.push({ producerId, epoch, lastOffset });
    }
    return found;
  }

  /** Begins a cleaning; the signal is aborted when the log is changed otherwise. @throws StorageError STORAGE_ERROR */
  begin(): AbortSignal {
    this.#state.requireOnline();
    this.#state.cleaning = new AbortController();
    return this.#state.cleaning.signal;
  }

  end(): void {
    this.#state.cleaning = null;
  }

  /** Stops the cleaning that is under way, if there is one: it changes nothing any more. */
  interrupt(): void {
    this.#state.cleaning?.abort();
  }

  /**
   * Puts the cleaned segment, whose files are complete and on the device with the mark `.cleaned`, in the place of those
   * of which it was made, all within this turn (Kafka: `UnifiedLog.replaceSegments`). Whatever the end of the process
   * leaves, the next start makes one of the two of it (`interrupted-changes.ts`):
   *
   *     N.log           N.log           N.log.deleted   N.log.deleted   N.log
   *     M.log           M.log           M.log.deleted   M.log.deleted   (files are removed later)
   *     N.log.cleaned   N.log.swap      N.log.swap      N.log
   *     └── undone ──┘  └──────── completed ────────┘
   *
   * @param sources neighbours, not the active one
   * @param size bytes of the cleaned log
   * @throws StorageError STORAGE_ERROR
   */
  replace(sources: readonly Segment[], size: number): void {
    const state = this.#state;
    const { baseOffset, openedMs } = sources[0]!;
    const { resources } = state.environment;
    const cleaned = new Segment(resources, state.path, baseOffset, size, openedMs);
    state.io(() => {
      const suffixes = REPLACED_SUFFIXES.filter(suffix => resources.fs.exists(cleaned.path(suffix) + CLEANED_SUFFIX));
      for (const suffix of suffixes) {
        resources.fs.rename(cleaned.path(suffix) + CLEANED_SUFFIX, cleaned.path(suffix) + SWAP_SUFFIX);
      }
      for (const source of sources) this.#delete(source, source.baseOffset === baseOffset);
      for (const suffix of suffixes) resources.fs.rename(cleaned.path(suffix) + SWAP_SUFFIX, cleaned.path(suffix));
    });
    state.segments.replace(sources, cleaned);
    state.version++;
    state.positions.clear();
    // What was appended lately may be in memory still: all readers are to find the same.
    state.tail.clear();
  }

  /** The snapshot of the producers at the base of the new segment is as good as before. */
  #delete(segment: Segment, isReplaced: boolean): void {
    const paths = segment.markDeleted(isReplaced ? KEPT_WITH_ITS_BASE : SEGMENT_SUFFIXES);
    segment.close();
    this.#removeLater(paths, this.#state.config['file.delete.delay.ms']);
  }

  /** Removes the files of a cleaned segment that comes too late. */
  discard(baseOffset: number): void {
    const state = this.#state;
    if (!state.closed) state.io(() => removeCleaned(state.environment.resources.fs, state.path, baseOffset));
  }

  /** What a failure of the disk, met while cleaning, amounts to. */
  storageFailed(error: Error): StorageError {
    return this.#state.ioFailure(error);
  }
}
