import { basename } from 'node:path';
import type { TopicConfigValues } from '../../shared/topics/topic-config.ts';
import { LogCompaction } from './cleaner/log-compaction.ts';
import { StorageError } from './errors.ts';
import { parseDirectoryName } from './file-names.ts';
import type { LeaderAppendOptions } from './leader-append.ts';
import type { EpochEndOffset } from './leader-epochs.ts';
import { type AppendInfo, LogAppender } from './log-appender.ts';
import { LogFlusher } from './log-flusher.ts';
import { boundOf, type LogRead, LogReader, type ReadOptions, type UpperBound } from './log-reader.ts';
import { LogRestructuring } from './log-restructuring.ts';
import { type LoadedLog, type LogEnvironment, LogState } from './log-state.ts';
import { LogTruncation, type RemoveLater } from './log-truncation.ts';
import { LogWriter } from './log-writer.ts';
import type { ProducerEntry } from './producer-entry.ts';
import { readTopicId, writeTopicId } from './partition-metadata.ts';
import type { TailWindow } from './tail-cache.ts';
import { type FoundTimestamp, lookUpMaxTimestamp, lookUpTimestamp } from './timestamp-lookup.ts';
import type { VerificationGuard } from './verification-guards.ts';
import type { WriteScheduler } from './write-scheduler.ts';

/** What a log needs from its surroundings besides its files. */
export interface LogServices {
  readonly scheduler: WriteScheduler;
  readonly removeLater: RemoveLater;
  readonly tail: TailWindow;
  /** Resolves when no checkpoint on the device says that the log is clean beyond `offset`, where it is to be cut. */
  readonly beforeCut: (offset: number) => Promise<void>;
  /** Called when offsets that checkpoints hold went down: their files should be written soon. */
  readonly truncated: () => void;
}

/**
 * The log of one replica of a partition (Kafka: `UnifiedLog`). All methods throw (or reject with) a StorageError;
 * STORAGE_ERROR when the log's directory is offline or the log was closed or deleted.
 *
 * Appends take their offsets in the order of the calls and are written at the end of the loop turn; until then they are
 * not part of the log: not below `logEndOffset`, not readable. Whoever truncates must not append before that is done.
 */
export class PartitionLog {
  /** For the cleaner alone. */
  readonly compaction: LogCompaction;
  readonly #state: LogState;
  readonly #appender: LogAppender;
  readonly #reader: LogReader;
  readonly #flusher: LogFlusher;
  readonly #truncation: LogTruncation;
  readonly #restructuring: LogRestructuring;
  #topicId: string | null;

