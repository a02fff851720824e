import { LRUCache } from 'lru-cache';

/** Whose indexes can be dropped from memory, because files have them. */
interface IndexHolder {
  dropIndexes(): void;
}

/** Bounds the memory of the indexes that can be read from files again: the least recently used give way. */
export class IndexCache {
  readonly #holders: LRUCache<IndexHolder, number>;

  /** @param maxBytes memory for all indexes together, more than 0 */
  constructor(maxBytes: number) {
    this.#holders = new LRUCache<IndexHolder, number>({
      maxSize: maxBytes,
      sizeCalculation: bytes => bytes,
      dispose: (_bytes, holder) => holder.dropIndexes(),
    });
  }

  /** Takes charge of indexes of `bytes` bytes; they may be dropped at any time from now on, even at once. */
  add(holder: IndexHolder, bytes: number): void {
    this.#holders.set(holder, bytes);
    if (!this.#holders.has(holder)) holder.dropIndexes();
  }

  /** Notes a use. */
  touch(holder: IndexHolder): void {
    this.#holders.get(holder);
  }

  /** Drops the indexes of a segment that is going away. */
  remove(holder: IndexHolder): void {
    this.#holders.delete(holder);
  }
}
