import { ConnectionError, type Address, type Connection, type Connector } from '../shared/connection/connection.ts';
import type { MetadataCache } from './metadata/metadata-cache.ts';

interface Link {
  readonly address: Address;
  readonly connection: Connection;
}

/** Connections to other brokers, and to this one, at their addresses of the time: made when they are needed, one each. */
export class BrokerLinks {
  readonly #metadata: MetadataCache;
  readonly #connector: Connector;
  readonly #listenerName: string;
  readonly #links = new Map<number, Link>();
  #isClosed = false;

  constructor(metadata: MetadataCache, connector: Connector, listenerName: string) {
    this.#metadata = metadata;
    this.#connector = connector;
    this.#listenerName = listenerName;
  }

  /**
   * For one caller at a time and broker: two would make two connections.
   * @throws ConnectionError when the broker is not alive, or cannot be reached
   */
  async connect(brokerId: number): Promise<Connection> {
    const endpoint = this.#metadata.endpoint(brokerId, this.#listenerName);
    if (endpoint === null) throw new ConnectionError('REFUSED', `broker ${brokerId} is not alive`);
    const { host, port } = endpoint;
    const known = this.#links.get(brokerId);
    if (known !== undefined && !known.connection.closed) {
      if (known.address.host === host && known.address.port === port) return known.connection;
      known.connection.close();
    }
    const connection = await this.#connector.connect({ host, port });
    if (this.#isClosed) {
      connection.close();
      throw new ConnectionError('CLOSED', 'the broker is stopping');
    }
    this.#links.set(brokerId, { address: { host, port }, connection });
    return connection;
  }

  close(): void {
    this.#isClosed = true;
    for (const { connection } of this.#links.values()) connection.close();
  }
}
