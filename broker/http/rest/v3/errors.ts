import { KafkaError } from '../../../../client/index.ts';
import { ConnectionError } from '../../../../shared/connection/connection.ts';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import { errorBody, HttpError } from '../../http-error.ts';
import type { RestError } from '../rest-errors.ts';

/**
 * HTTP status and error code of Kafka's errors, as Confluent's REST API v3 tells them (its KafkaExceptionMapper). What is
 * the caller's mistake and has no row there is told as one (400, 40002), not as a failure of the server.
 */
const KNOWN: ReadonlyMap<ErrorCode, readonly [status: number, errorCode: number]> = new Map([
  [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, [404, 40403]],
  [ErrorCode.BROKER_NOT_AVAILABLE, [503, 50302]],
  [ErrorCode.MESSAGE_TOO_LARGE, [413, 413]],
  ...rows(
    [400, 40002],
    [
      ErrorCode.INVALID_TOPIC_EXCEPTION,
      ErrorCode.INVALID_REPLICATION_FACTOR,
      ErrorCode.INVALID_REPLICA_ASSIGNMENT,
      ErrorCode.INVALID_PARTITIONS,
      ErrorCode.INVALID_REQUEST,
      ErrorCode.INVALID_CONFIG,
      ErrorCode.INVALID_RECORD,
      ErrorCode.INVALID_TIMESTAMP,
      ErrorCode.POLICY_VIOLATION,
      ErrorCode.TOPIC_ALREADY_EXISTS,
      ErrorCode.TOPIC_DELETION_DISABLED,
      ErrorCode.UNSUPPORTED_VERSION,
      ErrorCode.UNKNOWN_SERVER_ERROR,
      ErrorCode.SECURITY_DISABLED,
    ],
  ),
  ...rows(
    [403, 40301],
    [
      ErrorCode.TOPIC_AUTHORIZATION_FAILED,
      ErrorCode.CLUSTER_AUTHORIZATION_FAILED,
      ErrorCode.GROUP_AUTHORIZATION_FAILED,
      ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    ],
  ),
] as const);

function rows(answer: readonly [number, number], codes: readonly ErrorCode[]) {
  return codes.map(code => [code, answer] as const);
}

/** How a failure is told by the paths under /v3; null for what is a bug of ours. */
export function v3Error(error: unknown): RestError | null {
  if (error instanceof HttpError) {
    return { status: error.statusCode, body: errorBody(error.errorCode ?? error.statusCode, error.message) };
  }
  if (error instanceof ConnectionError) return { status: 503, body: errorBody(50302, error.message) };
  if (!(error instanceof KafkaError)) return null;
  const [status, code] = KNOWN.get(error.code) ?? [500, error.retriable ? 50003 : 50002];
  return { status, body: errorBody(code, error.message) };
}

/** A body that is missing, or says what cannot be (Confluent's Errors.invalidPayloadException). */
export function payloadError(sentence: string): HttpError {
  return new HttpError(422, `Payload error. ${sentence}`, 42206);
}

export function notFound(sentence: string): HttpError {
  return new HttpError(404, sentence);
}
