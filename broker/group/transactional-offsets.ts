import type { LoggedOffset, OffsetOf } from './offset.ts';
import { PartitionMap } from './partition-map.ts';

/** What one producer has committed in the transaction that it has open. */
interface OpenTransaction {
  /** Commits on their way to the log, the latest of each partition. */
  readonly pending: PartitionMap<OffsetOf>;
  /** Those that are in the log, the last of each partition. */
  readonly logged: PartitionMap<LoggedOffset>;
}

/**
 * The offsets of one group that were committed in transactions which have not ended yet, by producer. Nobody is told of
 * them before the marker says that the transaction is committed (KIP-98); until then their partitions are unstable
 * (KIP-447).
 */
export class TransactionalOffsets {
  readonly #transactions = new Map<number, OpenTransaction>();

  get isEmpty(): boolean {
    return this.#transactions.size === 0;
  }

  /** The producers that have committed something here. */
  producers(): Iterable<number> {
    return this.#transactions.keys();
  }

  /** Whether the producer has committed something here. */
  isOpen(producerId: number): boolean {
    return this.#transactions.has(producerId);
  }

  /** Whether a transaction that is open may change the partition's offset. */
  has(topic: string, partition: number): boolean {
    for (const { pending, logged } of this.#transactions.values())
      if (pending.has(topic, partition) || logged.has(topic, partition)) return true;
    return false;
  }

  /** Commits are on their way to the log. */
  prepare(producerId: number, commits: readonly OffsetOf[]): void {
    const { pending } = this.#open(producerId);
    for (const commit of commits) pending.set(commit.topic, commit.partition, commit);
  }

  /** Their records are replicated. What has been removed, or whose transaction has ended, meanwhile is not heard of again. */
  complete(producerId: number, commits: readonly OffsetOf[], recordOffset: number): void {
    const transaction = this.#transactions.get(producerId);
    for (const commit of commits) {
      const { topic, partition } = commit;
      if (transaction?.pending.has(topic, partition) !== true) continue;
      const known = transaction.logged.get(topic, partition);
      if (known === undefined || known.recordOffset < recordOffset)
        transaction.logged.set(topic, partition, { committed: commit, recordOffset });
    }
    this.#settle(producerId, commits);
  }

  /** Their records could not be appended. */
  fail(producerId: number, commits: readonly OffsetOf[]): void {
    this.#settle(producerId, commits);
  }

  #settle(producerId: number, commits: readonly OffsetOf[]): void {
    const transaction = this.#transactions.get(producerId);
    if (transaction === undefined) return;
    for (const commit of commits) {
      const { topic, partition } = commit;
      if (transaction.pending.get(topic, partition) === commit) transaction.pending.delete(topic, partition);
    }
    this.#dropIfEmpty(producerId, transaction);
  }

  /** What the log says, read from its start to its end. */
  load(producerId: number, topic: string, partition: number, logged: LoggedOffset | null): void {
    const transaction = this.#open(producerId);
    if (logged === null) transaction.logged.delete(topic, partition);
    else transaction.logged.set(topic, partition, logged);
    this.#dropIfEmpty(producerId, transaction);
  }

  /** The transaction is over; returns what was committed in it. */
  end(producerId: number): Iterable<[topic: string, partition: number, LoggedOffset]> {
    const transaction = this.#transactions.get(producerId);
    this.#transactions.delete(producerId);
    return transaction?.logged.entries() ?? [];
  }

  /** A partition's offsets are forgotten. */
  remove(topic: string, partition: number): void {
    for (const [producerId, transaction] of this.#transactions) {
      transaction.pending.delete(topic, partition);
      transaction.logged.delete(topic, partition);
      this.#dropIfEmpty(producerId, transaction);
    }
  }

  #open(producerId: number): OpenTransaction {
    let transaction = this.#transactions.get(producerId);
    if (transaction === undefined) {
      transaction = { pending: new PartitionMap(), logged: new PartitionMap() };
      this.#transactions.set(producerId, transaction);
    }
    return transaction;
  }

  #dropIfEmpty(producerId: number, { pending, logged }: OpenTransaction): void {
    if (pending.isEmpty && logged.isEmpty) this.#transactions.delete(producerId);
  }
}
