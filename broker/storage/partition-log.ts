import { basename } from 'node:path';
import type { TopicConfigValues } from '../../shared/topics/topic-config.ts';
import { LogCompaction } from './cleaner/log-compaction.ts';
import { StorageError } from './errors.ts';
import { parseDirectoryName } from './file-names.ts';
import { prepareFollowerAppend } from './follower-append.ts';
import { type LeaderAppendOptions, prepareLeaderAppend, type PreparedRecords } from './leader-append.ts';
import type { EpochEndOffset } from './leader-epochs.ts';
import { LogFlusher } from './log-flusher.ts';
import { boundOf, type LogRead, LogReader, type ReadOptions, type UpperBound } from './log-reader.ts';
import { type LoadedLog, type LogEnvironment, LogState } from './log-state.ts';
import { LogTruncation, type RemoveLater } from './log-truncation.ts';
import { LogWriter } from './log-writer.ts';
import type { ProducerEntry, WrittenBatch } from './producer-entry.ts';
import { rebuildProducers } from './producer-rebuild.ts';
import { readTopicId, writeTopicId } from './partition-metadata.ts';
import { deletableNow, gatherSegmentFacts } from './log-retention.ts';
import type { TailWindow } from './tail-cache.ts';
import { type FoundTimestamp, lookUpMaxTimestamp, lookUpTimestamp } from './timestamp-lookup.ts';
import type { VerificationGuard } from './verification-guards.ts';
import type { WriteScheduler } from './write-scheduler.ts';

