import type { AnswerMemory } from '../request/answer-memory.ts';
import type { ConnectionContext, RequestContext } from '../request/context.ts';
import type { ApiHandler } from '../request/handler.ts';
import type { ProduceTurn } from './produce-order.ts';
import type { RpcExchange } from './rpc-exchange.ts';

/** A request that came as an RPC. To its handler the exchange is the connection: it ends when the client resets the call. */
export class RpcContext implements RequestContext {
  readonly clientId: string;
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly #exchange: RpcExchange;
  readonly #turn: ProduceTurn | null;
  readonly #session: ConnectionContext;
  #connection: ConnectionContext | null = null;

  constructor(
    session: ConnectionContext,
    exchange: RpcExchange,
    turn: ProduceTurn | null,
    head: { readonly handler: ApiHandler; readonly version: number; readonly clientId: string },
  ) {
    this.#session = session;
    this.#exchange = exchange;
    this.#turn = turn;
    this.clientId = head.clientId;
    this.apiKey = head.handler.api.key;
    this.apiVersion = head.version;
  }

  get connection(): ConnectionContext {
    this.#connection ??= this.#withOwnEnd();
    return this.#connection;
  }

  get answerMemory(): AnswerMemory {
    return this.#exchange.answerMemory;
  }

  park(): void {
    this.#turn?.end();
  }

  #withOwnEnd(): ConnectionContext {
    const exchange = this.#exchange;
    return {
      ...this.#session,
      get closed() {
        return exchange.closed;
      },
    };
  }
}
