import type { FileHandle, FileSystem } from '../../shared/runtime/file-system.ts';
import { syncFile } from './durable-files.ts';
import type { IndexCache } from './index-cache.ts';
import { readFully } from './segment-scan.ts';
import {
  type AbortedTransaction,
  collectFromIndex,
  decodeTransactionIndex,
  encodeTransactionIndex,
  TRANSACTION_ENTRY_SIZE,
} from './transaction-index.ts';

/** The largest file that is kept in memory once it has been read: some 30,000 transactions, aborted in one segment. */
const MOST_BYTES_IN_MEMORY = 1 << 20;
/** Read at a time of a larger one. */
const ENTRIES_PER_READ = 1024;

/**
 * The aborted transactions whose markers stand in one segment: its `.txnindex` file, in the order of the markers (Kafka:
 * `TransactionIndex`). Most segments have none, and no file then. How long it is and where its last marker stands is always
 * known, so that readers behind that, which are most, need not look into the file. For those before it, who come again
 * with each fetch, it is kept in memory, as long as the cache of indexes has room for it.
 */
export class AbortedTransactions {
  readonly #fs: FileSystem;
  readonly #path: () => string;
  readonly #cache: IndexCache;
  /** What is in the file; null: it has not been read, or there was no room for it. */
  #content: Buffer | null = null;
  /** How often the file has been changed. */
  #version = 0;
  /** Entries in the file; -1 while it has not been looked at. */
  #count = -1;
  /** -1 without an entry. */
  #lastMarker = -1;
  #isUnsynced = false;

  /** @param path where the file is, or would be; the segment may be renamed */
  constructor(fs: FileSystem, path: () => string, cache: IndexCache) {
    this.#fs = fs;
    this.#path = path;
    this.#cache = cache;
  }

