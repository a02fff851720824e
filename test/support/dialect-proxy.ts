import { connect, createServer, type Server, type Socket } from 'node:net';

/** How a connection over HTTP/2 begins (RFC 9113, 3.4). */
const PREFACE = 'PRI * HTTP/2';

/** A TCP proxy on 127.0.0.1 before one broker that notes which dialects are spoken through it. */
export class DialectProxy {
  readonly port: number;
  /** Those of the connections on which something was said. */
  readonly seen = new Set<'http2' | 'kafka'>();
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.port = (server.address() as { port: number }).port;
    server.on('connection', socket => this.#accept(socket, target));
  }

  static async start(targetPort: number): Promise<DialectProxy> {
    const server = createServer();
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    return new DialectProxy(server, targetPort);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise(resolve => this.#server.close(resolve));
  }

  #accept(client: Socket, target: number): void {
    const server = connect(target, '127.0.0.1');
    client.once('data', chunk => {
      this.seen.add(chunk.toString('latin1').startsWith(PREFACE) ? 'http2' : 'kafka');
    });
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.pipe(server).pipe(client);
  }
}
