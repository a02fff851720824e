import { ConnectionError } from '../../shared/connection/connection.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { InitProducerId } from '../../shared/protocol/messages/init-producer-id.ts';
import { backoffMs } from '../backoff.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { KafkaError, throwIfError } from '../errors.ts';
import type { ProducerIdentity } from './sequences.ts';

export interface ProducerIdOptions {
  readonly requestTimeoutMs: number;
  readonly retryBackoffMs: number;
  readonly retryBackoffMaxMs: number;
}

/** Says that an idempotent producer has no transactions that could time out. */
const NO_TIMEOUT = 2_147_483_647;

/** Asks brokers for a producer id, again and again until one gives it. */
export class ProducerIdRequest {
  readonly #cluster: Cluster;
  readonly #options: ProducerIdOptions;
  #isUnderWay = false;
  #failures = 0;
  #notBefore = -Infinity;

  constructor(cluster: Cluster, options: ProducerIdOptions) {
    this.#cluster = cluster;
    this.#options = options;
  }

  /**
   * Asks, unless that is under way or failed just now.
   * @param done told the identity, or an error that will not pass; `null`, `null`: ask again later
   * @returns in how many milliseconds to ask again; Infinity: `done` will be called
   */
  ask(done: (identity: ProducerIdentity | null, fatal: Error | null) => void): number {
    const { clock } = this.#cluster.runtime;
    const wait = this.#notBefore - clock.monotonic();
    if (this.#isUnderWay) return Infinity;
    if (wait > 0) return wait;
    this.#isUnderWay = true;
    this.#request()
      .then(
        identity => {
          this.#failures = 0;
          done(identity, null);
        },
        (error: unknown) => done(null, this.#failed(error)),
      )
      .finally(() => (this.#isUnderWay = false));
    return Infinity;
  }

  async #request(): Promise<ProducerIdentity> {
    const connection = await this.#cluster.any();
    const request = { transactionalId: null, transactionTimeoutMs: NO_TIMEOUT };
    const { requestTimeoutMs } = this.#options;
    const answer = (await connection.call(InitProducerId, request, { timeoutMs: requestTimeoutMs }))!;
    throwIfError(answer.errorCode);
    return { id: answer.producerId, epoch: answer.producerEpoch };
  }

  /** The error, if it will not pass. */
  #failed(error: unknown): Error | null {
    if (error instanceof ConnectionError && error.code === 'UNSUPPORTED_VERSION') {
      const message = `${error.message}: without idempotent producers, enable.idempotence must be false`;
      return new KafkaError(ErrorCode.UNSUPPORTED_VERSION, message);
    }
    if (error instanceof KafkaError && !error.retriable) return error;
    const { clock, random, logger } = this.#cluster.runtime;
    const { retryBackoffMs, retryBackoffMaxMs } = this.#options;
    this.#failures++;
    this.#notBefore = clock.monotonic() + backoffMs(this.#failures, retryBackoffMs, retryBackoffMaxMs, random);
    logger.debug({ err: error }, 'got no producer id, asking again');
    return null;
  }
}
