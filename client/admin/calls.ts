import { ConnectionError } from '../../shared/connection/connection.ts';
import type { Api, RequestInput, ResponseOf } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { KafkaError } from '../errors.ts';
import { untilAllHaveHeard, type Heard } from './propagation.ts';

export interface AdminOptions {
  readonly requestTimeoutMs: number;
  readonly defaultApiTimeoutMs: number;
}

/** Time that a broker has to answer within, beyond what it was told to wait; at most half of request.timeout.ms. */
const ANSWER_MARGIN_MS = 5_000;

/** How long a change of topics that is done waits for the slowest broker to hear of it: one may be frozen. */
const PROPAGATION_LIMIT_MS = 5_000;

/** How an admin client's calls reach the broker that has to answer them, and are tried again while that may help. */
export class AdminCalls {
  readonly #cluster: Cluster;
  readonly #options: AdminOptions;

  constructor(cluster: Cluster, options: AdminOptions) {
    this.#cluster = cluster;
    this.#options = options;
  }

  /** How long a broker should take at most for what it is asked to do, in milliseconds. */
  get waitMs(): number {
    const { requestTimeoutMs } = this.#options;
    return requestTimeoutMs - Math.min(ANSWER_MARGIN_MS, Math.floor(requestTimeoutMs / 2));
  }

  /** Until when a call that begins now may be tried again, in monotonic milliseconds. */
  deadline(): number {
    return this.#cluster.runtime.clock.monotonic() + this.#options.defaultApiTimeoutMs;
  }

  /** Waits until all brokers that can be reached have heard of a change of topics, within bounds. */
  untilAllHaveHeard(topics: readonly string[], heard: Heard): Promise<void> {
    const deadline =
      this.#cluster.runtime.clock.monotonic() + Math.min(PROPAGATION_LIMIT_MS, this.#options.requestTimeoutMs);
    return untilAllHaveHeard(this.#cluster, topics, heard, deadline);
  }

  /** @param evaluate of the answer; what it throws counts as the call's outcome, to be tried again if it passes */
  atController<A extends Api, T>(
    api: A,
    request: (version: number) => RequestInput<A>,
    evaluate: (response: ResponseOf<A>) => T,
  ): Promise<T> {
    return this.retrying(`${api.name} did not succeed`, async () => {
      const connection = await this.#cluster.controller();
      const version = Math.min(api.versions.max, connection.versions(api)?.max ?? api.versions.max);
      const response = await connection.call(api, request(version), {
        version,
        timeoutMs: this.#options.requestTimeoutMs,
      });
      return evaluate(response!);
    });
  }

  /** @param what a sentence that says what could not be done, for the error when time is up */
  async retrying<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    const deadline = this.deadline();
    for (let tries = 1; ; tries++) {
      let failure: unknown;
      try {
        return await attempt();
      } catch (error) {
        if (!isRetriable(error)) throw error;
        this.#cluster.invalidate();
        failure = error;
      }
      await this.#cluster.pause(tries, deadline, failure, what);
    }
  }
}

/** A time-out is not: the request may have had its effect, and saying so is more useful than trying again. */
function isRetriable(error: unknown): boolean {
  if (error instanceof ConnectionError) return error.code !== 'UNSUPPORTED_VERSION';
  return (
    error instanceof KafkaError &&
    error.retriable &&
    error.code !== ErrorCode.REQUEST_TIMED_OUT &&
    error.code !== ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  );
}
