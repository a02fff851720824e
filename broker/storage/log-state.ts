import type { Clock } from '../../shared/runtime/clock.ts';
import type { Random } from '../../shared/runtime/random.ts';
import type { TopicConfigValues } from '../../shared/topics/topic-config.ts';
import { writeLeaderEpochs } from './checkpoints.ts';
import { StorageError } from './errors.ts';
import { KnownPositions } from './known-positions.ts';
import type { LeaderEpochs } from './leader-epochs.ts';
import type { ProducerSettings, ProducerStateManager } from './producer-state-manager.ts';
import { mostAge } from './rolling.ts';
import type { SegmentResources } from './segment.ts';
import type { IndexLimits } from './segment-indexes.ts';
import type { Segments } from './segments.ts';
import type { TailWindow } from './tail-cache.ts';

/** A log directory as its logs see it. */
export interface LogHome {
  readonly path: string;
  /** Why the directory is offline; null while it is not. */
  readonly failure: Error | null;
  /** Takes the directory offline because of an I/O error: no log in it does anything any more. */
  fail(error: Error): void;
}

/** What the parts of a log are made with. */
export interface LogEnvironment {
  readonly home: LogHome;
  readonly resources: SegmentResources;
  readonly clock: Clock;
  readonly random: Random;
  readonly producers: ProducerSettings;
}

/** What loading found. */
export interface LoadedLog {
  readonly topic: string;
  readonly partition: number;
  readonly path: string;
  readonly config: TopicConfigValues;
  readonly segments: Segments;
  readonly epochs: LeaderEpochs;
  readonly producers: ProducerStateManager;
  readonly logStartOffset: number;
  readonly logEndOffset: number;
  readonly recoveryPoint: number;
}

/**
 * What the parts of one log (writer, reader, truncation, retention) share. Invariant: logStartOffset ≤ lastStableOffset ≤
 * highWatermark ≤ logEndOffset, recoveryPoint ≤ logEndOffset.
 */
export class LogState {
  readonly environment: LogEnvironment;
  readonly topic: string;
  readonly partition: number;
  readonly segments: Segments;
  readonly epochs: LeaderEpochs;
  readonly producers: ProducerStateManager;
  readonly tail: TailWindow;
  readonly positions = new KnownPositions();
  /** The partition's directory; changes when it is renamed for deletion. */
  path: string;
  config: TopicConfigValues;
  indexLimits: IndexLimits;
  /** What this log takes off `segment.ms`, so that the logs of a topic do not all roll at once. */
  rollJitterMs: number;
  logStartOffset: number;
  logEndOffset: number;
  recoveryPoint: number;
  /** Bumped when bytes that readers may look at are cut off or taken away: what they read meanwhile is worthless. */
  version = 0;
  closed = false;
  /** The cleaning of this log that is under way; aborted by whoever else changes the files that it reads. */
  cleaning: AbortController | null = null;
  /** Whether the epoch file has changed since it was last flushed. */
  epochsUnsynced = false;
  /** Whether the end was cut off and the device may still have it, to show up again after a loss of power. */
  cutUnsynced = false;
  #highWatermark: number;
  /** While the producers' state is made anew: what it will say is not known. */
  #frozenStableOffset = Infinity;

  constructor(environment: LogEnvironment, loaded: LoadedLog, tail: TailWindow) {
    this.environment = environment;
    this.tail = tail;
    this.topic = loaded.topic;
    this.partition = loaded.partition;
    this.path = loaded.path;
    this.segments = loaded.segments;
    this.epochs = loaded.epochs;
    this.producers = loaded.producers;
    this.logStartOffset = loaded.logStartOffset;
    this.logEndOffset = loaded.logEndOffset;
    this.#highWatermark = loaded.logStartOffset;
    this.recoveryPoint = loaded.recoveryPoint;
    this.config = loaded.config;
    this.indexLimits = indexLimitsOf(loaded.config);
    this.rollJitterMs = this.#drawJitter();
  }

  get highWatermark(): number {
    return this.#highWatermark;
  }

  /** Transactions whose markers it passes are decided for good. */
  set highWatermark(offset: number) {
    this.#highWatermark = offset;
    this.producers.replicatedUpTo(offset);
  }

  /**
   * Everything below is committed and part of no undecided transaction: what read_committed readers may see (Kafka:
   * `UnifiedLog.lastStableOffset`). A transaction that began before the log's start counts from there.
   */
  get lastStableOffset(): number {
    const first = Math.min(this.producers.firstUnstableOffset, this.#frozenStableOffset);
    return first < this.#highWatermark ? Math.max(first, this.logStartOffset) : this.#highWatermark;
  }

  /** Keeps the last stable offset from rising while `find` finds out which transactions are open. */
  async findProducers(find: () => Promise<void>): Promise<void> {
    this.#frozenStableOffset = this.lastStableOffset;
    try {
      await find();
      this.producers.replicatedUpTo(this.#highWatermark);
    } finally {
      this.#frozenStableOffset = Infinity;
    }
  }

  setConfig(config: TopicConfigValues): void {
    this.config = config;
    this.indexLimits = indexLimitsOf(config);
    this.rollJitterMs = this.#drawJitter();
  }

  #drawJitter(): number {
    const most = Math.min(this.config['segment.jitter.ms'], mostAge(this.config));
    return most === 0 ? 0 : this.environment.random.int(Math.min(most, 2 ** 40));
  }

  /** @throws StorageError STORAGE_ERROR when the directory is offline or the log is closed */
  requireOnline(): void {
    const { failure, path } = this.environment.home;
    if (failure !== null) {
      throw new StorageError('STORAGE_ERROR', `The log directory ${path} is offline.`, [], { cause: failure });
    }
    if (this.closed) throw new StorageError('STORAGE_ERROR', `The log of ${this.topic}-${this.partition} is closed.`);
  }

  /**
   * Turns an error met in doing something with the files into the one to throw: anything but a StorageError takes the
   * directory offline.
   */
  ioFailure(error: unknown): StorageError {
    if (error instanceof StorageError) return error;
    const { home } = this.environment;
    // Whatever fails after the directory went offline or the log was closed, fails because of that.
    if (home.failure === null && !this.closed) home.fail(error as Error);
    const message = `An I/O error in the log directory ${home.path}: ${(error as Error).message}`;
    return new StorageError('STORAGE_ERROR', message, [], { cause: error });
  }

  /** Runs a synchronous change of the files. */
  io<T>(change: () => T): T {
    this.requireOnline();
    try {
      return change();
    } catch (error) {
      throw this.ioFailure(error);
    }
  }

  /** Writes the epochs' checkpoint after a change. */
  saveEpochs(): void {
    writeLeaderEpochs(this.environment.resources.fs, this.path, this.epochs.entries);
    this.epochsUnsynced = true;
  }
}

export function indexLimitsOf(config: TopicConfigValues): IndexLimits {
  return { intervalBytes: config['index.interval.bytes'], maxBytes: config['segment.index.bytes'] };
}
