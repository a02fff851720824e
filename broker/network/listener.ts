import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Timer, Timers } from '../../shared/runtime/clock.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import { plainAddress, type ConnectionLimits } from './connection-limits.ts';
import type { ListenerSpec } from './options.ts';
import { SNIFFED_BYTES, sniffDialect, type SniffedDialect } from './sniff.ts';

/** How long a connection may take to say what it is. */
const FIRST_BYTES_TIMEOUT_MS = 10_000;

/** An accepted connection whose first bytes have come, with these bytes taken out of the socket. */
export interface SniffedConnection {
  readonly socket: Socket;
  readonly first: Buffer;
  readonly dialect: SniffedDialect;
  readonly listener: ListenerSpec;
  readonly clientAddress: string;
}

export interface ListenerSurroundings {
  readonly limits: ConnectionLimits;
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
  readonly #newcomers = new Set<Newcomer>();
  #started = false;

  constructor(spec: ListenerSpec, shared: ListenerSurroundings) {
    this.spec = spec;
    this.#shared = shared;
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
    const newcomer = new Newcomer(socket, timers, first => {
      this.#newcomers.delete(newcomer);
      if (first === null) limits.gone(clientAddress);
      else takeOver({ socket, first, dialect: sniffDialect(first), listener: this.spec, clientAddress });
    });
    this.#newcomers.add(newcomer);
    if (this.#started) newcomer.identify();
  }
}

/** A connection from its acceptance to its first bytes. */
class Newcomer {
  readonly #socket: Socket;
  readonly #timers: Timers;
  readonly #done: (first: Buffer | null) => void;
  #deadline: Timer | null = null;

  /** @param done called once: with all bytes that have come, taken out of the socket, or with null when it is gone */
  constructor(socket: Socket, timers: Timers, done: (first: Buffer | null) => void) {
    this.#socket = socket;
    this.#timers = timers;
    this.#done = done;
    socket.on('error', this.#ignoreError);
    socket.on('close', this.#onClose);
  }

  /** Waits for the bytes that tell the dialect. */
  identify(): void {
    this.#deadline = this.#timers.after(FIRST_BYTES_TIMEOUT_MS, () => this.destroy());
    this.#socket.on('readable', this.#onReadable);
    this.#onReadable();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** An error is followed by 'close', which is all that matters here. */
  #ignoreError = () => {};

  #onClose = () => {
    this.#deadline?.cancel();
    this.#done(null);
  };

  #onReadable = () => {
    const socket = this.#socket;
    if (socket.readableLength < SNIFFED_BYTES) return;
    this.#deadline?.cancel();
    socket.off('readable', this.#onReadable).off('error', this.#ignoreError).off('close', this.#onClose);
    // Without the length, Node 26 returns one chunk only.
    this.#done(socket.read(socket.readableLength) as Buffer);
  };
}
