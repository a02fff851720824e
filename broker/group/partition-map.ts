/** Something about each of some partitions. */
export class PartitionMap<T> {
  readonly #topics = new Map<string, Map<number, T>>();

  get isEmpty(): boolean {
    return this.#topics.size === 0;
  }

  get size(): number {
    let size = 0;
    for (const partitions of this.#topics.values()) size += partitions.size;
    return size;
  }

  get(topic: string, partition: number): T | undefined {
    return this.#topics.get(topic)?.get(partition);
  }

  has(topic: string, partition: number): boolean {
    return this.#topics.get(topic)?.has(partition) ?? false;
  }

  set(topic: string, partition: number, value: T): void {
    const partitions = this.#topics.get(topic);
    if (partitions === undefined) this.#topics.set(topic, new Map([[partition, value]]));
    else partitions.set(partition, value);
  }

  delete(topic: string, partition: number): void {
    const partitions = this.#topics.get(topic);
    partitions?.delete(partition);
    if (partitions?.size === 0) this.#topics.delete(topic);
  }

  *entries(): Generator<[string, number, T]> {
    for (const [topic, partitions] of this.#topics)
      for (const [partition, value] of partitions) yield [topic, partition, value];
  }
}
