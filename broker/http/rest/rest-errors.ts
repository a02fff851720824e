import { KafkaError } from '../../../client/index.ts';
import { ErrorCode } from '../../../shared/protocol/errors.ts';
import { RecordsError } from '../../../shared/records/errors.ts';
import { errorBody, HttpError, type ErrorBody } from '../http-error.ts';

/** HTTP status and, where people know one, the number that REST proxies for Kafka use for it. */
const STATUS: ReadonlyMap<ErrorCode, readonly [status: number, errorCode: number]> = new Map([
  [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, [404, 40403]],
  [ErrorCode.INVALID_PARTITIONS, [404, 40402]],
  [ErrorCode.INVALID_TOPIC_EXCEPTION, [400, 40002]],
  [ErrorCode.OFFSET_OUT_OF_RANGE, [416, 41601]],
  [ErrorCode.MESSAGE_TOO_LARGE, [413, 41301]],
  [ErrorCode.INVALID_RECORD, [422, 42202]],
  [ErrorCode.INVALID_TIMESTAMP, [422, 42203]],
  [ErrorCode.NOT_ENOUGH_REPLICAS, [503, 50301]],
  [ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND, [503, 50302]],
  [ErrorCode.REQUEST_TIMED_OUT, [504, 50401]],
  [ErrorCode.INVALID_GROUP_ID, [400, 40003]],
  [ErrorCode.INVALID_SESSION_TIMEOUT, [400, 40004]],
  [ErrorCode.GROUP_AUTHORIZATION_FAILED, [403, 40301]],
  [ErrorCode.UNKNOWN_MEMBER_ID, [409, 40901]],
  [ErrorCode.ILLEGAL_GENERATION, [409, 40902]],
  [ErrorCode.REBALANCE_IN_PROGRESS, [409, 40903]],
  [ErrorCode.FENCED_INSTANCE_ID, [409, 40904]],
  [ErrorCode.INCONSISTENT_GROUP_PROTOCOL, [409, 40905]],
  [ErrorCode.GROUP_MAX_SIZE_REACHED, [409, 40906]],
  [ErrorCode.OFFSET_METADATA_TOO_LARGE, [413, 41302]],
]);

export interface RestError {
  readonly status: number;
  readonly body: ErrorBody;
}

/** How a failure is told over REST; null for what is a bug of ours. */
export function restError(error: unknown): RestError | null {
  if (error instanceof HttpError) {
    const { statusCode, errorCode } = error;
    return { status: statusCode, body: errorBody(errorCode ?? statusCode * 100, error.message) };
  }
  // Of uncompressed batches only the framing is checked when they are written: what a producer put into it may be anything.
  if (error instanceof RecordsError) {
    return { status: 500, body: errorBody(50002, `The records that are stored here cannot be read. ${error.message}`) };
  }
  if (!(error instanceof KafkaError)) return null;
  const [status, code] = STATUS.get(error.code) ?? [error.retriable ? 503 : 400, error.retriable ? 50300 : 40000];
  return { status, body: { ...errorBody(code, error.message), error: error.codeName } };
}
