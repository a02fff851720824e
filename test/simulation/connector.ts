import {
  ConnectionError,
  type Address,
  type CallOptions,
  type Connection,
  type Connector,
} from '../../shared/connection/connection.ts';
import { chooseVersion } from '../../shared/connection/versions.ts';
import type { Api, RequestInput, ResponseOf } from '../../shared/protocol/api.ts';
import { Produce } from '../../shared/protocol/messages/produce.ts';
import type { Timer } from '../../shared/runtime/clock.ts';
import type { Life } from './life.ts';
import { Lane, type NetworkConnection, type SimulatedNetwork } from './network.ts';
import type { IncomingRequest } from './server-end.ts';

/** A broker as the network sees it. */
export interface Server {
  readonly name: string;
  /** Whether its machine answers at all; it does for a process that is gone, by refusing. */
  readonly isPowered: boolean;
  /** The process that would take a new connection, or null when there is none. */
  readonly life: Life | null;
  /** Lets a connection in; `hangUp` ends it from the broker's side. null when nobody listens. */
  accept(client: string, hangUp: () => void): AcceptedConnection | null;
}

export interface AcceptedConnection {
  readonly life: Life;
  versions(api: Api): { min: number; max: number } | null;
  receive(request: IncomingRequest): void;
  close(): void;
}

export interface ConnectorParts {
  readonly network: SimulatedNetwork;
  readonly client: string;
  readonly life: Life;
  readonly servers: ReadonlyMap<string, Server>;
  readonly requestTimeoutMs: number;
  readonly connectTimeoutMs: number;
  /** Learn the versions that the peer serves; brokers do not among themselves. */
  readonly negotiate: boolean;
  /** Takes a line for every message. */
  readonly trace: (line: string) => void;
}

/** Opens connections through the simulated network. */
export class SimulatedConnector implements Connector {
  readonly #parts: ConnectorParts;

  constructor(parts: ConnectorParts) {
    this.#parts = parts;
  }

  connect({ host }: Address): Promise<Connection> {
    const { network, client, life, servers, connectTimeoutMs } = this.#parts;
    const server = servers.get(host)!;
    const link = network.link(client, server.name);
    return new Promise((resolve, reject) => {
      const refuse = (code: 'REFUSED' | 'TIMED_OUT') =>
        reject(new ConnectionError(code, `${client} could not connect to ${host}`));
      const timeout = life.after(connectTimeoutMs, () => refuse('TIMED_OUT'));
      life.after(network.latencyMs(link), () => {
        if (network.isCut(link) || !server.isPowered) return;
        timeout.cancel();
        const connection = SimulatedConnection.open(this.#parts, server);
        if (connection === null) refuse('REFUSED');
        else resolve(connection);
      });
    });
  }
}

interface Pending {
  readonly reject: (error: Error) => void;
  readonly timer: Timer;
}

class SimulatedConnection implements Connection, NetworkConnection {
  readonly peer: string;
  readonly link: string;
  closed = false;
  readonly #parts: ConnectorParts;
  readonly #server: Server;
  readonly #up: Lane;
  readonly #down: Lane;
  readonly #pending = new Set<Pending>();
  readonly #listeners: (() => void)[] = [];
  #accepted!: AcceptedConnection;

  private constructor(parts: ConnectorParts, server: Server) {
    this.#parts = parts;
    this.#server = server;
    this.peer = server.name;
    this.link = parts.network.link(parts.client, server.name);
    const route = parts.network.route(parts.client, server.name);
    this.#up = new Lane(parts.network, this.link, route);
    this.#down = new Lane(parts.network, this.link, route);
  }

