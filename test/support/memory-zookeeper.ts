import type { Clock, Timers } from '../../shared/runtime/clock.ts';
import {
  isZooKeeperError,
  ZooKeeperError,
  type CreateMode,
  type Operation,
  type OperationResult,
  type SessionEvent,
  type Stat,
  type Watcher,
  type ZooKeeper,
} from '../../shared/zookeeper/zookeeper.ts';
import { ZooKeeperTree, type Change } from './memory-zookeeper-tree.ts';

export interface MemoryZooKeeperOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly sessionTimeoutMs: number;
  /** Delay of the next message, one way, milliseconds. Messages of a connection never overtake each other. */
  latencyMs(): number;
}

type WatchKind = 'node' | 'children';

/** Has the client's process take what arrives: now, later, or never. */
type Gate = (arrival: () => void) => void;

/** A watch as the server of a connection holds it. */
interface Connection {
  readonly watches: Record<WatchKind, Set<string>>;
  notify(change: Change): void;
}

/**
 * ZooKeeper in memory, for the simulation: one tree, many clients, every delay through the timers it is given, nothing
 * left to chance but what `latencyMs` brings in. Clients lose their connection and session on command. Behaves like the
 * real client over the real server, as far as the contract that both are tested against goes.
 */
export class MemoryZooKeeper {
  readonly tree = new ZooKeeperTree();
  readonly options: MemoryZooKeeperOptions;
  readonly connections = new Set<Connection>();
  readonly #sessions = new Set<bigint>();
  #lastSession = 0x1000n;

  constructor(options: MemoryZooKeeperOptions) {
    this.options = options;
  }

  /** Connects another client; resolves when it has a session. */
  async connect(receive?: Gate): Promise<MemoryZooKeeperClient> {
    const client = new MemoryZooKeeperClient(this, receive);
    await this.options.timers.sleep(this.options.latencyMs());
    client.reconnect();
    return client;
  }

  openSession(): bigint {
    this.#sessions.add(++this.#lastSession);
    return this.#lastSession;
  }

  isAlive(session: bigint): boolean {
    return this.#sessions.has(session);
  }

  /** Ends a session: its ephemeral nodes go, and those who watch them hear of it. */
  endSession(session: bigint): void {
    if (!this.#sessions.delete(session)) return;
    for (const path of this.tree.ephemeralsOf(session)) this.apply([{ kind: 'remove', path, version: -1 }], session);
  }

  apply(operations: readonly Operation[], session: bigint): OperationResult[] {
    const { results, changes } = this.tree.apply(operations, session, this.options.clock.now());
    for (const connection of this.connections) for (const change of changes) connection.notify(change);
    return results;
  }
}

/** A call that has been made and not been answered. */
interface Call {
  /** Does the call at the server. */
  execute(session: bigint, connection: Connection): unknown;
  readonly path: string;
  /** The answer has arrived. */
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

const MAX_DATA_BYTES = 1_000_000;

/** One client. Its connection stays as it is until `disconnect`, `reconnect` or `expire` is called. */
export class MemoryZooKeeperClient implements ZooKeeper {
  readonly #server: MemoryZooKeeper;
  readonly #receive: Gate;
  readonly #listeners: ((event: SessionEvent) => void)[] = [];
  readonly #watchers = { node: new Map<string, Set<Watcher>>(), children: new Map<string, Set<Watcher>>() };
  /** Watched nodes that were there when the watch was set. */
  readonly #present = new Set<string>();
  /** Made while there was no connection. */
  #waiting: Call[] = [];
  /** Sent, not answered. */
  #inFlight = new Set<Call>();
  #connection: Connection | null = null;
  #session = 0n;
  /** The last transaction this client has heard of. */
  #seenZxid = 0n;
  #state: 'open' | 'closed' | 'abandoned' = 'open';
  #everConnected = false;
  /** How often the connection was lost. */
  #cuts = 0;
  /** Messages under way in each direction: the oldest arrives first, whatever its own delay was. */
  readonly #lanes = { up: [] as (() => void)[], down: [] as (() => void)[] };

  constructor(server: MemoryZooKeeper, receive: Gate = arrival => arrival()) {
    this.#server = server;
    this.#receive = receive;
  }

  get sessionId(): bigint {
    return this.#session;
  }

  get connected(): boolean {
    return this.#connection !== null && this.#state === 'open';
  }

  onSession(listener: (event: SessionEvent) => void): void {
    this.#listeners.push(listener);
  }

  getData(path: string, watcher?: Watcher): Promise<{ data: Buffer | null; stat: Stat } | null> {
    return this.#read(path, 'node', watcher, () => {
      const node = this.#server.tree.read(path);
      return node === null ? null : { data: node.data && Buffer.from(node.data), stat: node.stat };
    });
  }

  exists(path: string, watcher?: Watcher): Promise<Stat | null> {
    return this.#read(path, 'node', watcher, () => this.#server.tree.read(path)?.stat ?? null);
  }

  getChildren(path: string, watcher?: Watcher): Promise<string[] | null> {
    return this.#read(path, 'children', watcher, () => this.#server.tree.children(path));
  }

