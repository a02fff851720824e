/**
 * The disk as a seam. Structure-changing calls are synchronous on purpose: rolling, truncating and renaming are rare
 * and must not interleave with appends. The calls that move data or wait for the device have asynchronous forms.
 * Errors are Node's (`code` = 'ENOENT', 'ENOSPC', 'EIO', …).
 */

/** An open file. Positions and lengths are in bytes. */
export interface FileHandle {
  readonly path: string;
  /** Reads up to `length` bytes from `position` into `target` at `offset`; resolves with the count, 0 at end of file. */
  read(target: Buffer, offset: number, length: number, position: number): Promise<number>;
  readSync(target: Buffer, offset: number, length: number, position: number): number;
  /**
   * Writes the buffers one behind the other from `position` on and returns the count of bytes written. A short count
   * is how a full disk first shows itself (ENOSPC comes only with the next call): the caller must treat it as an error.
   */
  writevSync(buffers: readonly Buffer[], position: number): number;
  writev(buffers: readonly Buffer[], position: number): Promise<number>;
  truncateSync(length: number): void;
  sizeSync(): number;
  /** Flushes the file's data to the device (fdatasync). */
  sync(): Promise<void>;
  syncSync(): void;
  closeSync(): void;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly isDirectory: boolean;
}

export interface FileStat {
  readonly size: number;
  /** Last modification, milliseconds since the Unix epoch. */
  readonly modifiedMs: number;
}

/** Room on a volume, in bytes. */
export interface VolumeSpace {
  readonly totalBytes: number;
  /** What an ordinary process may still fill. */
  readonly usableBytes: number;
}

/** An exclusive lock on a file, held until released or until the process ends. */
export interface FileLock {
  release(): void;
}

export interface FileSystem {
  /** 'r' read an existing file; 'r+' read and write an existing file; 'w+' create or cut to zero, read and write. */
  open(path: string, flags: 'r' | 'r+' | 'w+'): FileHandle;
  exists(path: string): boolean;
  /** null when there is nothing at `path`. */
  stat(path: string): FileStat | null;
  readFile(path: string): Buffer;
  /** Creates or replaces the file; not atomic, not flushed. */
  writeFile(path: string, data: Buffer | string): void;
  /** Creates or replaces the file so that a crash leaves the old or the new content: `.tmp`, fsync, rename, fsync of the directory. */
  replaceFile(path: string, data: Buffer | string): void;
  list(directory: string): DirectoryEntry[];
  /** Creates the directory and its parents; fine if it exists. */
  makeDirectory(path: string): void;
  /** Atomic within one file system; replaces a file at `to`. */
  rename(from: string, to: string): void;
  /** Removes a file off the loop; fine if it is gone. */
  removeFile(path: string): Promise<void>;
  removeFileSync(path: string): void;
  /** Removes a directory and all below it, off the loop; fine if it is gone. */
  removeDirectory(path: string): Promise<void>;
  setModifiedTime(path: string, modifiedMs: number): void;
  /** Makes renames and creations in the directory durable. */
  syncDirectory(path: string): void;
  /** The room on the volume that holds `path`. */
  space(path: string): Promise<VolumeSpace>;
  /** Takes the exclusive lock that Apache Kafka's `.lock` uses; null when another process holds it. Creates the file. */
  lock(path: string): FileLock | null;
}
