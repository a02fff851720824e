import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { BatchCursor } from '../../shared/records/batch-cursor.ts';
import { batchSizeInBytes } from '../../shared/records/batch.ts';
import { RecordsError } from '../../shared/records/errors.ts';
import { SIZE_UP_TO_MAGIC } from '../../shared/records/layout.ts';

const WINDOW_BYTES = 1 << 20;

/** A batch of a log file: `bytes` holds it at `at`, for as long as it is the current one. */
export interface LogBatch {
  readonly bytes: Buffer;
  readonly at: number;
  /** Where in the file it begins. */
  readonly position: number;
  readonly size: number;
}

/** A segment's log file, read through a window, for files larger than memory. */
export class LogFile {
  readonly #descriptor: number;
  /** Bytes of the file, or of its part that is looked at. */
  readonly size: number;
  #window = Buffer.allocUnsafe(WINDOW_BYTES);

  /** @param maxBytes looks at no more than so many bytes from the beginning */
  constructor(path: string, maxBytes = Infinity) {
    this.#descriptor = openSync(path, 'r');
    this.size = Math.min(fstatSync(this.#descriptor).size, maxBytes);
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  /**
   * The whole batches from `position` on. Ends where none is: at the end, in a torn batch, or in bytes that are none.
   * A batch that is larger than `maxBatchBytes` counts as such.
   */
  *batches(position = 0, maxBatchBytes = Infinity): Generator<LogBatch, void, undefined> {
    const cursor = new BatchCursor();
    let start = position;
    while (start < this.size) {
      const length = this.#read(start, maxBatchBytes);
      cursor.reset(this.#window, 0, length);
      let end = 0;
      while (step(cursor)) {
        yield { bytes: this.#window, at: cursor.position, position: start + cursor.position, size: cursor.size };
        end = cursor.position + cursor.size;
      }
      if (end === 0) return;
      start += end;
    }
  }

  /** Fills the window from `start` on, making it as large as the batch there says it is. Returns the bytes read. */
  #read(start: number, maxBatchBytes: number): number {
    const length = this.#fill(start);
    if (length < SIZE_UP_TO_MAGIC) return length;
    const first = Math.min(batchSizeInBytes(this.#window, 0), this.size - start, maxBatchBytes);
    if (first <= this.#window.length) return length;
    this.#window = Buffer.allocUnsafe(first);
    return this.#fill(start);
  }

  #fill(start: number): number {
    const wanted = Math.min(this.#window.length, this.size - start);
    let length = 0;
    while (length < wanted) {
      const read = readSync(this.#descriptor, this.#window, length, wanted - length, start + length);
      if (read === 0) break;
      length += read;
    }
    return length;
  }
}

function step(cursor: BatchCursor): boolean {
  try {
    return cursor.next();
  } catch (error) {
    if (error instanceof RecordsError) return false;
    throw error;
  }
}
