import { ZooKeeperError, type ZooKeeperErrorCode } from '../zookeeper.ts';

/** Codes of ZooKeeper's wire protocol (Java: `KeeperException.Code`). */
const CODES: Readonly<Record<number, ZooKeeperErrorCode>> = {
  [-4]: 'CONNECTION_LOSS',
  [-7]: 'CONNECTION_LOSS',
  [-8]: 'BAD_ARGUMENTS',
  [-101]: 'NO_NODE',
  [-102]: 'NO_AUTH',
  [-103]: 'BAD_VERSION',
  [-108]: 'NO_CHILDREN_FOR_EPHEMERALS',
  [-110]: 'NODE_EXISTS',
  [-111]: 'NOT_EMPTY',
  [-112]: 'SESSION_EXPIRED',
};

export function errorCode(wireCode: number): ZooKeeperErrorCode {
  return CODES[wireCode] ?? 'UNKNOWN';
}

/** An error of the library, or one that it threw, as ours. The library never says which path it was about. */
export function translateError(error: unknown, action: string, path: string, operationIndex = -1): ZooKeeperError {
  if (error instanceof ZooKeeperError) return error;
  const wireCode = (error as { code?: unknown }).code;
  if (typeof wireCode === 'number') {
    const code = errorCode(wireCode);
    const text = code === 'UNKNOWN' ? `ZooKeeper error ${wireCode}` : code;
    return new ZooKeeperError(code, path, `${action} ${path}: ${text}`, operationIndex);
  }
  // What else it throws are failed assertions about its arguments.
  const message = error instanceof Error ? error.message : String(error);
  return new ZooKeeperError('BAD_ARGUMENTS', path, `${action} ${path}: ${message}`, operationIndex);
}
