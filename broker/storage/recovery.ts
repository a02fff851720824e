import * as batch from '../../shared/records/batch.ts';
import type { LeaderEpochs } from './leader-epochs.ts';
import type { ProducerStateManager } from './producer-state-manager.ts';
import type { Segment } from './segment.ts';
import type { AbortedTransaction } from './transaction-index.ts';
import { type IndexLimits, SegmentIndexes } from './segment-indexes.ts';

/** What is left of a segment after looking at all of it. */
export interface RecoveredSegment {
  readonly indexes: SegmentIndexes;
  /** The offset behind the last entry. */
  readonly endOffset: number;
  /** Bytes that were cut off at the end. */
  readonly bytesCut: number;
}

/** Entries of the transaction index. */
const WRITTEN_AT_ONCE = 1000;

/**
 * Reads a whole segment that may not have reached the disk completely: checks size, checksum and offsets of every entry,
 * cuts the file before the first one that is not valid, and makes all indexes and newer leader epochs anew. Producers,
 * whose state must be that of the log up to this segment, follow.
 * @param limitOffset entries must end below it: the next segment's base offset, or what the index format allows
 */
export async function recoverSegment(
  segment: Segment,
  { epochs, producers }: { readonly epochs: LeaderEpochs; readonly producers: ProducerStateManager },
  limits: IndexLimits,
  limitOffset: number,
): Promise<RecoveredSegment> {
  const indexes = SegmentIndexes.empty(segment.baseOffset);
  let endOffset = segment.baseOffset;
  let aborted: AbortedTransaction[] = [];
  segment.aborted.clear();
  const validBytes = await segment.scan(0, true, (buffer, at, position) => {
    const base = batch.baseOffset(buffer, at);
    const last = batch.lastOffset(buffer, at);
    if (base < endOffset || last < base || last >= limitOffset || !batch.crcIsValid(buffer, at)) return 'stop';
    indexes.note(buffer, at, position, limits);
    const epoch = batch.partitionLeaderEpoch(buffer, at);
    if (epoch > epochs.latest) epochs.assign(epoch, base);
    const transaction = producers.replay(buffer, at);
    if (transaction !== null) aborted.push(transaction);
    if (aborted.length === WRITTEN_AT_ONCE) {
      segment.aborted.append(aborted);
      aborted = [];
    }
    endOffset = last + 1;
    return 'go on';
  });
  if (aborted.length > 0) segment.aborted.append(aborted);
  // The segment may be below the recovery point: nobody would look at it again after a loss of power.
  await segment.aborted.flush();
  const bytesCut = segment.size - validBytes;
  if (bytesCut > 0) segment.cutFile(validBytes);
  return { indexes, endOffset, bytesCut };
}

/**
 * The end of a segment that was closed properly: only what follows the last index entry is read, headers only. Still,
 * what is no entry at the end is cut off.
 */
export async function readSegmentEnd(segment: Segment, limits: IndexLimits): Promise<RecoveredSegment> {
  const indexes = await segment.indexes();
  let endOffset = segment.baseOffset;
  const from = indexes.offsets.lookup(indexes.offsets.lastOffset);
  const validBytes = await segment.scan(from, false, (buffer, at, position) => {
    indexes.note(buffer, at, position, limits);
    endOffset = batch.lastOffset(buffer, at) + 1;
    return 'go on';
  });
  const bytesCut = segment.size - validBytes;
  if (bytesCut > 0) segment.cutFile(validBytes);
  return { indexes, endOffset, bytesCut };
}
