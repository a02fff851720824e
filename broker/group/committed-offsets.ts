/** An offset that a group has committed for a partition. */
export interface CommittedOffset {
  readonly offset: number;
  /** Of the last record consumed; -1 = not known. */
  readonly leaderEpoch: number;
  readonly metadata: string;
  /** Milliseconds since the epoch. */
  readonly commitTimestamp: number;
  /** When the client wants it forgotten (OffsetCommit 2 to 4); null: by `offsets.retention.minutes`. */
  readonly expireTimestamp: number | null;
}

export interface OffsetOf extends CommittedOffset {
  readonly topic: string;
  readonly partition: number;
}

interface Entry {
  readonly committed: CommittedOffset;
  /** Where its record lies in the log. */
  readonly recordOffset: number;
}

/** The offsets of one group (Kafka: part of `GroupMetadata`). A commit becomes visible when its record is replicated. */
export class CommittedOffsets {
  readonly #topics = new Map<string, Map<number, Entry>>();
  /** Commits on their way to the log, the latest of each partition. */
  readonly #pending = new Map<string, Map<number, CommittedOffset>>();

  get isEmpty(): boolean {
    return this.#topics.size === 0 && this.#pending.size === 0;
  }

  /** Partitions of which something is committed. */
  get size(): number {
    let size = 0;
    for (const partitions of this.#topics.values()) size += partitions.size;
    return size;
  }

  get(topic: string, partition: number): CommittedOffset | null {
    return this.#topics.get(topic)?.get(partition)?.committed ?? null;
  }

  *all(): Generator<OffsetOf> {
    for (const [topic, partitions] of this.#topics)
      for (const [partition, { committed }] of partitions) yield { topic, partition, ...committed };
  }

  isPending(topic: string, partition: number): boolean {
    return this.#pending.get(topic)?.has(partition) ?? false;
  }

  /** Commits are on their way to the log. */
  prepare(commits: readonly OffsetOf[]): void {
    for (const commit of commits) put(this.#pending, commit.topic, commit.partition, commit);
  }

  /**
   * Their records are replicated; a commit whose record comes later in the log wins, whichever is heard of first. What
   * was removed meanwhile (its topic was deleted) stays so.
   */
  complete(commits: readonly OffsetOf[], recordOffset: number): void {
    for (const commit of commits) {
      const { topic, partition } = commit;
      if (!this.isPending(topic, partition)) continue;
      const known = this.#topics.get(topic)?.get(partition);
      if (known === undefined || known.recordOffset < recordOffset)
        put(this.#topics, topic, partition, { committed: commit, recordOffset });
    }
    this.#settle(commits);
  }

  /** Their records could not be appended. */
  fail(commits: readonly OffsetOf[]): void {
    this.#settle(commits);
  }

  #settle(commits: readonly OffsetOf[]): void {
    for (const commit of commits) {
      const { topic, partition } = commit;
      if (this.#pending.get(topic)?.get(partition) === commit) drop(this.#pending, topic, partition);
    }
  }

  /** What the log says, read from its start to its end. */
  load(topic: string, partition: number, committed: CommittedOffset | null, recordOffset: number): void {
    if (committed === null) drop(this.#topics, topic, partition);
    else put(this.#topics, topic, partition, { committed, recordOffset });
  }

  /** Forgets partitions; returns those that had an offset. */
  remove(partitions: Iterable<{ readonly topic: string; readonly partition: number }>): OffsetOf[] {
    const removed: OffsetOf[] = [];
    for (const { topic, partition } of partitions) {
      const committed = this.get(topic, partition);
      if (committed !== null) removed.push({ topic, partition, ...committed });
      drop(this.#topics, topic, partition);
      drop(this.#pending, topic, partition);
    }
    return removed;
  }

  /** Forgets all; returns what there was. */
  removeAll(): OffsetOf[] {
    return this.remove([...this.all()]);
  }
}

function put<T>(topics: Map<string, Map<number, T>>, topic: string, partition: number, value: T): void {
  const partitions = topics.get(topic);
  if (partitions === undefined) topics.set(topic, new Map([[partition, value]]));
  else partitions.set(partition, value);
}

function drop<T>(topics: Map<string, Map<number, T>>, topic: string, partition: number): void {
  const partitions = topics.get(topic);
  partitions?.delete(partition);
  if (partitions?.size === 0) topics.delete(topic);
}
