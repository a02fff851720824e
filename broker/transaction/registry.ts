import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { Transaction } from './transaction.ts';

/**
 * A partition of `__transaction_state` that this broker leads. Led anew, it is another one: whoever waits for a write,
 * or for markers, compares.
 */
export interface OwnedPartition {
  readonly partition: number;
  /** The leader epoch, by which the partitions of transactions tell this coordinator from former ones. */
  readonly coordinatorEpoch: number;
  isLoading: boolean;
  readonly transactions: Map<string, Transaction>;
}

/** Where a transactional id belongs, and what it is there; with an error, where that is not here, or not yet. */
export type Found =
  | { readonly errorCode: ErrorCode; readonly owner: OwnedPartition; readonly transaction: Transaction | null }
  | { readonly errorCode: ErrorCode; readonly owner: null; readonly transaction: null };

export function notFound(errorCode: ErrorCode): Found {
  return { errorCode, owner: null, transaction: null };
}

/** The transactional ids that this broker coordinates: those of the partitions of `__transaction_state` that it leads. */
export class TransactionRegistry {
  readonly #partitionOf: (transactionalId: string) => number;
  readonly #partitions = new Map<number, OwnedPartition>();

  constructor(partitionOf: (transactionalId: string) => number) {
    this.#partitionOf = partitionOf;
  }

  find(transactionalId: string): Found {
    const owner = this.#partitions.get(this.#partitionOf(transactionalId));
    if (owner === undefined) return notFound(ErrorCode.NOT_COORDINATOR);
    if (owner.isLoading) return notFound(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
    return { errorCode: ErrorCode.NONE, owner, transaction: owner.transactions.get(transactionalId) ?? null };
  }

  /** Owns a partition from now on, and loads it. */
  own(partition: number, coordinatorEpoch: number): OwnedPartition {
    const owner = { partition, coordinatorEpoch, isLoading: true, transactions: new Map<string, Transaction>() };
    this.#partitions.set(partition, owner);
    return owner;
  }

  /** Whether it has not been disowned, or owned anew, since. */
  isOwned(owner: OwnedPartition): boolean {
    return this.#partitions.get(owner.partition) === owner;
  }

  /** Whether this very transaction is still what the id means here. */
  isCurrent(owner: OwnedPartition, transaction: Transaction): boolean {
    return this.isOwned(owner) && owner.transactions.get(transaction.transactionalId) === transaction;
  }

  /** Gives up a partition; returns how many ids were here. */
  disown(partition: number): number {
    const count = this.#partitions.get(partition)?.transactions.size ?? 0;
    this.#partitions.delete(partition);
    return count;
  }

  get isLoading(): boolean {
    return [...this.#partitions.values()].some(({ isLoading }) => isLoading);
  }

  /** The partitions that are here, and loaded. */
  owners(): OwnedPartition[] {
    return [...this.#partitions.values()].filter(({ isLoading }) => !isLoading);
  }

  ownedPartitions(): number[] {
    return [...this.#partitions.keys()];
  }
}
