import type { ReceivedHeader } from '../consumer/record.ts';
import type { Header } from '../producer/record.ts';

/** Turns keys or values into bytes (Kafka: `Serializer`). */
export interface Serializer<T> {
  /**
   * @param headers of the record: what is added to the list is sent with it
   * @returns null for Kafka's null: a missing key, a tombstone
   * @throws Error that says what is wrong with the data; the record is not sent
   */
  serialize(data: T, topic: string, headers: Header[]): Buffer | null;
  /** The producer is closed. */
  close?(): void;
}

/** Turns the bytes of keys or values back into data (Kafka: `Deserializer`). */
export interface Deserializer<T> {
  /**
   * @param data a view of the answer that brought it: whoever keeps a few bytes for long copies them. null is Kafka's null
   * @throws Error that says what is wrong with the bytes; see RecordDeserializationError
   */
  deserialize(data: Buffer | null, topic: string, headers: readonly ReceivedHeader[]): T;
  /** The consumer is closed. */
  close?(): void;
}

/** Both directions in one. */
export interface Serde<T> extends Serializer<T>, Deserializer<T> {
  /** Bytes of every value but null, where that is a constant: lists leave out the lengths of such. */
  readonly size?: number;
}

/** Data that is not what a serializer takes, or bytes that are not what a deserializer takes. */
export class SerializationError extends Error {
  override readonly name: string = 'SerializationError';
}
