import * as batch from '../../shared/records/batch.ts';
import { HEADER_SIZE, LEAST_SIZE, SIZE_UP_TO_MAGIC } from '../../shared/records/layout.ts';
import type { AnswerMemory } from '../request/answer-memory.ts';
import { StorageError } from './errors.ts';
import type { LogPosition } from './known-positions.ts';
import type { LogState } from './log-state.ts';
import type { Segment } from './segment.ts';
import { entryIsPlausible } from './segment-scan.ts';
import type { TailFrame } from './tail-cache.ts';
import type { AbortedTransaction } from './transaction-index.ts';

/** Up to where a reader may see: followers to the log's end, consumers to what is committed, or decided as well. */
export type UpperBound = 'logEnd' | 'highWatermark' | 'lastStable';

export interface ReadOptions {
  readonly upperBound: UpperBound;
  /** Return the first batch even if it alone is larger than the limit. */
  readonly minOneMessage: boolean;
  /** Where what is read from files goes; without it, into new memory. */
  readonly memory?: AnswerMemory;
}

/** What a read found, with the log's offsets as they were when it ended. */
export interface LogRead {
  /** Whole batches, one behind the other; the first may begin before the offset asked for. To be read only. */
  readonly records: readonly Buffer[];
  readonly sizeInBytes: number;
  readonly highWatermark: number;
  readonly logStartOffset: number;
  readonly logEndOffset: number;
  /** The limit was smaller than the first batch, of which `records` then holds the beginning. */
  readonly firstEntryIncomplete: boolean;
  /** Those to which some of the batches belong, and perhaps others; null unless it was read up to the last stable offset. */
  readonly abortedTransactions: readonly AbortedTransaction[] | null;
}

interface Found {
  readonly records: readonly Buffer[];
  readonly firstEntryIncomplete: boolean;
}

/** What to look for: batches from the one that holds `start` on, as long as they end below `upper`. */
interface Wanted {
  readonly start: number;
  readonly upper: number;
  readonly maxBytes: number;
  readonly minOneMessage: boolean;
  readonly memory: AnswerMemory | undefined;
  /**
   * Whether batches of which compaction has left nothing but the headers count as a gap. Consumers have no use for them,
   * and some (kafkajs) would ask for the same again and again.
   */
  readonly passesOverEmpty: boolean;
}

const NOTHING: Found = { records: [], firstEntryIncomplete: false };
const NONE_ABORTED: readonly AbortedTransaction[] = [];
/** What a single read takes at most, however much is asked for. */
const MAX_READ = 64 << 20;
/** Read at first when the exact place is not known: the index leads to within about this many bytes or one entry. */
const SEARCH_BYTES = 8 << 10;
/** A reader this close to the end is taken to follow the appends. */
const NEAR_END_BYTES = 1 << 20;

/**
 * Reads from a log, from the memory of its last appends or from its files. A change of the log's structure while a file
 * is being read (`LogState.version`) makes what was read worthless, even an error: the read is then done again.
 */
export class LogReader {
  readonly #state: LogState;

  constructor(state: LogState) {
    this.#state = state;
  }

  /**
   * Batches from the one that holds `start` on, up to `maxBytes` bytes; the batch in which the limit falls is left out.
   * @throws StorageError OFFSET_OUT_OF_RANGE, CORRUPT_MESSAGE or STORAGE_ERROR
   */
  async read(start: number, maxBytes: number, { upperBound, minOneMessage, memory }: ReadOptions): Promise<LogRead> {
    for (;;) {
      const { version } = this.#state;
      const upper = this.#upper(start, upperBound);
      const wanted = {
        start,
        upper,
        maxBytes: Math.min(maxBytes, MAX_READ),
        minOneMessage,
        memory,
        passesOverEmpty: upperBound !== 'logEnd',
      };
      const found = this.#fromMemory(wanted) ?? (await this.#fromFiles(wanted, version));
      if (found === null) continue;
      if (upperBound !== 'lastStable') return this.#result(found, null);
      const aborted = await this.#abortedIn(found, start, version);
      if (aborted !== null) return this.#result(found, aborted);
    }
  }

