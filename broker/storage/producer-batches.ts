import * as batch from '../../shared/records/batch.ts';
import { readTransactionMarker, type TransactionMarker } from '../../shared/records/transaction-marker.ts';
import type { ProducerBatch, ProducerEntry, TransactionEnd } from './producer-entry.ts';

/** What a data batch's header says to its producer's state; the offset is the one that it has now. */
export function readProducerBatch(bytes: Buffer, at: number): ProducerBatch {
  return {
    epoch: batch.producerEpoch(bytes, at),
    lastSequence: batch.lastSequence(bytes, at),
    lastOffset: batch.lastOffset(bytes, at),
    offsetDelta: batch.lastOffsetDelta(bytes, at),
    timestamp: batch.maxTimestamp(bytes, at),
    isTransactional: batch.isTransactional(bytes, at),
  };
}

/** A transaction's end, and which one. */
export type TransactionOutcome = TransactionEnd & TransactionMarker;

/** What a whole control batch says of its producer's transaction; null when it holds no marker. */
export function readTransactionEnd(bytes: Buffer, at: number): TransactionOutcome | null {
  const marker = readTransactionMarker(bytes, at);
  return marker === null ? null : { ...marker, epoch: batch.producerEpoch(bytes, at) };
}

/**
 * Takes a whole batch into the entry of its producer, as replication and recovery do: nothing is checked.
 * @returns the transaction's end, if the batch is one
 */
export function applyBatch(entry: ProducerEntry, bytes: Buffer, at: number): TransactionOutcome | null {
  if (!batch.isControl(bytes, at)) {
    entry.append(readProducerBatch(bytes, at));
    return null;
  }
  const end = readTransactionEnd(bytes, at);
  if (end !== null) entry.endTransaction(end);
  return end;
}
