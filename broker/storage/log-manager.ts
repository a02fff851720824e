import { normalize } from 'node:path';
import type { Clock, Timer, Timers } from '../../shared/runtime/clock.ts';
import type { FileSystem } from '../../shared/runtime/file-system.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import type { Random } from '../../shared/runtime/random.ts';
import type { TopicConfigValues } from '../../shared/topics/topic-config.ts';
import { partitionKey } from '../../shared/topics/topic-partition.ts';
import { forEachLimited } from './concurrency.ts';
import { StorageError, StorageStartupError } from './errors.ts';
import { deletedDirectoryName, parseDirectoryName } from './file-names.ts';
import { IndexCache } from './index-cache.ts';
import { type DirectoryCheckpoints, LogDirectory } from './log-directory.ts';
import { createLog, loadLog } from './log-loader.ts';
import type { LoadedLog, LogEnvironment } from './log-state.ts';
import { OpenFiles } from './open-files.ts';
import { PartitionLog } from './partition-log.ts';
import { Removals } from './removals.ts';
import type { SegmentResources } from './segment.ts';
import { TailCache } from './tail-cache.ts';
import { WriteScheduler } from './write-scheduler.ts';

/** Times in milliseconds, named as the broker's settings they come from. */
export interface StorageOptions {
  /** `num.recovery.threads.per.data.dir`: logs loaded or closed at the same time in each directory. */
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
  /** Memory for the last appends of all logs together. */
  readonly tailCacheBytes: number;
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
  tailCacheBytes: 32 << 20,
};

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
}

/** Memory for the indexes of segments that are not active. */
const INDEX_CACHE_BYTES = 32 << 20;
const MAX_OPEN_SEGMENTS = 2000;
/** Intervals beyond what timers take mean "never". */
const NEVER_MS = 2 ** 31 - 1;

/**
 * All logs of a broker: loads them at start, makes and deletes them, and does for them what is to be done regularly
 * (Kafka: `LogManager`).
 */
export class LogManager {
  readonly #setup: LogManagerSetup;
  readonly #directories: LogDirectory[];
  readonly #resources: SegmentResources;
  readonly #scheduler: WriteScheduler;
  readonly #tailCache: TailCache;
  readonly #removals: Removals;
  readonly #logs = new Map<string, PartitionLog>();
  #tasks: Timer[] = [];
  #retention: Promise<void> | null = null;

