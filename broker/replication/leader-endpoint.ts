import {
  ConnectionError,
  type Address,
  type CallOptions,
  type Connection,
  type Connector,
} from '../../shared/connection/connection.ts';
import type { Api, RequestInput, ResponseOf } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { Fetch } from '../../shared/protocol/messages/fetch.ts';
import { ListOffsets } from '../../shared/protocol/messages/list-offsets.ts';
import { ReplicationError } from './errors.ts';

const LIST_OFFSETS_VERSION = 9;

/** The special timestamps of ListOffsets that followers ask for. */
const TIMESTAMPS = { latest: -1, earliest: -2 } as const;

export interface LeaderEndpointOptions {
  readonly brokerId: number;
  readonly connector: Connector;
  /** Where the leader listens for brokers now; null while it is not alive. */
  readonly address: () => Address | null;
  /** Time limit of a request in milliseconds (`replica.socket.timeout.ms`). */
  readonly timeoutMs: number;
}

/** A leader, as its follower talks to it: one connection, made when it is needed (Kafka: `RemoteLeaderEndPoint`). */
export class LeaderEndpoint {
  readonly #options: LeaderEndpointOptions;
  #connection: Connection | null = null;
  #isClosed = false;

  constructor(options: LeaderEndpointOptions) {
    this.#options = options;
  }

  /**
   * @param allocate memory for the answer, of which its records are views
   * @throws ConnectionError
   */
  fetch(
    request: RequestInput<typeof Fetch>,
    version: number,
    allocate: (bytes: number) => Buffer,
  ): Promise<ResponseOf<typeof Fetch>> {
    return this.#call(Fetch, request, { version, allocate });
  }

  /**
   * The end or the beginning of the leader's log.
   * @throws ConnectionError, or ReplicationError with the leader's answer
   */
  async offset(
    topic: string,
    partition: number,
    currentLeaderEpoch: number,
    which: keyof typeof TIMESTAMPS,
  ): Promise<number> {
    const partitions = [{ partitionIndex: partition, currentLeaderEpoch, timestamp: TIMESTAMPS[which] }];
    const request = { replicaId: this.#options.brokerId, isolationLevel: 0, topics: [{ name: topic, partitions }] };
    const response = await this.#call(ListOffsets, request, { version: LIST_OFFSETS_VERSION });
    const answer = response.topics[0]?.partitions[0];
    if (answer === undefined) throw new ConnectionError('BAD_RESPONSE', `ListOffsets does not answer for ${topic}`);
    if (answer.errorCode === ErrorCode.NONE) return answer.offset;
    throw new ReplicationError(answer.errorCode as ErrorCode, `The leader does not tell its ${which} offset.`);
  }

  async #call<A extends Api>(api: A, request: RequestInput<A>, options: CallOptions): Promise<ResponseOf<A>> {
    const connection = await this.#connect();
    try {
      const response = await connection.call(api, request, { ...options, timeoutMs: this.#options.timeoutMs });
      if (response === undefined) throw new ConnectionError('BAD_RESPONSE', `${connection.peer} did not answer`);
      return response;
    } catch (error) {
      this.disconnect();
      throw error;
    }
  }

  async #connect(): Promise<Connection> {
    if (this.#connection?.closed === false) return this.#connection;
    const address = this.#options.address();
    if (address === null) throw new ConnectionError('REFUSED', 'the leader is not alive');
    const connection = await this.#options.connector.connect(address);
    if (this.#isClosed) {
      connection.close();
      throw new ConnectionError('CLOSED', 'the fetcher was stopped');
    }
    this.#connection = connection;
    return connection;
  }

  /** Gives the connection up; the next call makes another. */
  disconnect(): void {
    this.#connection?.close();
    this.#connection = null;
  }

  close(): void {
    this.#isClosed = true;
    this.disconnect();
  }
}
