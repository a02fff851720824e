import type { Api, RequestOf, ResponseInput } from '../../shared/protocol/api.ts';
import type { RequestContext } from './context.ts';

/**
 * Answers one API. `handle` may answer at once or later; it resolves with undefined only where Kafka sends no answer
 * (Produce with acks=0). Errors that have a place in the response are put there; anything thrown is a bug or a broken
 * request and is answered by the registry with the API's error response or by closing the connection.
 */
export interface ApiHandler<A extends Api = Api> {
  readonly api: A;
  /** Versions served, inclusive: what ApiVersions advertises. */
  readonly versions: { readonly min: number; readonly max: number };
  /** Broker-to-broker API: needs ClusterAction and is not served over HTTP. */
  readonly interBroker?: boolean;
  handle(
    request: RequestOf<A>,
    context: RequestContext,
  ): ResponseInput<A> | undefined | Promise<ResponseInput<A> | undefined>;
}

/** Thrown (by dispatch or a handler) to end the connection without an answer; acks=0 failures use it, as in Kafka. */
export class CloseConnection extends Error {
  override readonly name = 'CloseConnection';
}

/**
 * The one entrance to the API handlers, for every dialect.
 * `dispatch` takes the encoded body and resolves with the encoded response body, or undefined where no answer is sent.
 */
export interface Dispatcher {
  /** The handler registered for the key, or undefined: unknown APIs close a Kafka connection and are 404 over HTTP. */
  handlerFor(apiKey: number): ApiHandler | undefined;
  /**
   * @param body the request body, without header; the buffer belongs to the request until it is answered
   * @throws CloseConnection, or ProtocolError when the body cannot be decoded
   */
  dispatch(body: Buffer, context: RequestContext): Buffer[] | undefined | Promise<Buffer[] | undefined>;
}
