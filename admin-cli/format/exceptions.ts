import { KafkaError } from '../../client/errors.ts';
import type { ErrorName } from '../../shared/protocol/errors.ts';

/** Java's names of errors that tools print and scripts look for; the others are called by their codes. */
const EXCEPTIONS: Partial<Record<ErrorName, string>> = {
  NON_EMPTY_GROUP: 'GroupNotEmptyException',
  GROUP_ID_NOT_FOUND: 'GroupIdNotFoundException',
  INVALID_GROUP_ID: 'InvalidGroupIdException',
  GROUP_AUTHORIZATION_FAILED: 'GroupAuthorizationException',
  REQUEST_TIMED_OUT: 'TimeoutException',
};

/** An error as Java shows it: `org.apache.kafka.common.errors.GroupNotEmptyException: …`. */
export function exceptionText(error: unknown): string {
  if (!(error instanceof KafkaError)) return error instanceof Error ? error.message : String(error);
  const name = EXCEPTIONS[error.codeName as ErrorName];
  return `${name === undefined ? error.codeName : `org.apache.kafka.common.errors.${name}`}: ${error.message}`;
}
