import type { FileSystem } from '../../shared/runtime/file-system.ts';

/**
 * Replaces a small file so that the end of the process leaves the old or the new content. It does not wait for the
 * device: a blocking fsync would stall the event loop for as long as the disk is busy with the log's own data. After a
 * loss of power the file may be empty or torn, so use it only for what can be made again, and see to it that
 * `syncFile` has run before anything relies on the content.
 */
export function replaceUnsynced(fs: FileSystem, path: string, text: string): void {
  const temporary = `${path}.tmp`;
  fs.writeFile(temporary, text);
  fs.rename(temporary, path);
}

/** Flushes a file's content to the device, off the loop; nothing to do when it is not there. */
export async function syncFile(fs: FileSystem, path: string): Promise<void> {
  if (!fs.exists(path)) return;
  const handle = fs.open(path, 'r+');
  try {
    await handle.sync();
  } finally {
    handle.closeSync();
  }
}

/**
 * One text file that is replaced as a whole, again and again, without stalling the loop: the temporary file is flushed
 * asynchronously before it takes the old one's place, so that after a loss of power one of the two is there, complete.
 * Writes asked for while one is under way become one, with the text as it is then.
 */
export class ReplacedFile {
  readonly #fs: FileSystem;
  readonly #path: string;
  readonly #text: () => string;
  /** Settles when all writes asked for so far have been tried. */
  #tail: Promise<void> = Promise.resolve();
  /** The write that has not begun yet. */
  #waiting: Promise<void> | null = null;

  constructor(fs: FileSystem, path: string, text: () => string) {
    this.#fs = fs;
    this.#path = path;
    this.#text = text;
  }

  /** Resolves when a text made after this call is in place. */
  write(): Promise<void> {
    if (this.#waiting !== null) return this.#waiting;
    const write = this.#tail.then(() => {
      this.#waiting = null;
      return this.#replace();
    });
    this.#waiting = write;
    this.#tail = write.catch(() => {
      // Whoever asked for that write hears of it.
    });
    return write;
  }

  async #replace(): Promise<void> {
    const temporary = `${this.#path}.tmp`;
    this.#fs.writeFile(temporary, this.#text());
    await syncFile(this.#fs, temporary);
    this.#fs.rename(temporary, this.#path);
  }
}
