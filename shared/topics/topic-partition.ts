/** A partition of a topic by name. Its text form, `orders-0`, is what Kafka uses for directories and in messages. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** The text form, `topic-partition`. Unambiguous as a map key, because the partition follows the last dash. */
export function partitionKey(topic: string, partition: number): string {
  return `${topic}-${partition}`;
}
