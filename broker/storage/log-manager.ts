import { partitionKey } from '../../shared/topics/topic-partition.ts';
import { forEachLimited } from './concurrency.ts';
import { StorageError, StorageStartupError } from './errors.ts';
import { describeDirectories, type DirectoryDescription } from './directory-descriptions.ts';
import { DirectoryLoading } from './directory-loading.ts';
import { deletedDirectoryName, futureDirectoryName } from './file-names.ts';
import { FutureLogs } from './future-logs.ts';
import { type CleanableLog, LogCleaner } from './cleaner/log-cleaner.ts';
import { IndexCache } from './index-cache.ts';
import { distinctPaths, LogDirectory } from './log-directory.ts';
import { createLog, loadLog, type LogToCreate } from './log-loader.ts';
import type { LoadedLog, LogEnvironment } from './log-state.ts';
import { LogUpkeep } from './log-upkeep.ts';
import { OpenFiles } from './open-files.ts';
import { PartitionLog } from './partition-log.ts';
import { ReadPace } from './read-pace.ts';
import { ProducerMemory } from './producer-memory.ts';
import { Removals } from './removals.ts';
import type { SegmentResources } from './segment.ts';
import { logsAtATime, type LogManagerSetup } from './storage-setup.ts';
import { TailCache } from './tail-cache.ts';
import { WriteScheduler } from './write-scheduler.ts';

export { DEFAULT_STORAGE_OPTIONS, type LogManagerSetup } from './storage-setup.ts';

/** Memory for the indexes of segments that are not active, and for transaction indexes. */
const INDEX_CACHE_BYTES = 32 << 20;
const MAX_OPEN_SEGMENTS = 2000;
/** Producers remembered, counted for each partition they write to; some 300 bytes each. */
const MAX_PRODUCERS = 500_000;

/** All logs of a broker: loads them at start, makes and deletes them, and sees to their upkeep (Kafka: `LogManager`). */
export class LogManager {
  readonly #setup: LogManagerSetup;
  readonly #directories: LogDirectory[];
  readonly #resources: SegmentResources;
  readonly #scheduler: WriteScheduler;
  readonly #tailCache: TailCache;
  readonly #removals: Removals;
  readonly #producerMemory = new ProducerMemory(MAX_PRODUCERS);
  readonly #logs = new Map<string, PartitionLog>();
  readonly #futures = new FutureLogs();
  readonly #upkeep: LogUpkeep;
  /** null: there is no compaction. */
  readonly cleaner: LogCleaner | null;

