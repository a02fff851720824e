import {
  ZooKeeperError,
  type CreateMode,
  type Operation,
  type OperationResult,
  type SessionEvent,
  type Stat,
  type Watcher,
  type ZooKeeper,
} from '../../shared/zookeeper/zookeeper.ts';

/** Where a call is lost: on the way there it has no effect, on the way back it has. */
export type LostOn = 'request' | 'answer';

/**
 * A client that loses calls on command, exactly those the test names. Everything else goes to the client below, which
 * can be exchanged, as after an expired session.
 */
export class FaultyZooKeeper implements ZooKeeper {
  inner: ZooKeeper;
  #losses: LostOn[] = [];
  /** Writes that were passed on, by kind: `create`, `setData`, `remove`, `multi`. */
  readonly writes: string[] = [];
  /** Runs before each write, once; to have others act in between. */
  beforeWrite: (() => Promise<unknown>) | null = null;

  constructor(inner: ZooKeeper) {
    this.inner = inner;
  }

  /** The next writes are lost, one for each entry. */
  loseWrites(...losses: LostOn[]): void {
    this.#losses.push(...losses);
  }

  get sessionId(): bigint {
    return this.inner.sessionId;
  }

  get connected(): boolean {
    return this.inner.connected;
  }

  getData(path: string, watcher?: Watcher): Promise<{ data: Buffer | null; stat: Stat } | null> {
    return this.inner.getData(path, watcher);
  }

  exists(path: string, watcher?: Watcher): Promise<Stat | null> {
    return this.inner.exists(path, watcher);
  }

  getChildren(path: string, watcher?: Watcher): Promise<string[] | null> {
    return this.inner.getChildren(path, watcher);
  }

  create(path: string, data: Buffer | null, mode: CreateMode): Promise<string> {
    return this.#write('create', path, () => this.inner.create(path, data, mode));
  }

  setData(path: string, data: Buffer | null, version: number): Promise<Stat> {
    return this.#write('setData', path, () => this.inner.setData(path, data, version));
  }

  remove(path: string, version: number): Promise<void> {
    return this.#write('remove', path, () => this.inner.remove(path, version));
  }

  multi(operations: readonly Operation[]): Promise<OperationResult[]> {
    return this.#write('multi', operations[0]?.path ?? '/', () => this.inner.multi(operations));
  }

  onSession(listener: (event: SessionEvent) => void): void {
    this.inner.onSession(listener);
  }

  close(): Promise<void> {
    return this.inner.close();
  }

  async #write<T>(kind: string, path: string, write: () => Promise<T>): Promise<T> {
    const loss = this.#losses.shift();
    const before = this.beforeWrite;
    this.beforeWrite = null;
    await before?.();
    this.writes.push(kind);
    if (loss === undefined) return write();
    // An error of the server is an answer, too.
    if (loss === 'answer') await write().catch(() => {});
    throw new ZooKeeperError('CONNECTION_LOSS', path, `${path}: lost on purpose`);
  }
}
