import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP proxy on 127.0.0.1 before one server, with which tests break the link between a client and ZooKeeper. */
export class ZooKeeperProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #target: number;
  #mode: 'open' | 'cut' | 'muted' | 'deaf' = 'open';
  /** Bytes from the server to let through before the link breaks; Infinity = it does not. */
  #allowance = Infinity;

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.#target = target;
    this.port = (server.address() as { port: number }).port;
    server.on('connection', socket => this.#accept(socket));
  }

  static async start(targetPort: number): Promise<ZooKeeperProxy> {
    const server = createServer({ allowHalfOpen: true });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    return new ZooKeeperProxy(server, targetPort);
  }

  get connectString(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Links that are up. */
  get links(): number {
    return this.#sockets.size / 2;
  }

  /** Breaks all links, and takes no new ones until `restore`. */
  cut(): void {
    this.#mode = 'cut';
    this.breakLinks();
  }

  /** Breaks all links; new ones are welcome. */
  breakLinks(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Breaks the links once the server has sent so many bytes more: in the middle of an answer. */
  breakAfter(bytes: number): void {
    this.#allowance = bytes;
  }

  /** A black hole: links stay up and are accepted, nothing gets through. */
  mute(): void {
    this.#mode = 'muted';
  }

  /** Requests get through, answers do not. */
  loseAnswers(): void {
    this.#mode = 'deaf';
  }

  /** New links work again. Muted ones are lost, as what was sent meanwhile is. */
  restore(): void {
    if (this.#mode === 'muted' || this.#mode === 'deaf') this.breakLinks();
    this.#mode = 'open';
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise(resolve => this.#server.close(resolve));
  }

  #accept(client: Socket): void {
    if (this.#mode === 'cut') return void client.destroy();
    const server = connect(this.#target, '127.0.0.1');
    const end = () => {
      client.destroy();
      server.destroy();
      this.#sockets.delete(client);
      this.#sockets.delete(server);
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.setNoDelay();
      socket.on('close', end);
      socket.on('error', end);
      socket.on('end', end);
    }
    client.on('data', chunk => {
      if (this.#mode !== 'muted') server.write(chunk);
    });
    server.on('data', chunk => {
      if (this.#mode === 'open') this.#forward(chunk, client);
    });
  }

  #forward(chunk: Buffer, client: Socket): void {
    if (chunk.length < this.#allowance) {
      this.#allowance -= chunk.length;
      client.write(chunk);
      return;
    }
    const part = chunk.subarray(0, this.#allowance);
    this.#allowance = Infinity;
    client.end(part);
    client.once('finish', () => this.breakLinks());
  }
}
