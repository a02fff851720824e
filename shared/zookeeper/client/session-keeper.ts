import type { Timer, Timers } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import { isZooKeeperError, type SessionEvent } from '../zookeeper.ts';
import type { CallQueue } from './calls.ts';
import { formatServer, type ServerAddress } from './connect-string.ts';
import { openSession, type Session } from './session.ts';

export interface SessionKeeperOptions {
  readonly servers: readonly ServerAddress[];
  readonly sessionTimeoutMs: number;
  readonly connectionTimeoutMs: number;
  readonly logger: Logger;
  readonly timers: Timers;
}

/** Pause before another attempt to get a new session, milliseconds (Kafka: `ZooKeeperClient.scheduleReinitialize`). */
const RENEWAL_PAUSE_MS = 1000;
/** Session timeouts without a connection after which the session is doubted. */
const DOUBTFUL_TIMEOUTS = 2;
/** How long a doubted session may still take to come back although another one could be opened, milliseconds. */
const DOUBT_GRACE_MS = 3000;
/** How long the server is waited for on close, milliseconds. */
const CLOSE_LIMIT_MS = 2000;

/**
 * Sees to it that there is a session: opens the first, and a new one when it has expired. Owns the gate of the calls and
 * tells the listeners.
 *
 *   connected ◀──▶ disconnected ──(server: expired)──▶ expired ──(retried every second)──▶ connected, new session
 *                       └──(doubted, and given up)──────▲
 *
 * A session is doubted when it is out of reach for long. A server that has lost its data refuses it without a word, for
 * ever, because the client has seen later transactions than the server knows; a server without a quorum looks the same,
 * but will take it back. The difference: the first one does open new sessions. So another is opened, and if the old one
 * is still out then, it is given up.
 */
export class SessionKeeper {
  readonly listeners: ((event: SessionEvent) => void)[] = [];
  readonly #options: SessionKeeperOptions;
  readonly #calls: CallQueue;
  readonly #closing = new AbortController();
  #session: Session | null = null;
  #doubt: Timer | null = null;
  /** How often a session has come back. */
  #reconnections = 0;
  #closed: Promise<void> | null = null;

  constructor(options: SessionKeeperOptions, calls: CallQueue) {
    this.#options = options;
    this.#calls = calls;
  }

  /** The current session; null while there is none. */
  get session(): Session | null {
    return this.#session;
  }

  async start(): Promise<void> {
    this.#adopt(await this.#open());
  }

  /** Ends the session at the server, within a limit. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    this.#closing.abort();
    this.#doubt?.cancel();
    this.#calls.failWaiting('CLOSED');
    await session?.close(CLOSE_LIMIT_MS);
    this.#calls.pause();
  }

  /** @throws ZooKeeperError CONNECTION_LOSS, or CLOSED */
  #open(): Promise<Session> {
    const { servers, sessionTimeoutMs, connectionTimeoutMs, logger, timers } = this.#options;
    const onChange = this.#onChange.bind(this);
    const options = { servers, sessionTimeoutMs, logger, timers, onChange };
    return openSession(options, connectionTimeoutMs, this.#closing.signal);
  }

  #adopt(session: Session): void {
    if (this.#closed !== null) return void session.close(CLOSE_LIMIT_MS);
    this.#session = session;
    if (session.connected) this.#calls.open(session);
    else this.#doubtLater();
    const servers = this.#options.servers.map(formatServer);
    this.#options.logger.info(
      { servers, session: hex(session), timeoutMs: session.timeoutMs },
      'have a ZooKeeper session',
    );
  }

  #onChange(session: Session, event: 'connected' | 'disconnected' | 'expired'): void {
    if (session !== this.#session) return;
    switch (event) {
      case 'connected':
        this.#reconnections++;
        this.#doubt?.cancel();
        this.#options.logger.info({ session: hex(session) }, 'reconnected to ZooKeeper');
        this.#calls.open(session);
        this.#tell('reconnected');
        break;
      case 'disconnected':
        this.#calls.pause();
        this.#options.logger.warn({ session: hex(session) }, 'lost the connection to ZooKeeper');
        this.#doubtLater();
        this.#tell('disconnected');
        break;
      case 'expired':
        this.#dropSession();
        void this.#renew();
        break;
    }
  }

  #dropSession(): void {
    const session = this.#session;
    if (session === null) return;
    this.#options.logger.warn({ session: hex(session) }, 'the ZooKeeper session has expired');
    this.#doubt?.cancel();
    this.#session = null;
    session.destroy();
    this.#calls.failWaiting('SESSION_EXPIRED');
    this.#calls.pause();
    this.#tell('expired');
  }

  async #renew(): Promise<void> {
    const { logger, timers } = this.#options;
    const { signal } = this.#closing;
    while (this.#closed === null) {
      try {
        this.#adopt(await this.#open());
        this.#tell('connected');
        return;
      } catch (error) {
        if (isZooKeeperError(error, 'CLOSED')) return;
        logger.warn({ err: error }, 'cannot get a new ZooKeeper session yet');
        await timers.sleep(RENEWAL_PAUSE_MS, signal).catch(() => {});
      }
    }
  }

  #doubtLater(delayMs = DOUBTFUL_TIMEOUTS * (this.#session?.timeoutMs ?? 0)): void {
    this.#doubt?.cancel();
    this.#doubt = this.#options.timers.after(delayMs, () => void this.#doubtSession());
  }

  async #doubtSession(): Promise<void> {
    const doubted = this.#session;
    const before = this.#reconnections;
    let other: Session;
    try {
      other = await this.#open();
    } catch {
      if (this.#isOut(doubted)) this.#doubtLater(RENEWAL_PAUSE_MS);
      return;
    }
    await this.#options.timers.sleep(DOUBT_GRACE_MS, this.#closing.signal).catch(() => {});
    // One that came back and was cut off again has been taken back by the server: that is a new outage, doubted anew.
    if (!this.#isOut(doubted) || this.#reconnections !== before) return other.close(CLOSE_LIMIT_MS);
    // Lost as well, or over: it does not show any more that the server opens sessions.
    if (!other.connected) {
      this.#doubtLater(RENEWAL_PAUSE_MS);
      return other.close(CLOSE_LIMIT_MS);
    }
    this.#dropSession();
    this.#adopt(other);
    this.#tell('connected');
  }

  #isOut(session: Session | null): boolean {
    return session !== null && session === this.#session && !session.connected;
  }

  #tell(event: SessionEvent): void {
    for (const listener of this.listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#options.logger.error({ err: error, event }, 'a session listener threw');
      }
    }
  }
}

function hex(session: Session): string {
  return `0x${BigInt.asUintN(64, session.id).toString(16)}`;
}
