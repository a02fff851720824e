import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { CLIENT_ID_HEADER, RPC_PATH } from '../../shared/connection/rpc.ts';
import { ProtocolError } from '../../shared/protocol/errors.ts';
import { Produce } from '../../shared/protocol/messages/produce.ts';
import type { Clock, Timers } from '../../shared/runtime/clock.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import type { ConnectionContext, RequestContext } from '../request/context.ts';
import { CloseConnection, type ApiHandler, type Dispatcher } from '../request/handler.ts';
import { HttpError } from './http-error.ts';
import { connectionOf } from './http-servers.ts';
import type { HttpOptions, RequestMemory, RpcObserver } from './ports.ts';
import { ProduceOrder, type ProduceTurn } from './produce-order.ts';
import { bodyLength, bodyMemory, readBody, RequestAborted } from './request-body.ts';
import { RpcApis, rpcVersion } from './rpc-apis.ts';
import { RpcExchange } from './rpc-exchange.ts';
import { answerForm, fromBinaryAnswer, requestForm, toBinaryRequest, type RpcForm } from './rpc-form.ts';
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
  readonly length: number;
}

type RpcRequest = FastifyRequest<{ Params: { api: string }; Querystring: { version?: unknown } }>;

/** `POST /v1/rpc/<ApiName>?version=<n>`: every client-facing Kafka API over HTTP, and `GET /v1/rpc`, the list of them. */
export function registerRpc(app: FastifyInstance, parts: RpcParts): void {
  const apis = new RpcApis(parts.dispatcher);
  const service = new RpcService(apis, parts);
  app.get(RPC_PATH.slice(0, -1), () => ({
    apis: apis.all().map(({ api, versions }) => ({
      name: api.name,
      key: api.key,
      min_version: versions.min,
      max_version: versions.max,
    })),
  }));
  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, parsed) => parsed(null, payload));
    scope.post(`${RPC_PATH}:api`, (request, reply) => service.serve(request as RpcRequest, reply));
    done();
  });
}

class RpcService {
  readonly #apis: RpcApis;
  readonly #parts: RpcParts;
  readonly #sessions = new WeakMap<ConnectionContext, RpcSession>();

  constructor(apis: RpcApis, parts: RpcParts) {
    this.#apis = apis;
    this.#parts = parts;
  }

  async serve(request: RpcRequest, reply: FastifyReply): Promise<void> {
    const head = this.#head(request);
    const connection = connectionOf(request.raw);
    const session = this.#sessionOf(connection);
    const exchange = new RpcExchange(reply.raw, session.unsent);
    // Nothing has been awaited since the head arrived: turns are taken in the order of heads.
    const turn = head.handler.api.key === Produce.key ? session.order.take() : null;
    try {
      const body = await this.#receive(request, head, exchange);
      const receivedAt = this.#parts.clock.monotonic();
      await this.#waitTurn(session, turn, exchange);
      const answer = await this.#dispatch(head, body, this.#context(head, connection, exchange, turn));
      reply.hijack();
      this.#answer(head, exchange, answer, this.#parts.clock.monotonic() - receivedAt, body.length);
    } catch (error) {
      this.#refuse(error, exchange, reply);
    } finally {
      turn?.end();
      exchange.settle();
    }
  }

  /** @throws HttpError for anything that can be told from the head alone */
  #head({ params, query, headers }: RpcRequest): RpcHead {
    const handler = this.#apis.byName(params.api);
    const version = rpcVersion(handler, query.version);
    const asked = requestForm(headers['content-type']);
    const wanted = answerForm(headers.accept, asked);
    const length = bodyLength(headers['content-length'], this.#parts.options.maxRequestBytes);
    const clientId = headers[CLIENT_ID_HEADER];
    return { handler, version, asked, wanted, length, clientId: typeof clientId === 'string' ? clientId : '' };
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
  async #receive(request: RpcRequest, head: RpcHead, exchange: RpcExchange): Promise<Buffer> {
    const { memory, options, timers } = this.#parts;
    const isProduce = head.handler.api.key === Produce.key;
    const lease = await bodyMemory(memory, head.length, isProduce, exchange.gone);
    exchange.hold(lease);
    const { requestTimeoutMs } = options;
    const deadline = timers.after(requestTimeoutMs, () =>
      exchange.abort(
        new CloseConnection(`the body of a ${head.handler.api.name} did not come within ${requestTimeoutMs} ms`),
      ),
    );
    try {
      const body = await readBody(request.raw, lease, exchange.gone);
      return toBinaryRequest(head.handler.api, head.version, head.asked, body);
    } finally {
      deadline.cancel();
    }
  }

  async #waitTurn({ unsent }: RpcSession, turn: ProduceTurn | null, exchange: RpcExchange): Promise<void> {
    await unsent.room();
    if (turn !== null) await turn.comes;
    if (exchange.gone.aborted) throw exchange.gone.reason;
  }

  #context(
    head: RpcHead,
    connection: ConnectionContext,
    exchange: RpcExchange,
    turn: ProduceTurn | null,
  ): RequestContext {
    return {
      connection: { ...connection, closed: exchange.gone },
      clientId: head.clientId,
      apiKey: head.handler.api.key,
      apiVersion: head.version,
      park: () => turn?.end(),
    };
  }

  async #dispatch(
    { handler, version, wanted }: RpcHead,
    body: Buffer,
    context: RequestContext,
  ): Promise<Buffer[] | null> {
    const answer = await this.#parts.dispatcher.dispatch(body, context);
    return answer === undefined ? null : fromBinaryAnswer(handler.api, version, wanted, answer);
  }

  #answer(
    head: RpcHead,
    exchange: RpcExchange,
    answer: Buffer[] | null,
    elapsedMs: number,
    requestBytes: number,
  ): void {
    const answerBytes = answer === null ? 0 : answer.reduce((sum, chunk) => sum + chunk.length, 0);
    if (answer === null) exchange.answerNothing();
    else exchange.answer(head.wanted, answer, answerBytes);
    this.#parts.observer.requestAnswered(head.handler.api.key, elapsedMs, requestBytes, answerBytes);
  }

  /** @throws HttpError, or what is a bug, for the app's error handler to answer */
  #refuse(error: unknown, exchange: RpcExchange, reply: FastifyReply): void {
    if (error instanceof ProtocolError) throw new HttpError(400, error.message);
    if (!(error instanceof RequestAborted) && !(error instanceof CloseConnection)) throw error;
    reply.hijack();
    if (error instanceof CloseConnection) this.#parts.logger.info(`an RPC is broken off: ${error.message}`);
    exchange.reset();
  }
}
