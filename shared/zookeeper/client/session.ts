import type { Timers } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import { ZooKeeperError } from '../zookeeper.ts';
import { formatServer, type ServerAddress } from './connect-string.ts';
import {
  library,
  LIBRARY_CONNECTION_LOSS,
  LIBRARY_STATE,
  type ConnectionManager,
  type LibraryClient,
} from './library.ts';
import { Watchdog } from './watchdog.ts';
import { rearmWatches, WatchRegistry } from './watches.ts';

export interface SessionOptions {
  readonly servers: readonly ServerAddress[];
  /** Wanted; the server has the last word. */
  readonly sessionTimeoutMs: number;
  readonly logger: Logger;
  readonly timers: Timers;
  /** Called on each change, from 'connected' on; nothing follows 'expired'. */
  onChange(session: Session, event: 'connected' | 'disconnected' | 'expired'): void;
}

/** How many different connection errors are kept for the message of a failed start. */
const MAX_CAUSES = 5;
/**
 * Longest pause, drawn at random, after all servers have been tried in vain, milliseconds. Less for short sessions: a
 * server that starts again gives its old sessions just their timeout to come back.
 */
const MAX_SPIN_MS = 1000;
/** Request numbers are int32; they start anew before they overflow. Answers come in order, so numbers may repeat. */
const MAX_XID = 0x7fff0000;

/**
 * One ZooKeeper session over one client of the library, which moves it from server to server until it ends: by expiry,
 * which the server tells on a reconnect, or by `close`.
 */
