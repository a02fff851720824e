import { SerializationError, type Serializer } from '../serialization/serde.ts';
import type { Bytes, Header, ProducerRecord } from './record.ts';

/** @throws SerializationError */
export type RecordEncoder<K, V> = (record: ProducerRecord<K, V>) => ProducerRecord;

/** Null when there is nothing to do: keys and values are bytes or text. */
export function recordEncoder<K, V>(key?: Serializer<K>, value?: Serializer<V>): RecordEncoder<K, V> | null {
  if (key === undefined && value === undefined) return null;
  return record => {
    const headers = [...(record.headers ?? [])];
    return {
      ...record,
      // A record without a key has none, whatever the serializer makes of null.
      key: record.key === undefined ? null : encoded('key', key, record.key, record.topic, headers),
      value: encoded('value', value, record.value, record.topic, headers),
      headers,
    };
  };
}

/** Without a serializer the type says bytes or text. */
function encoded<T>(
  what: 'key' | 'value',
  serializer: Serializer<T> | undefined,
  data: T,
  topic: string,
  headers: Header[],
): Bytes {
  if (serializer === undefined) return data as Bytes;
  try {
    return serializer.serialize(data, topic, headers);
  } catch (error) {
    const why = (error as Error).message;
    throw new SerializationError(`Can't serialize the ${what} of a record for topic ${topic}: ${why}`, {
      cause: error,
    });
  }
}