  private constructor(setup: LogManagerSetup) {
    const { fs, clock, timers, logger, options } = setup;
    this.#setup = setup;
    this.#resources = {
      fs,
      files: new OpenFiles(fs, MAX_OPEN_SEGMENTS),
      indexCache: new IndexCache(INDEX_CACHE_BYTES),
    };
    this.#scheduler = new WriteScheduler(clock, timers);
    this.#tailCache = new TailCache(options.tailCacheBytes);
    this.#removals = new Removals(fs, timers, logger);
    this.#directories = distinct(setup.directories).map(
      path => new LogDirectory(fs, path, logger, failed => this.#directoryFailed(failed)),
    );
  }

  /**
   * Locks and claims the directories, loads all logs (recovering what was not closed properly) and starts the regular
   * tasks. Directories with I/O errors are offline from the beginning.
   * @throws StorageStartupError when a directory is in use, foreign, or holds what does not belong there, or none works
   */
  static async open(setup: LogManagerSetup): Promise<LogManager> {
    const manager = new LogManager(setup);
    try {
      for (const directory of manager.#directories) manager.#openDirectory(directory);
      await Promise.all(manager.#online.map(directory => manager.#loadDirectory(directory)));
      if (manager.#online.length === 0) throw new StorageStartupError('None of the log directories can be used.');
    } catch (error) {
      for (const directory of manager.#directories) directory.release();
      manager.#removals.cancel();
      throw error;
    }
    manager.#startTasks();
    return manager;
  }

  get #online(): LogDirectory[] {
    return this.#directories.filter(({ failure }) => failure === null);
  }

  #openDirectory(directory: LogDirectory): void {
    try {
      directory.open(this.#setup.brokerId, this.#setup.clusterId);
    } catch (error) {
      if (error instanceof StorageStartupError) throw error;
      directory.fail(error as Error);
    }
  }

  async #loadDirectory(directory: LogDirectory): Promise<void> {
    const { fs, logger, options, clock } = this.#setup;
    const start = clock.monotonic();
    try {
      const wasClosed = directory.takeCleanShutdownMarker();
      const checkpoints = directory.readCheckpoints();
      const names = fs.list(directory.path).flatMap(entry => (entry.isDirectory ? [entry.name] : []));
      await forEachLimited(names, options.recoveryThreadsPerDirectory, name =>
        this.#loadEntry(directory, name, wasClosed, checkpoints),
      );
      const fields = { directory: directory.path, logs: directory.logs.size, recovered: !wasClosed };
      logger.info({ ...fields, ms: Math.round(clock.monotonic() - start) }, 'loaded a log directory');
    } catch (error) {
      if (error instanceof StorageStartupError) throw error;
      directory.fail(error as Error);
    }
  }

  async #loadEntry(
    directory: LogDirectory,
    name: string,
    wasClosed: boolean,
    checkpoints: DirectoryCheckpoints,
  ): Promise<void> {
    const entry = parseDirectoryName(name);
    const path = `${directory.path}/${name}`;
    if (entry.kind === 'foreign') {
      throw new StorageStartupError(`${path} is no log: name a directory in log.dirs that is the broker's alone.`);
    }
    if (entry.kind === 'delete') this.#removals.removeDirectory(path, this.#setup.options.fileDeleteDelayMs);
    if (entry.kind !== 'partition') return;
    const key = partitionKey(entry.topic, entry.partition);
    const other = this.#logs.get(key);
    if (other !== undefined) {
      throw new StorageStartupError(`There are two logs of ${key}, in ${other.directory} and in ${directory.path}.`);
    }
    const environment = this.#environment(directory);
    const toLoad = {
      topic: entry.topic,
      partition: entry.partition,
      path,
      config: this.#setup.topicConfig(entry.topic),
      wasClosed,
      recoveryPoint: checkpoints.recoveryPoints.get(key) ?? 0,
      logStartOffset: checkpoints.logStartOffsets.get(key) ?? 0,
    };
    const log = this.#enter(directory, environment, await loadLog(environment, toLoad, this.#setup.logger));
    log.updateHighWatermark(checkpoints.highWatermarks.get(key) ?? 0);
  }

  #environment(home: LogDirectory): LogEnvironment {
    const { clock, random } = this.#setup;
    return { home, resources: this.#resources, clock, random };
  }

  #enter(directory: LogDirectory, environment: LogEnvironment, loaded: LoadedLog): PartitionLog {
    const log = new PartitionLog(environment, loaded, {
      scheduler: this.#scheduler,
      tail: this.#tailCache.window(),
      removeLater: (paths, delayMs) => this.#removals.removeFiles(paths, delayMs),
      truncated: () => void directory.checkpointRecoveryPoints(),
    });
    this.#logs.set(partitionKey(loaded.topic, loaded.partition), log);
    directory.add(log);
    return log;
  }

  #directoryFailed(directory: LogDirectory): void {
    for (const key of directory.logs.keys()) this.#logs.delete(key);
    // Whoever met the error is still in the middle of something.
    this.#setup.timers.endOfTurn(() => this.#setup.onDirectoryFailure(directory.path, directory.failure!));
  }

  /** Paths of the directories that are offline. */
  get offlineDirectories(): string[] {
    return this.#directories.filter(({ failure }) => failure !== null).map(({ path }) => path);
  }

  /** The log of a partition; undefined when there is none, or its directory is offline. */
  getLog(topic: string, partition: number): PartitionLog | undefined {
    return this.#logs.get(partitionKey(topic, partition));
  }

  /** All logs in directories that are not offline. */
  allLogs(): PartitionLog[] {
    return [...this.#logs.values()];
  }

  /**
   * The log of a partition, made in the directory with the fewest logs if there is none.
   * @param isNew whether the partition is just being created: only then can it not be in a directory that is offline
   * @throws StorageError INCONSISTENT_TOPIC_ID when there is one of a former topic of that name; STORAGE_ERROR
   */
  getOrCreateLog(
    topic: string,
    partition: number,
    { topicId, isNew }: { readonly topicId: string | null; readonly isNew: boolean },
  ): PartitionLog {
    const existing = this.getLog(topic, partition);
    if (existing !== undefined) {
      if (topicId !== null) existing.ensureTopicId(topicId);
      return existing;
    }
    const offline = this.offlineDirectories;
    if (!isNew && offline.length > 0) {
      const message = `The log of ${topic}-${partition} may be in a directory that is offline: ${offline.join(', ')}.`;
      throw new StorageError('STORAGE_ERROR', message);
    }
    return this.#create(topic, partition, topicId);
  }

  /** Tries one directory after the other, until one does not fail. */
  #create(topic: string, partition: number, topicId: string | null): PartitionLog {
    const byCount = this.#online.sort((a, b) => a.logs.size - b.logs.size);
    for (const directory of byCount) {
      const environment = this.#environment(directory);
      const path = `${directory.path}/${partitionKey(topic, partition)}`;
      try {
        const loaded = createLog(environment, path, {
          topic,
          partition,
          topicId,
          config: this.#setup.topicConfig(topic),
        });
        this.#setup.logger.info({ topic, partition, directory: directory.path }, 'created a log');
        return this.#enter(directory, environment, loaded);
      } catch (error) {
        if (error instanceof StorageError) throw error;
        directory.fail(error as Error);
      }
    }
    throw new StorageError('STORAGE_ERROR', `No log directory can take the log of ${topic}-${partition}.`);
  }

  /**
   * Deletes a partition's log, if there is one: at once as far as anybody can see; its files go after
   * `file.delete.delay.ms`. A log of that name may be made again straight away.
   */
  async deleteLog(topic: string, partition: number): Promise<void> {
    const log = this.getLog(topic, partition);
    if (log === undefined) return;
    const directory = this.#directories.find(({ path }) => path === log.directory)!;
    const name = deletedDirectoryName(topic, partition, this.#setup.random.bytes(16));
    log.moveAway(name);
    this.#logs.delete(partitionKey(topic, partition));
    directory.remove(log);
    this.#removals.removeDirectory(`${directory.path}/${name}`, log.config['file.delete.delay.ms']);
    await directory.checkpointRecoveryPoints();
    await directory.checkpointLogStartOffsets();
  }

  /** Gives the logs of a topic its configuration anew. */
  updateTopicConfig(topic: string): void {
    const config = this.#setup.topicConfig(topic);
    for (const log of this.#logs.values()) if (log.topic === topic) log.updateConfig(config);
  }

  /** Gives all logs their configuration anew: the broker's own defaults have changed. */
  updateAllTopicConfigs(): void {
    for (const log of this.#logs.values()) log.updateConfig(this.#setup.topicConfig(log.topic));
  }

  /** Writes the high watermarks of all logs to the checkpoints. */
  async checkpointHighWatermarks(): Promise<void> {
    await Promise.all(this.#online.map(directory => directory.checkpointHighWatermarks()));
  }

  #startTasks(): void {
    const { options } = this.#setup;
    this.#every(options.retentionCheckIntervalMs, () => this.deleteOldSegments());
    this.#every(options.flushCheckIntervalMs, () => this.#forEachLog(log => log.flushIfDue()));
    this.#every(options.recoveryPointCheckpointIntervalMs, () =>
      Promise.all(this.#online.map(directory => directory.checkpointRecoveryPoints())),
    );
    this.#every(options.logStartCheckpointIntervalMs, () =>
      Promise.all(this.#online.map(directory => directory.checkpointLogStartOffsets())),
    );
  }

  #every(periodMs: number, task: () => Promise<unknown>): void {
    if (periodMs > NEVER_MS) return;
    const timer = this.#setup.timers.every(periodMs, () => void task(), this.#setup.options.initialTaskDelayMs);
    this.#tasks.push(timer);
  }

  /** Deletes the segments that retention no longer keeps, in all logs; joins a run that is under way. */
  deleteOldSegments(): Promise<void> {
    this.#retention ??= this.#forEachLog(async log => {
      const count = await log.deleteOldSegments();
      if (count > 0) this.#reportRetention(log, count);
    }).finally(() => {
      this.#retention = null;
    });
    return this.#retention;
  }

  #reportRetention(log: PartitionLog, count: number): void {
    const { topic, partition, logStartOffset } = log;
    this.#setup.logger.info({ topic, partition, segments: count, logStartOffset }, 'retention deleted segments');
  }

  /** Does something for all logs, one after the other. A directory that fails meanwhile has reported that itself. */
  async #forEachLog(action: (log: PartitionLog) => Promise<void>): Promise<void> {
    for (const log of this.allLogs()) {
      try {
        await action(log);
      } catch (error) {
        if (!(error instanceof StorageError)) throw error;
      }
    }
  }

  /** Writes and flushes everything, and leaves the directories as after a clean shutdown. */
  async shutdown(): Promise<void> {
    for (const task of this.#tasks.splice(0)) task.cancel();
    this.#removals.cancel();
    await this.#retention;
    await Promise.all(this.#online.map(directory => this.#closeDirectory(directory)));
    this.#logs.clear();
  }

  async #closeDirectory(directory: LogDirectory): Promise<void> {
    const { recoveryThreadsPerDirectory } = this.#setup.options;
    try {
      await forEachLimited(directory.logs.values(), recoveryThreadsPerDirectory, log => log.close());
    } catch (error) {
      // Without the marker the next start looks at everything again.
      this.#setup.logger.error({ err: error, directory: directory.path }, 'could not close a log directory cleanly');
      directory.release();
      return;
    }
    await directory.closeCleanly();
  }
}

function distinct(directories: readonly string[]): string[] {
  const paths = directories.map(path => normalize(path).replace(/(.)\/$/, '$1'));
  const twice = paths.find((path, i) => paths.indexOf(path) !== i);
  if (twice !== undefined) throw new StorageStartupError(`The log directory ${twice} is listed twice in log.dirs.`);
  return paths;
}
