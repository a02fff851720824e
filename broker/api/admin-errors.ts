import { ErrorCode } from '../../shared/protocol/errors.ts';
import { isZooKeeperError } from '../../shared/zookeeper/zookeeper.ts';
import { AdminError } from '../metadata/admin-error.ts';

/** How an admin request failed, as responses carry it. */
export interface AdminFailure {
  readonly code: ErrorCode;
  readonly message: string | null;
}

export const SUCCESS: AdminFailure = { code: ErrorCode.NONE, message: null };

/** Translates what an admin operation threw: the one place for it. */
export function adminFailure(error: unknown): AdminFailure {
  if (error instanceof AdminError) return { code: error.code, message: error.message };
  if (isZooKeeperError(error, 'CONNECTION_LOSS', 'SESSION_EXPIRED', 'CLOSED')) {
    return { code: ErrorCode.REQUEST_TIMED_OUT, message: `ZooKeeper could not be reached: ${error.message}` };
  }
  return { code: ErrorCode.UNKNOWN_SERVER_ERROR, message: error instanceof Error ? error.message : String(error) };
}

export function notController(): AdminFailure {
  return { code: ErrorCode.NOT_CONTROLLER, message: 'This broker is not the active controller.' };
}

/** The names that stand in the list more than once. */
export function duplicates(names: readonly string[]): Set<string> {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) repeated.add(name);
    seen.add(name);
  }
  return repeated;
}
