/** A key, a value or a header value: bytes, or text that is sent as UTF-8. null is Kafka's null (a tombstone, as value). */
export type Bytes = Buffer | string | null;

export interface Header {
  readonly key: string;
  readonly value: Bytes;
}

/** What a producer sends: bytes or text, or what its serializers take. */
export interface ProducerRecord<K = Bytes, V = Bytes> {
  readonly topic: string;
  /** Without it the partitioner chooses. */
  readonly partition?: number;
  readonly key?: K;
  readonly value: V;
  readonly headers?: readonly Header[];
  /** Milliseconds since the Unix epoch; default: now. */
  readonly timestamp?: number;
}

/** Where a record ended up. */
export interface RecordMetadata {
  readonly topic: string;
  readonly partition: number;
  /** -1 with acks=0. */
  readonly offset: number;
  /** Milliseconds since the Unix epoch: the record's own, or the broker's on a LogAppendTime topic. */
  readonly timestamp: number;
}

/** Told how a record ended: exactly one of the two is not null. */
export type SendCallback = (error: Error | null, metadata: RecordMetadata | null) => void;

export function toBytes(value: Bytes | undefined): Buffer | null {
  if (value === undefined || value === null) return null;
  return typeof value === 'string' ? Buffer.from(value) : value;
}
