import type { Clock, Timer, Timers } from '../../runtime/clock.ts';
import { ZooKeeperError, type ZooKeeperErrorCode } from '../zookeeper.ts';
import { translateError } from './errors.ts';
import type { Done } from './library.ts';
import type { Session } from './session.ts';

/** Starts a call on the session; the library calls back at most once, or never. */
export type Start<T> = (session: Session, done: Done<T>) => void;

export interface CallOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Calls on their way at a time (`zookeeper.max.in.flight.requests`). */
  readonly maxInFlight: number;
  /** How long a call waits for a connection, and then for its answer, milliseconds. */
  readonly timeLimitMs: number;
}

interface WaitingCall {
  readonly path: string;
  deadline: number;
  start(session: Session): void;
  reject(error: ZooKeeperError): void;
}

/**
 * All calls of a client, in order. The library would take them at any time: queue them while disconnected and send them
 * long after their callers have given up, or never answer them when the session has expired. So they wait here, and go
 * out only over a live connection.
 *
 *   waiting ──(connected, room in flight)──▶ in flight ──▶ answered, or CONNECTION_LOSS
 *      └──(no connection for the time limit)──▶ CONNECTION_LOSS
 *      └──(session expired, client closed)──▶ SESSION_EXPIRED, CLOSED
 */
export class CallQueue {
  readonly #options: CallOptions;
  #waiting: WaitingCall[] = [];
  /** Calls before this index have left. */
  #head = 0;
  #inFlight = 0;
  #session: Session | null = null;
  #expiry: Timer | null = null;
  #closed = false;
  #draining = false;

  constructor(options: CallOptions) {
    this.#options = options;
  }

  /** Makes a call when its turn comes. `action` and `path` are for the error's message. */
  run<T>(action: string, path: string, start: Start<T>): Promise<T> {
    if (this.#closed) return Promise.reject(failure('CLOSED', action, path));
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({
        path,
        deadline: this.#options.clock.monotonic() + this.#options.timeLimitMs,
        start: session => this.#start(action, path, session, start, resolve, reject),
        reject,
      });
      if (this.#session === null) this.#armExpiry();
      else this.#drain();
    });
  }

  /** The connection is up: what waits goes out. */
  open(session: Session): void {
    this.#expiry?.cancel();
    this.#expiry = null;
    this.#session = session;
    this.#drain();
  }

  /** The connection is gone: from now on calls wait, each for at most the time limit. */
  pause(): void {
    this.#session = null;
    const deadline = this.#options.clock.monotonic() + this.#options.timeLimitMs;
    for (const call of this.#left()) call.deadline = deadline;
    this.#armExpiry();
  }

  /** Fails every call that has not gone out. After CLOSED there are no new ones. */
  failWaiting(code: 'SESSION_EXPIRED' | 'CLOSED'): void {
    this.#closed ||= code === 'CLOSED';
    this.#expiry?.cancel();
    this.#expiry = null;
    const calls = this.#left();
    this.#waiting = [];
    this.#head = 0;
    for (const call of calls) call.reject(failure(code, 'call on', call.path));
  }

  #left(): WaitingCall[] {
    return this.#waiting.slice(this.#head);
  }

  #shift(): WaitingCall | undefined {
    const call = this.#waiting[this.#head];
    if (call === undefined) return undefined;
    this.#head++;
    if (this.#head === this.#waiting.length || this.#head >= 1024) {
      this.#waiting = this.#left();
      this.#head = 0;
    }
    return call;
  }

  #drain(): void {
    while (this.#session !== null && this.#inFlight < this.#options.maxInFlight) {
      const call = this.#shift();
      if (call === undefined) return;
      call.start(this.#session);
    }
  }

  /**
   * Not at once: when the connection breaks, the library fails one call after the other before it says so. A call
   * started in between would be lost with them.
   */
  #drainSoon(): void {
    if (this.#draining) return;
    this.#draining = true;
    queueMicrotask(() => {
      this.#draining = false;
      this.#drain();
    });
  }

  #start<T>(
    action: string,
    path: string,
    session: Session,
    start: Start<T>,
    resolve: (value: T) => void,
    reject: (error: ZooKeeperError) => void,
  ): void {
    this.#inFlight++;
    let settled = false;
    const settle = (error: ZooKeeperError | null, value?: T) => {
      if (settled) return;
      settled = true;
      timer.cancel();
      this.#inFlight--;
      this.#drainSoon();
      if (error === null) resolve(value as T);
      else reject(this.#closed && error.code === 'CONNECTION_LOSS' ? failure('CLOSED', action, path) : error);
    };
    const timer = this.#options.timers.after(this.#options.timeLimitMs, () =>
      settle(new ZooKeeperError('CONNECTION_LOSS', path, `${action} ${path}: no answer in time`)),
    );
    try {
      session.prepare();
      start(session, (error, value) => settle(error ? translateError(error, action, path) : null, value));
    } catch (error) {
      settle(translateError(error, action, path));
    }
  }

  #armExpiry(): void {
    const first = this.#waiting[this.#head];
    if (first === undefined || this.#expiry !== null) return;
    const delay = Math.max(0, first.deadline - this.#options.clock.monotonic());
    this.#expiry = this.#options.timers.after(delay, () => this.#expire());
  }

  /** Deadlines never decrease along the queue. */
  #expire(): void {
    this.#expiry = null;
    const now = this.#options.clock.monotonic();
    for (let call = this.#waiting[this.#head]; call !== undefined && call.deadline <= now;) {
      this.#shift();
      call.reject(new ZooKeeperError('CONNECTION_LOSS', call.path, `${call.path}: no connection to ZooKeeper`));
      call = this.#waiting[this.#head];
    }
    this.#armExpiry();
  }
}

function failure(code: ZooKeeperErrorCode, action: string, path: string): ZooKeeperError {
  const reason = code === 'CLOSED' ? 'the ZooKeeper client is closed' : 'the ZooKeeper session has expired';
  return new ZooKeeperError(code, path, `${action} ${path}: ${reason}`);
}
