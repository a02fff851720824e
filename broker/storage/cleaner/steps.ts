import type { IndexLimits } from '../segment-indexes.ts';
import type { FilterCounts } from './batch-filter.ts';
import type { ActiveProducer } from './record-fate.ts';

/** A segment that is not written to any more. */
export interface SourceSegment {
  readonly baseOffset: number;
  /** Bytes of its `.log` file. */
  readonly size: number;
}

/** Read the keys of a log's dirty part. */
export interface MapOrder {
  /** The partition's directory. */
  readonly directory: string;
  /** Those of the dirty part, ascending. */
  readonly segments: readonly SourceSegment[];
  /** The base offsets of all segments of the log. */
  readonly allBaseOffsets: readonly number[];
  readonly startOffset: number;
  readonly endOffset: number;
  /** What the map may take. */
  readonly memoryBytes: number;
  /** `log.cleaner.io.buffer.load.factor` */
  readonly loadFactor: number;
  /** Bytes read at a time. */
  readonly chunk: number;
}

export interface MapSummary {
  /** Up to and including which offset keys are known. */
  readonly latestOffset: number;
  readonly keys: number;
  readonly slots: number;
}

/** Write one segment with what is to stay of others, as files with the mark `.cleaned`. Times in milliseconds. */
export interface GroupOrder {
  readonly directory: string;
  /** Neighbours, ascending, at least one. */
  readonly sources: readonly SourceSegment[];
  readonly limits: IndexLimits;
  readonly now: number;
  /** `delete.retention.ms` */
  readonly deleteRetentionMs: number;
  /** Tombstones of magic 0 and 1 in files that were modified later are kept. */
  readonly legacyHorizonMs: number;
  readonly producers: readonly ActiveProducer[];
  /** Where what is cleaned this time ends. */
  readonly roundEnd: number;
  /** Bytes read and written at a time. */
  readonly chunk: number;
}

export interface CleanedGroup extends FilterCounts {
  /** Bytes of the new `.log` file. */
  readonly size: number;
}

/** The steps in which a log is cleaned: `map`, then `group` for each group of segments, then `finish`. */
export interface CleaningSteps {
  readonly map: { readonly order: MapOrder; readonly result: MapSummary };
  readonly group: { readonly order: GroupOrder; readonly result: CleanedGroup };
  /** Makes the changes in the directory durable, and forgets the keys. */
  readonly finish: { readonly order: { readonly directory: string }; readonly result: null };
}

/**
 * Does the steps, off the loop, for one log at a time. It starts what it needs with the first step.
 */
export interface CleaningExecutor {
  /**
   * @param signal when it is aborted, the step ends soon, leaving no files behind
   * @throws CleaningFailure
   */
  run<K extends keyof CleaningSteps>(
    step: K,
    order: CleaningSteps[K]['order'],
    signal: AbortSignal,
  ): Promise<CleaningSteps[K]['result']>;
  /** Whether it holds a thread and memory. */
  readonly isStarted: boolean;
  /** Gives back what was started; with the next step it is started again. */
  stop(): Promise<void>;
}

/**
 * Why a step did not succeed.
 *
 * - `aborted`: it was told to stop.
 * - `storage`: the file system refused.
 * - `records`: what the log holds cannot be cleaned.
 * - `crash`: whoever does the steps has broken down, and may be started again.
 */
export type CleaningFailureKind = 'aborted' | 'storage' | 'records' | 'crash';

export class CleaningFailure extends Error {
  override readonly name = 'CleaningFailure';
  readonly kind: CleaningFailureKind;

  constructor(kind: CleaningFailureKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** What the system calls its errors, which Node does its own otherwise (`ERR_…`). */
const SYSTEM_ERROR = /^E(?!RR_)[A-Z0-9]+$/;

/** The failure that an error met in doing a step amounts to. */
export function asCleaningFailure(error: unknown): CleaningFailure {
  if (error instanceof CleaningFailure) return error;
  const { message, code } = error as NodeJS.ErrnoException;
  return new CleaningFailure(SYSTEM_ERROR.test(code ?? '') ? 'storage' : 'records', message, { cause: error });
}
