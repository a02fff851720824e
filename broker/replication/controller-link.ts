import type { Api, RequestInput, ResponseOf } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { AlterPartition } from '../../shared/protocol/messages/alter-partition.ts';
import { ConnectionError, type Connection, type Connector } from '../../shared/connection/connection.ts';
import type { MetadataCache } from '../metadata/metadata-cache.ts';

/** How leaders reach the active controller. */
export interface IsrChannel {
  /**
   * Sends the request to the active controller.
   * @throws ConnectionError when there is none, or it cannot be reached
   */
  send(request: RequestInput<typeof AlterPartition>, version: number): Promise<ResponseOf<typeof AlterPartition>>;
  close(): void;
}

/**
 * The connection to whichever broker is the active controller, made when it is needed; a broker that is the controller
 * itself connects to itself, as in Kafka. After any trouble the next request looks for the controller anew.
 */
export class ControllerLink implements IsrChannel {
  readonly #metadata: MetadataCache;
  readonly #connector: Connector;
  readonly #listenerName: string;
  readonly #timeoutMs: number;
  #connection: Connection | null = null;
  #controllerId = -1;
  #isClosed = false;

  /**
   * @param listenerName the inter-broker listener
   * @param timeoutMs time limit of a request (`controller.socket.timeout.ms`)
   */
  constructor(metadata: MetadataCache, connector: Connector, listenerName: string, timeoutMs: number) {
    this.#metadata = metadata;
    this.#connector = connector;
    this.#listenerName = listenerName;
    this.#timeoutMs = timeoutMs;
  }

  send(request: RequestInput<typeof AlterPartition>, version: number): Promise<ResponseOf<typeof AlterPartition>> {
    return this.call(AlterPartition, request, version);
  }

  /**
   * Sends a request to the active controller. One that answers NOT_CONTROLLER is not asked again.
   * @throws ConnectionError when there is none, or it cannot be reached
   */
  async call<A extends Api>(api: A, request: RequestInput<A>, version: number): Promise<ResponseOf<A>> {
    const connection = await this.#connect();
    try {
      const response = await connection.call(api, request, { version, timeoutMs: this.#timeoutMs });
      if (response === undefined) throw new ConnectionError('BAD_RESPONSE', `${connection.peer} did not answer`);
      if ((response as { errorCode?: number }).errorCode === ErrorCode.NOT_CONTROLLER) this.#drop(connection);
      return response;
    } catch (error) {
      this.#drop(connection);
      throw error;
    }
  }

  async #connect(): Promise<Connection> {
    const controllerId = this.#metadata.controllerId;
    const address = controllerId === null ? null : this.#metadata.endpoint(controllerId, this.#listenerName);
    if (controllerId === null || address === null) {
      throw new ConnectionError('REFUSED', 'no active controller is known');
    }
    if (this.#connection !== null && !this.#connection.closed && this.#controllerId === controllerId) {
      return this.#connection;
    }
    this.#connection?.close();
    this.#connection = null;
    const connection = await this.#connector.connect(address);
    if (this.#isClosed) {
      connection.close();
      throw new ConnectionError('CLOSED', 'the broker is stopping');
    }
    this.#connection = connection;
    this.#controllerId = controllerId;
    return connection;
  }

  #drop(connection: Connection): void {
    connection.close();
    if (this.#connection === connection) this.#connection = null;
  }

  close(): void {
    this.#isClosed = true;
    this.#connection?.close();
    this.#connection = null;
  }
}
