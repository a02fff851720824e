import type { Socket } from 'node:net';
import { createSecureContext, createServer, type SecureContext, type Server, type TLSSocket } from 'node:tls';
import type { ListenerTls } from '../security/listener-tls.ts';

/** How long a handshake may take. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** What is offered by ALPN (RFC 7301); Kafka's clients do not ask. */
const PROTOCOLS = ['h2', 'http/1.1'];

/** The parts of Node's TLS that are not public. */
interface SocketInternals {
  _parent?: Socket | null;
}

interface ServerInternals {
  _sharedCreds?: SecureContext;
  sessionIdContext?: string;
  requestCert?: boolean;
  rejectUnauthorized?: boolean;
}

/**
 * The TLS handshakes of one listener. The server in here owns no port: accepted sockets are given to it, and come back
 * secured.
 */
export class Handshakes {
  readonly #server: Server;
  /** Who waits for which connection; the addresses and ports of its ends tell a connection from all others. */
  readonly #waiting = new Map<string, (secured: TLSSocket) => void>();

  /** @param failed told of each handshake that failed */
  constructor(tls: ListenerTls, failed: (error: Error, socket: Socket) => void) {
    this.#server = createServer({ ...tls.options, ALPNProtocols: PROTOCOLS, handshakeTimeout: HANDSHAKE_TIMEOUT_MS });
    useTerms(this.#server, tls);
    tls.onChange(() => useTerms(this.#server, tls));
    this.#server.on('tlsClientError', (error, socket) => failed(verdictOn(socket) ?? error, acceptedOf(socket)));
    this.#server.on('secureConnection', socket => {
      // A certificate that is only requested still has to be a good one, as in Java.
      const verdict = socket.getPeerX509Certificate() === undefined ? null : verdictOn(socket);
      if (verdict === null) {
        this.#waiting.get(connectionKey(socket))?.(socket);
        return;
      }
      failed(verdict, socket);
      socket.destroy();
    });
  }

  /** Secures a socket of which nothing has been read. When that fails the socket closes, and `done` is not called. */
  begin(socket: Socket, done: (secured: TLSSocket) => void): void {
    const key = connectionKey(socket);
    socket.once('close', () => this.#waiting.delete(key));
    this.#waiting.set(key, secured => {
      this.#waiting.delete(key);
      secured.allowHalfOpen = true;
      done(secured);
    });
    // A peer that has said all it has to say before the handshake is over, as port checks do, is gone.
    socket.allowHalfOpen = false;
    this.#server.emit('connection', socket);
  }
}

/**
 * A server hands on all options of its context but `allowPartialTrustChain`, and has no way to change what it asks of
 * clients. So the context is made apart and put, with the rest, where the server keeps its own. On a Node that keeps them
 * elsewhere, trust stores work as far as their certificates are signed by themselves, and `ssl.client.auth` is as it was
 * at the start. Sessions from before a change cannot be resumed: their tickets were the old context's.
 */
function useTerms(server: Server, { options }: ListenerTls): void {
  server.setSecureContext(options);
  const internals = server as unknown as ServerInternals;
  if (internals._sharedCreds === undefined) return;
  const { requestCert = false, rejectUnauthorized = false, ...terms } = options;
  const { sessionIdContext } = internals;
  Object.assign(internals, {
    requestCert,
    rejectUnauthorized,
    _sharedCreds: createSecureContext({
      ...terms,
      honorCipherOrder: true,
      ...(sessionIdContext === undefined ? {} : { sessionIdContext }),
    }),
  });
}

/** The socket below: unlike the TLS one it still knows its peer after it was closed. */
function acceptedOf(secured: TLSSocket): Socket {
  return (secured as unknown as SocketInternals)._parent ?? secured;
}

function connectionKey({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress}:${remotePort}-${localAddress}:${localPort}`;
}

/** Why the client's certificate is not accepted, as the error that a client would get; null when it is. */
function verdictOn(socket: TLSSocket): Error | null {
  const code = socket.authorizationError as Error | string | null | undefined;
  return typeof code === 'string' ? Object.assign(new Error(code), { code }) : (code ?? null);
}
