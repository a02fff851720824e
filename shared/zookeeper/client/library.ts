import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import type { Client, Stat as LibraryStat } from 'node-zookeeper-client';
import type { ServerAddress } from './connect-string.ts';

/**
 * node-zookeeper-client with the parts of its inside that have to be reached in order to live with it: its connection
 * manager never gives up a dead connection, never clears a half-read reply, and falls over when closed at the wrong
 * moment. Everything that depends on that inside is in this file, session.ts and watches.ts.
 */

/** A callback of the library: an error or a value. */
export type Done<T> = (error: unknown, value?: T) => void;

interface Packet {
  readonly callback?: (error: unknown) => void;
}

/** States of the connection manager. */
export const LIBRARY_STATE = { disconnected: 0, connecting: 1, connected: 2, closed: -2, expired: -3 } as const;

export interface ConnectionManager extends EventEmitter {
  readonly state: number;
  servers: ServerAddress[];
  readonly socket: Socket | undefined;
  /** Received bytes of a reply that is not complete. */
  pendingBuffer: Buffer | null;
  /** Requests not yet written. */
  readonly packetQueue: { readonly queue: Packet[] };
  readonly watcherManager: {
    isEmpty(): boolean;
    getDataWatcherPaths(): string[];
    getExistenceWatcherPaths(): string[];
    getChildWatcherPaths(): string[];
  };
  readonly connectTimeoutHandler: NodeJS.Timeout | null;
  /** The last transaction that was heard of. */
  readonly zxid: Buffer;
  xid: number;
  connect(): void;
  findNextServer(callback: (server: ServerAddress) => void): void;
  onSocketData(chunk: Buffer): void;
  onSocketError(error: Error): void;
  cleanupPendingQueue(errorCode: number): void;
  updateTimeout(sessionTimeoutMs: number): void;
  queue(request: unknown, callback: Done<unknown>): void;
}

/** One operation of a transaction under construction. */
interface TransactionOperation {
  version?: number;
}

export interface LibraryTransaction {
  readonly ops: TransactionOperation[];
  create(path: string, data: Buffer | undefined, mode: number): void;
  setData(path: string, data: Buffer | null): void;
  remove(path: string): void;
  check(path: string): void;
  commit(callback: (error: unknown, results?: readonly LibraryResult[]) => void): void;
}

/** Of a successful transaction: a path or a Stat. Of a failed one: error codes, 0 before and -2 after the failed one. */
export interface LibraryResult {
  readonly err?: number;
  readonly path?: string;
  readonly stat?: LibraryStat;
}

export type LibraryClient = Omit<Client, 'transaction'> & {
  readonly connectionManager: ConnectionManager;
  transaction(): LibraryTransaction;
};

interface LibraryException {
  create(code: number, path?: string): Error;
}

interface Library {
  createClient(
    connectString: string,
    options: { sessionTimeout: number; spinDelay?: number; retries: number },
  ): LibraryClient;
  readonly CreateMode: Readonly<Record<string, number>>;
  readonly Exception: LibraryException;
}

/** The library's wire format. */
interface Jute {
  readonly OP_CODES: { readonly SET_WATCHES: number };
  readonly Request: new (header: object, payload: object) => object;
  readonly protocol: {
    readonly RequestHeader: new () => { type: number };
    readonly SetWatches: new () => {
      relativeZxid: Buffer;
      dataWatches: readonly string[];
      existWatches: readonly string[];
      childWatches: readonly string[];
    };
  };
}

const load = createRequire(import.meta.url);
export const library = load('node-zookeeper-client') as Library;
export const jute = load('node-zookeeper-client/lib/jute/index.js') as Jute;

/** The library's code for a broken connection. */
export const LIBRARY_CONNECTION_LOSS = -4;

/**
 * For an error code that it does not know (exceeded quota, for one) the library throws within the socket's handler, and
 * the call is never answered. Here it gets an error like any other.
 */
function tolerateUnknownErrorCodes(exception: LibraryException): void {
  const create = exception.create.bind(exception);
  exception.create = (code, path) => {
    try {
      return create(code, path);
    } catch {
      return Object.assign(new Error(`ZooKeeper error ${code}`), { code, getCode: () => code });
    }
  };
}

tolerateUnknownErrorCodes(library.Exception);
