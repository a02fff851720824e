import type { Logger } from '../../shared/runtime/logger.ts';
import { closeQuietly } from '../close-quietly.ts';
import type { Serializer } from '../serialization/serde.ts';
import { ProducerInterceptors, type ProducerInterceptor } from './interceptors.ts';
import type { ProducerRecord, SendCallback } from './record.ts';
import { recordEncoder, type RecordEncoder } from './record-encoder.ts';

/** What an application may have done to its records on their way: see `Serializer` and `ProducerInterceptor`. */
export interface PreparationParts<K, V> {
  /** Default: keys are bytes or text. */
  readonly keySerializer?: Serializer<K>;
  /** Default: values are bytes or text. */
  readonly valueSerializer?: Serializer<V>;
  /** The first sees a record first. */
  readonly interceptors?: readonly ProducerInterceptor<K, V>[];
}

/** What becomes of a record then. */
export interface Prepared {
  /** Takes the record as bytes or text, and tells how it ended. */
  readonly send: (record: ProducerRecord, callback: SendCallback | null) => void;
  /** It cannot be serialized. */
  readonly refuse: (error: Error, callback: SendCallback | null) => void;
}

/** Records on their way from the application to what is sent: interceptors, then serializers. */
export class Preparation<K, V> {
  readonly #parts: PreparationParts<K, V>;
  readonly #logger: Logger;
  readonly #interceptors: ProducerInterceptors<K, V>;
  readonly #encode: RecordEncoder<K, V>;

  private constructor(parts: PreparationParts<K, V>, logger: Logger) {
    this.#parts = parts;
    this.#logger = logger;
    this.#interceptors = new ProducerInterceptors(parts.interceptors ?? [], logger);
    this.#encode = recordEncoder(parts.keySerializer, parts.valueSerializer) ?? (record => record as ProducerRecord);
  }

  /** Null when nothing is to be done: such records are sent as they are, at no cost. */
  static of<K, V>(parts: PreparationParts<K, V>, logger: Logger): Preparation<K, V> | null {
    const { keySerializer, valueSerializer, interceptors = [] } = parts;
    const isNeeded = keySerializer !== undefined || valueSerializer !== undefined || interceptors.length > 0;
    return isNeeded ? new Preparation(parts, logger) : null;
  }

  send(record: ProducerRecord<K, V>, callback: SendCallback | null, { send, refuse }: Prepared): void {
    const intercepted = this.#interceptors.onSend(record);
    const told = this.#interceptors.isEmpty ? callback : this.#telling(intercepted, callback);
    let encoded: ProducerRecord;
    try {
      encoded = this.#encode(intercepted);
    } catch (error) {
      refuse(error as Error, told);
      return;
    }
    send(encoded, told);
  }

  #telling(record: ProducerRecord<K, V>, callback: SendCallback | null): SendCallback {
    return (error, metadata) => {
      this.#interceptors.onAcknowledgement(record, metadata, error);
      callback?.(error, metadata);
    };
  }

  close(): void {
    const { interceptors = [], keySerializer, valueSerializer } = this.#parts;
    closeQuietly([...interceptors, keySerializer, valueSerializer], this.#logger);
  }
}
