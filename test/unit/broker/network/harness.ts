import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { BufferPool } from '../../../../shared/memory/buffer-pool.ts';
import { NetworkServer, type HttpDoor } from '../../../../broker/network/network-server.ts';
import type { ListenerSpec, NetworkOptions } from '../../../../broker/network/options.ts';
import { RequestMemory } from '../../../../broker/network/request-memory.ts';
import type { RequestContext } from '../../../../broker/request/context.ts';
import type { ApiHandler, Dispatcher } from '../../../../broker/request/handler.ts';
import type { Api } from '../../../../shared/protocol/api.ts';
import { ApiVersions } from '../../../../shared/protocol/messages/api-versions.ts';
import { Fetch } from '../../../../shared/protocol/messages/fetch.ts';
import { LeaderAndIsr } from '../../../../shared/protocol/messages/leader-and-isr.ts';
import { Metadata } from '../../../../shared/protocol/messages/metadata.ts';
import { Produce } from '../../../../shared/protocol/messages/produce.ts';
import { systemClock, systemTimers, type Clock, type Timers } from '../../../../shared/runtime/clock.ts';
import type { Logger } from '../../../../shared/runtime/logger.ts';
import { waitFor } from '../../../support/wait.ts';

type Answer = Buffer[] | undefined;
export type Respond = (body: Buffer, context: RequestContext) => Answer | Promise<Answer>;

/** A dispatcher whose answers a test decides; the APIs' own handlers are never called. */
export class StubDispatcher implements Dispatcher {
  respond: Respond;
  readonly #handlers: ReadonlyMap<number, ApiHandler>;

  constructor(respond: Respond) {
    this.respond = respond;
    const apis: Api[] = [ApiVersions, Fetch, LeaderAndIsr, Metadata, Produce] as never;
    this.#handlers = new Map(apis.map(api => [api.key, handlerOf(api)]));
  }

  handlerFor(apiKey: number): ApiHandler | undefined {
    return this.#handlers.get(apiKey);
  }

  dispatch(body: Buffer, context: RequestContext): Answer | Promise<Answer> {
    return this.respond(body, context);
  }
}

function handlerOf(api: Api): ApiHandler {
  const handle = () => {
    throw new Error('not used here');
  };
  return { api, versions: api.versions, interBroker: api.key === LeaderAndIsr.key, handle };
}

/** Answers ApiVersions, in any version, with what the stub serves. */
export function answerApiVersions(context: RequestContext): Buffer[] {
  const isKnown = context.apiVersion <= ApiVersions.versions.max;
  const apis: Api[] = [Fetch, Metadata, Produce, ApiVersions] as never;
  const response = {
    errorCode: isKnown ? 0 : 35,
    apiKeys: (isKnown ? apis : apis.slice(-1)).map(api => ({
      apiKey: api.key,
      minVersion: api.versions.min,
      maxVersion: api.versions.max,
    })),
  };
  return ApiVersions.response.encode(response, isKnown ? context.apiVersion : 0);
}

export const defaultOptions: NetworkOptions = {
  maxRequestBytes: 100 << 20,
  maxConnections: 1000,
  maxConnectionsPerIp: 1000,
  maxConnectionsPerIpOverrides: '',
  maxIdleMs: 600_000,
  requestTimeoutMs: 30_000,
  backlog: 50,
  interBrokerListenerName: 'PLAINTEXT',
};

/** A logger that keeps its lines. */
export function keepingLogger(): { logger: Logger; lines: string[] } {
  const lines: string[] = [];
  const keep = (fields: object | string, message?: string) => void lines.push(message ?? (fields as string));
  const logger: Logger = { debug: () => {}, info: keep, warn: keep, error: keep, fatal: keep, child: () => logger };
  return { logger, lines };
}

export interface ServerUnderTest {
  readonly server: NetworkServer;
  readonly port: number;
  readonly dispatcher: StubDispatcher;
  readonly memory: RequestMemory;
  readonly lines: string[];
  /** [apiKey, request bytes, response bytes] of every answer. */
  readonly answered: [number, number, number][];
}

const running: NetworkServer[] = [];

export interface ServerSettings {
  readonly respond: Respond;
  readonly options?: Partial<NetworkOptions>;
  readonly memoryBytes?: number;
  readonly pool?: BufferPool;
  readonly listeners?: ListenerSpec[];
  readonly http?: HttpDoor;
  readonly clock?: Clock;
  readonly timers?: Timers;
  readonly processing?: boolean;
}

export const refuseHttp: HttpDoor = {
  http1: socket => socket.destroy(),
  http2: socket => socket.destroy(),
};

