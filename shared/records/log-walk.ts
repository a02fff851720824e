import type { Timers } from '../runtime/clock.ts';
import * as batch from './batch.ts';
import { BatchCursor } from './batch-cursor.ts';

/** One partition's log, as it is at the time. */
export interface ReadableLog {
  readonly logStartOffset: number;
  readonly logEndOffset: number;
  /** Whole batches from the one with that offset on; the first even if it is larger than `maxBytes`. */
  read(offset: number, maxBytes: number): Promise<readonly Buffer[]>;
}

export interface LogWalk {
  /** Read at a time. */
  readonly maxBytes: number;
  readonly timers: Timers;
  /** Asked now and then; then the walk ends. */
  readonly isCancelled: () => boolean;
  /** Called for each whole batch; its bytes may be looked at within the call only. */
  readonly onBatch: (bytes: Buffer, at: number) => void;
}

/** Looked at in one go, before others get their turn: a few milliseconds' worth. */
const BYTES_PER_TURN = 128 << 10;

/**
 * Goes through a log from its start to its end, as coordinators do when they take a partition over. The end is the log's,
 * not the high watermark: what the former leader has not committed yet, this one will.
 * @throws RecordsError, StorageError, and what `onBatch` throws
 */
export async function walkLog(log: ReadableLog, { maxBytes, timers, isCancelled, onBatch }: LogWalk): Promise<void> {
  const cursor = new BatchCursor();
  let sinceTurn = 0;
  let offset = log.logStartOffset;
  while (offset < log.logEndOffset && !isCancelled()) {
    let next = offset;
    for (const bytes of await log.read(offset, maxBytes)) {
      cursor.reset(bytes);
      while (!isCancelled() && cursor.next()) {
        const { position, size } = cursor;
        next = batch.lastOffset(bytes, position) + 1;
        onBatch(bytes, position);
        sinceTurn += size;
        if (sinceTurn < BYTES_PER_TURN) continue;
        sinceTurn = 0;
        await new Promise<void>(resolve => timers.endOfTurn(resolve));
      }
    }
    if (next === offset) return;
    offset = next;
  }
}
