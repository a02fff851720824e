import type { Socket } from 'node:net';
import type { Timer } from '../../shared/runtime/clock.ts';
import type { ConnectionContext, Dialect } from '../request/context.ts';
import { ConnectionLimits, resolveOverrides } from './connection-limits.ts';
import { KafkaConnection, type KafkaSurroundings } from './kafka-connection.ts';
import { Listener, type SniffedConnection } from './listener.ts';
import type { ListenerSpec } from './options.ts';

/** How often connections are looked through for idle ones. */
const IDLE_CHECK_PERIOD_MS = 1000;

/** Where connections that speak HTTP go; their first bytes are back in the socket. */
export interface HttpDoor {
  http1(socket: Socket, connection: ConnectionContext): void;
  http2(socket: Socket, connection: ConnectionContext): void;
}

export interface NetworkServerParts extends KafkaSurroundings {
  readonly listeners: readonly ListenerSpec[];
  readonly http: HttpDoor;
}

/**
 * The broker's ports. Kafka connections are served here, HTTP ones are handed on; both count against the limits.
 *
 *     bind() ──► ports are known, clients may connect and wait ──► startProcessing() ──► close()
 */
export class NetworkServer {
  readonly #parts: NetworkServerParts;
  #listeners: Listener[] = [];
  #limits: ConnectionLimits | null = null;
  readonly #sockets = new Set<Socket>();
  readonly #kafka = new Set<KafkaConnection>();
  #idleCheck: Timer | null = null;
  #accepted = 0;
  #onDrained: (() => void) | null = null;

  constructor(parts: NetworkServerParts) {
    this.#parts = parts;
  }

  /** Ports by listener name, once bound. */
  get boundPorts(): ReadonlyMap<string, number> {
    return new Map(this.#listeners.map(listener => [listener.spec.name, listener.port]));
  }

  /** Connections of all dialects. */
  get connectionCount(): number {
    return this.#limits?.total ?? 0;
  }

  /**
   * Binds all ports, or none.
   * @throws Error with one sentence that names the listener and the address
   */
  async bind(): Promise<void> {
    const { options, listeners, clock, timers, logger } = this.#parts;
    const limits = new ConnectionLimits(
      options,
      listeners,
      await resolveOverrides(options.maxConnectionsPerIpOverrides),
    );
    this.#limits = limits;
    const takeOver = (connection: SniffedConnection) => this.#takeOver(connection, limits);
    const shared = { limits, clock, timers, logger, backlog: options.backlog, takeOver };
    this.#listeners = listeners.map(spec => new Listener(spec, shared));
    const results = await Promise.allSettled(this.#listeners.map(listener => listener.bind()));
    const failed = results.find(result => result.status === 'rejected');
    if (failed === undefined) return;
    for (const listener of this.#listeners) listener.stop();
    throw failed.reason;
  }

  /**
   * Takes over `max.connections.per.ip.overrides` as it is now.
   * @throws Error with one sentence; what was in force stays
   */
  async updateOverrides(): Promise<void> {
    const overrides = await resolveOverrides(this.#parts.options.maxConnectionsPerIpOverrides);
    this.#limits?.setOverrides(overrides);
  }

  /** Starts to answer requests. */
  startProcessing(): void {
    for (const listener of this.#listeners) listener.start();
    this.#idleCheck = this.#parts.timers.every(IDLE_CHECK_PERIOD_MS, () => this.#closeIdle());
  }

  /**
   * Frees the ports, lets the requests under way be answered, and resolves when all connections are closed.
   * @param gracefulMs after which what is still open is cut off
   */
  async close(gracefulMs: number): Promise<void> {
    this.#idleCheck?.cancel();
    for (const listener of this.#listeners) listener.stop();
    for (const connection of this.#kafka) connection.end();
    if (this.#sockets.size === 0) return;
    const drained = new Promise<void>(resolve => (this.#onDrained = resolve));
    const deadline = this.#parts.timers.after(gracefulMs, () => {
      for (const socket of this.#sockets) socket.destroy();
    });
    await drained;
    deadline.cancel();
  }

  #takeOver(connection: SniffedConnection, limits: ConnectionLimits): void {
    const { socket, first, dialect } = connection;
    const abort = new AbortController();
    const context = this.#context(connection, abort.signal);
    if (dialect === 'kafka') {
      this.#serveKafka(socket, first, context, abort, limits);
      return;
    }
    this.#register(socket, context, limits);
    socket.once('close', () => abort.abort());
    if (first.length > 0) socket.unshift(first);
    this.#parts.http[dialect](socket, context);
  }

  #serveKafka(
    accepted: Socket,
    first: Buffer,
    context: ConnectionContext,
    abort: AbortController,
    limits: ConnectionLimits,
  ): void {
    const connection = new KafkaConnection(accepted, first, context, abort, this.#parts);
    this.#kafka.add(connection);
    connection.socket.once('close', () => this.#kafka.delete(connection));
    this.#register(connection.socket, context, limits);
  }

  #context({ socket, dialect, listener, clientAddress }: SniffedConnection, closed: AbortSignal): ConnectionContext {
    const { localAddress, localPort, remotePort } = socket;
    this.#accepted++;
    return {
      connectionId: `${localAddress}:${localPort}-${clientAddress}:${remotePort}-${this.#accepted}`,
      dialect: dialect === 'kafka' ? 'kafka' : 'http',
      listenerName: listener.name,
      securityProtocol: listener.protocol,
      principal: { type: 'User', name: 'ANONYMOUS' },
      clientAddress,
      closed,
    };
  }

  #register(socket: Socket, context: ConnectionContext, limits: ConnectionLimits): void {
    const { observer } = this.#parts;
    const { listenerName, clientAddress } = context;
    const dialect: Dialect = context.dialect;
    this.#sockets.add(socket);
    observer.connectionOpened(listenerName, dialect);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      limits.gone(clientAddress);
      observer.connectionClosed(listenerName, dialect);
      if (this.#sockets.size === 0) this.#onDrained?.();
    });
  }

  #closeIdle(): void {
    const now = this.#parts.clock.monotonic();
    for (const connection of this.#kafka) {
      const reason = connection.idleReason(now);
      if (reason === null) continue;
      this.#parts.logger.info({ connection: connection.id }, `closing the connection: ${reason}`);
      connection.destroy();
    }
  }
}
