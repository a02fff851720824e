import { ConnectionError, type Address, type Connection, type Connector } from '../../shared/connection/connection.ts';
import { backoffMs } from '../backoff.ts';
import type { ClientRuntime } from '../runtime.ts';

export interface PoolOptions {
  readonly reconnectBackoffMs: number;
  readonly reconnectBackoffMaxMs: number;
}

interface Peer {
  connection: Connection | null;
  connecting: Promise<Connection> | null;
  failures: number;
  /** Why the last try has failed: what those hear who ask during the pause. */
  failure: Error | null;
  /** Monotonic time before which no new attempt is made. */
  notBefore: number;
}

/** One connection an address, opened on first use, re-opened after it broke, with growing pauses while it cannot be. */
export class ConnectionPool {
  readonly #connector: Connector;
  readonly #runtime: ClientRuntime;
  readonly #options: PoolOptions;
  readonly #peers = new Map<string, Peer>();
  #closed = false;

  constructor(connector: Connector, runtime: ClientRuntime, options: PoolOptions) {
    this.#connector = connector;
    this.#runtime = runtime;
    this.#options = options;
  }

  /** @throws ConnectionError when the address cannot be reached, at once while its back-off pause lasts */
  async get(address: Address): Promise<Connection> {
    if (this.#closed) throw clientClosed();
    const peer = this.#peer(address);
    if (peer.connection !== null && !peer.connection.closed) return peer.connection;
    peer.connecting ??= this.#connect(address, peer).finally(() => (peer.connecting = null));
    return peer.connecting;
  }

  close(): void {
    this.#closed = true;
    for (const peer of this.#peers.values()) peer.connection?.close();
    this.#peers.clear();
  }

  #peer({ host, port }: Address): Peer {
    const key = `${host}:${port}`;
    let peer = this.#peers.get(key);
    if (peer === undefined) {
      peer = { connection: null, connecting: null, failures: 0, failure: null, notBefore: 0 };
      this.#peers.set(key, peer);
    }
    return peer;
  }

  async #connect(address: Address, peer: Peer): Promise<Connection> {
    const { clock, random } = this.#runtime;
    if (clock.monotonic() < peer.notBefore) {
      const why = peer.failure === null ? '' : `: ${peer.failure.message}`;
      throw new ConnectionError('REFUSED', `${address.host}:${address.port} could not be reached a moment ago${why}`);
    }
    try {
      const connection = await this.#connector.connect(address);
      if (this.#closed) {
        connection.close();
        throw clientClosed();
      }
      peer.connection = connection;
      peer.failures = 0;
      peer.failure = null;
      return connection;
    } catch (error) {
      peer.failures++;
      peer.failure = error as Error;
      const { reconnectBackoffMs, reconnectBackoffMaxMs } = this.#options;
      peer.notBefore = clock.monotonic() + backoffMs(peer.failures, reconnectBackoffMs, reconnectBackoffMaxMs, random);
      throw error;
    }
  }
}

export function clientClosed(): ConnectionError {
  return new ConnectionError('CLOSED', 'this client is closed');
}