  static open(parts: ConnectorParts, server: Server): SimulatedConnection | null {
    const connection = new SimulatedConnection(parts, server);
    const accepted = server.accept(parts.client, () => connection.#hangUp());
    if (accepted === null) return null;
    connection.#accepted = accepted;
    parts.network.connections.add(connection);
    return connection;
  }

  versions(api: Api): { min: number; max: number } | null {
    return this.#parts.negotiate ? this.#accepted.versions(api) : api.versions;
  }

  async call<A extends Api>(
    api: A,
    request: RequestInput<A>,
    { version: asked, timeoutMs = this.#parts.requestTimeoutMs }: CallOptions = {},
  ): Promise<ResponseOf<A> | undefined> {
    if (this.closed) throw this.#gone('CLOSED');
    const version = chooseVersion(api, this.versions(api), asked, this.peer);
    const body = Buffer.concat(api.request.encode(request, version));
    if (api.key === Produce.key && (request as RequestInput<typeof Produce>).acks === 0) {
      this.#send(api, version, body, () => {});
      return undefined;
    }
    const response = await new Promise<Buffer>((resolve, reject) => {
      const timer = this.#parts.life.after(timeoutMs, () => this.#fail(this.#gone('TIMED_OUT')));
      const pending: Pending = { reject, timer };
      this.#pending.add(pending);
      this.#send(api, version, body, answer => {
        if (!this.#pending.delete(pending)) return;
        timer.cancel();
        resolve(answer);
      });
    });
    return api.response.decode(response, version) as ResponseOf<A>;
  }

  #send(api: Api, version: number, body: Buffer, onAnswer: (answer: Buffer) => void): void {
    const { trace, client, life } = this.#parts;
    const answer = (response: Buffer | undefined) => {
      if (response === undefined) return;
      this.#down.send(() => {
        trace(`${this.peer} > ${client} ${api.name} ${response.length}`);
        life.run(() => onAnswer(response));
      });
    };
    this.#up.send(() => {
      trace(`${client} > ${this.peer} ${api.name} v${version} ${body.length}`);
      this.#atServer(() =>
        this.#accepted.receive({ apiKey: api.key, apiVersion: version, clientId: client, body, answer }),
      );
    });
  }

  /** The process may be gone: then its machine, or the one started since, says that it knows no such connection. */
  #atServer(action: () => void): void {
    const { life } = this.#accepted;
    if (!life.isOver) life.run(action);
    else if (this.#server.isPowered) this.#hangUp();
  }

  /** The other side ends the connection; what it sent before still arrives. */
  #hangUp(): void {
    this.#down.send(() => this.#parts.life.run(() => this.#fail(this.#gone('CLOSED'))));
  }

  serverDied(): void {
    this.#hangUp();
  }

  isServedBy(life: Life): boolean {
    return this.#accepted.life === life;
  }

  isOf(life: Life): boolean {
    return this.#parts.life === life;
  }

  close(): void {
    this.#fail(this.#gone('CLOSED'));
  }

  reset(): void {
    this.#up.drop();
    this.#down.drop();
    this.#parts.network.connections.delete(this);
    this.#parts.network.time.after(0, () => {
      this.#atServer(() => this.#accepted.close());
      this.#parts.life.run(() => this.#fail(this.#gone('CLOSED')));
    });
  }

  onClose(listener: () => void): void {
    if (this.closed) listener();
    else this.#listeners.push(listener);
  }

  #gone(code: 'CLOSED' | 'TIMED_OUT'): ConnectionError {
    return new ConnectionError(code, `${this.#parts.client} to ${this.peer}: ${code}`);
  }

  #fail(error: ConnectionError): void {
    if (this.closed) return;
    this.closed = true;
    this.#parts.network.connections.delete(this);
    for (const { reject, timer } of this.#pending) {
      timer.cancel();
      reject(error);
    }
    this.#pending.clear();
    for (const listener of this.#listeners) listener();
    // What was sent before still arrives, and then the end.
    this.#up.send(() => {
      this.#up.drop();
      this.#down.drop();
      const { life } = this.#accepted;
      if (!life.isOver) life.run(() => this.#accepted.close());
    });
  }
}
