import * as batch from '../../shared/records/batch.ts';
import { HEADER_SIZE, SIZE_UP_TO_MAGIC } from '../../shared/records/layout.ts';
import { StorageError } from './errors.ts';
import type { LogPosition } from './known-positions.ts';
import type { LogState } from './log-state.ts';
import type { Segment } from './segment.ts';
import { entryIsPlausible, readFully } from './segment-scan.ts';
import type { TailFrame } from './tail-cache.ts';

/** Up to where a reader may see: followers to the log's end, consumers to what is committed. */
export type UpperBound = 'logEnd' | 'highWatermark';

export interface ReadOptions {
  readonly upperBound: UpperBound;
  /** Return the first batch even if it alone is larger than the limit. */
  readonly minOneMessage: boolean;
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
}

const NOTHING: Found = { records: [], firstEntryIncomplete: false };
/** What a single read takes at most, however much is asked for. */
const MAX_READ = 64 << 20;
/** Read in addition when the exact place is not known: the index leads to within about this many bytes. */
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
  async read(start: number, maxBytes: number, { upperBound, minOneMessage }: ReadOptions): Promise<LogRead> {
    for (;;) {
      const { version } = this.#state;
      const upper = this.#upper(start, upperBound);
      const wanted = { start, upper, maxBytes: Math.min(maxBytes, MAX_READ), minOneMessage };
      const found = this.#fromMemory(wanted) ?? (await this.#fromFiles(wanted, version));
      if (found !== null) return this.#result(found);
    }
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
    return upperBound === 'logEnd' ? state.logEndOffset : state.highWatermark;
  }

  #result(found: Found): LogRead {
    const { highWatermark, logStartOffset, logEndOffset } = this.#state;
    const sizeInBytes = found.records.reduce((sum, buffer) => sum + buffer.length, 0);
    return { ...found, sizeInBytes, highWatermark, logStartOffset, logEndOffset };
  }

  /** What can be told without touching a file; null when it cannot. */
  #fromMemory(wanted: Wanted): Found | null {
    const { tail, logEndOffset } = this.#state;
    const { start, upper, maxBytes, minOneMessage } = wanted;
    if (start === logEndOffset) tail.noteTailRead();
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

  async #search(wanted: Wanted): Promise<Found> {
    const { segments } = this.#state;
    let place = await this.locate(wanted.start);
    for (let segment: Segment | undefined = place.segment; segment !== undefined; segment = segments.after(segment)) {
      if (segment !== place.segment) place = { segment, position: 0 };
      const found = await this.#searchSegment(wanted, place);
      // Where compaction has left a gap at the end of a segment, the next one has the data.
      if (found !== null) return found;
    }
    return NOTHING;
  }

  /** An entry's beginning from which on the batch that holds `offset` is to be found. */
  async locate(offset: number): Promise<LogPosition> {
    const { positions, segments } = this.#state;
    const known = positions.get(offset);
    if (known !== undefined) return known;
    const segment = segments.floor(offset);
    return { segment, position: (await segment.indexes()).offsets.lookup(offset) };
  }

  async #searchSegment(wanted: Wanted, place: LogPosition): Promise<Found | null> {
    const { segment } = place;
    const size = segment.size;
    for (let position = place.position; position < size; ) {
      if (isNearEnd(this.#state, segment, position)) this.#state.tail.noteTailRead();
      const length = Math.min(Math.max(0, wanted.maxBytes) + SEARCH_BYTES, size - position);
      const bytes = await segment.file.use(handle => readFully(handle, position, length));
      const at = firstHolding(bytes, wanted.start, position + bytes.length >= size);
      if (at < 0) throw corrupt(this.#state, segment, position);
      if (at < bytes.length && (at === 0 || bytes.length - at >= Math.min(wanted.maxBytes, size - position - at))) {
        return this.#take(wanted, segment, position + at, bytes.subarray(at));
      }
      // Not in these bytes, or too little of it: read on from the entry that was reached.
      if (at === 0) return null;
      position += at;
    }
    return null;
  }

  /** `bytes` begin, at `position` of the segment, with the first entry wanted. */
  async #take(wanted: Wanted, segment: Segment, position: number, bytes: Buffer): Promise<Found> {
    const end = endOfWhole(bytes, 0, wanted.maxBytes, wanted.upper);
    if (end > 0) {
      const last = lastEntry(bytes, end);
      this.#state.positions.note(batch.lastOffset(bytes, last) + 1, segment, position + end);
      return { records: [bytes.subarray(0, end)], firstEntryIncomplete: false };
    }
    if (batch.lastOffset(bytes, 0) >= wanted.upper) return NOTHING;
    const size = batch.batchSizeInBytes(bytes, 0);
    const length = wanted.minOneMessage ? size : Math.min(wanted.maxBytes, size);
    const whole =
      length <= bytes.length
        ? bytes.subarray(0, length)
        : await segment.file.use(handle => readFully(handle, position, length));
    return { records: [whole], firstEntryIncomplete: length < size };
  }
}
