/** A partition of a topic by name. Its text form, `orders-0`, is what Kafka uses for directories and in messages. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** The text form, `topic-partition`. Unambiguous as a map key, because the partition follows the last dash. */
export function partitionKey(topic: string, partition: number): string {
  return `${topic}-${partition}`;
}

/** What is about partitions, by topic, in the order in which the topics first appear. */
export function byTopic<T extends { readonly topic: string }>(items: Iterable<T>): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(item.topic);
    if (group === undefined) groups.set(item.topic, [item]);
    else group.push(item);
  }
  return groups;
}
