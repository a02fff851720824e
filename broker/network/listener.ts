import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Clock, Timer, Timers } from '../../shared/runtime/clock.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import { plainAddress, type ConnectionLimits } from './connection-limits.ts';
import { HandshakeFailures } from './handshake-failures.ts';
import { Handshakes } from './handshakes.ts';
import type { ListenerSpec } from './options.ts';
import { SNIFFED_BYTES, sniffDialect, type SniffedDialect } from './sniff.ts';

/** How long a connection may take to say what it is. */
const FIRST_BYTES_TIMEOUT_MS = 10_000;

/** An accepted connection whose dialect is known, with the first bytes taken out of the socket. */
export interface SniffedConnection {
  /** The secured one, on a listener with TLS. */
  readonly socket: Socket;
  /** Empty when the dialect was agreed on before any bytes came. */
  readonly first: Buffer;
  readonly dialect: SniffedDialect;
  readonly listener: ListenerSpec;
  readonly clientAddress: string;
}

export interface ListenerSurroundings {
  readonly limits: ConnectionLimits;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly backlog: number;
  /** Takes a connection over, with the duty to report its end to `limits`. */
  readonly takeOver: (connection: SniffedConnection) => void;
}

/**
 * One bound port. Connections are accepted as soon as it is bound, and looked at only after `start`: until then clients
 * wait rather than being refused.
 */
export class Listener {
  readonly spec: ListenerSpec;
  readonly #shared: ListenerSurroundings;
  readonly #server: Server;
  readonly #handshakes: Handshakes | null;
  readonly #newcomers = new Set<Newcomer>();
  #started = false;

  constructor(spec: ListenerSpec, shared: ListenerSurroundings) {
    this.spec = spec;
    this.#shared = shared;
    this.#handshakes = makeHandshakes(spec, shared);
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, socket => this.#accept(socket));
  }

  /** The port in use; 0 while there is none. */
  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0;
  }

  /** @throws Error with one sentence, when the address cannot be bound */
  bind(): Promise<void> {
    const { name, host, port } = this.spec;
    return new Promise((resolve, reject) => {
      const onError = (error: Error) =>
        reject(new Error(`listener ${name} cannot be bound to ${host}:${port}: ${error.message}`));
      this.#server.once('error', onError);
      this.#server.listen({ port, backlog: this.#shared.backlog, ...(host === '' ? {} : { host }) }, () => {
        this.#server.off('error', onError);
        this.#server.on('error', error =>
          this.#shared.logger.error({ err: error, listener: name }, 'accepting a connection failed'),
        );
        resolve();
      });
    });
  }

  start(): void {
    this.#started = true;
    for (const newcomer of this.#newcomers) newcomer.identify();
  }

  /** Frees the port and drops the connections that nobody has taken over yet. */
  stop(): void {
    this.#server.close();
    for (const newcomer of this.#newcomers) newcomer.destroy();
  }

  #accept(socket: Socket): void {
    const { limits, logger, timers, takeOver } = this.#shared;
    const clientAddress = plainAddress(socket.remoteAddress ?? '');
    const refusal = limits.admit(this.spec.name, clientAddress);
    if (refusal !== null) {
      logger.info({ listener: this.spec.name, client: clientAddress }, `connection refused: ${refusal}`);
      socket.destroy();
      return;
    }
    const newcomer = new Newcomer(socket, this.#handshakes, timers, identified => {
      this.#newcomers.delete(newcomer);
      if (identified === null) limits.gone(clientAddress);
      else takeOver({ ...identified, listener: this.spec, clientAddress });
    });
    this.#newcomers.add(newcomer);
    if (this.#started) newcomer.identify();
  }
}

function makeHandshakes({ name, tls }: ListenerSpec, { logger, clock }: ListenerSurroundings): Handshakes | null {
  if (tls === undefined || tls === null) return null;
  const failures = new HandshakeFailures(logger, clock);
  return new Handshakes(tls, (error, { remoteAddress }) =>
    failures.report(name, plainAddress(remoteAddress ?? 'unknown'), error),
  );
}

type Identified = Pick<SniffedConnection, 'socket' | 'first' | 'dialect'>;

/** What was agreed on by ALPN. */
const AGREED: Readonly<Record<string, SniffedDialect>> = { h2: 'http2', 'http/1.1': 'http1' };
const NOTHING = Buffer.alloc(0);

/**
 * A connection from its acceptance until its dialect is known:
 *
 *     accepted ──TLS?──► secured ──ALPN?──► known
 *         └──────────────────┴──► first bytes ──┘
 */
class Newcomer {
  readonly #accepted: Socket;
  /** The accepted one or what TLS made of it. */
  #socket: Socket;
  readonly #handshakes: Handshakes | null;
  readonly #timers: Timers;
  readonly #done: (identified: Identified | null) => void;
  #deadline: Timer | null = null;

  /** @param done called once: with all bytes that have come, taken out of the socket, or with null when it is gone */
  constructor(
    accepted: Socket,
    handshakes: Handshakes | null,
    timers: Timers,
    done: (identified: Identified | null) => void,
  ) {
    this.#accepted = accepted;
    this.#socket = accepted;
    this.#handshakes = handshakes;
    this.#timers = timers;
    this.#done = done;
    accepted.on('error', ignoreError);
    accepted.on('close', this.#onClose);
  }

  identify(): void {
    if (this.#handshakes === null) this.#awaitFirstBytes();
    else this.#handshakes.begin(this.#accepted, secured => this.#secured(secured));
  }

  destroy(): void {
    this.#socket.destroy();
    this.#accepted.destroy();
  }

  #secured(socket: TLSSocket): void {
    this.#socket = socket;
    socket.on('error', ignoreError);
    const agreed = typeof socket.alpnProtocol === 'string' ? AGREED[socket.alpnProtocol] : undefined;
    if (agreed === undefined) this.#awaitFirstBytes();
    else this.#finish(NOTHING, agreed);
  }

  #awaitFirstBytes(): void {
    this.#deadline = this.#timers.after(FIRST_BYTES_TIMEOUT_MS, () => this.destroy());
    this.#socket.on('readable', this.#onReadable);
    this.#onReadable();
  }

  #onClose = () => {
    this.#deadline?.cancel();
    this.#done(null);
  };

  #onReadable = () => {
    const socket = this.#socket;
    if (socket.readableLength < SNIFFED_BYTES) return;
    // Without the length, Node 26 returns one chunk only.
    const first = socket.read(socket.readableLength) as Buffer;
    this.#finish(first, sniffDialect(first));
  };

  #finish(first: Buffer, dialect: SniffedDialect): void {
    const socket = this.#socket;
    this.#deadline?.cancel();
    socket.off('readable', this.#onReadable).off('error', ignoreError);
    this.#accepted.off('error', ignoreError).off('close', this.#onClose);
    this.#done({ socket, first, dialect });
  }
}

/** An error is followed by 'close', which is all that matters here. */
function ignoreError(): void {}
