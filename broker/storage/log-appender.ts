import { StorageError } from './errors.ts';
import { prepareFollowerAppend } from './follower-append.ts';
import { type LeaderAppendOptions, prepareLeaderAppend, type PreparedRecords } from './leader-append.ts';
import type { LogState } from './log-state.ts';
import type { LogWriter } from './log-writer.ts';
import type { WrittenBatch } from './producer-entry.ts';

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

/** What an append may ask of the rest of the log. */
export interface AppenderNeeds {
  /** Resolves when everything written so far is on the device. */
  readonly flush: () => Promise<void>;
  /** Empties the log, which then begins at `offset`. */
  readonly restartAt: (offset: number) => Promise<void>;
}

/** Appends to a log, as its partition's leader or as a follower. See PartitionLog for what its users are promised. */
export class LogAppender {
  readonly #state: LogState;
  readonly #writer: LogWriter;
  readonly #needs: AppenderNeeds;

  constructor(state: LogState, writer: LogWriter, needs: AppenderNeeds) {
    this.#state = state;
    this.#writer = writer;
    this.#needs = needs;
  }

  // Being async, it still runs up to the first await, which comes after the offsets are taken, within the call.
  async appendAsLeader(records: Buffer, leaderEpoch: number, options: LeaderAppendOptions): Promise<AppendInfo> {
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
    const { topic, partition, logStartOffset } = this.#state;
    if (logStartOffset < nextOffset || lastOffset < nextOffset) {
      throw new StorageError(
        'UNEXPECTED_OFFSET',
        `The records to be appended to ${topic}-${partition} have offsets from ${firstOffset} to ` +
          `${lastOffset}, but the log ends at ${nextOffset}.`,
      );
    }
    await this.#needs.restartAt(firstOffset);
  }

  /** Answers a batch that came before, when that is written. */
  async #acknowledge({ firstOffset, lastOffset, timestamp }: WrittenBatch): Promise<AppendInfo> {
    const state = this.#state;
    if (lastOffset >= state.logEndOffset) await this.#writer.quiesce();
    state.requireOnline();
    const nothing = { logStartOffset: state.logStartOffset, validBytes: 0, recordCount: 0 };
    return { firstOffset, lastOffset, logAppendTime: timestamp, maxTimestamp: timestamp, ...nothing };
  }

  #nothingAppended(): AppendInfo {
    const next = this.#writer.nextOffset;
    return {
      firstOffset: next,
      lastOffset: next - 1,
      logStartOffset: this.#state.logStartOffset,
      logAppendTime: -1,
      maxTimestamp: -1,
      validBytes: 0,
      recordCount: 0,
    };
  }

  async #append(prepared: PreparedRecords): Promise<AppendInfo> {
    const state = this.#state;
    const { bytes, firstOffset, lastOffset, logAppendTime, maxTimestamp, recordCount } = prepared;
    await this.#writer.enqueue(prepared);
    const unflushed = state.logEndOffset - state.recoveryPoint;
    if (unflushed >= state.config['flush.messages']) await this.#needs.flush();
    const { logStartOffset } = state;
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
}
