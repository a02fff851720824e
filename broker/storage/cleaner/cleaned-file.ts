import type { FileSystem } from '../../../shared/runtime/file-system.ts';
import {
  CLEANED_SUFFIX,
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  segmentFileName,
  TIME_INDEX_SUFFIX,
  TRANSACTION_INDEX_SUFFIX,
} from '../file-names.ts';
import { type IndexLimits, SegmentIndexes } from '../segment-indexes.ts';
import { type AbortedTransaction, encodeTransactionIndex } from '../transaction-index.ts';

/** The files that compaction writes; not all segments have the last one. */
export const CLEANED_FILES = [LOG_SUFFIX, OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TRANSACTION_INDEX_SUFFIX] as const;

/** The segment that takes the place of others while it is written: `<base>.log.cleaned` with its indexes. */
export class CleanedFile {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #baseOffset: number;
  readonly #limits: IndexLimits;
  readonly #indexes: SegmentIndexes;
  readonly #handle: ReturnType<FileSystem['open']>;
  readonly #buffer: Buffer;
  #buffered = 0;
  #size = 0;

  /** Makes the file; what one of that name held is gone. @param chunk bytes written at a time */
  constructor(fs: FileSystem, directory: string, baseOffset: number, limits: IndexLimits, chunk: number) {
    this.#fs = fs;
    this.#directory = directory;
    this.#baseOffset = baseOffset;
    this.#limits = limits;
    this.#indexes = SegmentIndexes.empty(baseOffset);
    this.#buffer = Buffer.allocUnsafeSlow(chunk);
    this.#handle = fs.open(this.#path(LOG_SUFFIX), 'w+');
  }

  #path(suffix: string): string {
    return `${this.#directory}/${segmentFileName(this.#baseOffset, suffix)}${CLEANED_SUFFIX}`;
  }

  /** Bytes of the log so far. */
  get size(): number {
    return this.#size + this.#buffered;
  }

  /** Appends an entry, copying its bytes. */
  append(bytes: Buffer): void {
    this.#indexes.note(bytes, 0, this.size, this.#limits);
    if (this.#buffered + bytes.length > this.#buffer.length) this.#flush();
    if (bytes.length > this.#buffer.length) {
      this.#write(bytes);
    } else {
      bytes.copy(this.#buffer, this.#buffered);
      this.#buffered += bytes.length;
    }
  }

  #flush(): void {
    if (this.#buffered > 0) this.#write(this.#buffer.subarray(0, this.#buffered));
    this.#buffered = 0;
  }

  #write(bytes: Buffer): void {
    const count = this.#handle.writevSync([bytes], this.#size);
    if (count < bytes.length) {
      const message = `Only ${count} of ${bytes.length} bytes were written to ${this.#handle.path}: the disk is full.`;
      throw Object.assign(new Error(message), { code: 'ENOSPC' });
    }
    this.#size += bytes.length;
  }

  /** Completes all files and brings them to the device. @param modifiedMs for the log's modification time */
  finish(aborted: readonly AbortedTransaction[], modifiedMs: number): void {
    this.#flush();
    this.#handle.syncSync();
    this.#indexes.finish();
    const indexes = { offsets: this.#path(OFFSET_INDEX_SUFFIX), times: this.#path(TIME_INDEX_SUFFIX) };
    this.#indexes.write(this.#fs, indexes);
    if (aborted.length > 0) this.#fs.writeFile(this.#path(TRANSACTION_INDEX_SUFFIX), encodeTransactionIndex(aborted));
    for (const suffix of CLEANED_FILES.slice(1)) syncIfThere(this.#fs, this.#path(suffix));
    this.#fs.setModifiedTime(this.#path(LOG_SUFFIX), modifiedMs);
    this.#handle.closeSync();
  }

  /** Removes the files again. */
  discard(): void {
    try {
      this.#handle.closeSync();
    } catch {
      // It was closed already.
    }
    removeCleaned(this.#fs, this.#directory, this.#baseOffset);
  }
}

/** Removes what a cleaning that was given up has left of a segment. */
export function removeCleaned(fs: FileSystem, directory: string, baseOffset: number): void {
  for (const suffix of CLEANED_FILES) {
    fs.removeFileSync(`${directory}/${segmentFileName(baseOffset, suffix)}${CLEANED_SUFFIX}`);
  }
}

function syncIfThere(fs: FileSystem, path: string): void {
  if (!fs.exists(path)) return;
  const handle = fs.open(path, 'r+');
  try {
    handle.syncSync();
  } finally {
    handle.closeSync();
  }
}