  /**
   * The aborted transactions that concern what was found, from the segment of the first offset on (Kafka:
   * `LocalLog.addAbortedTransactions`). null: to be tried again.
   */
  async #abortedIn(found: Found, start: number, version: number): Promise<readonly AbortedTransaction[] | null> {
    const state = this.#state;
    const end = endOffset(found.records, start);
    if (end === start) return NONE_ABORTED;
    const aborted: AbortedTransaction[] = [];
    try {
      let segment: Segment | undefined = state.segments.floor(start);
      while (segment !== undefined && version === state.version) {
        if (segment.aborted.mayConcern(start) && (await segment.aborted.collect(start, end, aborted))) break;
        segment = state.segments.after(segment);
      }
    } catch (error) {
      if (version === state.version) throw state.ioFailure(error);
    }
    return version === state.version ? aborted : null;
  }

  /**
   * The bytes between an offset and the bound, and whether the offset lies on an older segment than the bound (the bytes
   * are then those that are left of its segment, at least). Exact for offsets that were ends of appends or reads lately,
   * otherwise by the index, if that is in memory: too many rather than too few.
   */
  sizeBetween(startOffset: number, upperBound: UpperBound): { bytes: number; isOnOlderSegment: boolean } {
    const state = this.#state;
    const upper = boundOf(state, upperBound);
    if (startOffset >= upper) return { bytes: 0, isOnOlderSegment: false };
    const start = this.#estimate(startOffset);
    const { active } = state.segments;
    const end = upper === state.logEndOffset ? { segment: active, position: active.size } : this.#estimateEnd(upper);
    const isOnOlderSegment = start.segment.baseOffset < end.segment.baseOffset;
    const bytes = (isOnOlderSegment ? start.segment.size : end.position) - start.position;
    return { bytes: Math.max(0, bytes), isOnOlderSegment };
  }

  #estimate(offset: number): LogPosition {
    const { positions, segments } = this.#state;
    const known = positions.get(offset);
    if (known !== undefined) return known;
    const segment = segments.floor(offset);
    const indexes = segment.indexesInMemory;
    return { segment, position: indexes === null ? 0 : indexes.offsets.lookup(offset) };
  }

  #estimateEnd(offset: number): LogPosition {
    const { positions, segments } = this.#state;
    const known = positions.get(offset);
    if (known !== undefined) return known;
    const segment = segments.floor(offset);
    return { segment, position: segment.indexesInMemory?.offsets.lookupAbove(offset) ?? segment.size };
  }

  #upper(start: number, upperBound: UpperBound): number {
    const state = this.#state;
    state.requireOnline();
    if (start < state.logStartOffset || start > state.logEndOffset) {
      throw new StorageError(
        'OFFSET_OUT_OF_RANGE',
        `Offset ${start} is not in the log of ${state.topic}-${state.partition}, ` +
          `which goes from ${state.logStartOffset} to ${state.logEndOffset}.`,
      );
    }
    return boundOf(state, upperBound);
  }

  #result(found: Found, abortedTransactions: readonly AbortedTransaction[] | null): LogRead {
    const { highWatermark, logStartOffset, logEndOffset } = this.#state;
    const sizeInBytes = found.records.reduce((sum, buffer) => sum + buffer.length, 0);
    return { ...found, sizeInBytes, highWatermark, logStartOffset, logEndOffset, abortedTransactions };
  }

  /** What can be told without touching a file; null when it cannot. */
  #fromMemory(wanted: Wanted): Found | null {
    const { tail } = this.#state;
    const { start, upper, maxBytes, minOneMessage } = wanted;
    if (start >= upper) tail.noteTailRead();
    if (start >= upper || (maxBytes <= 0 && !minOneMessage)) return NOTHING;
    const frames = tail.from(start);
    if (frames.length === 0) return null;
    tail.noteTailRead();
    return fromFrames(frames, wanted);
  }

  /** null: to be tried again. */
  async #fromFiles(wanted: Wanted, version: number): Promise<Found | null> {
    const state = this.#state;
    try {
      const found = await this.#search(wanted);
      return version === state.version ? found : null;
    } catch (error) {
      if (version !== state.version) return null;
      throw state.ioFailure(error);
    }
  }

  /** Goes on behind batches without records, which are returned only if there is nothing else. */
  async #search(wanted: Wanted): Promise<Found> {
    let empty = NOTHING;
    for (let left = wanted; ; left = { ...wanted, start: endOffset(empty.records, left.start) }) {
      const found = await this.#searchFrom(left);
      if (!wanted.passesOverEmpty || !isEmpty(found)) return found === NOTHING ? empty : found;
      empty = found;
    }
  }

  async #searchFrom(wanted: Wanted): Promise<Found> {
    const { segments, positions } = this.#state;
    const known = positions.get(wanted.start);
    let place = known ?? (await this.#fromIndex(wanted.start));
    for (let isExact = known !== undefined; ; isExact = true) {
      const found = await this.#searchSegment(wanted, place, isExact);
      if (found !== null) return found;
      // Where compaction has left a gap at the end of a segment, the next one has the data.
      const next = segments.after(place.segment);
      if (next === undefined) return NOTHING;
      place = { segment: next, position: 0 };
    }
  }

  /** An entry's beginning from which on the batch that holds `offset` is to be found. */
  async #fromIndex(offset: number): Promise<LogPosition> {
    const segment = this.#state.segments.floor(offset);
    return { segment, position: (await segment.indexes()).offsets.lookup(offset) };
  }

  /**
   * Reads all that is wanted where the entry is expected, and only as much as it takes to see how to go on where not:
   *
   *     index leads to  ▼                      the entry that the index knows, and perhaps some small ones behind it
   *                     [ entry │ entry ] … [ entry wanted │ …
   *                     └ SEARCH_BYTES ┘    └── maxBytes ──┘
   *
   * @param isExact whether the entry wanted is expected at `place` itself
   */
  async #searchSegment(wanted: Wanted, { segment, position }: LogPosition, isExact: boolean): Promise<Found | null> {
    const { start, maxBytes } = wanted;
    let isExpected = isExact;
    for (let at = position; at < segment.size; isExpected = true) {
      this.#noteNearEnd(segment, at);
      const length = isExpected ? Math.max(HEADER_SIZE, maxBytes) : SEARCH_BYTES;
      const bytes = await this.#readBytes(segment, at, length, wanted);
      const ahead = seek(bytes, start);
      const isThere = headerIsThere(bytes, ahead);
      if (ahead === 0 && !isThere) throw corrupt(segment, at);
      at += ahead;
      const isAll = (isExpected && ahead === 0) || bytes.length - ahead >= Math.min(maxBytes, segment.size - at);
      if (isThere && isAll) return this.#take(wanted, segment, at, bytes.subarray(ahead));
    }
    return null;
  }

  #readBytes(segment: Segment, position: number, length: number, { memory }: Wanted): Buffer | Promise<Buffer> {
    return segment.read(position, Math.min(length, segment.size - position), memory);
  }

  #noteNearEnd(segment: Segment, position: number): void {
    const { segments, tail } = this.#state;
    if (segment === segments.active && segment.size - position <= NEAR_END_BYTES) tail.noteTailRead();
  }

  /** `bytes`, from `position` of the segment, begin with the first entry wanted. */
  async #take(wanted: Wanted, segment: Segment, position: number, bytes: Buffer): Promise<Found> {
    const { end, nextOffset } = wholeEntries(bytes, 0, wanted.maxBytes, wanted.upper);
    if (end > 0) {
      this.#state.positions.note(nextOffset, segment, position + end);
      return { records: [bytes.subarray(0, end)], firstEntryIncomplete: false };
    }
    if (batch.lastOffset(bytes, 0) >= wanted.upper) return NOTHING;
    const size = batch.batchSizeInBytes(bytes, 0);
    const length = wanted.minOneMessage ? Math.max(size, wanted.maxBytes) : wanted.maxBytes;
    const more = length <= bytes.length ? bytes : await this.#readBytes(segment, position, length, wanted);
    return fromBytes(more, wanted);
  }
}

