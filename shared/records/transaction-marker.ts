import { BatchBuilder } from './batch-builder.ts';
import { RecordsError } from './errors.ts';
import { RecordCursor } from './record-cursor.ts';

/** Key of a control record: int16 version, int16 type. Value of a marker: int16 version, int32 coordinator epoch. */
const VERSION = 0;
const KEY_BYTES = 4;
const VALUE_BYTES = 6;
const ABORT = 0;
const COMMIT = 1;

/** The end of a transaction, as a control record tells it (Kafka: `EndTransactionMarker`). */
export interface TransactionMarker {
  readonly isCommit: boolean;
  /** Of the transaction coordinator that decided it. */
  readonly coordinatorEpoch: number;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
}

/** Whose transaction a marker ends. */
export interface MarkedProducer {
  readonly producerId: number;
  readonly producerEpoch: number;
}

/** The control batch that ends a producer's transaction in a partition (Kafka: `MemoryRecords.withEndTransactionMarker`). */
export function buildTransactionMarker(producer: MarkedProducer, marker: TransactionMarker): Buffer {
  const key = Buffer.alloc(KEY_BYTES);
  key.writeInt16BE(VERSION, 0);
  key.writeInt16BE(marker.isCommit ? COMMIT : ABORT, 2);
  const value = Buffer.alloc(VALUE_BYTES);
  value.writeInt16BE(VERSION, 0);
  value.writeInt32BE(marker.coordinatorEpoch, 2);
  const builder = new BatchBuilder(128);
  builder.append(marker.timestamp, key, value);
  return builder.build({ ...producer, isTransactional: true, isControl: true });
}

/**
 * The marker in the whole control batch at `at`; null when compaction has emptied the batch, or it holds a control
 * record of another kind. Later versions of key and value may be longer.
 */
export function readTransactionMarker(bytes: Buffer, at: number): TransactionMarker | null {
  try {
    const record = new RecordCursor().reset(bytes, at);
    if (!record.next() || record.keyLength < KEY_BYTES || record.valueLength < VALUE_BYTES) return null;
    const type = record.bytes.readInt16BE(record.keyStart + 2);
    if (type !== ABORT && type !== COMMIT) return null;
    const coordinatorEpoch = record.bytes.readInt32BE(record.valueStart + 2);
    return { isCommit: type === COMMIT, coordinatorEpoch, timestamp: record.timestamp };
  } catch (error) {
    if (error instanceof RecordsError) return null;
    throw error;
  }
}
