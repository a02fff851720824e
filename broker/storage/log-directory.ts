import { resolve } from 'node:path';
import type { FileLock, FileSystem } from '../../shared/runtime/file-system.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import { partitionKey, type TopicPartition } from '../../shared/topics/topic-partition.ts';
import {
  CLEANER_CHECKPOINT,
  formatOffsets,
  HIGH_WATERMARK_CHECKPOINT,
  LOG_START_CHECKPOINT,
  RECOVERY_POINT_CHECKPOINT,
  readOffsets,
} from './checkpoints.ts';
import { ReplacedFile } from './durable-files.ts';
import { StorageStartupError } from './errors.ts';
import type { LogHome } from './log-state.ts';
import { claimDirectory } from './meta-properties.ts';
import type { PartitionLog } from './partition-log.ts';

const LOCK_FILE = '.lock';
/** There only between a clean shutdown and the next start. */
const CLEAN_SHUTDOWN_MARKER = '.kafka_cleanshutdown';
const CLEAN_SHUTDOWN_CONTENT = '{"version":0,"brokerEpoch":-1}';

/** What the checkpoints of a directory say, by `topic-partition`. */
export interface DirectoryCheckpoints {
  readonly recoveryPoints: ReadonlyMap<string, number>;
  readonly logStartOffsets: ReadonlyMap<string, number>;
  readonly highWatermarks: ReadonlyMap<string, number>;
}

/**
 * One of `log.dirs`: its lock, its checkpoints, the logs in it, and whether it works. Any I/O error takes it offline for
 * good: its logs refuse everything, its lock is released, and no clean-shutdown marker is written.
 */
export class LogDirectory implements LogHome {
  readonly path: string;
  readonly #fs: FileSystem;
  readonly #logger: Logger;
  readonly #onFailure: (directory: LogDirectory) => void;
  readonly #logs = new Map<string, PartitionLog>();
  readonly #recoveryPoints: ReplacedFile;
  readonly #logStarts: ReplacedFile;
  readonly #highWatermarks: ReplacedFile;
  readonly #cleaned: ReplacedFile;
  /** Up to where logs are clean, by `topic-partition`. */
  readonly #cleanedOffsets = new Map<string, number>();
  #lock: FileLock | null = null;
  #failure: Error | null = null;

