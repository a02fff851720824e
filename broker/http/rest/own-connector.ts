import type { Address, Connection, Connector } from '../../../shared/connection/connection.ts';

/**
 * The connector of this broker's own clients: its own address leads straight to the dispatcher, others go over the
 * network. So routing, retries and following leaders are the client's, and exist once.
 */
export class OwnConnector implements Connector {
  readonly #isOwn: (address: Address) => boolean;
  readonly #local: () => Connection;
  readonly #remote: Connector;

  constructor(isOwn: (address: Address) => boolean, local: () => Connection, remote: Connector) {
    this.#isOwn = isOwn;
    this.#local = local;
    this.#remote = remote;
  }

  connect(address: Address): Promise<Connection> {
    return this.#isOwn(address) ? Promise.resolve(this.#local()) : this.#remote.connect(address);
  }
}
