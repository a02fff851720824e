import type { Logger } from '../../shared/runtime/logger.ts';
import type { OffsetToCommit } from '../groups/committed-offsets.ts';
import type { ConsumerRecord } from './record.ts';

/** Sees, and may change, what a consumer hands out (Kafka: `ConsumerInterceptor`). What it throws is logged, no more. */
export interface ConsumerInterceptor<K = Buffer | null, V = Buffer | null> {
  /** Before a poll returns records; what this returns is handed out instead. Positions move on all the same. */
  onConsume?(records: readonly ConsumerRecord<K, V>[]): readonly ConsumerRecord<K, V>[];
  /** After offsets have been committed, whoever asked for it. */
  onCommit?(offsets: readonly OffsetToCommit[]): void;
  close?(): void;
}

/** Interceptors one behind the other: each gets what the one before it has made of the records. */
export class ConsumerInterceptors<K, V> {
  readonly #chain: readonly ConsumerInterceptor<K, V>[];
  readonly #logger: Logger;

  constructor(chain: readonly ConsumerInterceptor<K, V>[], logger: Logger) {
    this.#chain = chain;
    this.#logger = logger;
  }

  onConsume(records: ConsumerRecord<K, V>[]): ConsumerRecord<K, V>[] {
    if (this.#chain.length === 0 || records.length === 0) return records;
    let current: readonly ConsumerRecord<K, V>[] = records;
    for (const interceptor of this.#chain) {
      this.#guard('onConsume', () => (current = interceptor.onConsume?.(current) ?? current));
    }
    return [...current];
  }

  onCommit(offsets: readonly OffsetToCommit[]): void {
    for (const interceptor of this.#chain) this.#guard('onCommit', () => interceptor.onCommit?.(offsets));
  }

  #guard(what: string, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#logger.warn({ err: error }, `the ${what} of a consumer interceptor failed`);
    }
  }
}
