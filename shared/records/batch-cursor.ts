import { batchSizeInBytes, magic } from './batch.ts';
import { RecordsError } from './errors.ts';
import { LEAST_SIZE, SIZE_UP_TO_MAGIC } from './layout.ts';

/**
 * Walks the batches (or magic 0 and 1 entries) that lie one behind the other in a buffer:
 *
 *     const cursor = new BatchCursor().reset(buffer);
 *     while (cursor.next()) append(buffer, cursor.position, cursor.size);
 *     if (cursor.tornBytes > 0) … // the last batch is not whole
 *
 * Where it stops, be it by the end, a torn tail or an error, `position` is the end of the whole batches. Only framing
 * is checked here: `crcIsValid` and `RecordCursor` look inside.
 */
export class BatchCursor {
  /** Where the current batch begins. */
  position = 0;
  /** The current batch's size in bytes; 0 when there is none. */
  size = 0;
  #buffer: Buffer = Buffer.alloc(0);
  #end = 0;

  /** Starts over, before the first batch of `buffer[start, end)`. */
  reset(buffer: Buffer, start = 0, end = buffer.length): this {
    this.#buffer = buffer;
    this.#end = end;
    this.position = start;
    this.size = 0;
    return this;
  }

  /** Steps to the next whole batch; false if there is none. Throws CORRUPT where no batch can begin. */
  next(): boolean {
    const at = this.position + this.size;
    this.position = at;
    this.size = 0;
    const left = this.#end - at;
    if (left < SIZE_UP_TO_MAGIC) return false;
    const size = batchSizeInBytes(this.#buffer, at);
    const least = LEAST_SIZE[magic(this.#buffer, at)];
    if (least === undefined || size < least) throw this.#corrupt(at, size);
    if (size > left) return false;
    this.size = size;
    return true;
  }

  /** Once `next` has returned false: the bytes behind the last whole batch, the beginning of one that is not whole. */
  get tornBytes(): number {
    return this.#end - this.position - this.size;
  }

  #corrupt(at: number, size: number): RecordsError {
    return new RecordsError(
      'CORRUPT',
      `At byte ${at} there is no record batch: its magic would be ${magic(this.#buffer, at)} and its size ${size} bytes.`,
    );
  }
}
