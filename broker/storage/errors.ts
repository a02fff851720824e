/**
 * What can go wrong in a log, by the names of Kafka's error table; the API layer translates.
 *
 * - `STORAGE_ERROR`: the log's directory is offline, or the log is closed; nothing can be read or written.
 * - `LOG_DIR_NOT_FOUND`: the directory is none of `log.dirs`.
 * - `INCONSISTENT_TOPIC_ID`: the directory holds a former topic of the same name.
 */
export type StorageErrorKind =
  | 'OFFSET_OUT_OF_RANGE'
  | 'CORRUPT_MESSAGE'
  | 'MESSAGE_TOO_LARGE'
  | 'RECORD_LIST_TOO_LARGE'
  | 'INVALID_RECORD'
  | 'INVALID_TIMESTAMP'
  | 'UNSUPPORTED_COMPRESSION_TYPE'
  | 'UNEXPECTED_OFFSET'
  | 'OUT_OF_ORDER_SEQUENCE_NUMBER'
  | 'INVALID_PRODUCER_EPOCH'
  | 'INVALID_TXN_STATE'
  | 'TRANSACTION_COORDINATOR_FENCED'
  | 'STORAGE_ERROR'
  | 'LOG_DIR_NOT_FOUND'
  | 'INCONSISTENT_TOPIC_ID';

/** One bad record of a refused batch: its index in the batch and why. */
export interface RecordError {
  readonly batchIndex: number;
  readonly message: string;
}

/** A log operation that was refused or could not be done. The message is one sentence fit for a client. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly kind: StorageErrorKind;
  readonly recordErrors: readonly RecordError[];

  constructor(
    kind: StorageErrorKind,
    message: string,
    recordErrors: readonly RecordError[] = [],
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.kind = kind;
    this.recordErrors = recordErrors;
  }
}

/** A reason for which the broker must not start with its log directories; one sentence for the operator. */
export class StorageStartupError extends Error {
  override readonly name = 'StorageStartupError';
}
