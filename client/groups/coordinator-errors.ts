import { ConnectionError } from '../../shared/connection/connection.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { KafkaError } from '../errors.ts';

/** After these another broker may be the coordinator. */
const MOVED: ReadonlySet<number> = new Set([ErrorCode.NOT_COORDINATOR, ErrorCode.COORDINATOR_NOT_AVAILABLE]);

/** Whether an answer says that the coordinator is to be looked up anew. */
export function hasMoved(code: number): boolean {
  return MOVED.has(code);
}

/** Whether a coordinator that answers so will, or another one instead of it, answer better in a moment. */
export function isOfTakeOver(code: number): boolean {
  return MOVED.has(code) || code === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
}

/** Whether the same may succeed a moment later. */
export function mayPass(error: unknown): boolean {
  return error instanceof ConnectionError || (error instanceof KafkaError && error.retriable);
}
