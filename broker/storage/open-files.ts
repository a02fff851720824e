import type { FileHandle, FileSystem } from '../../shared/runtime/file-system.ts';

/** An open handle and how many asynchronous calls use it: closing under them would let them hit another file. */
interface Use {
  readonly handle: FileHandle;
  users: number;
  /** To be closed by the last user. */
  doomed: boolean;
}

/**
 * Keeps the number of open files near a limit, however many segments there are: when another one is opened, the least
 * recently used one is closed. It is opened again when it is needed.
 */
export class OpenFiles {
  readonly fs: FileSystem;
  readonly #limit: number;
  /** Least recently used first. */
  readonly #open = new Set<SegmentFile>();

  constructor(fs: FileSystem, limit: number) {
    this.fs = fs;
    this.#limit = limit;
  }

  get count(): number {
    return this.#open.size;
  }

  /** Notes that the file is in use now, and closes others if there are too many. */
  touch(file: SegmentFile): void {
    this.#open.delete(file);
    this.#open.add(file);
    if (this.#open.size <= this.#limit) return;
    for (const oldest of this.#open) {
      oldest.close();
      return;
    }
  }

  forget(file: SegmentFile): void {
    this.#open.delete(file);
  }
}

/** A segment's `.log` file: opened when needed, closed at will. Its path may change; an open handle goes with it. */
export class SegmentFile {
  readonly #files: OpenFiles;
  #path: string;
  #use: Use | null = null;

  constructor(files: OpenFiles, path: string) {
    this.#files = files;
    this.#path = path;
  }

  get path(): string {
    return this.#path;
  }

  #opened(): Use {
    this.#use ??= { handle: this.#files.fs.open(this.#path, 'r+'), users: 0, doomed: false };
    this.#files.touch(this);
    return this.#use;
  }

  /** The handle, for synchronous use within this turn only. */
  get handle(): FileHandle {
    return this.#opened().handle;
  }

  /** Runs an asynchronous use of the handle, which stays open meanwhile. */
  async use<T>(action: (handle: FileHandle) => Promise<T>): Promise<T> {
    const use = this.#opened();
    use.users++;
    try {
      return await action(use.handle);
    } finally {
      use.users--;
      if (use.doomed && use.users === 0) closeQuietly(use.handle);
    }
  }

  /** Renames the file; reads under way go on undisturbed. */
  rename(path: string): void {
    this.#files.fs.rename(this.#path, path);
    this.#path = path;
  }

  /** Notes that the directory of the file was renamed. */
  movedTo(path: string): void {
    this.#path = path;
  }

  /** Closes the handle, now or when the last asynchronous use of it ends. */
  close(): void {
    const use = this.#use;
    if (use === null) return;
    this.#use = null;
    this.#files.forget(this);
    use.doomed = true;
    if (use.users === 0) closeQuietly(use.handle);
  }
}

/** What was written is safe or not by other means, and whoever causes the closing may have to do with another disk. */
function closeQuietly(handle: FileHandle): void {
  try {
    handle.closeSync();
  } catch {
    // The descriptor is given back all the same.
  }
}
