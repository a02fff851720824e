import { partitionKey, type TopicPartition } from '../../shared/topics/topic-partition.ts';
import { PartitionState } from './partition-state.ts';

/** The partitions that a consumer reads, in the order in which poll looks at them. */
export class Assignment {
  readonly #partitions = new Map<string, PartitionState>();
  #order: readonly PartitionState[] = [];

  /** Who was served goes last. */
  get inOrder(): readonly PartitionState[] {
    return this.#order;
  }

  get(topic: string, partition: number): PartitionState | undefined {
    return this.#partitions.get(partitionKey(topic, partition));
  }

  /** @throws Error if the partition is not assigned */
  need(topic: string, partition: number): PartitionState {
    const state = this.get(topic, partition);
    if (state === undefined) throw new Error(`partition ${topic}-${partition} is not assigned to this consumer`);
    return state;
  }

  list(): TopicPartition[] {
    return this.#order.map(({ topic, partition }) => ({ topic, partition }));
  }

  /** Makes this the assignment; returns the new ones, which have no position. Those that stay keep what they have. */
  hold(partitions: readonly TopicPartition[]): PartitionState[] {
    const added: PartitionState[] = [];
    const wanted = new Map(partitions.map(tp => [partitionKey(tp.topic, tp.partition), tp]));
    for (const [key, state] of this.#partitions) {
      if (wanted.has(key)) continue;
      state.generation++;
      this.#partitions.delete(key);
    }
    for (const [key, { topic, partition }] of wanted) {
      if (this.#partitions.has(key)) continue;
      const state = new PartitionState(topic, partition);
      added.push(state);
      this.#partitions.set(key, state);
    }
    this.#order = [...this.#partitions.values()];
    return added;
  }

  /** These have been served: the others come first the next time. */
  putLast(served: readonly PartitionState[]): void {
    if (served.length > 0) this.#order = [...this.#order.filter(state => !served.includes(state)), ...served];
  }
}
