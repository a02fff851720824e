import type { Stat as LibraryStat } from 'node-zookeeper-client';
import {
  isZooKeeperError,
  ZooKeeperError,
  type CreateMode,
  type Operation,
  type OperationResult,
  type Stat,
  type Watcher,
} from '../zookeeper.ts';
import type { CallQueue } from './calls.ts';
import { errorCode, translateError } from './errors.ts';
import { library, type Done, type LibraryResult, type LibraryTransaction } from './library.ts';
import { toStat } from './stat.ts';
import type { WatchKind } from './watches.ts';
import type { Session } from './session.ts';

/** Most bytes of data in a call; what exceeds the server's `jute.maxbuffer` (1 MiB) costs the connection and all calls on it. */
export const MAX_DATA_BYTES = 1_000_000;

const MODES: Readonly<Record<CreateMode, number>> = {
  persistent: library.CreateMode.PERSISTENT!,
  ephemeral: library.CreateMode.EPHEMERAL!,
  persistentSequential: library.CreateMode.PERSISTENT_SEQUENTIAL!,
  ephemeralSequential: library.CreateMode.EPHEMERAL_SEQUENTIAL!,
};

/** The calls of one ZooKeeper client, as the wire knows them. Puts the chroot before paths, and takes it off again. */
export class Operations {
  readonly #calls: CallQueue;
  readonly #chroot: string;

  constructor(calls: CallQueue, chroot: string) {
    this.#calls = calls;
    this.#chroot = chroot;
  }

  /** The path as the server knows it. */
  #full(path: string): string {
    return path === '/' && this.#chroot !== '' ? this.#chroot : this.#chroot + path;
  }

  #relative(path: string): string {
    return path.slice(this.#chroot.length);
  }

  /** null when there is no such node; the watcher is not set then. */
  async getData(path: string, watcher?: Watcher): Promise<{ data: Buffer | null; stat: Stat } | null> {
    const full = this.#full(requirePath(path));
    const read = this.#calls.run<{ data: Buffer | null; stat: Stat }>('getData', path, (session, done) => {
      const callback = (error: unknown, data: Buffer | undefined, stat: LibraryStat) =>
        error ? done(error) : done(null, { data: orNull(data), stat: toStat(stat) });
      watched(session, 'node', path, watcher, callback, (watch, answer) =>
        watch === undefined ? session.client.getData(full, answer) : session.client.getData(full, watch, answer),
      );
    });
    return read.catch(nullWithoutNode);
  }

  async exists(path: string, watcher?: Watcher): Promise<Stat | null> {
    const full = this.#full(requirePath(path));
    return this.#calls.run('exists', path, (session, done: Done<Stat | null>) => {
      const callback = (error: unknown, stat: LibraryStat | null) =>
        error ? done(error) : done(null, stat === null ? null : toStat(stat));
      watched(session, 'node', path, watcher, callback, (watch, answer) =>
        watch === undefined ? session.client.exists(full, answer) : session.client.exists(full, watch, answer),
      );
    });
  }

  async getChildren(path: string, watcher?: Watcher): Promise<string[] | null> {
    const full = this.#full(requirePath(path));
    const read = this.#calls.run<string[]>('getChildren', path, (session, done) => {
      const callback = (error: unknown, names: string[]) => (error ? done(error) : done(null, names));
      watched(session, 'children', path, watcher, callback, (watch, answer) =>
        watch === undefined
          ? session.client.getChildren(full, answer)
          : session.client.getChildren(full, watch, answer),
      );
    });
    return read.catch(nullWithoutNode);
  }

  async create(path: string, data: Buffer | null, mode: CreateMode): Promise<string> {
    requireSize(path, data?.length ?? 0);
    const full = this.#full(requirePath(path));
    const created = await this.#calls.run('create', path, ({ client }, done: Done<string>) => {
      if (data === null) client.create(full, MODES[mode], done);
      else client.create(full, data, MODES[mode], done);
    });
    return this.#relative(created);
  }

  async setData(path: string, data: Buffer | null, version: number): Promise<Stat> {
    requireSize(path, data?.length ?? 0);
    const full = this.#full(requirePath(path));
    // The library takes null by its signature, and then fails on it.
    const bytes = data ?? Buffer.alloc(0);
    return this.#calls.run('setData', path, ({ client }, done: Done<Stat>) => {
      client.setData(full, bytes, version, (error, stat) => (error ? done(error) : done(null, toStat(stat))));
    });
  }

  async remove(path: string, version: number): Promise<void> {
    const full = this.#full(requirePath(path));
    await this.#calls.run('remove', path, ({ client }, done: Done<null>) => {
      client.remove(full, version, error => done(error, null));
    });
  }

  async multi(operations: readonly Operation[]): Promise<OperationResult[]> {
    const first = operations[0];
    if (first === undefined) return [];
    requireSize(first.path, multiSize(operations));
    for (const { path } of operations) requirePath(path);
    return this.#calls.run('multi', first.path, ({ client }, done: Done<OperationResult[]>) => {
      const transaction = client.transaction();
      for (const operation of operations) addOperation(transaction, operation, this.#full(operation.path));
      transaction.commit((error, results) => {
        if (error) done(multiError(error, operations, results));
        else
          done(
            null,
            operations.map((operation, index) => this.#result(operation, results?.[index])),
          );
      });
    });
  }

  #result(operation: Operation, result: LibraryResult | undefined): OperationResult {
    switch (operation.kind) {
      case 'create':
        return { kind: 'create', path: this.#relative(result!.path!) };
      case 'setData':
        return { kind: 'setData', stat: toStat(result!.stat!) };
      case 'remove':
      case 'check':
        return { kind: operation.kind };
    }
  }
}