/** The offset up to which a reader may see. */
export function boundOf(state: LogState, upperBound: UpperBound): number {
  switch (upperBound) {
    case 'logEnd':
      return state.logEndOffset;
    case 'highWatermark':
      return state.highWatermark;
    case 'lastStable':
      return state.lastStableOffset;
  }
}

/** The offset behind the last batch, of which only the header need be there; `start` without any. */
function endOffset(records: readonly Buffer[], start: number): number {
  const bytes = records.at(-1);
  let end = start;
  if (bytes === undefined) return end;
  for (let at = 0; headerIsThere(bytes, at); at += batch.batchSizeInBytes(bytes, at)) {
    end = batch.lastOffset(bytes, at) + 1;
  }
  return end;
}

/** Whether all header fields of the entry at `at` are within the bytes. */
function headerIsThere(bytes: Buffer, at: number): boolean {
  const left = bytes.length - at;
  return left >= SIZE_UP_TO_MAGIC && left >= (LEAST_SIZE[batch.magic(bytes, at)] ?? 0);
}

function corrupt(segment: Segment, position: number): StorageError {
  return new StorageError('CORRUPT_MESSAGE', `There is no record batch at byte ${position} of ${segment.file.path}.`);
}

/** The first entry that ends at or above `start`, or else where the first entry begins whose header is not there. */
function seek(bytes: Buffer, start: number): number {
  let at = 0;
  while (headerIsThere(bytes, at)) {
    if (!entryIsPlausible(bytes, at))
      throw new StorageError('CORRUPT_MESSAGE', 'The log holds bytes that are no batch.');
    if (batch.lastOffset(bytes, at) >= start) break;
    at += batch.batchSizeInBytes(bytes, at);
  }
  return at;
}