  private constructor(setup: LogManagerSetup) {
    const { fs, clock, timers, logger, options } = setup;
    this.#setup = setup;
    this.#resources = {
      fs,
      files: new OpenFiles(fs, MAX_OPEN_SEGMENTS),
      indexCache: new IndexCache(INDEX_CACHE_BYTES),
      readPace: new ReadPace(clock, options.longestBlockingRead),
    };
    this.#scheduler = new WriteScheduler(clock, timers);
    this.#tailCache = new TailCache(options.tailCacheBytes);
    this.#removals = new Removals(fs, timers, logger);
    this.#directories = distinctPaths(setup.directories).map(
      path => new LogDirectory(fs, path, logger, failed => this.#directoryFailed(failed)),
    );
    this.cleaner = setup.cleaner === undefined ? null : new LogCleaner(setup, setup.cleaner, () => this.#cleanable());
    this.#upkeep = new LogUpkeep(setup, { logs: () => this.allLogs(), directories: () => this.#online });
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
      await manager.#loadAll();
      if (manager.#online.length === 0) throw new StorageStartupError('None of the log directories can be used.');
    } catch (error) {
      for (const directory of manager.#directories) directory.release();
      manager.#removals.cancel();
      throw error;
    }
    manager.#upkeep.start();
    manager.cleaner?.start();
    return manager;
  }

  /** A log that is on its way to another directory must stay what its copy is made of. */
  #cleanable(): CleanableLog[] {
    const isCompacted = (log: PartitionLog) =>
      log.compaction.isWanted && this.getFutureLog(log.topic, log.partition) === undefined;
    return this.allLogs().flatMap(log => (isCompacted(log) ? [{ log, home: this.#directoryOf(log) }] : []));
  }

  #directoryOf(log: PartitionLog): LogDirectory {
    return this.#directories.find(({ path }) => path === log.directory)!;
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

  async #loadAll(): Promise<void> {
    const loading = new DirectoryLoading({
      setup: this.#setup,
      removals: this.#removals,
      open: async (directory, log) => {
        const environment = this.#environment(directory);
        return this.#enter(directory, environment, await loadLog(environment, log, this.#setup.logger));
      },
    });
    await loading.loadAll(this.#online);
    this.#finishSwaps();
  }

  /**
   * A swap takes the current log away first: if that is as far as the last run has come, the future one is complete.
   * With a directory offline, the current log may be there. An empty one loses nothing by being filled again.
   */
  #finishSwaps(): void {
    if (this.offlineDirectories.length > 0) return;
    for (const future of this.#futures.all()) {
      const isAlone = this.getLog(future.topic, future.partition) === undefined;
      if (isAlone && future.logEndOffset > future.logStartOffset) this.#promote(future);
    }
  }

  #promote(future: PartitionLog): void {
    const key = partitionKey(future.topic, future.partition);
    future.rename(key);
    this.#futures.remove(future);
    this.#logs.set(key, future);
  }

  #environment(home: LogDirectory): LogEnvironment {
    const { clock, random, options } = this.#setup;
    const producers = { expirationMs: options.producerExpirationMs, memory: this.#producerMemory };
    return { home, resources: this.#resources, clock, random, producers };
  }

  #enter(directory: LogDirectory, environment: LogEnvironment, loaded: LoadedLog): PartitionLog {
    const log = new PartitionLog(environment, loaded, {
      scheduler: this.#scheduler,
      tail: this.#tailCache.window(),
      removeLater: (paths, delayMs) => this.#removals.removeFiles(paths, delayMs),
      beforeCut: offset => directory.lowerCleanedOffset(loaded, offset),
      truncated: () => this.#truncated(directory, log),
    });
    if (log.isFuture) this.#futures.add(log);
    else this.#logs.set(partitionKey(loaded.topic, loaded.partition), log);
    directory.add(log);
    return log;
  }

  #truncated(directory: LogDirectory, log: PartitionLog): void {
    void directory.checkpointRecoveryPoints();
    // A cleaning may have ended between the first lowering and the cut.
    void directory.lowerCleanedOffset(log, log.logEndOffset);
  }

  #directoryFailed(directory: LogDirectory): void {
    for (const [key, log] of directory.logs) {
      this.#futures.remove(log);
      if (this.#logs.get(key) === log) this.#logs.delete(key);
    }
    // Whoever met the error is still in the middle of something.
    this.#setup.timers.endOfTurn(() => {
      for (const log of directory.logs.values()) log.abandon();
      this.#setup.onDirectoryFailure(directory.path, directory.failure!);
    });
  }

  /** Idempotent producers remembered, one counted once for each partition it writes to. */
  get producerCount(): number {
    return this.#producerMemory.count;
  }

  /** Paths of the directories that are offline. */
  get offlineDirectories(): string[] {
    return this.#directories.filter(({ failure }) => failure !== null).map(({ path }) => path);
  }

  /** The log of a partition; undefined when there is none, or its directory is offline. */
  getLog(topic: string, partition: number): PartitionLog | undefined {
    return this.#logs.get(partitionKey(topic, partition));
  }

  /** The log that is to take the place of the partition's current one; undefined when it is not moving. */
  getFutureLog(topic: string, partition: number): PartitionLog | undefined {
    return this.#futures.get(topic, partition);
  }

  /** The logs that are to take the place of others. */
  futureLogs(): PartitionLog[] {
    return this.#futures.all();
  }

  /** All log directories, with the current and the future logs in them. */
  describeDirectories(): Promise<DirectoryDescription[]> {
    return describeDirectories(this.#directories, this.#setup.fs);
  }

  /** All current logs in directories that are not offline. */
  allLogs(): PartitionLog[] {
    return [...this.#logs.values()];
  }

  /**
   * The log of a partition, made in the directory wished for, or that with the fewest logs, if there is none.
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
    const wish = this.#futures.takeWish(topic, partition);
    const rank = ({ path, logs }: LogDirectory) => (path === wish ? -1 : logs.size);
    for (const directory of this.#online.sort((a, b) => rank(a) - rank(b))) {
      const log = this.#createIn(directory, partitionKey(topic, partition), { topic, partition, topicId });
      if (log !== null) return log;
    }
    throw new StorageError('STORAGE_ERROR', `No log directory can take the log of ${topic}-${partition}.`);
  }

  /** null: the directory has failed, and is offline now. */
  #createIn(directory: LogDirectory, name: string, log: Omit<LogToCreate, 'config'>): PartitionLog | null {
    const environment = this.#environment(directory);
    try {
      const config = this.#setup.topicConfig(log.topic);
      const loaded = createLog(environment, `${directory.path}/${name}`, { ...log, config });
      const { topic, partition } = log;
      this.#setup.logger.info({ topic, partition, directory: directory.path }, 'created a log');
      return this.#enter(directory, environment, loaded);
    } catch (error) {
      if (error instanceof StorageError) throw error;
      directory.fail(error as Error);
      return null;
    }
  }

  /**
   * Checks that the path is one of `log.dirs`, and works.
   * @throws StorageError LOG_DIR_NOT_FOUND, STORAGE_ERROR
   */
  checkDirectory(path: string): void {
    const directory = this.#directories.find(candidate => candidate.path === path);
    if (directory === undefined) {
      throw new StorageError('LOG_DIR_NOT_FOUND', `${path} is none of the log directories of this broker.`);
    }
    if (directory.failure !== null) throw new StorageError('STORAGE_ERROR', `The log directory ${path} is offline.`);
  }

  /** Has the partition's log, if there is none yet, be made in that directory one day. */
  wishDirectory(topic: string, partition: number, path: string): void {
    this.#futures.wish(topic, partition, path);
  }

  /**
   * Makes an empty log that is to take the place of `current`. There must be none yet.
   * @throws StorageError
   */
  createFutureLog(current: PartitionLog, path: string): PartitionLog {
    const { topic, partition, topicId } = current;
    const directory = this.#online.find(candidate => candidate.path === path);
    const name = futureDirectoryName(topic, partition, this.#setup.random.bytes(16));
    const log =
      directory === undefined || name === null ? null : this.#createIn(directory, name, { topic, partition, topicId });
    if (log === null) throw new StorageError('STORAGE_ERROR', `${path} cannot take the log of ${topic}-${partition}.`);
    current.compaction.interrupt();
    return log;
  }

  /**
   * Puts the future log in the place of the current one, which is deleted, within this call. Nothing may be under way in
   * either, and both must have the same records.
   * @throws StorageError
   */
  swapInFutureLog(topic: string, partition: number): PartitionLog {
    const current = this.getLog(topic, partition)!;
    const future = this.getFutureLog(topic, partition)!;
    future.updateHighWatermark(current.highWatermark);
    const cleanedOffset = this.#directoryOf(current).cleanedOffset(current);
    const checkpoints = this.#removeLog(current);
    this.#promote(future);
    void this.#directoryOf(future).setCleanedOffset(future, cleanedOffset);
    const { directory } = future;
    this.#setup.logger.info({ topic, partition, from: current.directory, directory }, 'a log has moved');
    void checkpoints();
    return future;
  }

  /**
   * Deletes a partition's log, if there is one: at once as far as anybody can see; its files go after
   * `file.delete.delay.ms`. A log of that name may be made again straight away.
   */
  async deleteLog(topic: string, partition: number): Promise<void> {
    // The current one last: a future log without it would be taken for it at the next start.
    const doomed = [this.getFutureLog(topic, partition), this.getLog(topic, partition)];
    const checkpoints = doomed.flatMap(log => (log === undefined ? [] : [this.#removeLog(log)]));
    for (const write of checkpoints) await write();
  }

  /** Deletes a log that is on its way to another directory. */
  async deleteFutureLog(topic: string, partition: number): Promise<void> {
    const log = this.getFutureLog(topic, partition);
    if (log !== undefined) await this.#removeLog(log)();
  }

  /** Takes a log away, within this call; what is returned brings the checkpoints up to date. */
  #removeLog(log: PartitionLog): () => Promise<void> {
    const { topic, partition } = log;
    const directory = this.#directoryOf(log);
    const name = deletedDirectoryName(topic, partition, this.#setup.random.bytes(16));
    log.moveAway(name);
    this.#futures.remove(log);
    const key = partitionKey(topic, partition);
    if (this.#logs.get(key) === log) this.#logs.delete(key);
    directory.remove(log);
    this.#removals.removeDirectory(`${directory.path}/${name}`, log.config['file.delete.delay.ms']);
    const forgotten = directory.setCleanedOffset(log, undefined);
    return async () => {
      await forgotten;
      await directory.checkpointRecoveryPoints();
      await directory.checkpointLogStartOffsets();
    };
  }

  /** Gives the logs of a topic its configuration anew. */
  updateTopicConfig(topic: string): void {
    const config = this.#setup.topicConfig(topic);
    for (const log of this.#allLogs()) if (log.topic === topic) log.updateConfig(config);
  }

  /** Gives all logs their configuration anew: the broker's own defaults have changed. */
  updateAllTopicConfigs(): void {
    for (const log of this.#allLogs()) log.updateConfig(this.#setup.topicConfig(log.topic));
  }

  #allLogs(): PartitionLog[] {
    return [...this.#logs.values(), ...this.#futures.all()];
  }

  /** Writes the high watermarks of all logs to the checkpoints. */
  async checkpointHighWatermarks(): Promise<void> {
    await Promise.all(this.#online.map(directory => directory.checkpointHighWatermarks()));
  }

  /** Writes and flushes everything, and leaves the directories as after a clean shutdown. */
  async shutdown(): Promise<void> {
    const isIdle = Promise.all([this.#upkeep.stop(), this.cleaner?.stop()]);
    this.#removals.cancel();
    await isIdle;
    await Promise.all(this.#online.map(directory => this.#closeDirectory(directory)));
    this.#logs.clear();
    this.#futures.clear();
  }

  async #closeDirectory(directory: LogDirectory): Promise<void> {
    try {
      await forEachLimited(directory.logs.values(), logsAtATime(this.#setup.options), log => log.close());
    } catch (error) {
      // Without the marker the next start looks at everything again.
      this.#setup.logger.error({ err: error, directory: directory.path }, 'could not close a log directory cleanly');
      directory.release();
      return;
    }
    await directory.closeCleanly();
  }
}
