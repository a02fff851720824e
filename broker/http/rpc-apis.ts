import type { ApiHandler, Dispatcher } from '../request/handler.ts';
import { HttpError } from './http-error.ts';

/** Keys above are not given out yet. */
const HIGHEST_API_KEY = 127;

/** The APIs that are served over HTTP: all but the ones between brokers. */
export class RpcApis {
  readonly #dispatcher: Dispatcher;
  #byName: ReadonlyMap<string, ApiHandler> | null = null;

  constructor(dispatcher: Dispatcher) {
    this.#dispatcher = dispatcher;
  }

  /** What `GET /v1/rpc` tells, by ascending key. */
  describe(): { name: string; key: number; min_version: number; max_version: number }[] {
    return [...this.#map().values()].map(({ api, versions }) => ({
      name: api.name,
      key: api.key,
      min_version: versions.min,
      max_version: versions.max,
    }));
  }

  /** @throws HttpError 404 */
  byName(name: string): ApiHandler {
    const handler = this.#map().get(name);
    if (handler !== undefined) return handler;
    throw new HttpError(404, `There is no API named ${name}; GET /v1/rpc lists them.`);
  }

  #map(): ReadonlyMap<string, ApiHandler> {
    this.#byName ??= this.#gather();
    return this.#byName;
  }

  #gather(): Map<string, ApiHandler> {
    const byName = new Map<string, ApiHandler>();
    for (let key = 0; key <= HIGHEST_API_KEY; key++) {
      const handler = this.#dispatcher.handlerFor(key);
      if (handler !== undefined && handler.interBroker !== true) byName.set(handler.api.name, handler);
    }
    return byName;
  }
}

/**
 * The version to use: the one given, else the newest.
 * @throws HttpError 400 naming the range
 */
export function rpcVersion({ api, versions }: ApiHandler, given: string | null): number {
  if (given === null) return versions.max;
  const version = /^\d+$/.test(given) ? Number(given) : NaN;
  if (version >= versions.min && version <= versions.max) return version;
  throw new HttpError(
    400,
    `version=${given} of ${api.name} is not served, only ${versions.min} to ${versions.max} are.`,
  );
}
