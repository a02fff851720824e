import * as batch from '../../shared/records/batch.ts';
import type { FileHandle, FileSystem } from '../../shared/runtime/file-system.ts';
import type { AnswerMemory } from '../request/answer-memory.ts';
import { AbortedTransactions } from './aborted-transactions.ts';
import { syncFile } from './durable-files.ts';
import {
  DELETED_SUFFIX,
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  SEGMENT_SUFFIXES,
  segmentFileName,
  TIME_INDEX_SUFFIX,
  TRANSACTION_INDEX_SUFFIX,
} from './file-names.ts';
import type { IndexCache } from './index-cache.ts';
import { type OpenFiles, SegmentFile } from './open-files.ts';
import { DEFAULT_INDEX_LIMITS, type IndexLimits, type IndexPaths, SegmentIndexes } from './segment-indexes.ts';
import type { ReadPace } from './read-pace.ts';
import { type EntryVisitor, readFully, readFullySync, scanEntries, scanEntriesSync } from './segment-scan.ts';
import type { TimestampOffset } from './time-index.ts';

/** What all segments of a broker share. */
export interface SegmentResources {
  readonly fs: FileSystem;
  readonly files: OpenFiles;
  readonly indexCache: IndexCache;
  readonly readPace: ReadPace;
}

/**
 * A stretch of a log: one `.log` file with its indexes (Kafka: `LogSegment`). Only the last segment of a log, the active
 * one, is appended to; its indexes stay in memory. Those of the others are loaded when needed and may be dropped.
 */
export class Segment {
  readonly baseOffset: number;
  /** Wall-clock time at which this process made or opened the segment: its age where records have no timestamps. */
  readonly openedMs: number;
  readonly file: SegmentFile;
  readonly aborted: AbortedTransactions;
  readonly #resources: SegmentResources;
  #directory: string;
  #size: number;
  /** In memory, or null when only the files have them. */
  #indexes: SegmentIndexes | null = null;
  #loading: Promise<SegmentIndexes> | null = null;
  #isActive = false;
  /** Remembered when the indexes are dropped, so that retention need not load them again. */
  #largest: TimestampOffset | null = null;
  /** Timestamp of the first entry (-1: it has none); null when it has not been read or there is no entry. */
  #firstTimestamp: number | null = null;

  /** Stands for the files of that base offset in `directory`, `size` being the `.log` file's length in bytes. */
  constructor(resources: SegmentResources, directory: string, baseOffset: number, size: number, openedMs: number) {
    this.#resources = resources;
    this.#directory = directory;
    this.baseOffset = baseOffset;
    this.#size = size;
    this.openedMs = openedMs;
    this.file = new SegmentFile(resources.files, this.path(LOG_SUFFIX));
    this.aborted = new AbortedTransactions(
      resources.fs,
      () => this.path(TRANSACTION_INDEX_SUFFIX),
      resources.indexCache,
    );
  }

  /** Makes the files of a new, empty, active segment; what files of that name held is gone. */
  static create(resources: SegmentResources, directory: string, baseOffset: number, openedMs: number): Segment {
    const segment = new Segment(resources, directory, baseOffset, 0, openedMs);
    for (const suffix of [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, LOG_SUFFIX]) {
      resources.fs.open(segment.path(suffix), 'w+').closeSync();
    }
    segment.aborted.clear();
    segment.#indexes = SegmentIndexes.empty(baseOffset);
    segment.#isActive = true;
    return segment;
  }

  path(suffix: string): string {
    return `${this.#directory}/${segmentFileName(this.baseOffset, suffix)}`;
  }

