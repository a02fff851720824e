import { partitionKey, type TopicPartition } from '../../shared/topics/topic-partition.ts';

/** What the members of a group did and were told, and whether that is what a group promises. */
export class TeamHistory {
  /** Violations that showed while it ran. */
  readonly problems: string[] = [];
  /** By generation and partition, who had it. */
  readonly #owners = new Map<string, string>();
  /** By partition, the furthest that the coordinator has acknowledged. */
  readonly #committed = new Map<string, number>();
  /** By partition and offset, what has been worked on. */
  readonly #done = new Map<string, Map<number, string>>();

  /** A member has taken over partitions: nobody else may have them in the same generation. */
  owns(member: string, generation: number, partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) {
      const key = `${partitionKey(topic, partition)} in generation ${generation}`;
      const other = this.#owners.get(key);
      if (other !== undefined && other !== member) this.problems.push(`${key} belongs to ${other} and to ${member}`);
      this.#owners.set(key, member);
    }
  }

  /** How far the group is known to be: nobody who starts from now on may start before it. */
  progress(key: string): number {
    return this.#committed.get(key) ?? 0;
  }

  /** A member reads on from its group's place for the first time. */
  started(member: string, key: string, offset: number, atLeast: number): void {
    if (offset >= atLeast) return;
    this.problems.push(`${key}: ${member} started at ${offset}, though ${atLeast} had been committed`);
  }

  worked(key: string, offset: number, value: string): void {
    let records = this.#done.get(key);
    if (records === undefined) this.#done.set(key, (records = new Map()));
    records.set(offset, value);
  }

  /** @param before what `progress` was when the commit was sent */
  committed(member: string, key: string, offset: number, before: number): void {
    if (offset < before) this.problems.push(`${key}: ${member} committed ${offset} after ${before} had been`);
    this.#committed.set(key, Math.max(this.progress(key), offset));
  }

  /** What is in a partition's log, by offset, and nobody has worked on. */
  unread(key: string, log: ReadonlyMap<number, string>): string[] {
    const done = this.#done.get(key);
    return [...log]
      .filter(([offset, value]) => done?.get(offset) !== value)
      .map(([offset]) => `${key}: nobody of the group has worked on ${offset}, which is committed`);
  }
}
