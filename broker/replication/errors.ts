import { ErrorCode } from '../../shared/protocol/errors.ts';
import { StorageError, type RecordError, type StorageErrorKind } from '../storage/errors.ts';

/** A request for one partition that was refused, with the code for the wire and a sentence for the client. */
export class ReplicationError extends Error {
  override readonly name = 'ReplicationError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

const STORAGE_CODES: Readonly<Record<StorageErrorKind, ErrorCode>> = {
  OFFSET_OUT_OF_RANGE: ErrorCode.OFFSET_OUT_OF_RANGE,
  CORRUPT_MESSAGE: ErrorCode.CORRUPT_MESSAGE,
  MESSAGE_TOO_LARGE: ErrorCode.MESSAGE_TOO_LARGE,
  RECORD_LIST_TOO_LARGE: ErrorCode.RECORD_LIST_TOO_LARGE,
  INVALID_RECORD: ErrorCode.INVALID_RECORD,
  INVALID_TIMESTAMP: ErrorCode.INVALID_TIMESTAMP,
  UNSUPPORTED_COMPRESSION_TYPE: ErrorCode.UNSUPPORTED_COMPRESSION_TYPE,
  UNEXPECTED_OFFSET: ErrorCode.UNKNOWN_SERVER_ERROR,
  OUT_OF_ORDER_SEQUENCE_NUMBER: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
  INVALID_PRODUCER_EPOCH: ErrorCode.INVALID_PRODUCER_EPOCH,
  INVALID_TXN_STATE: ErrorCode.INVALID_TXN_STATE,
  TRANSACTION_COORDINATOR_FENCED: ErrorCode.TRANSACTION_COORDINATOR_FENCED,
  STORAGE_ERROR: ErrorCode.KAFKA_STORAGE_ERROR,
  LOG_DIR_NOT_FOUND: ErrorCode.LOG_DIR_NOT_FOUND,
  INCONSISTENT_TOPIC_ID: ErrorCode.INCONSISTENT_TOPIC_ID,
};

/** What a client is told of a failure. */
export interface ClientError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly recordErrors: readonly RecordError[];
}

/** The one place that translates what is thrown below into the protocol's codes; null for what is a bug. */
export function clientError(error: unknown): ClientError | null {
  if (error instanceof ReplicationError) return { code: error.code, message: error.message, recordErrors: [] };
  if (error instanceof StorageError) {
    return { code: STORAGE_CODES[error.kind], message: error.message, recordErrors: error.recordErrors };
  }
  return null;
}
