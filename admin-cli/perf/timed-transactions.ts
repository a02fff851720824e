import type { Producer } from '../../client/index.ts';

/**
 * Puts records into transactions, one after the other, each of which is committed when it has been open for some time
 * (Kafka: `ProducerPerformance.start`). Whatever lasts longer, the last one is committed when all is sent.
 */
export class TimedTransactions {
  readonly #producer: Pick<Producer, 'beginTransaction' | 'commitTransaction'>;
  readonly #durationMs: number;
  /** null while none is open. */
  #begunMs: number | null = null;

  /** @param durationMs milliseconds from a transaction's first record until it is committed with the next that is sent */
  constructor(producer: Pick<Producer, 'beginTransaction' | 'commitTransaction'>, durationMs: number) {
    this.#producer = producer;
    this.#durationMs = durationMs;
  }

  /** A record is about to be sent at `nowMs`: the first one opens a transaction. */
  beforeRecord(nowMs: number): void {
    if (this.#begunMs !== null) return;
    this.#producer.beginTransaction();
    this.#begunMs = nowMs;
  }

  /** Records have been sent at `nowMs`. @throws TransactionError when their transaction cannot be committed */
  async afterRecords(nowMs: number): Promise<void> {
    if (this.#begunMs !== null && nowMs - this.#begunMs >= this.#durationMs) await this.finish();
  }

  /** Commits what is open. @throws TransactionError */
  async finish(): Promise<void> {
    if (this.#begunMs === null) return;
    await this.#producer.commitTransaction();
    this.#begunMs = null;
  }
}
