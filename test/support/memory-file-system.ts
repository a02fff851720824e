import type {
  DirectoryEntry,
  FileHandle,
  FileLock,
  FileStat,
  FileSystem,
  VolumeSpace,
} from '../../shared/runtime/file-system.ts';
import type { Random } from '../../shared/runtime/random.ts';
import { MemoryFile } from './memory-file.ts';

export type FaultyOperation = 'open' | 'read' | 'write' | 'sync' | 'truncate' | 'rename' | 'remove';

/** An error to be injected into matching calls. */
export interface Fault {
  readonly operation: FaultyOperation;
  /** Which paths fail; default: all. */
  readonly path?: RegExp;
  /** Node's error code, for example EIO. */
  readonly code: string;
  /** For writes: this many bytes are written first. With 'short' the call returns that count instead of throwing. */
  readonly after?: number;
  readonly short?: boolean;
  /** How many calls fail before the fault is used up; default: every one until it is healed. */
  times?: number;
}

interface Node {
  file: MemoryFile | null;
  modifiedMs: number;
}

/** An error as Node's fs throws it. */
function fsError(code: string, operation: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: injected or simulated, ${operation} '${path}'`), { code, path });
}

interface Options {
  /** Decides where crashes tear; without it they tear nothing (all that was written survives). */
  readonly random?: Random;
  /** Time for modification times; default: always 0. */
  readonly now?: () => number;
  /** How long an asynchronous call takes; default: no time. */
  readonly latency?: () => Promise<void>;
}

/**
 * A deterministic disk in memory. Files are byte arrays that remember what has not been flushed: `crash()` is the loss
 * of power (un-flushed writes are lost or torn, file by file, at a point drawn from `random`), `kill()` the loss of the
 * process (what the kernel took over survives; asynchronous writes under way are torn). Both make all handles useless
 * and release all locks, as the end of a process does. Renames, creations and removals are taken to be journalled.
 */
export class MemoryFileSystem implements FileSystem {
  readonly #nodes = new Map<string, Node>([['/', { file: null, modifiedMs: 0 }]]);
  readonly #locks = new Set<string>();
  readonly #faults: Fault[] = [];
  readonly #random: Random | undefined;
  readonly #now: () => number;
  readonly #latency: () => Promise<void>;
  #life = 0;
  #capacity = Infinity;
  #unfinished: (() => void)[] = [];

  constructor({ random, now = () => 0, latency = () => Promise.resolve() }: Options = {}) {
    this.#latency = latency;
    this.#random = random;
    this.#now = now;
  }

  /** Lets the disk hold at most `bytes`: a write beyond comes back short, the next one throws ENOSPC. */
  setCapacity(bytes: number): void {
    this.#capacity = bytes;
  }

  /** Makes matching calls fail until the returned function is called or the fault is used up. */
  inject(fault: Fault): () => void {
    const own = { ...fault };
    this.#faults.push(own);
    return () => {
      const at = this.#faults.indexOf(own);
      if (at >= 0) this.#faults.splice(at, 1);
    };
  }

  /** Bytes held by all files. */
  get used(): number {
    let total = 0;
    for (const { file } of this.#nodes.values()) total += file?.size ?? 0;
    return total;
  }

  /** Power is lost. */
  crash(): void {
    this.kill();
    for (const { file } of this.#nodes.values()) file?.losePower(this.#random);
  }

  /** The process dies. */
  kill(): void {
    this.#life++;
    this.#locks.clear();
    this.#faults.length = 0;
    const unfinished = this.#unfinished;
    this.#unfinished = [];
    for (const tear of unfinished) tear();
  }

  open(path: string, flags: 'r' | 'r+' | 'w+'): FileHandle {
    this.#failIf('open', path);
    const existing = this.#nodes.get(path);
    if (existing?.file === null) throw fsError('EISDIR', 'open', path);
    if (existing === undefined && flags !== 'w+') throw fsError('ENOENT', 'open', path);
    const file = existing?.file ?? this.#create(path);
    if (flags === 'w+') file.truncate(0);
    return this.#handle(path, file);
  }

  #create(path: string): MemoryFile {
    if (this.#nodes.get(parentOf(path))?.file !== null) throw fsError('ENOENT', 'open', path);
    if (this.#nodes.get(path)?.file === null) throw fsError('EISDIR', 'open', path);
    const file = new MemoryFile();
    this.#nodes.set(path, { file, modifiedMs: this.#now() });
    return file;
  }

  #failIf(operation: FaultyOperation, path: string): Fault | undefined {
    const fault = this.#faults.find(f => f.operation === operation && (f.path?.test(path) ?? true));
    if (fault === undefined) return undefined;
    if (fault.times !== undefined && --fault.times <= 0) this.#faults.splice(this.#faults.indexOf(fault), 1);
    if (operation === 'write' && fault.after !== undefined) return fault;
    throw fsError(fault.code, operation, path);
  }

  #write(path: string, file: MemoryFile, data: Buffer, position: number): number {
    const fault = this.#failIf('write', path);
    if (fault !== undefined) {
      const count = Math.min(fault.after!, data.length);
      file.write(data.subarray(0, count), position);
      if (fault.short) return count;
      throw fsError(fault.code, 'write', path);
    }
    const growth = Math.max(0, position + data.length - file.size);
    const free = Math.max(0, this.#capacity - (this.#capacity === Infinity ? 0 : this.used));
    const count = data.length - Math.max(0, growth - free);
    if (count <= 0 && data.length > 0) throw fsError('ENOSPC', 'write', path);
    file.write(data.subarray(0, count), position);
    this.#touch(file);
    return count;
  }

  #touch(file: MemoryFile): void {
    file.modifiedMs = this.#now();
  }

  #handle(path: string, file: MemoryFile): FileHandle {
    const life = this.#life;
    let open = true;
    const check = () => {
      if (life !== this.#life) throw fsError('EIO', 'use after the crash of', path);
      if (!open) throw fsError('EBADF', 'use after close of', path);
    };
    const readSync = (target: Buffer, offset: number, length: number, position: number) => {
      check();
      this.#failIf('read', path);
      return file.read(target, offset, length, position);
    };
    const writevSync = (buffers: readonly Buffer[], position: number) => {
      check();
      return this.#write(path, file, Buffer.concat(buffers), position);
    };
    const syncSync = () => {
      check();
      this.#failIf('sync', path);
      file.flush();
    };
    return {
      path,
      readSync,
      writevSync,
      syncSync,
      read: async (...args) => {
        await this.#latency();
        return readSync(...args);
      },
      writev: async (buffers, position) => {
        check();
        const data = Buffer.concat(buffers);
        const torn = () => file.write(data.subarray(0, this.#random?.int(data.length + 1) ?? 0), position);
        this.#unfinished.push(torn);
        await this.#latency();
        const at = this.#unfinished.indexOf(torn);
        if (at >= 0) this.#unfinished.splice(at, 1);
        check();
        return this.#write(path, file, data, position);
      },
      sync: async () => {
        check();
        await this.#latency();
        syncSync();
      },
      truncateSync: length => {
        check();
        this.#failIf('truncate', path);
        file.truncate(length);
      },
      sizeSync: () => {
        check();
        return file.size;
      },
      closeSync: () => {
        // Closing a handle of a dead process is harmless: whoever holds it does not know yet.
        if (life === this.#life && !open) throw fsError('EBADF', 'close', path);
        open = false;
      },
    };
  }

  #file(path: string, operation: string): MemoryFile {
    const node = this.#nodes.get(path);
    if (node === undefined) throw fsError('ENOENT', operation, path);
    if (node.file === null) throw fsError('EISDIR', operation, path);
    return node.file;
  }

  exists(path: string): boolean {
    return this.#nodes.has(path);
  }

  stat(path: string): FileStat | null {
    const node = this.#nodes.get(path);
    if (node === undefined) return null;
    return { size: node.file?.size ?? 0, modifiedMs: node.file?.modifiedMs ?? node.modifiedMs };
  }

  readFile(path: string): Buffer {
    this.#failIf('read', path);
    return this.#file(path, 'read').content();
  }

  writeFile(path: string, data: Buffer | string): void {
    const bytes = Buffer.from(data as string);
    const handle = this.open(path, 'w+');
    const count = handle.writevSync([bytes], 0);
    if (count < bytes.length) throw fsError('ENOSPC', 'write', path);
  }

  replaceFile(path: string, data: Buffer | string): void {
    this.writeFile(`${path}.tmp`, data);
    this.open(`${path}.tmp`, 'r+').syncSync();
    this.rename(`${path}.tmp`, path);
  }

  list(directory: string): DirectoryEntry[] {
    if (this.#nodes.get(directory)?.file !== null) throw fsError('ENOENT', 'list', directory);
    const prefix = directory === '/' ? '/' : `${directory}/`;
    return [...this.#nodes]
      .filter(([path]) => path !== '/' && path.startsWith(prefix) && !path.slice(prefix.length).includes('/'))
      .map(([path, node]) => ({ name: path.slice(prefix.length), isDirectory: node.file === null }));
  }

  makeDirectory(path: string): void {
    this.#failIf('open', path);
    if (this.#nodes.get(path)?.file) throw fsError('EEXIST', 'mkdir', path);
    if (this.#nodes.has(path)) return;
    this.makeDirectory(parentOf(path));
    this.#nodes.set(path, { file: null, modifiedMs: this.#now() });
  }

  rename(from: string, to: string): void {
    this.#failIf('rename', from);
    const node = this.#nodes.get(from);
    if (node === undefined) throw fsError('ENOENT', 'rename', from);
    if (node.file === null && this.exists(to)) throw fsError('ENOTEMPTY', 'rename', from);
    for (const [path, moved] of [...this.#nodes]) {
      if (path !== from && !path.startsWith(`${from}/`)) continue;
      this.#nodes.delete(path);
      this.#nodes.set(to + path.slice(from.length), moved);
    }
  }

  async removeFile(path: string): Promise<void> {
    await this.#latency();
    this.removeFileSync(path);
  }

  removeFileSync(path: string): void {
    this.#failIf('remove', path);
    this.#nodes.delete(path);
  }

  async removeDirectory(path: string): Promise<void> {
    await this.#latency();
    this.#failIf('remove', path);
    for (const below of [...this.#nodes.keys()]) {
      if (below === path || below.startsWith(`${path}/`)) this.#nodes.delete(below);
    }
  }

  setModifiedTime(path: string, modifiedMs: number): void {
    this.#file(path, 'utimes').modifiedMs = modifiedMs;
  }

  syncDirectory(path: string): void {
    this.#failIf('sync', path);
    if (!this.exists(path)) throw fsError('ENOENT', 'fsync', path);
  }

  space(): Promise<VolumeSpace> {
    const totalBytes = this.#capacity === Infinity ? 2 ** 40 : this.#capacity;
    return Promise.resolve({ totalBytes, usableBytes: totalBytes - this.used });
  }

  lock(path: string): FileLock | null {
    if (this.#locks.has(path)) return null;
    if (!this.exists(path)) this.#create(path);
    const life = this.#life;
    this.#locks.add(path);
    return {
      release: () => {
        if (life === this.#life) this.#locks.delete(path);
      },
    };
  }
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}