  constructor(environment: LogEnvironment, loaded: LoadedLog, services: LogServices) {
    const state = new LogState(environment, loaded, services.tail);
    this.#state = state;
    this.#flusher = new LogFlusher(state);
    this.#reader = new LogReader(state);
    const writer = new LogWriter(state, services.scheduler, offset => this.#flushInBackground(offset));
    const truncation = new LogTruncation(state, writer, services.removeLater);
    const compaction = new LogCompaction(state, services.removeLater);
    const afterCut = (): void => {
      this.#flushInBackground(state.logEndOffset);
      services.truncated();
    };
    const listeners = { beforeCut: services.beforeCut, afterCut };
    this.#truncation = truncation;
    this.#restructuring = new LogRestructuring({ state, writer, truncation, compaction, listeners });
    this.#appender = new LogAppender(state, writer, {
      flush: () => this.flush(),
      restartAt: offset => this.#restructuring.restartAt(offset),
    });
    this.compaction = compaction;
    this.#topicId = readTopicId(environment.resources.fs, loaded.path);
  }

  get topic(): string {
    return this.#state.topic;
  }

  get partition(): number {
    return this.#state.partition;
  }

  /** 22 characters of url-safe base64, or null while nobody has told it. */
  get topicId(): string | null {
    return this.#topicId;
  }

  /** Path of the log directory (one of `log.dirs`) that holds this log. */
  get directory(): string {
    return this.#state.environment.home.path;
  }

  /** Whether this is a log that is being filled to take the place of the partition's current one. */
  get isFuture(): boolean {
    return parseDirectoryName(basename(this.#state.path)).kind === 'future';
  }

  /** The first offset that clients may see. */
  get logStartOffset(): number {
    return this.#state.logStartOffset;
  }

  /** The offset that follows the last record written. */
  get logEndOffset(): number {
    return this.#state.logEndOffset;
  }

  /** Everything below is on all in-sync replicas, as far as this replica knows. */
  get highWatermark(): number {
    return this.#state.highWatermark;
  }

  /** Everything below is committed and part of no undecided transaction. */
  get lastStableOffset(): number {
    return this.#state.lastStableOffset;
  }

  /** Everything below is on the device. */
  get recoveryPoint(): number {
    return this.#state.recoveryPoint;
  }

  /** Bytes of all segments. */
  get size(): number {
    return this.#state.segments.size;
  }

  get config(): TopicConfigValues {
    return this.#state.config;
  }

  /** Whether the log's directory is offline, so that every use of the log fails. */
  get isOffline(): boolean {
    return this.#state.environment.home.failure !== null;
  }

  /** The newest leader epoch of which the log has records or was told, -1 when there is none. */
  get latestEpoch(): number {
    return this.#state.epochs.latest;
  }

  updateConfig(config: TopicConfigValues): void {
    this.#state.setConfig(config);
    if (!this.compaction.isWanted) this.compaction.interrupt();
  }

  /**
   * Appends as the partition's leader. Checking the records, taking their offsets and patching them happens in this
   * call, in place; the bytes must stay untouched until the promise settles, which is when they are written (and on the
   * device, if `flush.messages` asks for it).
   * What a producer sends again because it has not heard of it is not appended again: the answer is that of then.
   * @throws StorageError saying what is wrong with the records; nothing is appended then
   */
  appendAsLeader(records: Buffer, leaderEpoch: number, options: LeaderAppendOptions = {}): Promise<AppendInfo> {
    return this.#appender.appendAsLeader(records, leaderEpoch, options);
  }

  /**
   * A transactional batch of the producer, which begins with `sequence`, is to be appended.
   * @returns what it has to show once the coordinator has said that the partition is in the transaction; null: it need
   *     not be asked, because the transaction is open in this log
   */
  beginVerification(producerId: number, epoch: number, sequence: number): VerificationGuard | null {
    return this.#state.producers.beginVerification(producerId, epoch, sequence);
  }

  /**
   * Appends what was fetched from the leader, as it is. Must begin at or above the log end offset; what begins below
   * but reaches it is taken only into an empty log, which then begins with it.
   * @throws StorageError CORRUPT_MESSAGE, UNEXPECTED_OFFSET
   */
  appendAsFollower(records: Buffer): Promise<AppendInfo> {
    return this.#appender.appendAsFollower(records);
  }

  /**
   * Reads batches from the one that holds `startOffset` on.
   * @throws StorageError OFFSET_OUT_OF_RANGE, CORRUPT_MESSAGE
   */
  read(startOffset: number, maxBytes: number, options: ReadOptions): Promise<LogRead> {
    return this.#reader.read(startOffset, maxBytes, options);
  }

  /** The offset up to which such a reader may see. */
  endFor(upperBound: UpperBound): number {
    return boundOf(this.#state, upperBound);
  }

  /** How much there is to read for a waiting fetch, without touching a file. See `LogReader.sizeBetween`. */
  sizeBetween(startOffset: number, upperBound: UpperBound): { bytes: number; isOnOlderSegment: boolean } {
    return this.#reader.sizeBetween(startOffset, upperBound);
  }

  /** The first record with a timestamp ≥ `timestamp`, or null. It may lie above the high watermark. */
  offsetForTimestamp(timestamp: number): Promise<FoundTimestamp | null> {
    return lookUpTimestamp(this.#state, timestamp);
  }

  /** The first record with the largest timestamp, or null when no record has one. */
  maxTimestampOffset(): Promise<FoundTimestamp | null> {
    return lookUpMaxTimestamp(this.#state);
  }

  /** Where the greatest known epoch ≤ `epoch` ends; (-1, -1) when nothing is known. */
  endOffsetForEpoch(epoch: number): EpochEndOffset {
    return this.#state.epochs.endOffsetFor(epoch, this.logEndOffset);
  }

  /** The leader epoch of the record at `offset`, or -1. */
  epochAt(offset: number): number {
    return this.#state.epochs.epochAt(offset);
  }

  /** Notes that `epoch` begins at `offset`: on becoming leader, before anything is appended under it. */
  assignEpochStart(epoch: number, offset: number): void {
    const state = this.#state;
    if (state.epochs.assign(epoch, offset)) state.io(() => state.saveEpochs());
  }

  /**
   * Cuts off everything from `offset` on; a batch that holds it goes as a whole.
   * @returns whether anything was cut off
   */
  async truncateTo(offset: number): Promise<boolean> {
    if (offset < 0) throw new RangeError(`Cannot truncate a log to offset ${offset}.`);
    return this.#restructuring.truncateTo(offset);
  }

  /** Deletes everything; the log then begins and ends at `offset`. */
  truncateFullyAndStartAt(offset: number): Promise<void> {
    return this.#restructuring.restartAt(offset);
  }

  /** The lowest end that a truncation has given the log since the last call; Infinity without any. For one copier. */
  takeLowestCut(): number {
    return this.#restructuring.takeLowestCut();
  }

  /** Sets the high watermark, within [log start, log end]; it may go down. Returns what it is then. */
  updateHighWatermark(offset: number): number {
    const state = this.#state;
    state.highWatermark = Math.max(state.logStartOffset, Math.min(offset, state.logEndOffset));
    return state.highWatermark;
  }

  /**
   * Makes records below `offset` invisible; their segments go with the next retention run.
   * @returns false when the log begins at or above `offset` already
   * @throws StorageError OFFSET_OUT_OF_RANGE when `offset` is above the high watermark
   */
  incrementLogStartOffset(offset: number): boolean {
    const state = this.#state;
    if (offset > state.highWatermark) {
      throw new StorageError(
        'OFFSET_OUT_OF_RANGE',
        `Cannot increment the log start offset to ${offset}, above the high watermark ${state.highWatermark}.`,
      );
    }
    return state.io(() => this.#truncation.raiseStart(offset));
  }

  /** The idempotent and transactional producers of which the log knows. */
  activeProducers(): Iterable<ProducerEntry> {
    return this.#state.producers.entries();
  }

  /**
   * Whether the transaction that has been open longest was last written to before `ms` (milliseconds since the epoch), so
   * that its time must be over (Kafka: `UnifiedLog.hasLateTransaction`).
   */
  hasTransactionIdleSince(ms: number): boolean {
    const lastWriteMs = this.#state.producers.oldestLastWriteMs;
    return lastWriteMs !== null && lastWriteMs < ms;
  }

  /** Forgets producers that have not written for `producer.id.expiration.ms`. */
  removeExpiredProducers(): void {
    this.#state.producers.removeExpired();
  }

  /** Resolves when everything written so far is on the device. */
  flush(): Promise<void> {
    return this.#flusher.flush(this.logEndOffset);
  }

  #flushInBackground(upTo: number): void {
    this.#flusher.flush(upTo).catch(() => {
      // The directory is offline now, or the log is gone.
    });
  }

  /** Flushes if `flush.ms` have passed since the last time. */
  async flushIfDue(): Promise<void> {
    const { clock } = this.#state.environment;
    const isDue = clock.now() - this.#flusher.lastFlushMs >= this.config['flush.ms'];
    if (isDue && this.logEndOffset > this.recoveryPoint) await this.flush();
  }

  /**
   * Deletes segments that the topic's retention no longer keeps.
   * @returns how many
   */
  deleteOldSegments(): Promise<number> {
    return this.#restructuring.deleteOldSegments();
  }

  /**
   * Takes or checks the topic id.
   * @throws StorageError INCONSISTENT_TOPIC_ID when the log has another
   */
  ensureTopicId(topicId: string): void {
    if (this.#topicId === topicId) return;
    if (this.#topicId !== null) {
      throw new StorageError(
        'INCONSISTENT_TOPIC_ID',
        `The log of ${this.topic}-${this.partition} belongs to topic id ${this.#topicId}, not ${topicId}.`,
      );
    }
    const { environment, path } = this.#state;
    this.#state.io(() => writeTopicId(environment.resources.fs, path, topicId));
    this.#topicId = topicId;
  }

  /** Whether the checkpoint of log start offsets must name this log: it begins within its first segment. */
  get startsWithinSegment(): boolean {
    return this.#state.logStartOffset > this.#state.segments.first.baseOffset;
  }

  /** Ends the use of the log: everything written and flushed, index files complete. */
  async close(): Promise<void> {
    const state = this.#state;
    await this.#restructuring.whenQuiet(() => {
      state.segments.active.seal();
      state.producers.takeSnapshot(state.path, state.logEndOffset);
    });
    await this.flush();
    this.#end();
  }

  /**
   * Renames the log's directory, to be removed, and ends its use at once; what waits to be written is rejected.
   * @param name of the directory within the log directory
   */
  moveAway(name: string): void {
    this.rename(name);
    this.#end();
  }

  /** Renames the log's directory; its use goes on. Nothing may wait to be written. */
  rename(name: string): void {
    const state = this.#state;
    const path = `${this.directory}/${name}`;
    state.io(() => state.environment.resources.fs.rename(state.path, path));
    state.path = path;
    for (const segment of state.segments.all) segment.movedTo(path);
  }

  /** Ends the use of a log whose directory is offline: gives back what it holds open. */
  abandon(): void {
    this.#end();
  }

  #end(): void {
    const state = this.#state;
    this.compaction.interrupt();
    state.closed = true;
    state.version++;
    state.tail.clear();
    for (const segment of state.segments.all) segment.close();
    state.producers.close();
  }
}
