/**
 * ZooKeeper as the rooms see it: promises, typed errors, one-shot watches, session events. The real one wraps
 * node-zookeeper-client (client.ts); the simulation has an in-memory twin. Paths are absolute and relative to the chroot.
 */

/** The part of ZooKeeper's Stat that Kafka uses. Transaction ids are exact, hence bigint. */
export interface Stat {
  readonly czxid: bigint;
  readonly mzxid: bigint;
  /** Creation time, milliseconds since the Unix epoch. */
  readonly ctime: number;
  /** Data version: the "zkVersion" of fenced writes. */
  readonly version: number;
  /** Session that owns an ephemeral node, 0n for a persistent one. */
  readonly ephemeralOwner: bigint;
  readonly numChildren: number;
}

export type WatchEventType = 'created' | 'deleted' | 'dataChanged' | 'childrenChanged';
export interface WatchEvent {
  readonly type: WatchEventType;
  readonly path: string;
}
/**
 * Called at most once, when what was read has changed. A watch survives reconnects of its session and is dropped,
 * uncalled, when the session expires: whoever watches re-reads on the session event `expired` → `connected`.
 */
export type Watcher = (event: WatchEvent) => void;

export type CreateMode = 'persistent' | 'ephemeral' | 'persistentSequential' | 'ephemeralSequential';

/** One operation of a multi. `version` is compared with the node's, -1 = any; 0 is a real version and is checked. */
export type Operation =
  | { readonly kind: 'create'; readonly path: string; readonly data: Buffer | null; readonly mode: CreateMode }
  | { readonly kind: 'setData'; readonly path: string; readonly data: Buffer | null; readonly version: number }
  | { readonly kind: 'remove'; readonly path: string; readonly version: number }
  | { readonly kind: 'check'; readonly path: string; readonly version: number };

/** Result of one operation of a successful multi: the created path, the new Stat, or nothing. */
export type OperationResult =
  | { readonly kind: 'create'; readonly path: string }
  | { readonly kind: 'setData'; readonly stat: Stat }
  | { readonly kind: 'remove' }
  | { readonly kind: 'check' };

export type ZooKeeperErrorCode =
  | 'NO_NODE'
  | 'NODE_EXISTS'
  | 'BAD_VERSION'
  | 'NOT_EMPTY'
  | 'NO_AUTH'
  | 'NO_CHILDREN_FOR_EPHEMERALS'
  /** Outcome unknown: the connection broke, or no answer came in time. Re-read before retrying what is not idempotent. */
  | 'CONNECTION_LOSS'
  /** The session this call belonged to is gone, and its ephemeral nodes with it. */
  | 'SESSION_EXPIRED'
  /** The client was closed. */
  | 'CLOSED'
  | 'TOO_LARGE'
  | 'BAD_ARGUMENTS'
  | 'UNKNOWN';

export class ZooKeeperError extends Error {
  readonly code: ZooKeeperErrorCode;
  readonly path: string;
  /** For a failed multi: index of the operation that failed first; -1 otherwise. */
  readonly operationIndex: number;

  constructor(code: ZooKeeperErrorCode, path: string, message: string, operationIndex = -1) {
    super(message);
    this.name = 'ZooKeeperError';
    this.code = code;
    this.path = path;
    this.operationIndex = operationIndex;
  }
}

export function isZooKeeperError(error: unknown, ...codes: ZooKeeperErrorCode[]): error is ZooKeeperError {
  return error instanceof ZooKeeperError && (codes.length === 0 || codes.includes(error.code));
}

/** 'expired' is followed by 'connected' once a new session exists. The first connection is not announced. */
export type SessionEvent = 'disconnected' | 'reconnected' | 'expired' | 'connected';

export interface ZooKeeper {
  /** Id of the current session; 0n while there is none. */
  readonly sessionId: bigint;
  /** Whether calls would go out now. Calls made while disconnected wait for the connection, up to their time limit. */
  readonly connected: boolean;
  /** null when the node does not exist; a node without data has `data: null`. The watcher is set in both cases. */
  getData(path: string, watcher?: Watcher): Promise<{ data: Buffer | null; stat: Stat } | null>;
  exists(path: string, watcher?: Watcher): Promise<Stat | null>;
  /** Names of the children in no particular order; null when the node does not exist (then no watch is set). */
  getChildren(path: string, watcher?: Watcher): Promise<string[] | null>;
  /** Resolves with the path as created (sequential nodes get their suffix). Rejects with NODE_EXISTS, NO_NODE (parent). */
  create(path: string, data: Buffer | null, mode: CreateMode): Promise<string>;
  setData(path: string, data: Buffer | null, version: number): Promise<Stat>;
  remove(path: string, version: number): Promise<void>;
  /** All or nothing. Rejects with the first failing operation's code and index. */
  multi(operations: readonly Operation[]): Promise<OperationResult[]>;
  onSession(listener: (event: SessionEvent) => void): void;
  /** Ends the session (its ephemeral nodes go at once) within a bounded time; resolves always. */
  close(): Promise<void>;
}
