import { partitionKey, type TopicPartition } from '../../shared/topics/topic-partition.ts';
import { forEachLimited } from './concurrency.ts';
import { StorageStartupError } from './errors.ts';
import { parseDirectoryName } from './file-names.ts';
import type { DirectoryCheckpoints, LogDirectory } from './log-directory.ts';
import type { LogToLoad } from './log-loader.ts';
import type { PartitionLog } from './partition-log.ts';
import type { Removals } from './removals.ts';
import { logsAtATime, type LogManagerSetup } from './storage-setup.ts';

/** A log's directory within its log directory. */
interface LogName extends TopicPartition {
  readonly name: string;
}

interface LoadingParts {
  readonly setup: LogManagerSetup;
  readonly removals: Removals;
  /** Opens a log, recovering it if it was not closed, for use from now on. */
  readonly open: (directory: LogDirectory, log: LogToLoad) => Promise<PartitionLog>;
}

/** Loads what a broker finds in its log directories when it starts (Kafka: `LogManager.loadLogs`). */
export class DirectoryLoading {
  readonly #parts: LoadingParts;
  /** Where each log was found so far, by the names of their directories without marks. */
  readonly #places = new Map<string, LogDirectory>();

  constructor(parts: LoadingParts) {
    this.#parts = parts;
  }

  /**
   * Loads all directories at the same time, and only when all are through reports what stops the start. Directories with
   * I/O errors are offline afterwards.
   * @throws StorageStartupError when there is something in them that does not belong there
   */
  async loadAll(directories: readonly LogDirectory[]): Promise<void> {
    const loads = directories.map(directory => this.#loadDirectory(directory));
    const failed = (await Promise.allSettled(loads)).find(result => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  async #loadDirectory(directory: LogDirectory): Promise<void> {
    const { fs, logger, options, clock } = this.#parts.setup;
    const start = clock.monotonic();
    try {
      const wasClosed = directory.takeCleanShutdownMarker();
      const checkpoints = directory.readCheckpoints();
      const names = fs.list(directory.path).flatMap(entry => (entry.isDirectory ? [entry.name] : []));
      const logs = names.flatMap(name => this.#identify(directory, name));
      await forEachLimited(logs, logsAtATime(options), log => this.#load(directory, log, wasClosed, checkpoints));
      directory.forgetMissingLogs();
      const fields = { directory: directory.path, logs: directory.logs.size, recovered: !wasClosed };
      logger.info({ ...fields, ms: Math.round(clock.monotonic() - start) }, 'loaded a log directory');
    } catch (error) {
      if (error instanceof StorageStartupError) throw error;
      directory.fail(error as Error);
    }
  }

  /** The log that a directory is, if it is one; a deleted one is scheduled for removal. */
  #identify(directory: LogDirectory, name: string): LogName[] {
    const { removals, setup } = this.#parts;
    const entry = parseDirectoryName(name);
    const path = `${directory.path}/${name}`;
    if (entry.kind === 'foreign') {
      throw new StorageStartupError(`${path} is no log: name a directory in log.dirs that is the broker's alone.`);
    }
    if (entry.kind === 'delete') removals.removeDirectory(path, setup.options.fileDeleteDelayMs);
    if (entry.kind !== 'partition' && entry.kind !== 'future') return [];
    const key = `${partitionKey(entry.topic, entry.partition)}${entry.kind === 'future' ? ' that are moving' : ''}`;
    const other = this.#places.get(key);
    if (other !== undefined) {
      throw new StorageStartupError(`There are two logs of ${key}, in ${other.path} and in ${directory.path}.`);
    }
    this.#places.set(key, directory);
    return [{ ...entry, name }];
  }

  async #load(
    directory: LogDirectory,
    { topic, partition, name }: LogName,
    wasClosed: boolean,
    checkpoints: DirectoryCheckpoints,
  ): Promise<void> {
    const { setup, open } = this.#parts;
    const key = partitionKey(topic, partition);
    const log = await open(directory, {
      topic,
      partition,
      path: `${directory.path}/${name}`,
      config: setup.topicConfig(topic),
      wasClosed,
      recoveryPoint: checkpoints.recoveryPoints.get(key) ?? 0,
      logStartOffset: checkpoints.logStartOffsets.get(key) ?? 0,
    });
    log.updateHighWatermark(checkpoints.highWatermarks.get(key) ?? 0);
  }
}