export async function startServer(settings: ServerSettings): Promise<ServerUnderTest> {
  const dispatcher = new StubDispatcher(settings.respond);
  const time = { clock: settings.clock ?? systemClock, timers: settings.timers ?? systemTimers };
  const memory = new RequestMemory(settings.memoryBytes ?? 64 << 20, time, settings.pool);
  const { logger, lines } = keepingLogger();
  const answered: [number, number, number][] = [];
  const server = new NetworkServer({
    listeners: settings.listeners ?? [{ name: 'PLAINTEXT', host: '127.0.0.1', port: 0, protocol: 'PLAINTEXT' }],
    dispatcher,
    memory,
    // A change of the test's own object is a change of the settings.
    options: Object.setPrototypeOf(settings.options ?? {}, defaultOptions) as NetworkOptions,
    http: settings.http ?? refuseHttp,
    observer: {
      connectionOpened: () => {},
      connectionClosed: () => {},
      requestAnswered: (apiKey, _elapsed, bytesIn, bytesOut) => void answered.push([apiKey, bytesIn, bytesOut]),
    },
    ...time,
    logger,
  });
  await server.bind();
  running.push(server);
  if (settings.processing !== false) server.startProcessing();
  return { server, port: [...server.boundPorts.values()][0]!, dispatcher, memory, lines, answered };
}

export async function stopServers(): Promise<void> {
  await Promise.all(running.splice(0).map(server => server.close(200)));
}

/** A request frame with a header of version 1 (no tags): size, key, version, correlation id, client id "t", body. */
export function frame(
  apiKey: number,
  apiVersion: number,
  correlationId: number,
  body: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(15);
  head.writeInt32BE(11 + body.length, 0);
  head.writeInt16BE(apiKey, 4);
  head.writeInt16BE(apiVersion, 6);
  head.writeInt32BE(correlationId, 8);
  head.writeInt16BE(1, 12);
  head.write('t', 14);
  return Buffer.concat([head, body]);
}

export const METADATA = Metadata.key;
export const PRODUCE = Produce.key;
export const FETCH = Fetch.key;

/** Bytes in the order in which they came, joined only when they are taken: a test may let megabytes pile up. */
class ByteQueue {
  #chunks: Buffer[] = [];
  length = 0;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.length += chunk.length;
  }

  /** The next four bytes, which stay; null when there are fewer. */
  peekInt32(): number | null {
    if (this.length < 4) return null;
    while (this.#chunks[0]!.length < 4) this.#chunks.unshift(Buffer.concat(this.#chunks.splice(0, 2)));
    return this.#chunks[0]!.readInt32BE(0);
  }

  take(count: number): Buffer {
    let joined = 0;
    let chunks = 0;
    while (joined < count) joined += this.#chunks[chunks++]!.length;
    const bytes = Buffer.concat(this.#chunks.splice(0, chunks));
    if (joined > count) this.#chunks.unshift(bytes.subarray(count));
    this.length -= count;
    return bytes.subarray(0, count);
  }
}

/** A client that knows nothing but frames. */
export class RawClient {
  readonly socket: Socket;
  readonly #received = new ByteQueue();
  /** Chunks as the kernel gave them. */
  reads = 0;
  ended = false;
  #wake: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', chunk => {
      this.reads++;
      this.#received.push(chunk);
      this.#notify();
    });
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.on('close', () => {
      this.ended = true;
      this.#notify();
    });
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true });
    const client = new RawClient(socket);
    await once(socket, 'connect');
    return client;
  }

  /** Speaks over a socket that is connected already. */
  static over(socket: Socket): RawClient {
    return new RawClient(socket);
  }

  write(...chunks: Buffer[]): void {
    this.socket.write(Buffer.concat(chunks));
  }

  /** The next answer: correlation id and what follows. */
  async answer(): Promise<{ id: number; body: Buffer }> {
    for (;;) {
      const size = this.#received.peekInt32();
      if (size !== null && this.#received.length >= 4 + size) {
        const whole = this.#received.take(4 + size);
        return { id: whole.readInt32BE(4), body: whole.subarray(8) };
      }
      if (this.ended) throw new Error('the connection was closed');
      await this.#change();
    }
  }

  async answerIds(count: number): Promise<number[]> {
    const ids: number[] = [];
    while (ids.length < count) ids.push((await this.answer()).id);
    return ids;
  }

  async closed(): Promise<void> {
    while (!this.ended) await this.#change();
  }

  #change(): Promise<void> {
    return new Promise(resolve => this.#wake.push(resolve));
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

/** Waits for a condition. The limit only bounds a test that fails. */
export async function until(condition: () => boolean, what = 'the condition'): Promise<void> {
  await waitFor(what, condition, { timeoutMs: 60_000, everyMs: 5 });
}

/** A promise and what settles it. */
export function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: Error) => void } {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
