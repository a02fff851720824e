import { CLIENT_ID_HEADER } from '../../shared/connection/rpc.ts';
import { ProtocolError } from '../../shared/protocol/errors.ts';
import { Produce } from '../../shared/protocol/messages/produce.ts';
import type { Clock, Timers } from '../../shared/runtime/clock.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import type { ConnectionContext } from '../request/context.ts';
import { CloseConnection, type ApiHandler, type Dispatcher } from '../request/handler.ts';
import { errorBody, HttpError } from './http-error.ts';
import type { HttpOptions, RequestMemory, RpcObserver } from './ports.ts';
import { ProduceOrder, type ProduceTurn } from './produce-order.ts';
import { BodyFilling, bodyLength, bodyMemory, readBody } from './request-body.ts';
import { rpcVersion, type RpcApis } from './rpc-apis.ts';
import type { RpcCall } from './rpc-call.ts';
import { RpcContext } from './rpc-context.ts';
import { ClientGone, RpcExchange } from './rpc-exchange.ts';
import { answerForm, CONTENT_TYPES, fromBinaryAnswer, requestForm, toBinaryRequest, type RpcForm } from './rpc-form.ts';
import { UnsentAnswers } from './unsent-answers.ts';

/** Answers that a client has not read yet may have so many bytes before its further requests wait. */
const MAX_UNSENT_BYTES = 16 << 20;

export interface RpcParts {
  readonly dispatcher: Dispatcher;
  readonly memory: RequestMemory;
  readonly options: HttpOptions;
  readonly observer: RpcObserver;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** What the RPCs of one connection share. */
interface RpcSession {
  readonly order: ProduceOrder;
  readonly unsent: UnsentAnswers;
}

/** An RPC whose head has been understood. */
interface RpcHead {
  readonly handler: ApiHandler;
  readonly version: number;
  readonly asked: RpcForm;
  readonly wanted: RpcForm;
  readonly clientId: string;
  /** Bytes that the body may have. */
  readonly length: number;
  readonly isProduce: boolean;
}

/** `POST /v1/rpc/<ApiName>?version=<n>`: every client-facing Kafka API over HTTP. */
export class RpcService {
  readonly #apis: RpcApis;
  readonly #parts: RpcParts;
  readonly #sessions = new WeakMap<ConnectionContext, RpcSession>();

  constructor(apis: RpcApis, parts: RpcParts) {
    this.#apis = apis;
    this.#parts = parts;
  }

  /** Answers the call, whatever happens. */
  async serve(call: RpcCall): Promise<void> {
    const session = this.#sessionOf(call.connection);
    const exchange = new RpcExchange(call, session.unsent, this.#parts.memory);
    let turn: ProduceTurn | null = null;
    try {
      const head = this.#head(call);
      // Nothing has been awaited since the head arrived: turns are taken in the order of heads.
      if (head.isProduce) turn = session.order.take();
      const body = await this.#receive(call, head, exchange);
      const receivedAt = this.#parts.clock.monotonic();
      await waitForTurn(session, turn, exchange);
      const answerBytes = await this.#answer(
        head,
        body,
        new RpcContext(call.connection, exchange, turn, head),
        exchange,
      );
      const elapsedMs = this.#parts.clock.monotonic() - receivedAt;
      this.#parts.observer.requestAnswered(head.handler.api.key, elapsedMs, body.length, answerBytes);
    } catch (error) {
      this.#refuse(error, call, exchange);
    } finally {
      turn?.end();
      exchange.settle();
    }
  }

  /** @throws HttpError for anything that can be told from the head alone */
  #head({ apiName, version, headers }: RpcCall): RpcHead {
    const handler = this.#apis.byName(apiName);
    const asked = requestForm(headers['content-type']);
    const clientId = headers[CLIENT_ID_HEADER];
    return {
      handler,
      version: rpcVersion(handler, version),
      asked,
      wanted: answerForm(headers.accept, asked),
      clientId: typeof clientId === 'string' ? clientId : '',
      length: bodyLength(headers['content-length'], this.#parts.options.maxRequestBytes),
      isProduce: handler.api.key === Produce.key,
    };
  }

  #sessionOf(connection: ConnectionContext): RpcSession {
    let session = this.#sessions.get(connection);
    if (session === undefined) {
      session = { order: new ProduceOrder(), unsent: new UnsentAnswers(MAX_UNSENT_BYTES) };
      this.#sessions.set(connection, session);
    }
    return session;
  }

  /** Memory first, in the order of heads, so that an earlier produce never waits for the memory of a later one. */
  async #receive(call: RpcCall, head: RpcHead, exchange: RpcExchange): Promise<Buffer> {
    const { memory, options, clock, timers } = this.#parts;
    const { handler, version, asked, length, isProduce } = head;
    const lease = memory.tryLease(length, isProduce) ?? (await bodyMemory(memory, length, isProduce, exchange));
    exchange.hold(lease);
    const breakOff = (reason: string) => exchange.abort(new CloseConnection(reason));
    const filling = new BodyFilling(length, isProduce, clock, breakOff);
    memory.filling(filling);
    const { requestTimeoutMs } = options;
    const deadline = timers.after(requestTimeoutMs, () => {
      breakOff(`the body of a ${handler.api.name} did not come within ${requestTimeoutMs} ms`);
    });
    try {
      const body = await readBody(call.body, lease.bytes, exchange, () => filling.progress());
      return toBinaryRequest(handler.api, version, asked, body);
    } finally {
      deadline.cancel();
      memory.filled(filling);
    }
  }

  /** @returns the answer's bytes */
  async #answer(
    { handler, version, wanted }: RpcHead,
    body: Buffer,
    context: RpcContext,
    exchange: RpcExchange,
  ): Promise<number> {
    const answer = await this.#parts.dispatcher.dispatch(body, context);
    if (answer === undefined) return exchange.answer(204, null, []);
    return exchange.answer(200, CONTENT_TYPES[wanted], fromBinaryAnswer(handler.api, version, wanted, answer));
  }

  #refuse(error: unknown, call: RpcCall, exchange: RpcExchange): void {
    const { logger } = this.#parts;
    if (error instanceof HttpError || error instanceof ProtocolError) {
      const status = error instanceof HttpError ? error.statusCode : 400;
      sayError(exchange, status, error.message);
    } else if (error instanceof ClientGone) {
      exchange.reset();
    } else if (error instanceof CloseConnection) {
      logger.info({ connection: call.connection.connectionId }, `an RPC is broken off: ${error.message}`);
      exchange.reset();
    } else {
      logger.error({ err: error, api: call.apiName }, 'an RPC failed unexpectedly');
      sayError(exchange, 500, 'The broker failed to handle the request; its log says why.');
    }
  }
}

async function waitForTurn({ unsent }: RpcSession, turn: ProduceTurn | null, exchange: RpcExchange): Promise<void> {
  if (!unsent.hasRoom) await unsent.room();
  if (turn !== null) await turn.comes;
  if (exchange.gone !== null) throw exchange.gone;
}

function sayError(exchange: RpcExchange, status: number, message: string): void {
  exchange.answer(status, CONTENT_TYPES.json, [Buffer.from(JSON.stringify(errorBody(status, message)))]);
}
