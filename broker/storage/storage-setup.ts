import type { Clock, Timers } from '../../shared/runtime/clock.ts';
import type { FileSystem } from '../../shared/runtime/file-system.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import type { Random } from '../../shared/runtime/random.ts';
import type { CleaningExecutor } from './cleaner/steps.ts';
import type { TopicConfigValues } from '../../shared/topics/topic-config.ts';

/** Times in milliseconds, named as the broker's settings they come from. */
export interface StorageOptions {
  /** `num.recovery.threads.per.data.dir`: by how much logs are loaded and closed at the same time in each directory. */
  readonly recoveryThreadsPerDirectory: number;
  /** `log.flush.scheduler.interval.ms` */
  readonly flushCheckIntervalMs: number;
  /** `log.flush.offset.checkpoint.interval.ms` */
  readonly recoveryPointCheckpointIntervalMs: number;
  /** `log.flush.start.offset.checkpoint.interval.ms` */
  readonly logStartCheckpointIntervalMs: number;
  /** `log.retention.check.interval.ms` */
  readonly retentionCheckIntervalMs: number;
  /** `log.initial.task.delay.ms` */
  readonly initialTaskDelayMs: number;
  /** `log.segment.delete.delay.ms`, for deleted logs that the last run has left. */
  readonly fileDeleteDelayMs: number;
  /** `producer.id.expiration.ms`, which may change. */
  readonly producerExpirationMs: () => number;
  /** `producer.id.expiration.check.interval.ms` */
  readonly producerExpirationCheckIntervalMs: number;
  /** Memory for the last appends of all logs together. */
  readonly tailCacheBytes: number;
  /** Reads of at most so many bytes may block, if they are quick: see `ReadPace`. 0: none. */
  readonly longestBlockingRead: number;
}

/** Kafka's defaults. */
export const DEFAULT_STORAGE_OPTIONS: StorageOptions = {
  recoveryThreadsPerDirectory: 1,
  flushCheckIntervalMs: Number.MAX_SAFE_INTEGER,
  recoveryPointCheckpointIntervalMs: 60_000,
  logStartCheckpointIntervalMs: 60_000,
  retentionCheckIntervalMs: 300_000,
  initialTaskDelayMs: 30_000,
  fileDeleteDelayMs: 60_000,
  producerExpirationMs: () => 86_400_000,
  producerExpirationCheckIntervalMs: 600_000,
  tailCacheBytes: 32 << 20,
  longestBlockingRead: 128 << 10,
};

/** Logs loaded or closed at the same time for each "thread": here they wait for the disk most of the time. */
const LOGS_PER_THREAD = 8;

/** How many logs of a directory are loaded or closed at the same time. */
export function logsAtATime({ recoveryThreadsPerDirectory }: StorageOptions): number {
  return recoveryThreadsPerDirectory * LOGS_PER_THREAD;
}

/** Compaction's settings, which may change; times in milliseconds, sizes in bytes. */
export interface CleanerOptions {
  /** `log.cleaner.threads` */
  readonly threads: number;
  /** `log.cleaner.dedupe.buffer.size`, over all threads */
  readonly dedupeBufferBytes: number;
  /** `log.cleaner.io.buffer.load.factor` */
  readonly loadFactor: number;
  /** `log.cleaner.io.buffer.size`, over all threads */
  readonly ioBufferBytes: number;
  /** `log.cleaner.backoff.ms` */
  readonly backoffMs: number;
}

export interface CleanerSetup {
  /** Asked anew each time. */
  readonly options: () => CleanerOptions;
  /** Makes what does the work for one thread. */
  readonly executor: () => CleaningExecutor;
}

export interface LogManagerSetup {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  /** `log.dirs` */
  readonly directories: readonly string[];
  readonly options: StorageOptions;
  /** A topic's effective configuration. */
  readonly topicConfig: (topic: string) => TopicConfigValues;
  readonly brokerId: number;
  readonly clusterId: string;
  /** Called, once for each, in a later turn, when a directory went offline; its logs are gone from the manager then. */
  readonly onDirectoryFailure: (directory: string, error: Error) => void;
  /** Without it, logs are not compacted. */
  readonly cleaner?: CleanerSetup;
}
