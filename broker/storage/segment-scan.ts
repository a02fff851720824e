import * as batch from '../../shared/records/batch.ts';
import { HEADER_SIZE, LEAST_SIZE, SIZE_UP_TO_MAGIC } from '../../shared/records/layout.ts';
import type { FileHandle } from '../../shared/runtime/file-system.ts';
import type { AnswerMemory } from '../request/answer-memory.ts';

const CHUNK = 1 << 20;
/** For looking for a place: entries are small against this, and the place is near. */
const SMALL_CHUNK = 16 << 10;

/** Whether an entry of a known format and a size that this format can have begins at `at`, as far as 17 bytes tell. */
export function entryIsPlausible(buffer: Buffer, at: number): boolean {
  const least = LEAST_SIZE[batch.magic(buffer, at)];
  return least !== undefined && batch.batchSizeInBytes(buffer, at) >= least;
}

/** Asks the driver for bytes of the file; it answers with the count. */
export interface ReadRequest {
  readonly target: Buffer;
  readonly offset: number;
  readonly length: number;
  readonly position: number;
}

/** What a scan sees of an entry: its header (or all of it) at `at` in `buffer`, and where it begins in the file. */
export type EntryVisitor = (buffer: Buffer, at: number, position: number) => 'go on' | 'stop';

interface ScanOptions {
  /** Positions in the file: begin at an entry, end where the file's valid content ends. */
  readonly from: number;
  readonly to: number;
  /** Whether the visitor needs whole entries, or their headers only. */
  readonly whole: boolean;
  /** Bytes read at a time, where no entry is larger; by default what suits whole entries or headers. */
  readonly chunk?: number;
}

type Scan = Generator<ReadRequest, number, number>;

/**
 * Walks over the entries between two positions. Ends with the position of the first byte that was not passed: `to`,
 * an entry that is cut off or has an impossible header, or the one at which the visitor stopped.
 *
 * A generator that asks for reads instead of reading, so that the same walk can be driven with or without waiting.
 */
export function* scanSteps({ from, to, whole, chunk }: ScanOptions, visit: EntryVisitor): Scan {
  const size = chunk ?? (whole ? CHUNK : SMALL_CHUNK);
  let buffer = Buffer.allocUnsafeSlow(Math.max(0, Math.min(size, to - from)));
  let start = from;
  let filled = 0;
  for (let position = from; position < to;) {
    for (let need = Math.min(HEADER_SIZE, to - position); ;) {
      if (position + need > start + filled) {
        if (need > buffer.length) buffer = Buffer.allocUnsafeSlow(need);
        start = position;
        filled = yield* fill(buffer, position, Math.min(buffer.length, to - position));
      }
      const at = position - start;
      if (filled - at < SIZE_UP_TO_MAGIC || !entryIsPlausible(buffer, at)) return position;
      const length = batch.batchSizeInBytes(buffer, at);
      if (length > to - position) return position;
      if (!whole || position + length <= start + filled) break;
      if (need === length) return position; // the file is shorter than it was said to be
      need = length;
    }
    const at = position - start;
    const length = batch.batchSizeInBytes(buffer, at);
    if (visit(buffer, at, position) === 'stop') return position;
    position += length;
  }
  return to;
}

/** Reads until the buffer has `length` bytes or the file ends; returns how many there are. */
function* fill(target: Buffer, position: number, length: number): Scan {
  let filled = 0;
  while (filled < length) {
    const count = yield { target, offset: filled, length: length - filled, position: position + filled };
    if (count === 0) break;
    filled += count;
  }
  return filled;
}

/** Walks over a file's entries without blocking; the buffer that the visitor gets is reused. */
export async function scanEntries(handle: FileHandle, options: ScanOptions, visit: EntryVisitor): Promise<number> {
  const walk = scanSteps(options, visit);
  let step = walk.next();
  while (!step.done) {
    const { target, offset, length, position } = step.value;
    step = walk.next(await handle.read(target, offset, length, position));
  }
  return step.value;
}

/** The same, blocking: for short ways within changes of the log's structure. */
export function scanEntriesSync(handle: FileHandle, options: ScanOptions, visit: EntryVisitor): number {
  const walk = scanSteps(options, visit);
  let step = walk.next();
  while (!step.done) {
    const { target, offset, length, position } = step.value;
    step = walk.next(handle.readSync(target, offset, length, position));
  }
  return step.value;
}

/** Reads `length` bytes from `position`, into new memory if none is given; shorter where the file ends before. */
export async function readFully(
  handle: FileHandle,
  position: number,
  length: number,
  memory?: AnswerMemory,
): Promise<Buffer> {
  if (memory !== undefined) return memory.fill(length, target => readInto(handle, position, target));
  const target = Buffer.allocUnsafeSlow(length);
  const filled = await readInto(handle, position, target);
  return filled === length ? target : target.subarray(0, filled);
}

/** The same, blocking, into `target`; returns how many bytes there were. */
export function readFullySync(handle: FileHandle, position: number, target: Buffer): number {
  let filled = 0;
  while (filled < target.length) {
    const count = handle.readSync(target, filled, target.length - filled, position + filled);
    if (count === 0) break;
    filled += count;
  }
  return filled;
}

async function readInto(handle: FileHandle, position: number, target: Buffer): Promise<number> {
  let filled = 0;
  while (filled < target.length) {
    const count = await handle.read(target, filled, target.length - filled, position + filled);
    if (count === 0) break;
    filled += count;
  }
  return filled;
}
