import type { TopicPartition } from '../../shared/topics/topic-partition.ts';
import { withoutPartitions, type PartitionSet } from './partition-sets.ts';
import { mayFollow, type TransactionState } from './states.ts';

/** No producer id, no epoch, no time. */
export const NONE = -1;

/** What is known of a transactional id at one time. Never changed: each transition makes another one. */
export interface TransactionContent {
  readonly state: TransactionState;
  readonly producerId: number;
  /** The id that the producer had before its epochs were exhausted; not in the log. -1: it is not known. */
  readonly previousProducerId: number;
  /** -1: nobody has been given one yet. */
  readonly producerEpoch: number;
  /** The epoch before, if the same producer had it and asked for the next: it may ask again. Not in the log. */
  readonly lastProducerEpoch: number;
  /** How long a transaction may stay open, milliseconds. */
  readonly timeoutMs: number;
  /** Those that take part; of an ending transaction, those that have not been told. */
  readonly partitions: PartitionSet;
  /** Milliseconds since the epoch; -1: none has been begun since the producer came. */
  readonly startMs: number;
  /** Milliseconds since the epoch. */
  readonly lastUpdateMs: number;
}

/**
 * A transactional id with its transaction (Kafka: `TransactionMetadata`). It decides nothing by itself: it takes one
 * transition at a time, which is pending until its record is on all in-sync replicas.
 */
export class Transaction {
  readonly transactionalId: string;
  #content: TransactionContent;
  #pending: TransactionState | null = null;
  /**
   * The epoch was taken from the producer, and the record of it could not be written. The next attempt takes no further
   * one, lest the epochs be used up by a log that cannot be written to; nobody has been given this one.
   */
  #hasFailedFence = false;
  /** Who waits for the pending transition; null, for most, are none. */
  #waiting: (() => void)[] | null = null;

  constructor(transactionalId: string, content: TransactionContent) {
    this.transactionalId = transactionalId;
    this.#content = content;
  }

  get content(): TransactionContent {
    return this.#content;
  }

  get state(): TransactionState {
    return this.#content.state;
  }

  /** A transition is on its way to the log, or the partitions are being told of the outcome. */
  get isPending(): boolean {
    return this.#pending !== null;
  }

  /** The epoch that fences who has the current one. */
  get fencingEpoch(): number {
    return this.#content.producerEpoch + (this.#hasFailedFence ? 0 : 1);
  }

  /** A transition begins. @throws Error when another one is pending, or the table of states does not have it */
  prepare(next: TransactionState): void {
    if (this.#pending !== null)
      throw new Error(`${this.transactionalId} goes to ${this.#pending} already, and cannot go to ${next}`);
    if (!mayFollow(this.state, next))
      throw new Error(`${this.transactionalId} cannot go from ${this.state} to ${next}`);
    this.#pending = next;
  }

  /**
   * The epoch is taken from the producer, at once: what it asks from now on is refused. The way to PrepareAbort begins
   * (PrepareEpochFence), and that record will tell of the new epoch.
   */
  fence(): void {
    this.prepare('PrepareEpochFence');
    this.#content = { ...this.#content, producerEpoch: this.fencingEpoch, lastProducerEpoch: NONE };
    this.#pending = null;
  }

  /** The pending transition's record is replicated. */
  complete(next: TransactionContent): void {
    this.#content = next;
    this.#hasFailedFence = false;
    this.#settle();
  }

  /** The pending transition's record could not be written: all is as before. */
  fail(): void {
    this.#settle();
  }

  #settle(): void {
    this.#pending = null;
    const waiting = this.#waiting;
    this.#waiting = null;
    for (const listener of waiting ?? []) listener();
  }

  /** Calls `listener` once when no transition is pending any more, whatever became of it. @returns what takes it back */
  onSettled(listener: () => void): () => void {
    this.#waiting = [...(this.#waiting ?? []), listener];
    return () => (this.#waiting = this.#waiting?.filter(other => other !== listener) ?? null);
  }

  /** The record that was to fence the producer could not be written. */
  fenceFailed(): void {
    this.#hasFailedFence = true;
  }

  /** Partitions have been told of the outcome, or are gone. */
  partitionsTold(partitions: Iterable<TopicPartition>): void {
    this.#content = { ...this.#content, partitions: withoutPartitions(this.#content.partitions, partitions) };
  }
}
