import { SerializationError, type Deserializer } from '../serialization/serde.ts';
import type { ConsumerRecord } from './record.ts';

/**
 * A record's bytes are not what a deserializer takes (Kafka: `RecordDeserializationException`). The consumer stands at the
 * record: each poll throws this again until the application seeks past it, to `offset` + 1.
 */
export class RecordDeserializationError extends SerializationError {
  override readonly name = 'RecordDeserializationError';
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Which of the two it was. */
  readonly origin: 'key' | 'value';
  /** The record with its bytes, for whoever puts such records aside. */
  readonly record: ConsumerRecord;

  constructor(origin: 'key' | 'value', record: ConsumerRecord, cause: Error) {
    const { topic, partition, offset } = record;
    super(
      `Error deserializing the ${origin} of ${topic}-${partition}@${offset}: ${cause.message}. ` +
        'If needed, please seek past the record to continue consumption.',
      { cause },
    );
    this.topic = topic;
    this.partition = partition;
    this.offset = offset;
    this.origin = origin;
    this.record = record;
  }
}

/** @throws RecordDeserializationError */
export type RecordDecoder<K, V> = (record: ConsumerRecord) => ConsumerRecord<K, V>;

/** Null when there is nothing to do: keys and values stay bytes. */
export function recordDecoder<K, V>(key?: Deserializer<K>, value?: Deserializer<V>): RecordDecoder<K, V> | null {
  if (key === undefined && value === undefined) return null;
  return record => ({
    ...record,
    key: decoded('key', key, record),
    value: decoded('value', value, record),
  });
}

/** Without a deserializer the type says bytes. */
function decoded<T>(origin: 'key' | 'value', deserializer: Deserializer<T> | undefined, record: ConsumerRecord): T {
  if (deserializer === undefined) return record[origin] as T;
  try {
    return deserializer.deserialize(record[origin], record.topic, record.headers);
  } catch (error) {
    throw new RecordDeserializationError(origin, record, error as Error);
  }
}
