import { partitionKey, type TopicPartition } from '../../shared/topics/topic-partition.ts';

/** What of a record matters here. */
type Place = TopicPartition & { readonly offset: number; readonly leaderEpoch: number };

/**
 * The records of one poll that a `for await` hands out one by one. Polled are all of them; the application stands at the
 * first that it has not been given.
 */
export class Iteration<R extends Place> {
  readonly #records: readonly R[];
  readonly #forgotten = new Set<string>();
  #next = 0;

  constructor(records: readonly R[]) {
    this.#records = records;
  }

  *[Symbol.iterator](): Iterator<R> {
    while (this.#next < this.#records.length) {
      const record = this.#records[this.#next++]!;
      if (!this.#forgotten.has(keyOf(record))) yield record;
    }
  }

  /** A seek goes elsewhere: what was polled of the partition is not handed out any more. */
  forget(key: string): void {
    this.#forgotten.add(key);
  }

  /** The first record of each partition that has not been handed out, by the key of the partition. */
  unread(): Map<string, R> {
    const first = new Map<string, R>();
    for (const record of this.#records.slice(this.#next)) {
      const key = keyOf(record);
      if (!first.has(key) && !this.#forgotten.has(key)) first.set(key, record);
    }
    return first;
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return partitionKey(topic, partition);
}
