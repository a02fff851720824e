import type { Logger } from '../../shared/runtime/logger.ts';
import type { Bytes, ProducerRecord, RecordMetadata } from './record.ts';

/** Sees, and may replace, what a producer sends (Kafka: `ProducerInterceptor`). What it throws is logged, no more. */
export interface ProducerInterceptor<K = Bytes, V = Bytes> {
  /** Before the record is serialized; what this returns is sent instead. */
  onSend?(record: ProducerRecord<K, V>): ProducerRecord<K, V>;
  /**
   * How a record ended, before its sender is told; it holds up the sending, so it had better be quick.
   * @param metadata of a record that failed: offset -1, and partition -1 unless its sender had chosen one
   */
  onAcknowledgement?(metadata: RecordMetadata, error: Error | null): void;
  close?(): void;
}

/** Interceptors one behind the other: each gets the record that the one before it has made. */
export class ProducerInterceptors<K, V> {
  readonly #chain: readonly ProducerInterceptor<K, V>[];
  readonly #logger: Logger;

  constructor(chain: readonly ProducerInterceptor<K, V>[], logger: Logger) {
    this.#chain = chain;
    this.#logger = logger;
  }

  get isEmpty(): boolean {
    return this.#chain.length === 0;
  }

  onSend(record: ProducerRecord<K, V>): ProducerRecord<K, V> {
    let current = record;
    for (const interceptor of this.#chain) {
      this.#guard('onSend', () => (current = interceptor.onSend?.(current) ?? current));
    }
    return current;
  }

  /** @param metadata null when the record, which was to be `sent`, failed */
  onAcknowledgement(sent: ProducerRecord<K, V>, metadata: RecordMetadata | null, error: Error | null): void {
    const { topic, partition = -1, timestamp = -1 } = sent;
    const told = metadata ?? { topic, partition, offset: -1, timestamp };
    for (const interceptor of this.#chain) {
      this.#guard('onAcknowledgement', () => interceptor.onAcknowledgement?.(told, error));
    }
  }

  #guard(what: string, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#logger.warn({ err: error }, `the ${what} of a producer interceptor failed`);
    }
  }
}
