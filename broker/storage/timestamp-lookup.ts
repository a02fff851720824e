import * as batch from '../../shared/records/batch.ts';
import { RecordsError } from '../../shared/records/errors.ts';
import { readMessageSet } from '../../shared/records/message-set.ts';
import { RecordCursor } from '../../shared/records/record-cursor.ts';
import type { LogState } from './log-state.ts';
import type { Segment } from './segment.ts';
import { readFully } from './segment-scan.ts';
import { StorageError } from './errors.ts';
import { NO_TIMESTAMP } from './segment-indexes.ts';

/** A record found by its time. */
export interface FoundTimestamp {
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly offset: number;
  readonly leaderEpoch: number;
}

type RecordTest = (timestamp: number, offset: number) => boolean;

/**
 * The first record, not below the log start offset, with a timestamp ≥ `timestamp`; null when there is none
 * (Kafka: `UnifiedLog.fetchOffsetByTimestamp`).
 */
export async function lookUpTimestamp(state: LogState, timestamp: number): Promise<FoundTimestamp | null> {
  return stably(state, async () => {
    for (const segment of state.segments.all) {
      if ((await segment.largestTimestamp()).timestamp < timestamp) continue;
      const { offsets, times } = await segment.indexes();
      const from = offsets.lookup(times.lookup(timestamp));
      const matches: RecordTest = (time, offset) => time >= timestamp && offset >= state.logStartOffset;
      const found = await searchSegment(state, segment, from, timestamp, matches);
      if (found !== null) return found;
    }
    return null;
  });
}

/** The first record with the largest timestamp of all; null when no record has one (KIP-734). */
export async function lookUpMaxTimestamp(state: LogState): Promise<FoundTimestamp | null> {
  return stably(state, async () => {
    let largest = NO_TIMESTAMP;
    let holder: Segment | undefined;
    for (const segment of state.segments.all) {
      const candidate = await segment.largestTimestamp();
      if (candidate.timestamp <= largest.timestamp) continue;
      largest = candidate;
      holder = segment;
    }
    if (holder === undefined) return null;
    const from = (await holder.indexes()).offsets.lookup(largest.offset);
    return searchSegment(state, holder, from, largest.timestamp, time => time === largest.timestamp);
  });
}

/** Repeats what was done while the log's structure changed. */
async function stably<T>(state: LogState, action: () => Promise<T>): Promise<T> {
  for (;;) {
    state.requireOnline();
    const { version } = state;
    try {
      const result = await action();
      if (version === state.version) return result;
    } catch (error) {
      if (version === state.version) throw asStorageError(state, error);
    }
  }
}

function asStorageError(state: LogState, error: unknown): StorageError {
  if (!(error instanceof RecordsError)) return state.ioFailure(error);
  return new StorageError('CORRUPT_MESSAGE', error.message, [], { cause: error });
}

/** Looks from `from` on for a record that passes the test, in the batches that reach up to `timestamp`. */
async function searchSegment(
  state: LogState,
  segment: Segment,
  from: number,
  timestamp: number,
  test: RecordTest,
): Promise<FoundTimestamp | null> {
  for (let position = from; position < segment.size;) {
    let size = 0;
    position = await segment.scan(position, false, (buffer, at) => {
      if (batch.maxTimestamp(buffer, at) < timestamp) return 'go on';
      size = batch.batchSizeInBytes(buffer, at);
      return 'stop';
    });
    if (size === 0) return null;
    const start = position;
    const bytes = await segment.file.use(handle => readFully(handle, start, size));
    const found = firstRecord(bytes, test);
    if (found !== null) return { ...found, leaderEpoch: state.epochs.epochAt(found.offset) };
    position += size;
  }
  return null;
}

function firstRecord(bytes: Buffer, test: RecordTest): { timestamp: number; offset: number } | null {
  if (batch.magic(bytes, 0) < 2) {
    for (const { timestamp, offset } of readMessageSet(bytes))
      if (test(timestamp, offset)) return { timestamp, offset };
    return null;
  }
  for (const cursor = new RecordCursor().reset(bytes); cursor.next();) {
    if (test(cursor.timestamp, cursor.offset)) return { timestamp: cursor.timestamp, offset: cursor.offset };
  }
  return null;
}