/** @throws ZooKeeperError BAD_ARGUMENTS */
function requirePath(path: string): string {
  if (path === '/' || /^(\/(?!\.{1,2}(\/|$))[^/]+)+$/.test(path)) return path;
  throw new ZooKeeperError('BAD_ARGUMENTS', path, `"${path}" is not the path of a znode`);
}

/** Makes a read that sets a watch, counting the watch once the read has succeeded. */
function watched<Answer extends unknown[]>(
  session: Session,
  kind: WatchKind,
  path: string,
  watcher: Watcher | undefined,
  callback: (error: unknown, ...answer: Answer) => void,
  send: (
    watch: ReturnType<Session['watches']['libraryWatcher']> | undefined,
    answer: (error: unknown, ...answer: Answer) => void,
  ) => void,
): void {
  if (watcher === undefined) {
    send(undefined, callback);
    return;
  }
  const libraryWatcher = session.watches.libraryWatcher(kind, path);
  send(libraryWatcher, (error, ...answer) => {
    if (!error) session.watches.add(kind, path, watcher, libraryWatcher);
    callback(error, ...answer);
  });
}

/** A node without data and one with empty data cannot be told apart here: both have none. */
function orNull(data: Buffer | undefined): Buffer | null {
  return data === undefined || data.length === 0 ? null : data;
}

function nullWithoutNode(error: unknown): null {
  if (isZooKeeperError(error, 'NO_NODE')) return null;
  throw error;
}

function requireSize(path: string, bytes: number): void {
  if (bytes <= MAX_DATA_BYTES) return;
  throw new ZooKeeperError('TOO_LARGE', path, `${path}: ${bytes} bytes exceed ZooKeeper's limit of ${MAX_DATA_BYTES}`);
}

/** Bytes that a multi takes on the wire, about: paths, data, and what stands around them. */
function multiSize(operations: readonly Operation[]): number {
  const overhead = 64;
  let bytes = 0;
  for (const operation of operations) {
    bytes += overhead + Buffer.byteLength(operation.path) + ('data' in operation ? (operation.data?.length ?? 0) : 0);
  }
  return bytes;
}

function addOperation(transaction: LibraryTransaction, operation: Operation, path: string): void {
  switch (operation.kind) {
    case 'create':
      transaction.create(path, operation.data ?? undefined, MODES[operation.mode]);
      return;
    case 'setData':
      transaction.setData(path, operation.data);
      break;
    case 'remove':
      transaction.remove(path);
      break;
    case 'check':
      transaction.check(path);
      break;
  }
  // Handed over as an argument, version 0 would become -1, "any version": the check would be none.
  transaction.ops.at(-1)!.version = operation.version;
}

/** The first operation with an error of its own: those before it carry 0, those after it "not tried" (-2). */
function multiError(
  error: unknown,
  operations: readonly Operation[],
  results: readonly LibraryResult[] = [],
): ZooKeeperError {
  const index = results.findIndex(result => result.err !== undefined && result.err !== 0);
  const operation = operations[index];
  if (operation === undefined) return translateError(error, 'multi', operations[0]!.path);
  const wireCode = results[index]!.err!;
  const text = errorCode(wireCode) === 'UNKNOWN' ? `ZooKeeper error ${wireCode}` : errorCode(wireCode);
  const message = `multi, ${operation.kind} ${operation.path}: ${text}`;
  return new ZooKeeperError(errorCode(wireCode), operation.path, message, index);
}
