import fs from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { DirectoryEntry, FileHandle, FileLock, FileStat, FileSystem } from './file-system.ts';

/** What is used of fs-native-extensions, which brings no types. */
interface NativeLocks {
  tryLock(fd: number): boolean;
  unlock(fd: number): void;
}

const fdatasync = promisify(fs.fdatasync);

function errorCode(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

class RealFileHandle implements FileHandle {
  readonly path: string;
  readonly #fd: number;

  constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
  }

  read(target: Buffer, offset: number, length: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(this.#fd, target, offset, length, position, (error, count) => (error ? reject(error) : resolve(count)));
    });
  }

  readSync(target: Buffer, offset: number, length: number, position: number): number {
    return fs.readSync(this.#fd, target, offset, length, position);
  }

  writevSync(buffers: readonly Buffer[], position: number): number {
    return fs.writevSync(this.#fd, buffers, position);
  }

  writev(buffers: readonly Buffer[], position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.writev(this.#fd, buffers, position, (error, count) => (error ? reject(error) : resolve(count)));
    });
  }

  truncateSync(length: number): void {
    fs.ftruncateSync(this.#fd, length);
  }

  sizeSync(): number {
    return fs.fstatSync(this.#fd).size;
  }

  sync(): Promise<void> {
    return fdatasync(this.#fd);
  }

  syncSync(): void {
    fs.fdatasyncSync(this.#fd);
  }

  closeSync(): void {
    fs.closeSync(this.#fd);
  }
}

function syncPath(path: string): void {
  const fd = fs.openSync(path, 'r');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * Locks the whole file with an open-file-description lock where the system has them (Linux), which conflicts with the
 * POSIX lock of Java's `FileChannel.tryLock` in both directions, and, unlike that one, with a second lock of this very
 * process and not with closing another descriptor of the file.
 */
function lock(path: string): FileLock | null {
  const locks = createRequire(import.meta.url)('fs-native-extensions') as NativeLocks;
  const fd = fs.openSync(path, 'a+');
  try {
    if (locks.tryLock(fd)) {
      return {
        release() {
          locks.unlock(fd);
          fs.closeSync(fd);
        },
      };
    }
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
  fs.closeSync(fd);
  return null;
}

/** The machine's file system. */
export const realFileSystem: FileSystem = {
  open: (path, flags) => new RealFileHandle(path, fs.openSync(path, flags)),
  exists: path => fs.existsSync(path),
  stat(path): FileStat | null {
    const found = fs.statSync(path, { throwIfNoEntry: false });
    return found === undefined ? null : { size: found.size, modifiedMs: Math.round(found.mtimeMs) };
  },
  readFile: path => fs.readFileSync(path),
  writeFile: (path, data) => fs.writeFileSync(path, data),
  replaceFile(path, data) {
    const temporary = `${path}.tmp`;
    fs.writeFileSync(temporary, data, { flush: true });
    fs.renameSync(temporary, path);
    syncPath(dirname(path));
  },
  list: (directory): DirectoryEntry[] =>
    fs.readdirSync(directory, { withFileTypes: true }).map(entry => ({
      name: entry.name,
      isDirectory: entry.isDirectory(),
    })),
  makeDirectory: path => {
    fs.mkdirSync(path, { recursive: true });
  },
  rename: (from, to) => fs.renameSync(from, to),
  removeFile: path => fs.promises.rm(path, { force: true }),
  removeFileSync: path => fs.rmSync(path, { force: true }),
  removeDirectory: path => fs.promises.rm(path, { recursive: true, force: true }),
  setModifiedTime: (path, modifiedMs) => fs.utimesSync(path, modifiedMs / 1000, modifiedMs / 1000),
  syncDirectory(path) {
    try {
      syncPath(path);
    } catch (error) {
      // Some file systems and systems other than Linux cannot flush a directory: nothing can be done about it there.
      if (!['EINVAL', 'EISDIR', 'EPERM'].includes(errorCode(error) ?? '')) throw error;
    }
  },
  async space(path) {
    const { blocks, bavail, bsize } = await fs.promises.statfs(path);
    return { totalBytes: blocks * bsize, usableBytes: bavail * bsize };
  },
  lock,
};