  constructor(fs: FileSystem, path: string, logger: Logger, onFailure: (directory: LogDirectory) => void) {
    this.path = path;
    this.#fs = fs;
    this.#logger = logger;
    this.#onFailure = onFailure;
    this.#recoveryPoints = this.#checkpoint(RECOVERY_POINT_CHECKPOINT, log => log.recoveryPoint);
    this.#logStarts = this.#checkpoint(LOG_START_CHECKPOINT, log =>
      log.startsWithinSegment ? log.logStartOffset : null,
    );
    this.#highWatermarks = this.#checkpoint(HIGH_WATERMARK_CHECKPOINT, log => log.highWatermark);
    this.#cleaned = this.#checkpoint(CLEANER_CHECKPOINT, log => this.cleanedOffset(log) ?? null);
  }

  #checkpoint(name: string, offsetOf: (log: PartitionLog) => number | null): ReplacedFile {
    return new ReplacedFile(this.#fs, `${this.path}/${name}`, () =>
      formatOffsets(
        [...this.#logs.values()].flatMap(log => {
          const offset = offsetOf(log);
          return offset === null ? [] : [{ topic: log.topic, partition: log.partition, offset }];
        }),
      ),
    );
  }

  get failure(): Error | null {
    return this.#failure;
  }

  fail(error: Error): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    this.#logger.error({ err: error, directory: this.path }, 'an I/O error: the log directory is offline from now on');
    this.release();
    this.#onFailure(this);
  }

  /**
   * Makes, locks and claims the directory.
   * @throws StorageStartupError when it is in use, or belongs to another broker or cluster; the file system's error
   */
  open(brokerId: number, clusterId: string): void {
    this.#fs.makeDirectory(this.path);
    this.#lock = this.#fs.lock(`${this.path}/${LOCK_FILE}`);
    if (this.#lock === null) {
      throw new StorageStartupError(
        `The log directory ${this.path} is in use by another broker: its file ${LOCK_FILE} is locked.`,
      );
    }
    claimDirectory(this.#fs, this.path, brokerId, clusterId);
  }

  /** Lets another process use the directory. */
  release(): void {
    this.#lock?.release();
    this.#lock = null;
  }

  /** Says whether the last use was ended properly; only the first time, for this use has begun. */
  takeCleanShutdownMarker(): boolean {
    const path = `${this.path}/${CLEAN_SHUTDOWN_MARKER}`;
    if (!this.#fs.exists(path)) return false;
    this.#fs.removeFileSync(path);
    this.#fs.syncDirectory(this.path);
    return true;
  }

  /** Reads the checkpoints; one that is damaged counts as empty, which costs time and forgets nothing that is safe. */
  readCheckpoints(): DirectoryCheckpoints {
    for (const [key, offset] of this.#readOffsets(CLEANER_CHECKPOINT)) this.#cleanedOffsets.set(key, offset);
    return {
      recoveryPoints: this.#readOffsets(RECOVERY_POINT_CHECKPOINT),
      logStartOffsets: this.#readOffsets(LOG_START_CHECKPOINT),
      highWatermarks: this.#readOffsets(HIGH_WATERMARK_CHECKPOINT),
    };
  }

  #readOffsets(name: string): Map<string, number> {
    const path = `${this.path}/${name}`;
    try {
      return readOffsets(this.#fs, path);
    } catch (error) {
      this.#logger.warn({ err: error, path }, 'a checkpoint file cannot be used: going on without it');
      return new Map();
    }
  }

  get logs(): ReadonlyMap<string, PartitionLog> {
    return this.#logs;
  }

  add(log: PartitionLog): void {
    this.#logs.set(partitionKey(log.topic, log.partition), log);
  }

  remove(log: PartitionLog): void {
    this.#logs.delete(partitionKey(log.topic, log.partition));
  }

  /** The offset up to which compaction has cleaned a log; undefined: never. */
  cleanedOffset({ topic, partition }: TopicPartition): number | undefined {
    return this.#cleanedOffsets.get(partitionKey(topic, partition));
  }

  /** Sets it (undefined: forgets it), and resolves when the checkpoint says so. */
  setCleanedOffset({ topic, partition }: TopicPartition, offset: number | undefined): Promise<void> {
    const key = partitionKey(topic, partition);
    if (this.#cleanedOffsets.get(key) === offset) return Promise.resolve();
    if (offset === undefined) this.#cleanedOffsets.delete(key);
    else this.#cleanedOffsets.set(key, offset);
    return this.#write(this.#cleaned);
  }

  /** Forgets what the checkpoint says of logs that are not here: one of that name may be made again. */
  forgetMissingLogs(): void {
    for (const key of this.#cleanedOffsets.keys()) if (!this.#logs.has(key)) this.#cleanedOffsets.delete(key);
  }

  /** Lowers it to `offset` if it is above: what comes there will not have been cleaned. */
  async lowerCleanedOffset(log: TopicPartition, offset: number): Promise<void> {
    const cleaned = this.cleanedOffset(log);
    if (cleaned !== undefined && cleaned > offset) await this.setCleanedOffset(log, offset);
  }

  checkpointRecoveryPoints(): Promise<void> {
    return this.#write(this.#recoveryPoints);
  }

  checkpointLogStartOffsets(): Promise<void> {
    return this.#write(this.#logStarts);
  }

  checkpointHighWatermarks(): Promise<void> {
    return this.#write(this.#highWatermarks);
  }

  /** Writes a checkpoint; if that fails, the directory is offline, and that is all there is to do about it. */
  async #write(file: ReplacedFile): Promise<void> {
    if (this.#failure !== null) return;
    try {
      await file.write();
    } catch (error) {
      this.fail(error as Error);
    }
  }

  /** Writes all checkpoints and the marker, when all logs are closed, and gives the directory back. */
  async closeCleanly(): Promise<void> {
    await this.checkpointRecoveryPoints();
    await this.checkpointLogStartOffsets();
    await this.checkpointHighWatermarks();
    if (this.#failure !== null) return;
    try {
      this.#fs.replaceFile(`${this.path}/${CLEAN_SHUTDOWN_MARKER}`, CLEAN_SHUTDOWN_CONTENT);
    } catch (error) {
      this.fail(error as Error);
    }
    this.release();
  }
}

/** The absolute paths of `log.dirs`. @throws StorageStartupError when one is named twice */
export function distinctPaths(directories: readonly string[]): string[] {
  const paths = directories.map(path => resolve(path));
  const twice = paths.find((path, i) => paths.indexOf(path) !== i);
  if (twice !== undefined) throw new StorageStartupError(`The log directory ${twice} is listed twice in log.dirs.`);
  return paths;
}