  get #indexPaths(): IndexPaths {
    return { offsets: this.path(OFFSET_INDEX_SUFFIX), times: this.path(TIME_INDEX_SUFFIX) };
  }

  /** Bytes of the `.log` file. */
  get size(): number {
    return this.#size;
  }

  /** Wall-clock time of the last write to the `.log` file, milliseconds since the epoch. */
  get modifiedMs(): number {
    return this.#resources.fs.stat(this.file.path)?.modifiedMs ?? 0;
  }

  /** The indexes of the active segment. */
  get activeIndexes(): SegmentIndexes {
    if (!this.#isActive || this.#indexes === null) throw new Error(`${this.file.path} is not the active segment.`);
    return this.#indexes;
  }

  /** The indexes, or null when they would have to be read. */
  get indexesInMemory(): SegmentIndexes | null {
    return this.#indexes;
  }

  /** The indexes, read if necessary, made anew if the files are missing or damaged. */
  indexes(): SegmentIndexes | Promise<SegmentIndexes> {
    if (this.#indexes === null) return (this.#loading ??= this.#load());
    if (!this.#isActive) this.#resources.indexCache.touch(this);
    return this.#indexes;
  }

  async #load(): Promise<SegmentIndexes> {
    try {
      const indexes = (await this.#read()) ?? (await this.rebuild(DEFAULT_INDEX_LIMITS));
      // Meanwhile a truncation may have made this the active segment, with indexes of its own.
      if (!this.#isActive) this.#hand(indexes);
      return indexes;
    } finally {
      this.#loading = null;
    }
  }

  /** Leaves the indexes to the cache, which may drop them. */
  #hand(indexes: SegmentIndexes): void {
    this.#indexes = indexes;
    this.#largest = indexes.largest;
    this.#resources.indexCache.add(this, indexes.memory);
  }

  async #read(): Promise<SegmentIndexes | null> {
    const { offsets, times } = this.#indexPaths;
    const { fs } = this.#resources;
    if (!fs.exists(offsets) || !fs.exists(times)) return null;
    const contents = await Promise.all([readWhole(fs, offsets), readWhole(fs, times)]);
    return SegmentIndexes.decode(this.baseOffset, ...contents, this.#size);
  }

  /** Whether offset and time index are there; a segment may well have no transaction index. */
  get hasIndexFiles(): boolean {
    const { fs } = this.#resources;
    const { offsets, times } = this.#indexPaths;
    return fs.exists(offsets) && fs.exists(times);
  }

  /** Called by the cache. */
  dropIndexes(): void {
    if (!this.#isActive) this.#indexes = null;
  }

  /** Makes both index files anew from the headers of the log's entries. */
  async rebuild(limits: IndexLimits): Promise<SegmentIndexes> {
    const indexes = SegmentIndexes.empty(this.baseOffset);
    await this.scan(0, false, (buffer, at, position) => {
      indexes.note(buffer, at, position, limits);
      return 'go on';
    });
    indexes.finish();
    indexes.write(this.#resources.fs, this.#indexPaths);
    return indexes;
  }

  /**
   * Walks over the entries from `from` (which begins one) to the end; resolves with the position of the first byte that
   * is not part of an entry passed. The visitor gets whole entries or headers only.
   */
  scan(from: number, whole: boolean, visit: EntryVisitor): Promise<number> {
    return this.file.use(handle => scanEntries(handle, { from, to: this.#size, whole }, visit));
  }

  /** The bytes from `position` on; less than `length` where the file ends before. Without `memory`, in new memory. */
  read(position: number, length: number, memory: AnswerMemory | undefined): Buffer | Promise<Buffer> {
    const { readPace } = this.#resources;
    if (!readPace.mayBlock(length)) return this.file.use(handle => readFully(handle, position, length, memory));
    const { handle } = this.file;
    const target = memory?.take(length) ?? Buffer.allocUnsafeSlow(length);
    const count = readPace.blocking(() => readFullySync(handle, position, target));
    return count === length ? target : target.subarray(0, count);
  }

  /** The largest timestamp, and the last offset of the batch that has it; timestamp -1 when there is none. */
  async largestTimestamp(): Promise<TimestampOffset> {
    if (this.#indexes !== null) return this.#indexes.largest;
    return this.#largest ?? (await this.indexes()).largest;
  }

  /** The first entry's timestamp, from which the segment's age counts; null when it is empty. */
  get firstTimestamp(): number | null {
    if (this.#size === 0) return null;
    this.#firstTimestamp ??= this.#readFirstTimestamp();
    return this.#firstTimestamp;
  }

  #readFirstTimestamp(): number {
    let timestamp = -1;
    scanEntriesSync(this.file.handle, { from: 0, to: this.#size, whole: false }, (buffer, at) => {
      timestamp = batch.maxTimestamp(buffer, at);
      return 'stop';
    });
    return timestamp;
  }

  /**
   * Appends whole entries in one gathered write.
   * @throws the file system's error, or an Error when only a part was written; the file is then as it was before
   */
  append(buffers: readonly Buffer[], length: number, limits: IndexLimits): void {
    const handle = this.file.handle;
    try {
      requireAll(handle.writevSync(buffers, this.#size), length, handle.path);
    } catch (error) {
      this.#cutBack(handle);
      throw error;
    }
    this.#appended(buffers, limits);
  }

  /** The same without blocking. One at a time, and nothing else may change the segment meanwhile. */
  async appendInBackground(buffers: readonly Buffer[], length: number, limits: IndexLimits): Promise<void> {
    await this.file.use(async handle => {
      try {
        requireAll(await handle.writev(buffers, this.#size), length, handle.path);
      } catch (error) {
        this.#cutBack(handle);
        throw error;
      }
    });
    this.#appended(buffers, limits);
  }

  /**
   * Takes a failed write's bytes off the file again. If that fails too, recovery will: the directory goes offline with
   * either error.
   */
  #cutBack(handle: FileHandle): void {
    try {
      handle.truncateSync(this.#size);
    } catch {
      // The error of the write says more.
    }
  }

  #appended(buffers: readonly Buffer[], limits: IndexLimits): void {
    const indexes = this.activeIndexes;
    for (const buffer of buffers) {
      if (this.#size === 0) this.#firstTimestamp = batch.maxTimestamp(buffer, 0);
      for (let at = 0; at < buffer.length; at += batch.batchSizeInBytes(buffer, at)) {
        indexes.note(buffer, at, this.#size + at, limits);
      }
      this.#size += buffer.length;
    }
    indexes.writeSome(this.#resources.fs, this.#indexPaths);
  }

  /** Ends the active segment's time: index files get their final content, memory becomes the cache's. */
  seal(): void {
    const indexes = this.activeIndexes;
    indexes.finish();
    indexes.write(this.#resources.fs, this.#indexPaths);
    this.#isActive = false;
    this.#hand(indexes);
  }

  /** Makes this the active segment, with these indexes, to which the files are adjusted. */
  activate(indexes: SegmentIndexes): void {
    this.#isActive = true;
    this.#resources.indexCache.remove(this);
    this.#indexes = indexes;
    indexes.write(this.#resources.fs, this.#indexPaths);
  }

  /** Cuts off what follows `size` bytes, without regard to the indexes. */
  cutFile(size: number): void {
    this.file.handle.truncateSync(size);
    this.#size = size;
    if (size === 0) this.#firstTimestamp = null;
  }

  /**
   * Cuts off the entry that holds `offset` and all behind it, and makes this the active segment.
   * @returns the offset where the log ends now: `offset`, or the base of the entry that was cut
   */
  truncateTo(offset: number, limits: IndexLimits): number {
    const indexes = this.#readForTruncation() ?? SegmentIndexes.empty(this.baseOffset);
    indexes.truncateTo(offset);
    let endOffset = offset;
    const options = { from: indexes.offsets.lookup(offset), to: this.#size, whole: false };
    const end = scanEntriesSync(this.file.handle, options, (buffer, at, position) => {
      if (batch.lastOffset(buffer, at) >= offset) {
        endOffset = Math.min(offset, batch.baseOffset(buffer, at));
        return 'stop';
      }
      indexes.note(buffer, at, position, limits);
      return 'go on';
    });
    this.cutFile(end);
    this.aborted.truncateTo(endOffset);
    this.activate(indexes);
    return endOffset;
  }

  #readForTruncation(): SegmentIndexes | null {
    if (this.#indexes !== null) return this.#indexes;
    const { offsets, times } = this.#indexPaths;
    const { fs } = this.#resources;
    if (!fs.exists(offsets) || !fs.exists(times)) return null;
    return SegmentIndexes.decode(this.baseOffset, fs.readFile(offsets), fs.readFile(times), this.#size);
  }

  /** Flushes log and indexes to the device, off the loop. */
  async flush(): Promise<void> {
    await this.file.use(handle => handle.sync());
    const { offsets, times } = this.#indexPaths;
    await syncFile(this.#resources.fs, offsets);
    await syncFile(this.#resources.fs, times);
    await this.aborted.flush();
  }

  /** Closes the file and forgets the indexes; those of an active segment that was not sealed are lost. */
  close(): void {
    this.#isActive = false;
    this.#resources.indexCache.remove(this);
    this.#indexes = null;
    this.aborted.release();
    this.file.close();
  }

  /** Bytes of the index files, as far as they are written. */
  get indexFileSizes(): { readonly offsets: number; readonly times: number } {
    const { fs } = this.#resources;
    const { offsets, times } = this.#indexPaths;
    return { offsets: fs.stat(offsets)?.size ?? 0, times: fs.stat(times)?.size ?? 0 };
  }

  /**
   * Renames the segment's files out of the way; reads under way go on.
   * @param suffixes which of them
   * @returns the new paths, to be removed after `file.delete.delay.ms`
   */
  markDeleted(suffixes: readonly string[] = SEGMENT_SUFFIXES): string[] {
    const { fs } = this.#resources;
    const renamed: string[] = [];
    for (const suffix of suffixes) {
      const path = this.path(suffix);
      if (!fs.exists(path)) continue;
      if (suffix === LOG_SUFFIX) this.file.rename(path + DELETED_SUFFIX);
      else fs.rename(path, path + DELETED_SUFFIX);
      renamed.push(path + DELETED_SUFFIX);
    }
    return renamed;
  }

  /** Removes the segment's files at once: for segments that nobody uses yet. */
  remove(): void {
    this.close();
    for (const path of this.markDeleted()) this.#resources.fs.removeFileSync(path);
  }

  /** Notes that the partition's directory was renamed. */
  movedTo(directory: string): void {
    this.#directory = directory;
    this.file.movedTo(this.path(LOG_SUFFIX));
  }
}

async function readWhole(fs: FileSystem, path: string): Promise<Buffer> {
  const handle = fs.open(path, 'r');
  try {
    return await readFully(handle, 0, handle.sizeSync());
  } finally {
    handle.closeSync();
  }
}

function requireAll(written: number, length: number, path: string): void {
  if (written === length) return;
  throw new Error(`Only ${written} of ${length} bytes were written to ${path}: the disk is probably full.`);
}