/** Whether all that was found are batches without records. */
function isEmpty({ records, firstEntryIncomplete }: Found): boolean {
  return !firstEntryIncomplete && records.length > 0 && records.every(holdsNoRecord);
}

function holdsNoRecord(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += batch.batchSizeInBytes(bytes, at)) {
    if (batch.recordCount(bytes, at) !== 0) return false;
  }
  return true;
}

/** The whole entries from `from` on that end below `upper` and fit into `maxBytes`: where they end. */
function wholeEntries(
  bytes: Buffer,
  from: number,
  maxBytes: number,
  upper: number,
): { end: number; nextOffset: number } {
  let end = from;
  let nextOffset = -1;
  while (headerIsThere(bytes, end) && entryIsPlausible(bytes, end)) {
    const next = end + batch.batchSizeInBytes(bytes, end);
    const lastOffset = batch.lastOffset(bytes, end);
    if (next > bytes.length || next - from > maxBytes || lastOffset >= upper) break;
    end = next;
    nextOffset = lastOffset + 1;
  }
  return { end, nextOffset };
}

/** What may be returned of `bytes`, which begin with the first entry wanted and hold enough of it. */
function fromBytes(bytes: Buffer, { maxBytes, minOneMessage, upper }: Wanted): Found {
  const size = batch.batchSizeInBytes(bytes, 0);
  const { end } = wholeEntries(bytes, 0, minOneMessage ? Math.max(size, maxBytes) : maxBytes, upper);
  if (end > 0) return { records: [bytes.subarray(0, end)], firstEntryIncomplete: false };
  if (batch.lastOffset(bytes, 0) >= upper) return NOTHING;
  return { records: [bytes.subarray(0, maxBytes)], firstEntryIncomplete: true };
}

function fromFrames(frames: readonly TailFrame[], wanted: Wanted): Found {
  const first = frames[0]!.bytes;
  const records: Buffer[] = [];
  let left = wanted.maxBytes;
  for (const frame of frames) {
    const { bytes, nextOffset } = frame;
    const from = records.length === 0 ? seek(bytes, wanted.start) : 0;
    const fits = bytes.length - from <= left && nextOffset <= wanted.upper;
    const end = fits ? bytes.length : wholeEntries(bytes, from, left, wanted.upper).end;
    if (end > from || records.length === 0) frame.lend(wanted.memory);
    if (end > from) records.push(bytes.subarray(from, end));
    left -= end - from;
    if (!fits) break;
  }
  return records.length > 0
    ? { records, firstEntryIncomplete: false }
    : fromBytes(first.subarray(seek(first, wanted.start)), wanted);
}
