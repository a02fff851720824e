import type { Api, RequestInput, ResponseOf } from '../protocol/api.ts';

/**
 * The calling side of the protocol, in whichever dialect: http2.ts and kafka.ts implement it over sockets, the
 * broker's REST door and the simulation call a dispatcher directly.
 */
export interface CallOptions {
  /** Version to speak; without it the highest that both sides know. Brokers name it: their versions follow inter.broker.protocol.version. */
  readonly version?: number;
  /** Time limit in milliseconds, over which the call rejects with ConnectionError('TIMED_OUT') and the connection closes. Default: the connector's. */
  readonly timeoutMs?: number;
  /**
   * Where the answer's bytes are to go, where the dialect lets one choose; records and bytes of the answer are views of
   * it. Called at most once, and not after the call has been settled. Default: new memory.
   */
  readonly allocate?: (bytes: number) => Buffer;
}

export interface Connection {
  /** Identifies the peer in log lines: `host:port`. */
  readonly peer: string;
  readonly closed: boolean;
  /** Versions the peer advertises for an API, or null if it does not serve it; known once connected. */
  versions(api: Api): { min: number; max: number } | null;
  /**
   * Sends the request and resolves with the answer; with undefined where the protocol has none (Produce, acks=0).
   * Calls go out in the order they are made, and may be answered out of order where the dialect allows it.
   * @throws ConnectionError when the connection breaks, times out, or the versions have nothing in common
   */
  call<A extends Api>(api: A, request: RequestInput<A>, options?: CallOptions): Promise<ResponseOf<A> | undefined>;
  /** Rejects the calls under way with ConnectionError('CLOSED'). Closing twice does nothing. */
  close(): void;
  /** Calls back once when the connection is gone, whoever ended it. */
  onClose(listener: () => void): void;
}

/** INSECURE: TLS could not be agreed on, which trying again does not change. */
export type ConnectionErrorCode =
  | 'REFUSED'
  | 'TIMED_OUT'
  | 'CLOSED'
  | 'INSECURE'
  | 'UNSUPPORTED_VERSION'
  | 'BAD_RESPONSE';

/** A call or a connect failed below the protocol; whether the request had an effect is unknown, except for REFUSED. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly code: ConnectionErrorCode;

  constructor(code: ConnectionErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Opens connections of one dialect; owns what they share (client id, time limits, TLS). */
export interface Connector {
  /** Whether an answer waits for those to earlier calls on its connection, as the dialect has it. Default: no. */
  readonly answersInOrder?: boolean;
  /** Connects and, unless the connector is for fixed versions, learns the peer's API versions. */
  connect(address: Address): Promise<Connection>;
}
