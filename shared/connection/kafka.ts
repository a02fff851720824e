import type { Api, RequestInput, ResponseOf } from '../protocol/api.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { decodeResponseHeader, encodeRequestFrame } from '../protocol/headers.ts';
import { ApiVersions } from '../protocol/messages/api-versions.ts';
import { Produce } from '../protocol/messages/produce.ts';
import type { Timers } from '../runtime/clock.ts';
import type { ClientTls } from '../tls/client.ts';
import { firstCallError } from './connect-errors.ts';
import { ConnectionError, type Address, type CallOptions, type Connection, type Connector } from './connection.ts';
import { KafkaChannel } from './kafka-channel.ts';
import { advertisedVersions, chooseVersion, type AdvertisedVersions } from './versions.ts';

export interface KafkaConnectorOptions {
  readonly clientId: string;
  /** How long a call may take when it does not say so itself, in milliseconds. */
  readonly requestTimeoutMs: number;
  readonly connectTimeoutMs: number;
  /** Ask for the peer's API versions first; without it every call must name its version. */
  readonly negotiate: boolean;
  readonly timers: Timers;
  /** How connections are secured; null or absent: not at all. */
  readonly tls?: ClientTls | null;
}

/** Opens connections that speak the Kafka wire protocol. */
export class KafkaConnector implements Connector {
  readonly answersInOrder = true;
  readonly #options: KafkaConnectorOptions;

  constructor(options: KafkaConnectorOptions) {
    this.#options = options;
  }

  async connect(address: Address): Promise<Connection> {
    const { connectTimeoutMs, timers, negotiate, tls = null } = this.#options;
    const channel = await KafkaChannel.open(address, connectTimeoutMs, timers, tls);
    const connection = new KafkaConnection(channel, this.#options);
    if (!negotiate) return connection;
    try {
      await connection.negotiate();
    } catch (error) {
      connection.close();
      throw firstCallError(error, tls !== null);
    }
    return connection;
  }
}

class KafkaConnection implements Connection {
  readonly #channel: KafkaChannel;
  readonly #options: KafkaConnectorOptions;
  /** null: not asked. */
  #advertised: AdvertisedVersions | null = null;

  constructor(channel: KafkaChannel, options: KafkaConnectorOptions) {
    this.#channel = channel;
    this.#options = options;
  }

  get peer(): string {
    return this.#channel.peer;
  }

  get closed(): boolean {
    return this.#channel.closed;
  }

  versions(api: Api): { min: number; max: number } | null {
    return this.#advertised === null ? api.versions : (this.#advertised.get(api.key) ?? null);
  }

  close(): void {
    this.#channel.close();
  }

  onClose(listener: () => void): void {
    this.#channel.onClose(listener);
  }

  async call<A extends Api>(
    api: A,
    request: RequestInput<A>,
    options: CallOptions = {},
  ): Promise<ResponseOf<A> | undefined> {
    const version = chooseVersion(api, this.versions(api), options.version, this.peer);
    // From here to the socket nothing is awaited: calls go out in the order they are made.
    if (isUnanswered(api, request)) return this.#send(api, version, request);
    return this.#ask(api, version, request, options);
  }

  /**
   * Learns the peer's versions. A broker that does not know the version of ApiVersions itself answers UNSUPPORTED_VERSION
   * in the form of v0, with its range for ApiVersions if it is new enough to say (KIP-511); the second try fits that.
   */
  async negotiate(): Promise<void> {
    const first = await this.#askVersions(ApiVersions.versions.max);
    let answer = first;
    if (first.errorCode === ErrorCode.UNSUPPORTED_VERSION) {
      const range = first.apiKeys.find(entry => entry.apiKey === ApiVersions.key);
      answer = await this.#askVersions(Math.min(ApiVersions.versions.max, range?.maxVersion ?? 0));
    }
    if (answer.errorCode !== ErrorCode.NONE) {
      throw new ConnectionError('BAD_RESPONSE', `${this.peer} answers ApiVersions with error ${answer.errorCode}`);
    }
    this.#advertised = advertisedVersions(answer.apiKeys);
  }

  #askVersions(version: number): Promise<ResponseOf<typeof ApiVersions>> {
    const request = { clientSoftwareName: 'samsa', clientSoftwareVersion: '0.1.0' };
    return this.#ask(ApiVersions, version, request, {});
  }

  async #send<A extends Api>(api: A, version: number, request: RequestInput<A>): Promise<undefined> {
    const correlationId = this.#channel.nextCorrelationId();
    await this.#channel.send(encodeRequestFrame(api, version, correlationId, this.#options.clientId, request));
    return undefined;
  }

  async #ask<A extends Api>(
    api: A,
    version: number,
    request: RequestInput<A>,
    { timeoutMs = this.#options.requestTimeoutMs, allocate }: CallOptions,
  ): Promise<ResponseOf<A>> {
    const correlationId = this.#channel.nextCorrelationId();
    const chunks = encodeRequestFrame(api, version, correlationId, this.#options.clientId, request);
    const frame = await this.#channel.call(chunks, correlationId, timeoutMs, allocate);
    return this.#decode(api, version, frame);
  }

  #decode<A extends Api>(api: A, version: number, frame: Buffer): ResponseOf<A> {
    try {
      const { bodyOffset } = decodeResponseHeader(api, version, frame);
      return api.response.decode(frame, answeredVersion(api, version, frame, bodyOffset), bodyOffset) as ResponseOf<A>;
    } catch (error) {
      const failure = new ConnectionError('BAD_RESPONSE', `${this.peer}: ${(error as Error).message}`);
      this.#channel.fail(failure);
      throw failure;
    }
  }
}

/** ApiVersions in a version that the broker does not know is answered in the form of v0. */
function answeredVersion(api: Api, version: number, frame: Buffer, bodyOffset: number): number {
  if (api.key !== ApiVersions.key || frame.length < bodyOffset + 2) return version;
  return frame.readInt16BE(bodyOffset) === ErrorCode.UNSUPPORTED_VERSION ? 0 : version;
}

/** Produce with acks=0 has no answer on the Kafka protocol. */
function isUnanswered(api: Api, request: unknown): boolean {
  return api.key === Produce.key && (request as RequestInput<typeof Produce>).acks === 0;
}
