/** A header of a record as it came in. */
export interface ReceivedHeader {
  readonly key: string;
  readonly value: Buffer | null;
}

/**
 * A record as a consumer sees it. Header values are bytes, and so are keys and values unless the consumer has
 * deserializers; null is Kafka's null.
 */
export interface ConsumerRecord<K = Buffer | null, V = Buffer | null> {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since the Unix epoch; -1 in records of the oldest format, which carry none. */
  readonly timestamp: number;
  readonly timestampType: 'CreateTime' | 'LogAppendTime' | 'NoTimestampType';
  /** -1 when unknown. */
  readonly leaderEpoch: number;
  readonly key: K;
  readonly value: V;
  readonly headers: readonly ReceivedHeader[];
}
