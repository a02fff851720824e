import { createServer as createHttp1, type RequestListener, type Server } from 'node:http';
import { createServer as createHttp2, type Http2Server, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { endHttp2 } from '../../shared/connection/http2-ending.ts';
import type { Clock, Timers } from '../../shared/runtime/clock.ts';
import type { ConnectionContext } from '../request/context.ts';
import { IdleSessions } from './idle-sessions.ts';
import { http1Call, http2Call, isRpc, type RpcCall } from './rpc-call.ts';

/**
 * HTTP/2 flow control for uploads: one stream, and a whole session. Larger ones gain nothing on an upload, and a session
 * may fill its window while the broker is short of memory.
 */
const STREAM_WINDOW_BYTES = 1 << 20;
const SESSION_WINDOW_BYTES = 4 << 20;
const MAX_CONCURRENT_STREAMS = 256;
/** Megabytes that Node lets a session hold before it refuses streams; its default of 10 is less than one large fetch. */
const MAX_SESSION_MEMORY_MB = 256;
/** How long the head of an HTTP/1.1 request may take to arrive. */
const HEAD_TIMEOUT_MS = 60_000;

const kConnection = Symbol('connection');

/** A socket or an HTTP/2 session with its connection's context; a session's socket proxy shows the socket's. */
interface Tagged {
  [kConnection]?: ConnectionContext;
}

/** The connection that a request came in by. */
export function connectionOf(request: { readonly socket: object }): ConnectionContext {
  return (request.socket as Tagged)[kConnection]!;
}

/** Who takes which requests. */
export interface HttpHandlers {
  readonly rpc: (call: RpcCall) => void;
  /** All others. */
  readonly other: RequestListener;
}

/**
 * An HTTP/1.1 and an HTTP/2 server over the same handlers. They own no port: accepted sockets are handed to them.
 */
export class HttpServers {
  readonly http1Server: Server;
  readonly #http2Server: Http2Server;
  readonly #handlers: HttpHandlers;
  readonly #timers: Timers;
  readonly #maxIdleMs: number;
  readonly #idle: IdleSessions;
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Set<ServerHttp2Session>();
  #closing = false;
  #onDrained: (() => void) | null = null;

  constructor(handlers: HttpHandlers, clock: Clock, timers: Timers, maxIdleMs: number) {
    this.#handlers = handlers;
    this.#timers = timers;
    this.#maxIdleMs = Math.max(0, maxIdleMs);
    this.#idle = new IdleSessions(clock, timers, this.#maxIdleMs);
    this.http1Server = this.#createHttp1();
    this.#http2Server = this.#createHttp2();
  }

  http1(socket: Socket, connection: ConnectionContext): void {
    this.#adopt(socket, connection);
    this.http1Server.emit('connection', socket);
  }

  http2(socket: Socket, connection: ConnectionContext): void {
    this.#adopt(socket, connection);
    agreeOnHttp2(socket);
    // The listener's sockets may be half open, and a session does not see the FIN: its peer is gone, frame or no frame.
    socket.once('end', () => socket.destroy());
    this.#http2Server.emit('connection', socket);
  }

  /** Takes no new requests, lets those under way be answered, and resolves when all connections are closed. */
  async close(gracefulMs: number): Promise<void> {
    this.#closing = true;
    this.http1Server.close();
    this.http1Server.closeIdleConnections();
    for (const session of this.#sessions) session.close();
    if (this.#sockets.size === 0) return;
    const drained = new Promise<void>(resolve => (this.#onDrained = resolve));
    const deadline = this.#timers.after(gracefulMs, () => {
      for (const session of this.#sessions) session.destroy();
      for (const socket of this.#sockets) socket.destroy();
    });
    await drained;
    deadline.cancel();
  }

  #createHttp1(): Server {
    const options = {
      noDelay: true,
      headersTimeout: HEAD_TIMEOUT_MS,
      // Bodies may be streams without end (NDJSON); whoever collects one limits its time.
      requestTimeout: 0,
      keepAliveTimeout: this.#maxIdleMs,
    };
    const { rpc, other } = this.#handlers;
    const server = createHttp1(options, (request, response) => {
      response.once('close', () => {
        if (this.#closing) setImmediate(() => server.closeIdleConnections());
      });
      if (isRpc(request.method, request.url)) rpc(http1Call(request, response, connectionOf(request)));
      else other(request, response);
    });
    // A server looks after its connections' time limits from 'listening' on, which this one never does by itself.
    server.emit('listening');
    return server;
  }

  #createHttp2(): Http2Server {
    const server = createHttp2({
      settings: { initialWindowSize: STREAM_WINDOW_BYTES, maxConcurrentStreams: MAX_CONCURRENT_STREAMS },
      maxSessionMemory: MAX_SESSION_MEMORY_MB,
    });
    // A server with a request listener wraps every stream. This one has no connections: it wraps the streams given to it.
    const compatible = createHttp2({}, this.#handlers.other as never);
    server.on('stream', (stream, headers, ...rest) => {
      const { session } = stream;
      // A stream may be gone when it is told of, its session with it: without a listener its error would be the process's.
      stream.on('error', () => {});
      if (!isRpc(headers[':method'], headers[':path'])) compatible.emit('stream', stream, headers, ...rest);
      else if (session !== undefined) this.#handlers.rpc(http2Call(stream, headers, (session as Tagged)[kConnection]!));
    });
    server.on('session', session => this.#opened(session));
    server.on('sessionError', () => {});
    return server;
  }

  #adopt(socket: Socket, connection: ConnectionContext): void {
    (socket as Tagged)[kConnection] = connection;
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      if (this.#sockets.size === 0) this.#onDrained?.();
    });
  }

  #opened(session: ServerHttp2Session): void {
    this.#sessions.add(session);
    destroyOutside(session);
    (session as Tagged)[kConnection] = connectionOf(session);
    session.once('close', () => this.#sessions.delete(session));
    session.setLocalWindowSize(SESSION_WINDOW_BYTES);
    this.#idle.watch(session);
  }
}

/** A session refuses a TLS socket without ALPN, whatever its first bytes say: those have been looked at before. */
function agreeOnHttp2(socket: Socket): void {
  if (socket instanceof TLSSocket && socket.alpnProtocol !== 'h2') socket.alpnProtocol = 'h2';
}

/**
 * Node destroys a session in the midst of nghttp2's work when the peer says GOAWAY with an error, or breaks a rule.
 * nghttp2 works on; to a destroyed session a stream that now begins is not made known, and the first DATA on it finds
 * nobody to be given to: an assertion that ends the process (seen with Node 22.23). One packet from anybody would do.
 *
 * The error's stack is asked for because that turns it into text. Before, it holds what it was thrown upon, Node's side of
 * the session, and if the peer has not confirmed the settings there is a ring that no garbage collection can break up:
 *
 *     native session ─▶ settings on their way ─▶ session ─▶ socket ─▶ its error ─▶ the stack ─▶ native session
 */
function destroyOutside(session: ServerHttp2Session): void {
  const destroy = session.destroy.bind(session);
  session.destroy = (error, code) => {
    if (error instanceof Error) String(error.stack);
    endHttp2(() => destroy(error, code));
  };
}
