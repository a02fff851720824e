import * as batch from '../../shared/records/batch.ts';
import { applyBatch } from './producer-batches.ts';
import { OpenTransactions } from './open-transactions.ts';
import { NONE, ProducerEntry } from './producer-entry.ts';
import type { ProducerMemory, RememberingLog } from './producer-memory.ts';
import type { AbortedTransaction } from './transaction-index.ts';

/**
 * The producers of a log as of what is written, by id, those that wrote last behind the others. Nothing is checked
 * here: what is in the log counts.
 */
export class ProducerStates implements RememberingLog {
  readonly transactions = new OpenTransactions();
  readonly #memory: ProducerMemory;
  #entries = new Map<number, ProducerEntry>();

  constructor(memory: ProducerMemory) {
    this.#memory = memory;
    memory.join(this);
  }

  get size(): number {
    return this.#entries.size;
  }

  get(producerId: number): ProducerEntry | undefined {
    return this.#entries.get(producerId);
  }

  get byId(): ReadonlyMap<number, ProducerEntry> {
    return this.#entries;
  }

  entries(): Iterable<ProducerEntry> {
    return this.#entries.values();
  }

  /**
   * Takes the whole batch at `at` in; those without a producer are nobody's.
   * @returns what the transaction index is to tell, if it aborts a transaction that has data
   */
  apply(bytes: Buffer, at: number): AbortedTransaction | null {
    const producerId = batch.producerId(bytes, at);
    if (producerId === NONE) return null;
    const known = this.#entries.get(producerId);
    const entry = known ?? new ProducerEntry(producerId);
    const openSince = entry.currentTxnFirstOffset;
    const end = applyBatch(entry, bytes, at);
    this.#put(entry, known !== undefined);
    if (openSince === entry.currentTxnFirstOffset) return null;
    if (openSince === NONE) {
      this.transactions.begin(entry.currentTxnFirstOffset, entry);
      return null;
    }
    const lastOffset = batch.lastOffset(bytes, at);
    this.transactions.end(openSince, lastOffset);
    if (end === null || end.isCommit) return null;
    const lastStableOffset = this.transactions.firstOngoing(lastOffset + 1);
    return { producerId, firstOffset: openSince, lastOffset, lastStableOffset };
  }

  /** Enters what a snapshot says. */
  load(entries: readonly ProducerEntry[]): void {
    for (const entry of entries) this.#put(entry, this.#entries.has(entry.producerId));
    const open = entries.filter(({ currentTxnFirstOffset }) => currentTxnFirstOffset !== NONE);
    open.sort((a, b) => a.currentTxnFirstOffset - b.currentTxnFirstOffset);
    for (const entry of open) this.transactions.begin(entry.currentTxnFirstOffset, entry);
  }

  #put(entry: ProducerEntry, isKnown: boolean): void {
    if (isKnown) this.#entries.delete(entry.producerId);
    this.#entries.set(entry.producerId, entry);
    if (!isKnown) this.#memory.added();
  }

  /** Forgets producers whose last write is `expirationMs` or longer ago; not those with an open transaction. */
  removeExpired(now: number, expirationMs: number): void {
    for (const entry of this.#entries.values()) if (isExpired(entry, now, expirationMs)) this.#remove(entry);
  }

  /** Forgets up to `count` of those that have not written for the longest time, unless a transaction is open. */
  removeOldest(count: number): void {
    let left = count;
    for (const entry of this.#entries.values()) {
      if (left === 0) return;
      if (entry.currentTxnFirstOffset !== NONE) continue;
      this.#remove(entry);
      left--;
    }
  }

  #remove({ producerId }: ProducerEntry): void {
    this.#entries.delete(producerId);
    this.#memory.removed(1);
  }

  clear(): void {
    this.#memory.removed(this.#entries.size);
    this.#entries = new Map();
    this.transactions.clear();
  }

  /** The log is gone. */
  close(): void {
    this.clear();
    this.#memory.leave(this);
  }
}

/** Whether the producer may be forgotten (Kafka: `ProducerStateManager.isProducerExpired`). Times in milliseconds. */
export function isExpired(entry: ProducerEntry, now: number, expirationMs: number): boolean {
  return entry.currentTxnFirstOffset === NONE && now - entry.lastTimestamp >= expirationMs;
}