  /** Whether markers of aborted transactions at or above `offset` may stand in the segment. */
  mayConcern(offset: number): boolean {
    if (this.#count < 0) this.#measure();
    return this.#lastMarker >= offset;
  }

  /**
   * Whether the file, if there is one, may be what was written for a segment with these offsets: whole entries, the last
   * of whose markers stands in it (Kafka: `TransactionIndex.sanityCheck`).
   */
  isPlausible(baseOffset: number, endOffset: number): boolean {
    const size = this.#fs.stat(this.#path())?.size ?? 0;
    if (size === 0) return true;
    this.#measure();
    const isInside = this.#lastMarker >= baseOffset && this.#lastMarker < endOffset;
    return isInside && size % TRANSACTION_ENTRY_SIZE === 0;
  }

  #measure(): void {
    this.#count = Math.floor((this.#fs.stat(this.#path())?.size ?? 0) / TRANSACTION_ENTRY_SIZE);
    this.#lastMarker = -1;
    if (this.#count === 0) return;
    const handle = this.#fs.open(this.#path(), 'r');
    try {
      const entry = Buffer.alloc(TRANSACTION_ENTRY_SIZE);
      handle.readSync(entry, 0, entry.length, (this.#count - 1) * TRANSACTION_ENTRY_SIZE);
      this.#lastMarker = decodeTransactionIndex(entry)[0]!.lastOffset;
    } finally {
      handle.closeSync();
    }
  }

  /** Adds transactions whose markers stand behind those of all others. @throws the file system's error */
  append(entries: readonly AbortedTransaction[]): void {
    if (this.#count < 0) this.#measure();
    this.#changed();
    const path = this.#path();
    const handle = this.#fs.open(path, this.#fs.exists(path) ? 'r+' : 'w+');
    try {
      const content = encodeTransactionIndex(entries);
      const count = handle.writevSync([content], this.#count * TRANSACTION_ENTRY_SIZE);
      if (count < content.length)
        throw new Error(`Only a part of the bytes were written to ${path}: the disk is full.`);
    } finally {
      handle.closeSync();
    }
    this.#count += entries.length;
    this.#lastMarker = entries.at(-1)!.lastOffset;
    this.#isUnsynced = true;
  }

  /**
   * Collects the transactions that readers of the offsets from `from` to below `to` have to know of.
   * @returns whether that is all of them: no later segment has any
   * @throws the file system's error
   */
  async collect(from: number, to: number, into: AbortedTransaction[]): Promise<boolean> {
    if (!this.mayConcern(from)) return false;
    const content = this.#content ?? (await this.#load());
    if (content !== null) {
      this.#cache.touch(this);
      return collectFromIndex(content, from, to, into);
    }
    const handle = this.#fs.open(this.#path(), 'r');
    try {
      for (let entry = await this.#firstAtOrAbove(handle, from); entry < this.#count; entry += ENTRIES_PER_READ) {
        for (const aborted of await this.#read(handle, entry, ENTRIES_PER_READ)) {
          if (aborted.lastOffset >= from && aborted.firstOffset < to) into.push(aborted);
          if (aborted.lastStableOffset >= to) return true;
        }
      }
      return false;
    } finally {
      handle.closeSync();
    }
  }

  /** The file's content, which is kept; null: it is too large for that. */
  async #load(): Promise<Buffer | null> {
    const length = this.#count * TRANSACTION_ENTRY_SIZE;
    if (length > MOST_BYTES_IN_MEMORY) return null;
    const version = this.#version;
    const handle = this.#fs.open(this.#path(), 'r');
    try {
      const content = await readFully(handle, 0, length);
      if (version === this.#version) this.#keep(content);
      return content;
    } finally {
      handle.closeSync();
    }
  }

  #keep(content: Buffer): void {
    this.#cache.remove(this);
    this.#content = content;
    this.#cache.add(this, content.length);
  }

  /** Frees the memory; the file is read again when it is needed. */
  dropIndexes(): void {
    this.#content = null;
  }

  /** What is in memory is not what is in the file any more. */
  #changed(): void {
    this.#version += 1;
    this.release();
  }

  /** Nothing is kept in memory any more. */
  release(): void {
    this.#cache.remove(this);
    this.#content = null;
  }

  /** The number of the first entry whose marker stands at or above `offset`. */
  async #firstAtOrAbove(handle: FileHandle, offset: number): Promise<number> {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const [entry] = await this.#read(handle, middle, 1);
      if (entry === undefined || entry.lastOffset >= offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  async #read(handle: FileHandle, from: number, count: number): Promise<AbortedTransaction[]> {
    const length = Math.min(count, this.#count - from) * TRANSACTION_ENTRY_SIZE;
    return decodeTransactionIndex(await readFully(handle, from * TRANSACTION_ENTRY_SIZE, length));
  }

  /** Drops the transactions whose markers stand at or above `offset`. @throws the file system's error */
  truncateTo(offset: number): void {
    if (!this.mayConcern(offset)) return;
    const kept = decodeTransactionIndex(this.#fs.readFile(this.#path())).filter(
      ({ lastOffset }) => lastOffset < offset,
    );
    this.#cutTo(kept.length);
    this.#lastMarker = kept.at(-1)?.lastOffset ?? -1;
  }

  #cutTo(count: number): void {
    this.#changed();
    const handle = this.#fs.open(this.#path(), 'r+');
    try {
      handle.truncateSync(count * TRANSACTION_ENTRY_SIZE);
    } finally {
      handle.closeSync();
    }
    this.#count = count;
    this.#isUnsynced = true;
  }

  /** Makes it be without any: it is to be made anew. */
  clear(): void {
    this.#changed();
    this.#fs.removeFileSync(this.#path());
    this.#count = 0;
    this.#lastMarker = -1;
  }

  /** Flushes what was written since the last time to the device, off the loop. */
  async flush(): Promise<void> {
    if (!this.#isUnsynced) return;
    this.#isUnsynced = false;
    await syncFile(this.#fs, this.#path());
  }
}
