import * as batch from '../../shared/records/batch.ts';
import { RecordsError } from '../../shared/records/errors.ts';
import { RecordCursor } from '../../shared/records/record-cursor.ts';
import type { ProducerBatch, ProducerEntry, TransactionEnd } from './producer-entry.ts';

/** Control records: int16 version and int16 type as key; for markers int16 version and int32 coordinator epoch as value. */
const MARKER_KEY_BYTES = 4;
const MARKER_VALUE_BYTES = 6;
const ABORT = 0;
const COMMIT = 1;

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

/**
 * The transaction marker in a whole control batch; null when compaction has emptied the batch, or it holds a control
 * record of another kind.
 */
export function readTransactionEnd(bytes: Buffer, at: number): TransactionEnd | null {
  try {
    const record = new RecordCursor().reset(bytes, at);
    if (!record.next()) return null;
    const [key, value] = [record.key(), record.value()];
    if (key === null || value === null) return null;
    if (key.length < MARKER_KEY_BYTES || value.length < MARKER_VALUE_BYTES) return null;
    const type = key.readInt16BE(2);
    if (type !== ABORT && type !== COMMIT) return null;
    return {
      epoch: batch.producerEpoch(bytes, at),
      coordinatorEpoch: value.readInt32BE(2),
      timestamp: record.timestamp,
    };
  } catch (error) {
    if (error instanceof RecordsError) return null;
    throw error;
  }
}

/** Takes a whole batch into the entry of its producer, as replication and recovery do: nothing is checked. */
export function applyBatch(entry: ProducerEntry, bytes: Buffer, at: number): void {
  if (!batch.isControl(bytes, at)) {
    entry.append(readProducerBatch(bytes, at));
    return;
  }
  const end = readTransactionEnd(bytes, at);
  if (end !== null) entry.endTransaction(end);
}
