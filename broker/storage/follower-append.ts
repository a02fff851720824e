import * as batch from '../../shared/records/batch.ts';
import { BatchCursor } from '../../shared/records/batch-cursor.ts';
import { RecordsError } from '../../shared/records/errors.ts';
import { StorageError } from './errors.ts';
import type { PreparedRecords } from './leader-append.ts';

/**
 * Checks what was fetched from the leader: whole entries (one that is cut off at the end is left out) with valid
 * checksums and growing offsets. They go into the log as they are.
 * @returns null when there is no whole entry
 * @throws StorageError CORRUPT_MESSAGE, or UNEXPECTED_OFFSET for offsets that do not grow
 */
export function prepareFollowerAppend(records: Buffer): PreparedRecords | null {
  let recordCount = 0;
  let lastOffset = -1;
  let maxTimestamp = -1;
  const cursor = new BatchCursor().reset(records);
  while (nextEntry(cursor)) {
    const at = cursor.position;
    if (!batch.crcIsValid(records, at)) {
      throw new StorageError('CORRUPT_MESSAGE', `The batch at offset ${batch.baseOffset(records, at)} is corrupt.`);
    }
    if (batch.baseOffset(records, at) <= lastOffset || batch.lastOffset(records, at) < batch.baseOffset(records, at)) {
      throw new StorageError(
        'UNEXPECTED_OFFSET',
        `The offsets of the batches do not grow: ${lastOffset} is followed by ${batch.baseOffset(records, at)}.`,
      );
    }
    lastOffset = batch.lastOffset(records, at);
    maxTimestamp = Math.max(maxTimestamp, batch.maxTimestamp(records, at));
    recordCount += Math.max(0, batch.recordCount(records, at));
  }
  if (lastOffset < 0) return null;
  const bytes = records.subarray(0, cursor.position);
  return { bytes, firstOffset: batch.baseOffset(records, 0), lastOffset, maxTimestamp, logAppendTime: -1, recordCount };
}

function nextEntry(cursor: BatchCursor): boolean {
  try {
    return cursor.next();
  } catch (error) {
    if (!(error instanceof RecordsError)) throw error;
    throw new StorageError('CORRUPT_MESSAGE', error.message, [], { cause: error });
  }
}
