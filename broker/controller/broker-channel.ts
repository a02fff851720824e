import type { Address, Connection, Connector } from '../../shared/connection/connection.ts';
import type { Api, RequestInput, ResponseOf } from '../../shared/protocol/api.ts';
import type { Timers } from '../../shared/runtime/clock.ts';
import type { Logger } from '../../shared/runtime/logger.ts';

/** Pause before a request is sent again, milliseconds. */
const RESEND_PAUSE_MS = 100;

interface Pending {
  readonly api: Api;
  readonly send: (connection: Connection) => Promise<void>;
  /** Attempts that failed. */
  failures: number;
}

/**
 * The way to one broker: requests go out in order, one at a time, each again and again until it is answered or the
 * channel is closed, because the broker is gone (Kafka: `RequestSendThread`). A request thus never overtakes another,
 * and what was decided last is what the broker hears last.
 */
export class BrokerChannel {
  readonly #address: Address;
  readonly #parts: { connector: Connector; timers: Timers; logger: Logger };
  readonly #queue: Pending[] = [];
  readonly #ended = new AbortController();
  #connection: Connection | null = null;
  #running = false;

  constructor(address: Address, parts: { connector: Connector; timers: Timers; logger: Logger }) {
    this.#address = address;
    this.#parts = parts;
  }

  /** Requests that wait or are under way. */
  get queueSize(): number {
    return this.#queue.length;
  }

  /** Sends the request after those before it; `onResponse` is called with the answer unless the channel is closed first. */
  send<A extends Api>(
    api: A,
    version: number,
    request: RequestInput<A>,
    timeoutMs: number,
    onResponse: (response: ResponseOf<A>) => void,
  ): void {
    if (this.#ended.signal.aborted) return;
    this.#queue.push({
      api,
      failures: 0,
      send: async connection => {
        const response = await connection.call(api, request, { version, timeoutMs });
        if (!this.#ended.signal.aborted) onResponse(response!);
      },
    });
    if (!this.#running) void this.#run();
  }

  /** Drops what has not been answered. */
  close(): void {
    this.#ended.abort();
    this.#queue.length = 0;
    this.#connection?.close();
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      if (await this.#attempt(next)) this.#queue.shift();
      else await this.#pause();
    }
    this.#running = false;
  }

  async #attempt(pending: Pending): Promise<boolean> {
    try {
      await pending.send(await this.#connect());
      return true;
    } catch (error) {
      if (this.#ended.signal.aborted) return false;
      this.#tellOfFailure(pending, error);
      this.#connection?.close();
      this.#connection = null;
      return false;
    }
  }

  /** Once a request: a broker that is away for long is no news. */
  #tellOfFailure(pending: Pending, error: unknown): void {
    const { host, port } = this.#address;
    const level = pending.failures++ === 0 ? 'warn' : 'debug';
    this.#parts.logger[level](
      { err: error },
      `could not send ${pending.api.name} to ${host}:${port}; sending it again`,
    );
  }

  async #connect(): Promise<Connection> {
    if (this.#connection === null || this.#connection.closed) {
      this.#connection = await this.#parts.connector.connect(this.#address);
      if (this.#ended.signal.aborted) this.#connection.close();
    }
    return this.#connection;
  }

  async #pause(): Promise<void> {
    await this.#parts.timers.sleep(RESEND_PAUSE_MS, this.#ended.signal).catch(() => undefined);
  }
}