/** What an append did. Offsets are inclusive, times in milliseconds. */
export interface AppendInfo {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly logStartOffset: number;
  /** The time that the broker gave to the records, -1 when they keep their own. */
  readonly logAppendTime: number;
  /** -1 when no record has one. */
  readonly maxTimestamp: number;
  /** Bytes that went into the log. */
  readonly validBytes: number;
  /** Records by the batches' headers. */
  readonly recordCount: number;
}

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
  readonly #writer: LogWriter;
  readonly #reader: LogReader;
  readonly #flusher: LogFlusher;
  readonly #truncation: LogTruncation;
  readonly #services: LogServices;
  #topicId: string | null;
  #lowestCut = Infinity;

  constructor(environment: LogEnvironment, loaded: LoadedLog, services: LogServices) {
    this.#services = services;
    this.#state = new LogState(environment, loaded, services.tail);
    this.#flusher = new LogFlusher(this.#state);
    this.#reader = new LogReader(this.#state);
    this.#writer = new LogWriter(this.#state, services.scheduler, offset => this.#flushInBackground(offset));
    this.#truncation = new LogTruncation(this.#state, this.#writer, services.removeLater);
    this.compaction = new LogCompaction(this.#state, services.removeLater);
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
  // Being async, it still runs up to the first await, which comes after the offsets are taken, within the call.
  async appendAsLeader(records: Buffer, leaderEpoch: number, options: LeaderAppendOptions = {}): Promise<AppendInfo> {
    const state = this.#state;
    state.requireOnline();
    const context = {
      config: state.config,
      leaderEpoch,
      nextOffset: this.#writer.nextOffset,
      now: state.environment.clock.now(),
    };
    const prepared = prepareLeaderAppend(records, options, context);
    const duplicate = state.producers.take(prepared.bytes, options);
    return duplicate === null ? this.#append(prepared) : this.#acknowledge(duplicate);
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
  async appendAsFollower(records: Buffer): Promise<AppendInfo> {
    this.#state.requireOnline();
    const prepared = prepareFollowerAppend(records);
    if (prepared === null) return this.#nothingAppended();
    this.#state.producers.dropVerifications();
    if (prepared.firstOffset < this.#writer.nextOffset) await this.#restartWith(prepared);
    return this.#append(prepared);
  }

  async #restartWith({ firstOffset, lastOffset }: PreparedRecords): Promise<void> {
    const { nextOffset } = this.#writer;
    if (this.logStartOffset < nextOffset || lastOffset < nextOffset) {
      throw new StorageError(
        'UNEXPECTED_OFFSET',
        `The records to be appended to ${this.topic}-${this.partition} have offsets from ${firstOffset} to ` +
          `${lastOffset}, but the log ends at ${nextOffset}.`,
      );
    }
    await this.truncateFullyAndStartAt(firstOffset);
  }

  /** Answers a batch that came before, when that is written. */
  async #acknowledge({ firstOffset, lastOffset, timestamp }: WrittenBatch): Promise<AppendInfo> {
    if (lastOffset >= this.logEndOffset) await this.#writer.quiesce();
    this.#state.requireOnline();
    const nothing = { logStartOffset: this.logStartOffset, validBytes: 0, recordCount: 0 };
    return { firstOffset, lastOffset, logAppendTime: timestamp, maxTimestamp: timestamp, ...nothing };
  }

  #nothingAppended(): AppendInfo {
    const next = this.#writer.nextOffset;
    return {
      firstOffset: next,
      lastOffset: next - 1,
      logStartOffset: this.logStartOffset,
      logAppendTime: -1,
      maxTimestamp: -1,
      validBytes: 0,
      recordCount: 0,
    };
  }

  async #append(prepared: PreparedRecords): Promise<AppendInfo> {
    const { bytes, firstOffset, lastOffset, logAppendTime, maxTimestamp, recordCount } = prepared;
    await this.#writer.enqueue(prepared);
    const unflushed = this.#state.logEndOffset - this.#state.recoveryPoint;
    if (unflushed >= this.#state.config['flush.messages']) await this.flush();
    const { logStartOffset } = this.#state;
    return {
      firstOffset,
      lastOffset,
      logStartOffset,
      logAppendTime,
      maxTimestamp,
      validBytes: bytes.length,
      recordCount,
    };
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
    await this.#services.beforeCut(offset);
    const cut = await this.#restructure(() => this.#truncation.truncateTo(offset));
    if (!cut) return false;
    await this.#state.findProducers(() => this.#rebuildProducers());
    this.#afterCut();
    return true;
  }

  /** Retention may take segments away meanwhile; then it begins anew. */
  async #rebuildProducers(): Promise<void> {
    const state = this.#state;
    for (;;) {
      state.requireOnline();
      const { version, path, segments, logStartOffset, logEndOffset } = state;
      try {
        const log = { directory: path, segments: [...segments.all], logStartOffset, endOffset: logEndOffset };
        await rebuildProducers(state.producers, log);
        return;
      } catch (error) {
        if (version === state.version) throw state.ioFailure(error);
      }
    }
  }

  /** Deletes everything; the log then begins and ends at `offset`. */
  async truncateFullyAndStartAt(offset: number): Promise<void> {
    await this.#services.beforeCut(offset);
    await this.#restructure(() => this.#truncation.restartAt(offset));
    this.#afterCut();
  }

  /** Brings the cut and the lower recovery point to the device soon. */
  #afterCut(): void {
    this.#lowestCut = Math.min(this.#lowestCut, this.logEndOffset);
    this.#flushInBackground(this.logEndOffset);
    this.#services.truncated();
  }

  /** The lowest end that a truncation has given the log since the last call; Infinity without any. For one copier. */
  takeLowestCut(): number {
    const cut = this.#lowestCut;
    this.#lowestCut = Infinity;
    return cut;
  }

  /** Changes the log's structure when nothing is being written. */
  async #restructure<T>(change: () => T): Promise<T> {
    await this.#writer.quiesce();
    return this.#state.io(change);
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
  async deleteOldSegments(): Promise<number> {
    // What is being cleaned is looked at the next time (Kafka: `LogCleanerManager.deletableLogs`).
    if (this.compaction.isRunning) return 0;
    const version = this.#state.version;
    const facts = await gatherSegmentFacts(this.#state);
    return this.#restructure(() => {
      const count = version === this.#state.version ? deletableNow(this.#state, facts) : 0;
      if (count > 0) this.compaction.interrupt();
      if (count > 0) this.#truncation.deleteOldest(count);
      return count;
    });
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
    await this.#restructure(() => {
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
