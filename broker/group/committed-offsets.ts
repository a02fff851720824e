import type { CommittedOffset, LoggedOffset, OffsetOf } from './offset.ts';
import { LoggedOffsets } from './logged-offsets.ts';
import { PartitionMap } from './partition-map.ts';
import { TransactionalOffsets } from './transactional-offsets.ts';

/**
 * The offsets of one group (Kafka: part of `GroupMetadata`). A commit becomes visible when its record is replicated; one
 * that belongs to a transaction, when that is committed.
 */
export class CommittedOffsets {
  readonly transactional = new TransactionalOffsets();
  readonly #committed = new LoggedOffsets();
  /** Commits on their way to the log, the latest of each partition. */
  readonly #pending = new PartitionMap<OffsetOf>();

  get isEmpty(): boolean {
    return this.#committed.isEmpty && this.#pending.isEmpty && this.transactional.isEmpty;
  }

  /** Partitions of which something is committed. */
  get size(): number {
    return this.#committed.size;
  }

  get(topic: string, partition: number): CommittedOffset | null {
    return this.#committed.get(topic, partition);
  }

  *all(): Generator<OffsetOf> {
    for (const [topic, partition, committed] of this.#committed.entries()) yield { topic, partition, ...committed };
  }

  /** Whether another offset is on its way, in a transaction or not. */
  isPending(topic: string, partition: number): boolean {
    return this.#pending.has(topic, partition) || this.transactional.has(topic, partition);
  }

  /** Commits are on their way to the log. */
  prepare(commits: readonly OffsetOf[]): void {
    for (const commit of commits) this.#pending.set(commit.topic, commit.partition, commit);
  }

  /**
   * Their records are replicated; a commit whose record comes later in the log wins, whichever is heard of first. What
   * was removed meanwhile (its topic was deleted) stays so.
   */
  complete(commits: readonly OffsetOf[], recordOffset: number): void {
    for (const commit of commits) {
      const { topic, partition } = commit;
      if (this.#pending.has(topic, partition)) this.#take(topic, partition, { committed: commit, recordOffset });
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
      if (this.#pending.get(topic, partition) === commit) this.#pending.delete(topic, partition);
    }
  }

  #take(topic: string, partition: number, { committed, recordOffset }: LoggedOffset): void {
    if (this.#committed.recordOffset(topic, partition) < recordOffset)
      this.#committed.set(topic, partition, committed, recordOffset);
  }

  /** A producer's transaction is over: what was committed in it holds, unless something later does, or never was. */
  endTransaction(producerId: number, isCommit: boolean): void {
    const logged = this.transactional.end(producerId);
    if (isCommit) for (const [topic, partition, offset] of logged) this.#take(topic, partition, offset);
  }

  /** What the log says, read from its start to its end; `committed` is copied. */
  load(topic: string, partition: number, committed: CommittedOffset | null, recordOffset: number): void {
    if (committed === null) this.#committed.delete(topic, partition);
    else this.#committed.set(topic, partition, committed, recordOffset);
  }

  /** Forgets partitions; returns those that had an offset. */
  remove(partitions: Iterable<{ readonly topic: string; readonly partition: number }>): OffsetOf[] {
    const removed: OffsetOf[] = [];
    for (const { topic, partition } of partitions) {
      const committed = this.get(topic, partition);
      if (committed !== null) removed.push({ topic, partition, ...committed });
      this.#committed.delete(topic, partition);
      this.#pending.delete(topic, partition);
      this.transactional.remove(topic, partition);
    }
    return removed;
  }

  /** Forgets all; returns what there was. */
  removeAll(): OffsetOf[] {
    return this.remove([...this.all()]);
  }
}