  async create(path: string, data: Buffer | null, mode: CreateMode): Promise<string> {
    const [result] = await this.#single({ kind: 'create', path, data, mode });
    return (result as { path: string }).path;
  }

  async setData(path: string, data: Buffer | null, version: number): Promise<Stat> {
    const [result] = await this.#single({ kind: 'setData', path, data, version });
    return (result as { stat: Stat }).stat;
  }

  async remove(path: string, version: number): Promise<void> {
    await this.#single({ kind: 'remove', path, version });
  }

  async multi(operations: readonly Operation[]): Promise<OperationResult[]> {
    if (operations.length === 0) return [];
    const size = operations.reduce((sum, operation) => sum + operation.path.length + sizeOf(operation), 0);
    if (size > MAX_DATA_BYTES) throw new ZooKeeperError('TOO_LARGE', operations[0]!.path, `${size} bytes are too many`);
    for (const { path } of operations) requirePath(path);
    return this.#call(operations[0]!.path, session => this.#server.apply(operations, session));
  }

  async #single(operation: Operation): Promise<OperationResult[]> {
    try {
      return await this.multi([operation]);
    } catch (error) {
      if (!isZooKeeperError(error)) throw error;
      throw new ZooKeeperError(error.code, error.path, error.message);
    }
  }

  /** Ends the session at the server. */
  async close(): Promise<void> {
    if (this.#state !== 'open') return;
    this.#state = 'closed';
    const { session, server } = { session: this.#session, server: this.#server };
    const wasConnected = this.#connection !== null;
    this.#cut('CLOSED');
    this.#failWaiting('CLOSED');
    await server.options.timers.sleep(server.options.latencyMs());
    if (wasConnected) server.endSession(session);
    else this.#expireLater(session);
  }

  /** The connection breaks: what is under way is lost, on the way there or on the way back. */
  disconnect(): void {
    if (!this.connected) return;
    this.#cut('CONNECTION_LOSS');
    this.#expireLater(this.#session);
    this.#tell('disconnected');
  }

  /** The connection is made (again), in the same session if it still lives. */
  reconnect(): void {
    if (this.#connection !== null || this.#state !== 'open') return;
    if (this.#session !== 0n && !this.#server.isAlive(this.#session)) {
      this.#session = 0n;
      this.#dropWatchers();
      this.#failWaiting('SESSION_EXPIRED');
      this.#tell('expired');
    }
    const first = !this.#everConnected;
    const renewed = this.#session === 0n;
    this.#everConnected = true;
    if (renewed) this.#session = this.#server.openSession();
    this.#connection = this.#newConnection();
    this.#server.connections.add(this.#connection);
    if (!renewed) this.#rearm(this.#connection);
    for (const call of this.#waiting.splice(0)) this.#send(call);
    if (!first) this.#tell(renewed ? 'connected' : 'reconnected');
  }

  /** The server ends the session while the client is connected or not; a connected one learns it at once. */
  expire(): void {
    const wasConnected = this.connected;
    this.disconnect();
    this.#server.endSession(this.#session);
    if (wasConnected) this.#after(() => this.reconnect());
  }

  /** The process is gone: nothing that it waits for ever arrives. The session ends by its timeout. */
  abandon(): void {
    this.#state = 'abandoned';
    this.#inFlight.clear();
    this.#cut('CONNECTION_LOSS');
    this.#expireLater(this.#session);
    this.#waiting = [];
    this.#listeners.length = 0;
    this.#dropWatchers();
  }

  #dropWatchers(): void {
    this.#watchers.node.clear();
    this.#watchers.children.clear();
  }

  #newConnection(): Connection {
    const watches = { node: new Set<string>(), children: new Set<string>() };
    return { watches, notify: change => this.#notify(watches, change) };
  }

  /** At the server: a change that somebody watches becomes an event under way, and the watch is used up. */
  #notify(watches: Connection['watches'], change: Change): void {
    const kinds: WatchKind[] =
      change.kind === 'childrenChanged' ? ['children'] : change.kind === 'deleted' ? ['node', 'children'] : ['node'];
    const fired = kinds.filter(kind => watches[kind].delete(change.path));
    if (fired.length > 0) this.#deliver('down', () => fired.forEach(kind => this.#fire(kind, change)));
  }

  #fire(kind: WatchKind, { kind: type, path }: Change): void {
    const watchers = this.#watchers[kind].get(path) ?? new Set();
    this.#watchers[kind].delete(path);
    for (const watcher of watchers) watcher({ type, path });
  }

  /** After a reconnect the server compares what is watched with what this client had seen last. */
  #rearm(connection: Connection): void {
    for (const path of this.#watchers.node.keys()) {
      const node = this.#server.tree.read(path);
      connection.watches.node.add(path);
      const seen = this.#present.has(path);
      if (node === null && seen) connection.notify({ kind: 'deleted', path });
      else if (node !== null && !seen) connection.notify({ kind: 'created', path });
      else if (node !== null && node.stat.mzxid > this.#seenZxid) connection.notify({ kind: 'dataChanged', path });
    }
    for (const path of this.#watchers.children.keys()) {
      const node = this.#server.tree.read(path);
      connection.watches.children.add(path);
      if (node === null) connection.notify({ kind: 'deleted', path });
      else if (node.pzxid > this.#seenZxid) connection.notify({ kind: 'childrenChanged', path });
    }
  }

  /** Reads are made again when their answer was lost, as the real client does. */
  async #read<T>(path: string, kind: WatchKind, watcher: Watcher | undefined, execute: () => T): Promise<T> {
    requirePath(path);
    const { clock, sessionTimeoutMs } = this.#server.options;
    const deadline = clock.monotonic() + sessionTimeoutMs;
    const setsWatch = (value: unknown) => watcher !== undefined && (kind === 'node' || value !== null);
    while (true) {
      try {
        return await this.#call(
          path,
          (_session, connection) => {
            const value = execute();
            if (setsWatch(value)) connection.watches[kind].add(path);
            return value;
          },
          value => {
            if (setsWatch(value)) this.#addWatcher(kind, path, watcher!, value !== null);
          },
        );
      } catch (error) {
        if (!isZooKeeperError(error, 'CONNECTION_LOSS') || clock.monotonic() >= deadline) throw error;
      }
    }
  }

  #addWatcher(kind: WatchKind, path: string, watcher: Watcher, present: boolean): void {
    if (kind === 'node') this.#present[present ? 'add' : 'delete'](path);
    const watchers = this.#watchers[kind].get(path) ?? new Set();
    this.#watchers[kind].set(path, watchers.add(watcher));
  }

  #call<T>(
    path: string,
    execute: (session: bigint, connection: Connection) => T,
    received: (value: T) => void = () => {},
  ): Promise<T> {
    if (this.#state === 'closed') return Promise.reject(failure('CLOSED', path));
    return new Promise<T>((resolve, reject) => {
      const answered = (value: unknown) => {
        received(value as T);
        resolve(value as T);
      };
      const call: Call = { execute, path, resolve: answered, reject };
      if (this.#connection !== null) this.#send(call);
      else if (this.#state === 'open') this.#wait(call);
    });
  }

  #wait(call: Call): void {
    this.#waiting.push(call);
    this.#server.options.timers.after(this.#server.options.sessionTimeoutMs, () => {
      const index = this.#waiting.indexOf(call);
      if (index < 0) return;
      this.#waiting.splice(index, 1);
      call.reject(failure('CONNECTION_LOSS', call.path));
    });
  }

  #send(call: Call): void {
    this.#inFlight.add(call);
    const connection = this.#connection!;
    this.#deliver('up', () => {
      // The server has closed the connection of a session that is over; what is sent into it comes to nothing.
      if (!this.#server.isAlive(this.#session)) return;
      let settle: () => void;
      try {
        const value = call.execute(this.#session, connection);
        settle = () => call.resolve(value);
      } catch (error) {
        settle = () => call.reject(error);
      }
      const { zxid } = this.#server.tree;
      this.#deliver('down', () => {
        if (!this.#inFlight.delete(call)) return;
        this.#seenZxid = zxid;
        settle();
      });
    });
  }

  /** Has something happen at the other end after the latency, in order, unless the connection breaks before. */
  #deliver(lane: 'up' | 'down', action: () => void): void {
    const connection = this.#connection;
    const queue = this.#lanes[lane];
    const arrive = () => {
      if (this.#connection === connection) action();
    };
    queue.push(lane === 'up' ? arrive : () => this.#receive(arrive));
    this.#after(() => queue.shift()?.());
  }

  #after(action: () => void): void {
    this.#server.options.timers.after(this.#server.options.latencyMs(), action);
  }

  #cut(code: 'CONNECTION_LOSS' | 'CLOSED'): void {
    if (this.#connection !== null) this.#server.connections.delete(this.#connection);
    this.#connection = null;
    this.#cuts++;
    const lost = this.#inFlight;
    this.#inFlight = new Set();
    for (const call of lost) call.reject(failure(code, call.path));
  }

  #failWaiting(code: 'SESSION_EXPIRED' | 'CLOSED'): void {
    for (const call of this.#waiting.splice(0)) call.reject(failure(code, call.path));
  }

  /** Without a connection a session ends by its timeout, which a reconnect resets. */
  #expireLater(session: bigint): void {
    const server = this.#server;
    const cuts = this.#cuts;
    server.options.timers.after(server.options.sessionTimeoutMs, () => {
      if (this.#connection === null && this.#cuts === cuts) server.endSession(session);
    });
  }

  #tell(event: SessionEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

function requirePath(path: string): void {
  if (path === '/' || /^(\/(?!\.{1,2}(\/|$))[^/]+)+$/.test(path)) return;
  throw new ZooKeeperError('BAD_ARGUMENTS', path, `"${path}" is not a path`);
}

function sizeOf(operation: Operation): number {
  return 'data' in operation ? (operation.data?.length ?? 0) : 0;
}

function failure(code: ZooKeeperError['code'], path: string): ZooKeeperError {
  return new ZooKeeperError(code, path, `${path}: ${code}`);
}
