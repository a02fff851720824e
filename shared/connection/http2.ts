import { connect, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import type { Api, RequestInput, ResponseOf } from '../protocol/api.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { ApiVersions } from '../protocol/messages/api-versions.ts';
import type { Timers } from '../runtime/clock.ts';
import { connectTls, type ClientTls } from '../tls/client.ts';
import { connectionErrorFrom, firstCallError, peerName } from './connect-errors.ts';
import { ConnectionError, type Address, type CallOptions, type Connection, type Connector } from './connection.ts';
import { endHttp2 } from './http2-ending.ts';
import { collectAnswer, type RpcAnswer } from './rpc-answer.ts';
import { CLIENT_ID_HEADER, RPC_CONTENT_TYPE, RPC_PATH } from './rpc.ts';
import { advertisedVersions, chooseVersion, type AdvertisedVersions } from './versions.ts';

/**
 * Flow control: what the broker may send before it is read, on one stream and on the connection. With the default of
 * 64 KiB, a round trip of 4 ms allows 10 MB/s.
 */
const STREAM_WINDOW_BYTES = 4 << 20;
const SESSION_WINDOW_BYTES = 16 << 20;
/** Megabytes that Node lets a session hold before it refuses new streams; its default of 10 is less than one large fetch. */
const MAX_SESSION_MEMORY_MB = 1024;

export interface Http2ConnectorOptions {
  readonly clientId: string;
  /** How long a call may take when it does not say so itself, in milliseconds. */
  readonly requestTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly timers: Timers;
  /** How connections are secured; null or absent: not at all. */
  readonly tls?: ClientTls | null;
}

/** Opens connections that speak RPC over HTTP/2: agreed on by ALPN over TLS, with prior knowledge without it. */
export class Http2Connector implements Connector {
  readonly #options: Http2ConnectorOptions;

  constructor(options: Http2ConnectorOptions) {
    this.#options = options;
  }

  async connect(address: Address): Promise<Connection> {
    const peer = peerName(address);
    const session = await openSession(address, peer, this.#options);
    const connection = new Http2Connection(session, peer, this.#options);
    try {
      await connection.learnVersions();
    } catch (error) {
      connection.close();
      throw firstCallError(error, (this.#options.tls ?? null) !== null);
    }
    return connection;
  }
}

function openSession(
  address: Address,
  peer: string,
  { connectTimeoutMs, timers, tls = null }: Http2ConnectorOptions,
): Promise<ClientHttp2Session> {
  const secured = tls === null ? null : connectTls({ ...address, tls, protocols: ['h2'] });
  const session = connect(`${secured === null ? 'http' : 'https'}://${peer}`, {
    maxSessionMemory: MAX_SESSION_MEMORY_MB,
    settings: { initialWindowSize: STREAM_WINDOW_BYTES, enablePush: false },
    ...(secured === null ? {} : { createConnection: () => secured }),
  });
  return new Promise((resolve, reject) => {
    const fail = (error: ConnectionError) => {
      timer.cancel();
      endHttp2(() => session.destroy());
      reject(error);
    };
    const timer = timers.after(connectTimeoutMs, () =>
      fail(new ConnectionError('TIMED_OUT', `${peer} did not accept within ${connectTimeoutMs} ms`)),
    );
    session.once('error', (error: Error) => fail(connectionErrorFrom(error, peer)));
    session.once('close', () => fail(new ConnectionError('CLOSED', `${peer} closed the connection`)));
    session.once('connect', () => {
      if (secured !== null && secured.alpnProtocol !== 'h2') {
        fail(new ConnectionError('INSECURE', `${peer} does not offer HTTP/2 over TLS`));
        return;
      }
      timer.cancel();
      session.setLocalWindowSize(SESSION_WINDOW_BYTES);
      resolve(session);
    });
  });
}

class Http2Connection implements Connection {
  readonly peer: string;
  readonly #session: ClientHttp2Session;
  readonly #options: Http2ConnectorOptions;
  readonly #closeListeners: (() => void)[] = [];
  /** Rejects the calls under way. */
  readonly #pending = new Set<(error: ConnectionError) => void>();
  #advertised: AdvertisedVersions = new Map([[ApiVersions.key, { min: 0, max: 0 }]]);
  #ended: ConnectionError | null = null;
  /** The peer takes no new streams; those under way go on. */
  #goingAway = false;

  constructor(session: ClientHttp2Session, peer: string, options: Http2ConnectorOptions) {
    this.#session = session;
    this.peer = peer;
    this.#options = options;
    session.on('error', (error: Error) => this.#fail(connectionErrorFrom(error, peer)));
    session.on('goaway', () => (this.#goingAway = true));
    session.on('close', () => this.#fail(new ConnectionError('CLOSED', `${peer} closed the connection`)));
  }

  get closed(): boolean {
    return this.#ended !== null || this.#goingAway;
  }

  versions(api: Api): { min: number; max: number } | null {
    return this.#advertised.get(api.key) ?? null;
  }

  close(): void {
    this.#fail(new ConnectionError('CLOSED', `the connection to ${this.peer} was closed`));
  }

  onClose(listener: () => void): void {
    if (this.#ended === null) this.#closeListeners.push(listener);
    else listener();
  }

  /** Asks in version 0, which every broker serves: what later ones add is of no use here. */
  async learnVersions(): Promise<void> {
    const answer = (await this.call(ApiVersions, {}, { version: 0 }))!;
    if (answer.errorCode !== ErrorCode.NONE) {
      throw new ConnectionError('BAD_RESPONSE', `${this.peer} answers ApiVersions with error ${answer.errorCode}`);
    }
    this.#advertised = advertisedVersions(answer.apiKeys);
  }

  async call<A extends Api>(
    api: A,
    request: RequestInput<A>,
    options: CallOptions = {},
  ): Promise<ResponseOf<A> | undefined> {
    this.#checkOpen();
    const version = chooseVersion(api, this.versions(api), options.version, this.peer);
    const body = api.request.encode(request, version);
    const answer = await this.#exchange(api, version, body, options.timeoutMs ?? this.#options.requestTimeoutMs);
    if (answer.status === 204) return undefined;
    if (answer.status !== 200) throw this.#refusal(api, answer);
    try {
      return api.response.decode(answer.body, version) as ResponseOf<A>;
    } catch (error) {
      throw new ConnectionError('BAD_RESPONSE', `${this.peer}: ${(error as Error).message}`);
    }
  }

  /** Stream ids are given in the order of the calls, and the broker appends produces in the order of stream ids. */
  #exchange(api: Api, version: number, body: Buffer[], timeoutMs: number): Promise<RpcAnswer> {
    return new Promise((resolve, reject) => {
      const timer = this.#options.timers.after(timeoutMs, () =>
        this.#fail(new ConnectionError('TIMED_OUT', `${this.peer} did not answer within ${timeoutMs} ms`)),
      );
      const settle = () => {
        timer.cancel();
        this.#pending.delete(fail);
      };
      const fail = (error: ConnectionError) => {
        settle();
        reject(error);
      };
      const succeed = (answer: RpcAnswer) => {
        settle();
        resolve(answer);
      };
      this.#pending.add(fail);
      try {
        collectAnswer(this.#request(api, version, body), this.peer, succeed, fail);
      } catch (error) {
        fail(connectionErrorFrom(error as Error, this.peer));
      }
    });
  }

  /** @throws ConnectionError when no new stream can be had */
  #checkOpen(): void {
    if (this.#ended !== null) throw this.#ended;
    if (this.#goingAway) throw new ConnectionError('CLOSED', `${this.peer} is closing the connection`);
  }

  #request(api: Api, version: number, body: Buffer[]): ClientHttp2Stream {
    const length = body.reduce((sum, chunk) => sum + chunk.length, 0);
    const stream = this.#session.request({
      ':method': 'POST',
      ':path': `${RPC_PATH}${api.name}?version=${version}`,
      'content-type': RPC_CONTENT_TYPE,
      accept: RPC_CONTENT_TYPE,
      [CLIENT_ID_HEADER]: this.#options.clientId,
      'content-length': length,
    });
    stream.cork();
    for (const chunk of body) stream.write(chunk);
    stream.end();
    stream.uncork();
    return stream;
  }

  /** The broker said in words why it does not answer. */
  #refusal(api: Api, { status, body }: RpcAnswer): ConnectionError {
    const code = status === 404 ? 'UNSUPPORTED_VERSION' : 'BAD_RESPONSE';
    return new ConnectionError(code, `${this.peer} refuses ${api.name} (${status}): ${messageOf(body)}`);
  }

  #fail(error: ConnectionError): void {
    if (this.#ended !== null) return;
    this.#ended = error;
    endHttp2(() => this.#session.destroy());
    for (const fail of [...this.#pending]) fail(error);
    for (const listener of this.#closeListeners.splice(0)) listener();
  }
}

/** The sentence in an error body `{ "error_code": …, "message": … }`, or the beginning of whatever it is. */
function messageOf(body: Buffer): string {
  const text = body.toString('utf8', 0, 1000);
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    return typeof message === 'string' ? message : text;
  } catch {
    return text;
  }
}
