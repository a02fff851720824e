import type { CommittedOffset } from './offset.ts';

/** Numbers of an entry, side by side; its metadata, which is mostly empty, is kept elsewhere. */
const PARTITION = 0;
const OFFSET = 1;
const LEADER_EPOCH = 2;
const COMMIT_TIMESTAMP = 3;
const EXPIRE_TIMESTAMP = 4;
const RECORD_OFFSET = 5;
const ENTRY_SIZE = 6;

const NO_EXPIRY = -1;
const NOWHERE = -1;
/** Up to so many entries are looked through, which takes less than an index, and far less memory. */
const UNINDEXED = 8;

/**
 * The committed offsets of one topic's partitions, as plain numbers in one array: a coordinator may have to load millions of
 * them at once, and as objects they would cost it more in garbage collection than in reading.
 */
export class OffsetTable {
  #numbers: number[] = [];
  /** By partition, where its entry begins; null: there are few. */
  #index: Map<number, number> | null = null;
  /** By partition; null: nobody has any. */
  #metadata: Map<number, string> | null = null;

  get size(): number {
    return this.#numbers.length / ENTRY_SIZE;
  }

  *partitions(): Generator<number> {
    for (let at = 0; at < this.#numbers.length; at += ENTRY_SIZE) yield this.#numbers[at + PARTITION]!;
  }

  get(partition: number): CommittedOffset | null {
    const at = this.#find(partition);
    if (at === NOWHERE) return null;
    const numbers = this.#numbers;
    const expireTimestamp = numbers[at + EXPIRE_TIMESTAMP]!;
    return {
      offset: numbers[at + OFFSET]!,
      leaderEpoch: numbers[at + LEADER_EPOCH]!,
      metadata: this.#metadata?.get(partition) ?? '',
      commitTimestamp: numbers[at + COMMIT_TIMESTAMP]!,
      expireTimestamp: expireTimestamp === NO_EXPIRY ? null : expireTimestamp,
    };
  }

  /** Where the record of a partition's offset lies in the log; -1: it has none. */
  recordOffset(partition: number): number {
    const at = this.#find(partition);
    return at === NOWHERE ? -1 : this.#numbers[at + RECORD_OFFSET]!;
  }

  /** Copies what is committed. @param recordOffset where its record lies in the log */
  set(partition: number, committed: CommittedOffset, recordOffset: number): void {
    const { offset, leaderEpoch, metadata, commitTimestamp } = committed;
    const expireTimestamp = committed.expireTimestamp ?? NO_EXPIRY;
    const at = this.#find(partition);
    if (this.#numbers.length === 0)
      // As a whole it takes no more room than it needs; most topics have few partitions.
      this.#numbers = [partition, offset, leaderEpoch, commitTimestamp, expireTimestamp, recordOffset];
    else if (at === NOWHERE) {
      this.#numbers.push(partition, offset, leaderEpoch, commitTimestamp, expireTimestamp, recordOffset);
      this.#added(partition);
    } else {
      this.#numbers[at + OFFSET] = offset;
      this.#numbers[at + LEADER_EPOCH] = leaderEpoch;
      this.#numbers[at + COMMIT_TIMESTAMP] = commitTimestamp;
      this.#numbers[at + EXPIRE_TIMESTAMP] = expireTimestamp;
      this.#numbers[at + RECORD_OFFSET] = recordOffset;
    }
    if (metadata === '') this.#metadata?.delete(partition);
    else (this.#metadata ??= new Map()).set(partition, metadata);
  }

  /** The last entry takes the place of the one that goes. */
  delete(partition: number): void {
    const at = this.#find(partition);
    if (at === NOWHERE) return;
    const last = this.#numbers.length - ENTRY_SIZE;
    this.#index?.set(this.#numbers[last + PARTITION]!, at);
    this.#index?.delete(partition);
    for (let i = 0; i < ENTRY_SIZE; i++) this.#numbers[at + i] = this.#numbers[last + i]!;
    this.#numbers.length = last;
    this.#metadata?.delete(partition);
  }

  #find(partition: number): number {
    if (this.#index !== null) return this.#index.get(partition) ?? NOWHERE;
    for (let at = 0; at < this.#numbers.length; at += ENTRY_SIZE)
      if (this.#numbers[at + PARTITION] === partition) return at;
    return NOWHERE;
  }

  #added(partition: number): void {
    if (this.#index !== null) this.#index.set(partition, this.#numbers.length - ENTRY_SIZE);
    else if (this.size > UNINDEXED)
      this.#index = new Map([...this.partitions()].map((known, entry) => [known, entry * ENTRY_SIZE]));
  }
}
