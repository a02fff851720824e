import type { AnswerMemory } from './answer-memory.ts';

/** How a request reached the broker. 'local' is the in-process connection of the REST door and of coordinators. */
export type Dialect = 'kafka' | 'http' | 'local';

export type SecurityProtocol = 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';

/** Who asks. Unauthenticated clients are `User:ANONYMOUS`, as in Kafka. */
export interface Principal {
  readonly type: string;
  readonly name: string;
}

/** What is the same for all requests of a connection. */
export interface ConnectionContext {
  /** Unique within the broker's life. */
  readonly connectionId: string;
  readonly dialect: Dialect;
  /** Listener by which the client came in: decides which advertised addresses it is told. */
  readonly listenerName: string;
  readonly securityProtocol: SecurityProtocol;
  readonly principal: Principal;
  /** Remote address as text, without port. */
  readonly clientAddress: string;
  /** Aborts when the connection is gone; parked requests of it may be dropped then. */
  readonly closed: AbortSignal;
}

/** One request's surroundings. A handler never needs to know the dialect. */
export interface RequestContext {
  readonly connection: ConnectionContext;
  readonly clientId: string;
  readonly apiKey: number;
  readonly apiVersion: number;
  /** Where the answer may have its large pieces from; without it they are the garbage collector's. */
  readonly answerMemory?: AnswerMemory;
  /**
   * Says that everything of this request that must keep its place in the connection's order is done, and that the rest
   * is waiting (for replication, for data, for a timeout). The connection may then start its next request; answers
   * still go out in order. Calling it twice does nothing.
   */
  park(): void;
}
