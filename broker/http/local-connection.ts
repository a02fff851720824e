import { chooseVersion } from '../../shared/connection/versions.ts';
import { ConnectionError, type CallOptions, type Connection } from '../../shared/connection/connection.ts';
import type { Api, RequestInput, ResponseOf } from '../../shared/protocol/api.ts';
import type { Timers } from '../../shared/runtime/clock.ts';
import type { ConnectionContext, RequestContext } from '../request/context.ts';
import type { Dispatcher } from '../request/handler.ts';

export interface LocalConnectionOptions {
  readonly dispatcher: Dispatcher;
  readonly clientId: string;
  readonly timers: Timers;
  /** On whose behalf: the listener decides which addresses Metadata tells. */
  readonly behalf: Pick<ConnectionContext, 'listenerName' | 'securityProtocol' | 'principal' | 'clientAddress'>;
}

let connectionCount = 0;

/**
 * A connection to this very broker, without a socket: requests and answers are encoded all the same, so that a caller in
 * the process gets exactly what one outside would, validation and defaults included.
 */
export class LocalConnection implements Connection {
  readonly peer = 'local';
  readonly #options: LocalConnectionOptions;
  readonly #context: ConnectionContext;
  readonly #abort = new AbortController();

  constructor(options: LocalConnectionOptions) {
    this.#options = options;
    connectionCount++;
    this.#context = {
      ...options.behalf,
      connectionId: `local-${connectionCount}`,
      dialect: 'local',
      closed: this.#abort.signal,
    };
  }

  get closed(): boolean {
    return this.#abort.signal.aborted;
  }

  versions(api: Api): { min: number; max: number } | null {
    return this.#options.dispatcher.handlerFor(api.key)?.versions ?? null;
  }

  async call<A extends Api>(
    api: A,
    request: RequestInput<A>,
    options: CallOptions = {},
  ): Promise<ResponseOf<A> | undefined> {
    if (this.closed) throw this.#closedError();
    const version = chooseVersion(api, this.versions(api), options.version, this.peer);
    const body = Buffer.concat(api.request.encode(request, version));
    const answering = this.#options.dispatcher.dispatch(body, this.#request(api, version));
    const answer = await (answering instanceof Promise ? this.#inTime(answering, options.timeoutMs) : answering);
    return answer === undefined ? undefined : (api.response.decode(Buffer.concat(answer), version) as ResponseOf<A>);
  }

  close(): void {
    this.#abort.abort(this.#closedError());
  }

  onClose(listener: () => void): void {
    if (this.closed) listener();
    else this.#abort.signal.addEventListener('abort', listener, { once: true });
  }

  #closedError(): ConnectionError {
    return new ConnectionError('CLOSED', 'the connection within the broker was closed');
  }

  #request(api: Api, apiVersion: number): RequestContext {
    const { clientId } = this.#options;
    return { connection: this.#context, clientId, apiKey: api.key, apiVersion, park: () => {} };
  }

  #inTime<T>(answer: Promise<T>, timeoutMs: number | undefined): Promise<T> {
    const { signal } = this.#abort;
    return new Promise((resolve, reject) => {
      const onClose = () => reject(signal.reason as Error);
      signal.addEventListener('abort', onClose, { once: true });
      const timer =
        timeoutMs === undefined ? null : this.#options.timers.after(timeoutMs, () => reject(timedOut(timeoutMs)));
      void answer.then(resolve, reject).finally(() => {
        timer?.cancel();
        signal.removeEventListener('abort', onClose);
      });
    });
  }
}

function timedOut(timeoutMs: number): ConnectionError {
  return new ConnectionError('TIMED_OUT', `the broker itself did not answer within ${timeoutMs} ms`);
}
