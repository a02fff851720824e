import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Random } from '../../shared/runtime/random.ts';

/**
 * A TCP proxy on 127.0.0.1 before one broker that loses answers: now and then, instead of passing on what the broker
 * has just sent, it breaks the connection. The broker has done what was asked; the client does not know.
 */
export class AnswerLosingProxy {
  readonly port: number;
  /** Share of the broker's packets that are lost. */
  lossRate = 0;
  /** How many were lost. */
  losses = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #target: number;
  readonly #random: Random;

  private constructor(server: Server, target: number, random: Random) {
    this.#server = server;
    this.#target = target;
    this.#random = random;
    this.port = (server.address() as { port: number }).port;
    server.on('connection', socket => this.#accept(socket));
  }

  static async start(targetPort: number, random: Random): Promise<AnswerLosingProxy> {
    const server = createServer();
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    return new AnswerLosingProxy(server, targetPort, random);
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise(resolve => this.#server.close(resolve));
  }

  #accept(client: Socket): void {
    const server = connect(this.#target, '127.0.0.1');
    const end = () => {
      for (const socket of [client, server]) {
        socket.destroy();
        this.#sockets.delete(socket);
      }
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.setNoDelay();
      socket.on('close', end);
      socket.on('error', end);
    }
    client.on('data', chunk => server.write(chunk));
    server.on('data', chunk => {
      if (this.#random.float() >= this.lossRate) {
        client.write(chunk);
        return;
      }
      this.losses++;
      end();
    });
  }
}