export class Session {
  readonly client: LibraryClient;
  readonly watches: WatchRegistry;
  readonly #options: SessionOptions;
  readonly #manager: ConnectionManager;
  readonly #watchdog: Watchdog;
  readonly #causes = new Set<string>();
  #connected = false;
  #everConnected = false;
  #ended = false;
  #onClosed: (() => void) | null = null;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.watches = new WatchRegistry(options.logger);
    this.client = library.createClient(options.servers.map(formatServer).join(','), {
      sessionTimeout: options.sessionTimeoutMs,
      spinDelay: Math.min(MAX_SPIN_MS, options.sessionTimeoutMs / 8),
      retries: 0,
    });
    this.#manager = this.client.connectionManager;
    this.#watchdog = new Watchdog(
      options.timers,
      () => this.#probe(),
      () => this.#giveUpConnection('the server does not answer'),
    );
    this.#patch(this.#manager);
    this.#manager.on('state', (state: number) => this.#onState(state));
  }

  get connected(): boolean {
    return this.#connected;
  }

  get id(): bigint {
    return this.client.getSessionId().readBigInt64BE();
  }

  /** Timeout in milliseconds as the server granted it. */
  get timeoutMs(): number {
    return this.client.getSessionTimeout();
  }

  /** Recent errors of attempts to connect. */
  get causes(): string[] {
    return [...this.#causes];
  }

  start(): void {
    this.#watchdog.start(this.#options.sessionTimeoutMs);
    this.client.connect();
  }

  /** Keeps request numbers in range; to be called before each request. */
  prepare(): void {
    if (this.#manager.xid >= MAX_XID) this.#manager.xid = 0;
  }

  /**
   * Ends the session at the server, so that its ephemeral nodes go at once. Resolves when the server has answered, or
   * has not within the limit; the rest is then left to the session timeout.
   */
  async close(limitMs: number): Promise<void> {
    if (this.#connected && !this.#ended) {
      await new Promise<void>(resolve => {
        const timer = this.#options.timers.after(limitMs, resolve);
        this.#onClosed = () => {
          timer.cancel();
          resolve();
        };
        this.client.close();
      });
    }
    this.destroy();
  }

  /** Lets go of everything on this side. Calls under way fail with CONNECTION_LOSS. Doing it twice does nothing. */
  destroy(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#connected = false;
    this.#watchdog.stop();
    this.#manager.socket?.destroy();
    this.#dropLeftovers();
    this.#manager.cleanupPendingQueue(LIBRARY_CONNECTION_LOSS);
  }

  #patch(manager: ConnectionManager): void {
    // The library splits addresses at any colon, which IPv6 has many of.
    manager.servers = shuffled(this.#options.servers);
    manager.updateTimeout(this.#options.sessionTimeoutMs);
    manager.watcherManager.isEmpty = () => true;

    const connect = manager.connect.bind(manager);
    const findNextServer = manager.findNextServer.bind(manager);
    const onSocketError = manager.onSocketError.bind(manager);
    // A client that has ended must not connect again, neither from the close handler nor from a pending retry.
    manager.connect = () => {
      if (!this.#ended) connect();
    };
    manager.findNextServer = callback => {
      findNextServer(server => {
        if (this.#ended) return;
        this.#watchdog.heard();
        callback(server);
      });
    };
    manager.onSocketError = error => {
      this.#noteCause(error);
      onSocketError(error);
    };
    manager.onSocketData = this.#guardedReceiver(manager, manager.onSocketData.bind(manager));
  }

  /**
   * The library handles one message and calls itself for the next. Here a loop does that, so that a thousand watch
   * events in one chunk take no thousand stack frames, and a message that it cannot read costs the connection, not the
   * process.
   */
  #guardedReceiver(manager: ConnectionManager, receive: (chunk: Buffer) => void): (chunk: Buffer) => void {
    const nothing = Buffer.alloc(0);
    let busy = false;
    return chunk => {
      if (busy) return;
      busy = true;
      this.#watchdog.heard();
      try {
        receive(chunk);
        for (let left = Infinity; manager.pendingBuffer !== null && manager.pendingBuffer.length < left;) {
          left = manager.pendingBuffer.length;
          receive(nothing);
        }
      } catch (error) {
        this.#options.logger.error({ err: error }, 'cannot read an answer of ZooKeeper');
        this.#giveUpConnection('an answer could not be read');
      } finally {
        busy = false;
      }
    };
  }

  #onState(state: number): void {
    switch (state) {
      case LIBRARY_STATE.disconnected:
        this.#dropLeftovers();
        if (this.#connected) this.#become(false, 'disconnected');
        break;
      case LIBRARY_STATE.connected:
        this.#onConnected();
        break;
      case LIBRARY_STATE.expired:
        if (this.#ended) return;
        this.destroy();
        this.#options.onChange(this, 'expired');
        break;
      case LIBRARY_STATE.closed:
        this.#onClosed?.();
        break;
    }
  }

  #onConnected(): void {
    if (this.#everConnected) {
      rearmWatches(this.#manager, error => {
        this.#options.logger.error({ err: error }, 'cannot set the watches anew');
        this.#giveUpConnection('watches could not be set');
      });
    }
    this.#everConnected = true;
    this.#causes.clear();
    this.#watchdog.start(this.timeoutMs);
    this.#become(true, 'connected');
  }

  #become(connected: boolean, event: 'connected' | 'disconnected'): void {
    this.#connected = connected;
    if (!this.#ended) this.#options.onChange(this, event);
  }

  /**
   * What the library keeps over a disconnect and must not: half an answer, which it would put before the next
   * connection's first; unsent calls, which would run long after their callers gave up; the connect timer, which would
   * cut the next socket.
   */
  #dropLeftovers(): void {
    this.#manager.pendingBuffer = null;
    clearTimeout(this.#manager.connectTimeoutHandler ?? undefined);
    const loss = library.Exception.create(LIBRARY_CONNECTION_LOSS);
    for (const packet of this.#manager.packetQueue.queue.splice(0)) packet.callback?.(loss);
  }

  #probe(): void {
    if (this.#connected) this.client.exists('/', () => {});
  }

  #giveUpConnection(reason: string): void {
    if (this.#connected) this.#options.logger.warn({ reason }, 'cutting the connection to ZooKeeper');
    this.#noteCause(new Error(reason));
    this.#manager.socket?.destroy();
  }

  #noteCause(error: Error): void {
    const first = error instanceof AggregateError ? (error.errors[0] as Error) : error;
    if (this.#causes.size < MAX_CAUSES) this.#causes.add(first.message);
  }
}

function shuffled<T>(items: readonly T[]): T[] {
  const keyed = items.map(item => ({ item, key: Math.random() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
}

/**
 * Starts a session and resolves once it exists. Its first 'connected' is not reported to `onChange`.
 * @throws ZooKeeperError CONNECTION_LOSS naming the servers tried, or CLOSED when the signal aborts
 */
export function openSession(options: SessionOptions, limitMs: number, signal: AbortSignal): Promise<Session> {
  return new Promise((resolve, reject) => {
    const fail = (error: ZooKeeperError) => {
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
      session.destroy();
      reject(error);
    };
    const onAbort = () => fail(new ZooKeeperError('CLOSED', '/', 'the ZooKeeper client was closed'));
    let open = false;
    const session: Session = new Session({
      ...options,
      onChange: (changed, event) => {
        if (open) options.onChange(changed, event);
        if (open || event !== 'connected') return;
        open = true;
        timer.cancel();
        signal.removeEventListener('abort', onAbort);
        resolve(changed);
      },
    });
    const timer = options.timers.after(limitMs, () => fail(noServer(options.servers, limitMs, session.causes)));
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    else session.start();
  });
}

function noServer(servers: readonly ServerAddress[], limitMs: number, causes: readonly string[]): ZooKeeperError {
  const tried = servers.map(formatServer).join(', ');
  const why = causes.length === 0 ? '' : ` (${causes.join('; ')})`;
  return new ZooKeeperError(
    'CONNECTION_LOSS',
    '/',
    `no ZooKeeper server answered within ${limitMs} ms, tried ${tried}${why}`,
  );
}
