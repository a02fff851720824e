import type { Api } from '../../shared/protocol/api.ts';
import { ApiVersions } from '../../shared/protocol/messages/api-versions.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import type { RequestContext } from '../request/context.ts';
import { CloseConnection, type ApiHandler, type Dispatcher } from '../request/handler.ts';
import { unsupportedVersion } from './api-versions.ts';

/**
 * All APIs of this broker by key: what every dialect ends in, and what ApiVersions advertises. Requests of unknown
 * APIs and versions close the connection, as in Kafka, except an ApiVersions that is too new: it is answered in
 * version 0, so that the client can step down (KIP-511).
 */
export class ApiRegistry implements Dispatcher {
  readonly #handlers = new Map<number, ApiHandler>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  add<A extends Api>(handler: ApiHandler<A>): void {
    this.#handlers.set(handler.api.key, handler);
  }

  /** All handlers by ascending API key. */
  handlers(): ApiHandler[] {
    return [...this.#handlers.values()].sort((a, b) => a.api.key - b.api.key);
  }

  handlerFor(apiKey: number): ApiHandler | undefined {
    return this.#handlers.get(apiKey);
  }

  dispatch(body: Buffer, context: RequestContext): Buffer[] | undefined | Promise<Buffer[] | undefined> {
    const { apiKey, apiVersion } = context;
    const handler = this.#handlers.get(apiKey);
    if (handler === undefined) throw new CloseConnection(`API key ${apiKey} is not served here`);
    const { min, max } = handler.versions;
    if (apiVersion < min || apiVersion > max) {
      if (apiKey === ApiVersions.key) return ApiVersions.response.encode(unsupportedVersion(handler.versions), 0);
      throw new CloseConnection(`${handler.api.name} version ${apiVersion} is not served here, only ${min} to ${max}`);
    }
    const request = handler.api.request.decode(body, apiVersion);
    const answer = this.#handle(handler, request, context);
    if (answer instanceof Promise) return answer.then(response => encode(handler.api, response, apiVersion));
    return encode(handler.api, answer, apiVersion);
  }

  #handle(handler: ApiHandler, request: unknown, context: RequestContext): ReturnType<ApiHandler['handle']> {
    try {
      const answer = handler.handle(request, context);
      return answer instanceof Promise ? answer.catch((error: unknown) => this.#failed(handler, error)) : answer;
    } catch (error) {
      return this.#failed(handler, error);
    }
  }

  /** Handlers put every error they know into their response; what arrives here is unexpected and ends the connection. */
  #failed(handler: ApiHandler, error: unknown): never {
    if (error instanceof CloseConnection) throw error;
    this.#logger.error({ err: error, api: handler.api.name }, 'a request failed unexpectedly');
    throw new CloseConnection(`${handler.api.name} failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function encode(api: Api, response: unknown, version: number): Buffer[] | undefined {
  return response === undefined ? undefined : api.response.encode(response, version);
}
