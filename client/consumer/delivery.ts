import type { Logger } from '../../shared/runtime/logger.ts';
import { closeQuietly } from '../close-quietly.ts';
import type { Deserializer } from '../serialization/serde.ts';
import type { FetchedRecords } from './fetched-records.ts';
import type { OffsetToCommit } from '../groups/committed-offsets.ts';
import { ConsumerInterceptors, type ConsumerInterceptor } from './interceptors.ts';
import type { ConsumerRecord } from './record.ts';
import { recordDecoder, type RecordDecoder } from './record-decoder.ts';

/** What an application may have done to records before it gets them: see `Deserializer` and `ConsumerInterceptor`. */
export interface DeliveryParts<K, V> {
  /** Default: keys are bytes. */
  readonly keyDeserializer?: Deserializer<K>;
  /** Default: values are bytes. */
  readonly valueDeserializer?: Deserializer<V>;
  /** The first sees the records first. */
  readonly interceptors?: readonly ConsumerInterceptor<K, V>[];
}

/** Records on their way from what was fetched to the application: deserializers, then interceptors. */
export class Delivery<K, V> {
  readonly #parts: DeliveryParts<K, V>;
  readonly #logger: Logger;
  readonly #interceptors: ConsumerInterceptors<K, V>;
  readonly #decode: RecordDecoder<K, V> | null;

  constructor(parts: DeliveryParts<K, V>, logger: Logger) {
    this.#parts = parts;
    this.#logger = logger;
    this.#interceptors = new ConsumerInterceptors(parts.interceptors ?? [], logger);
    this.#decode = recordDecoder(parts.keyDeserializer, parts.valueDeserializer);
  }

  /**
   * Moves up to `count` records over; without deserializers they stay as they are, at no cost.
   * @throws RecordDeserializationError, RecordsError; what comes before that record is in `into`
   */
  take(fetched: FetchedRecords, count: number, into: ConsumerRecord<K, V>[]): void {
    if (this.#decode === null) {
      // Without deserializers K and V are bytes.
      fetched.take(count, into as ConsumerRecord[]);
      return;
    }
    const taken: ConsumerRecord[] = [];
    try {
      fetched.take(count, taken);
    } finally {
      for (const record of taken) into.push(this.#decode(record));
    }
  }

  /** What the application gets for them. */
  handOut(records: ConsumerRecord<K, V>[]): ConsumerRecord<K, V>[] {
    return this.#interceptors.onConsume(records);
  }

  committed(offsets: readonly OffsetToCommit[]): void {
    this.#interceptors.onCommit(offsets);
  }

  close(): void {
    const { interceptors = [], keyDeserializer, valueDeserializer } = this.#parts;
    closeQuietly([...interceptors, keyDeserializer, valueDeserializer], this.#logger);
  }
}
