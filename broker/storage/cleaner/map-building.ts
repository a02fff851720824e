import * as batch from '../../../shared/records/batch.ts';
import { readMessageSet } from '../../../shared/records/message-set.ts';
import { RecordCursor } from '../../../shared/records/record-cursor.ts';
import type { FileSystem } from '../../../shared/runtime/file-system.ts';
import type { CleanedTransactions } from './cleaned-transactions.ts';
import type { OffsetMap } from './offset-map.ts';
import { type SourceFile, walk, type Work } from './work.ts';

/** A segment of the dirty part of a log, and the offset at which the next one begins. */
export interface DirtySegment extends SourceFile {
  readonly endOffset: number;
}

export interface DirtyPart {
  /** Ascending. */
  readonly segments: readonly DirtySegment[];
  /** Where the dirty part begins, perhaps within the first segment. */
  readonly startOffset: number;
  /** Keys that the map may take. */
  readonly mostKeys: number;
  /** Bytes read at a time. */
  readonly chunk: number;
}

/**
 * Enters the keys of the dirty part into the map, as far as they fit (Kafka: `Cleaner.buildOffsetMap`). Then
 * `map.latestOffset` tells how far it got: to the end of a batch, for a batch is taken as a whole or not at all.
 * @throws RecordsError, and the file system's error
 */
export function* buildMap(
  fs: FileSystem,
  map: OffsetMap,
  part: DirtyPart,
  transactions: CleanedTransactions,
): Work<void> {
  const reader = new KeyReader(map, part, transactions);
  for (const segment of part.segments) {
    yield* walk(fs, segment, part.chunk, (buffer, at) => reader.take(buffer, at));
    if (reader.isFull) return;
    // Behind a gap at its end the next segment begins.
    map.latestOffset = Math.max(map.latestOffset, segment.endOffset - 1);
  }
}

class KeyReader {
  isFull = false;
  readonly #map: OffsetMap;
  readonly #part: DirtyPart;
  readonly #transactions: CleanedTransactions;
  readonly #records = new RecordCursor();

  constructor(map: OffsetMap, part: DirtyPart, transactions: CleanedTransactions) {
    this.#map = map;
    this.#part = part;
    this.#transactions = transactions;
  }

  take(buffer: Buffer, at: number): 'go on' | 'stop' {
    batch.ensureCrc(buffer, at);
    const mayGo = this.#transactions.mayGo(buffer, at);
    const lastOffset = batch.lastOffset(buffer, at);
    if (lastOffset < this.#part.startOffset) return 'go on';
    if (!mayGo && !batch.isControl(buffer, at)) this.isFull = !this.#enterKeys(buffer, at);
    if (this.isFull) return 'stop';
    this.#map.latestOffset = Math.max(this.#map.latestOffset, lastOffset);
    return 'go on';
  }

  /** Returns false when there was no room for all; a later cleaning begins with this batch then. */
  #enterKeys(buffer: Buffer, at: number): boolean {
    if (batch.magic(buffer, at) < 2) {
      const entry = buffer.subarray(at, at + batch.batchSizeInBytes(buffer, at));
      for (const { key, offset } of readMessageSet(entry)) if (!this.#enter(key, offset)) return false;
      return true;
    }
    for (const records = this.#records.reset(buffer, at); records.next();) {
      if (!this.#enter(records.key(), records.offset)) return false;
    }
    return true;
  }

  #enter(key: Buffer | null, offset: number): boolean {
    if (key === null || offset < this.#part.startOffset) return true;
    if (this.#map.size >= this.#part.mostKeys) return false;
    this.#map.put(key, offset);
    return true;
  }
}
