import type { Clock, Timers } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { CallQueue } from './client/calls.ts';
import { parseConnectString } from './client/connect-string.ts';
import { Operations } from './client/operations.ts';
import { SessionKeeper } from './client/session-keeper.ts';
import { pathsDownTo } from './paths.ts';
import {
  isZooKeeperError,
  type CreateMode,
  type Operation,
  type OperationResult,
  type SessionEvent,
  type Stat,
  type Watcher,
  type ZooKeeper,
} from './zookeeper.ts';

export interface ZooKeeperOptions {
  /** `host1:2181,host2:2181/chroot`, as in `zookeeper.connect`. A missing chroot is created. */
  readonly connectString: string;
  readonly sessionTimeoutMs: number;
  /** Limit for the first connection. */
  readonly connectionTimeoutMs: number;
  /** Calls on their way at a time; default 10, as `zookeeper.max.in.flight.requests`. */
  readonly maxInFlight?: number;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly timers: Timers;
}

/** A connected client. Beside the interface, what is needed to take its session over (tests do, to expire it). */
export interface ZooKeeperClient extends ZooKeeper {
  /** Timeout of the current session in milliseconds, as the server granted it. */
  readonly sessionTimeoutMs: number;
  readonly sessionPassword: Buffer;
}

/**
 * Connects to ZooKeeper. From then on the client keeps itself going: it moves its session to another server when one
 * falls silent, and makes a new session when the old one has expired.
 * @throws ZooKeeperError CONNECTION_LOSS naming the servers tried, when none answers in time; BAD_ARGUMENTS for a bad
 *   connect string; NO_AUTH when the chroot is missing and may not be created
 */
export async function connectZooKeeper(options: ZooKeeperOptions): Promise<ZooKeeperClient> {
  const client = new Client(options);
  try {
    await client.start();
  } catch (error) {
    await client.close();
    throw error;
  }
  return client;
}

/** The interface over calls.ts (order, limits), operations.ts (the wire) and session-keeper.ts (which session). */
class Client implements ZooKeeperClient {
  readonly #options: ZooKeeperOptions;
  readonly #chroot: string;
  readonly #calls: CallQueue;
  readonly #operations: Operations;
  readonly #keeper: SessionKeeper;

  constructor(options: ZooKeeperOptions) {
    const { servers, chroot } = parseConnectString(options.connectString);
    this.#options = options;
    this.#chroot = chroot;
    this.#calls = new CallQueue({
      clock: options.clock,
      timers: options.timers,
      maxInFlight: options.maxInFlight ?? 10,
      timeLimitMs: options.sessionTimeoutMs,
    });
    this.#operations = new Operations(this.#calls, chroot);
    this.#keeper = new SessionKeeper({ ...options, servers }, this.#calls);
  }

  async start(): Promise<void> {
    await this.#keeper.start();
    await this.#untilAnswered(() => this.#createChroot());
  }

  get connected(): boolean {
    return this.#keeper.session?.connected === true;
  }

  get sessionId(): bigint {
    return this.#keeper.session?.id ?? 0n;
  }

  get sessionTimeoutMs(): number {
    return this.#keeper.session?.timeoutMs ?? this.#options.sessionTimeoutMs;
  }

  get sessionPassword(): Buffer {
    return this.#keeper.session?.client.getSessionPassword() ?? Buffer.alloc(0);
  }

  onSession(listener: (event: SessionEvent) => void): void {
    this.#keeper.listeners.push(listener);
  }

  close(): Promise<void> {
    return this.#keeper.close();
  }

  getData(path: string, watcher?: Watcher): Promise<{ data: Buffer | null; stat: Stat } | null> {
    return this.#untilAnswered(async () => {
      const node = await this.#operations.getData(path, watcher);
      // Reading a missing node sets no watch, asking whether it exists does. It may come into being in between.
      if (node !== null || watcher === undefined) return node;
      return (await this.#operations.exists(path, watcher)) === null ? null : await this.#operations.getData(path);
    });
  }

  exists(path: string, watcher?: Watcher): Promise<Stat | null> {
    return this.#untilAnswered(() => this.#operations.exists(path, watcher));
  }

  getChildren(path: string, watcher?: Watcher): Promise<string[] | null> {
    return this.#untilAnswered(() => this.#operations.getChildren(path, watcher));
  }

  create(path: string, data: Buffer | null, mode: CreateMode): Promise<string> {
    return this.#operations.create(path, data, mode);
  }

  setData(path: string, data: Buffer | null, version: number): Promise<Stat> {
    return this.#operations.setData(path, data, version);
  }

  remove(path: string, version: number): Promise<void> {
    return this.#operations.remove(path, version);
  }

  multi(operations: readonly Operation[]): Promise<OperationResult[]> {
    return this.#operations.multi(operations);
  }

  /** Nothing on the way down is touched when the chroot is there: it may belong to others. */
  async #createChroot(): Promise<void> {
    if (this.#chroot === '' || (await this.#operations.exists('/')) !== null) return;
    const above = new Operations(this.#calls, '');
    for (const path of pathsDownTo(this.#chroot)) {
      try {
        await above.create(path, null, 'persistent');
      } catch (error) {
        if (!isZooKeeperError(error, 'NODE_EXISTS')) throw error;
      }
    }
  }

  /** For what may be done twice: when its answer was lost it is done again, as long as its time limit allows. */
  async #untilAnswered<T>(attempt: () => Promise<T>): Promise<T> {
    const { clock, sessionTimeoutMs } = this.#options;
    const deadline = clock.monotonic() + sessionTimeoutMs;
    while (true) {
      try {
        return await attempt();
      } catch (error) {
        if (!isZooKeeperError(error, 'CONNECTION_LOSS') || clock.monotonic() >= deadline) throw error;
      }
    }
  }
}
