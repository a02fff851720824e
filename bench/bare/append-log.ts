import { ftruncateSync, openSync, read, writevSync } from 'node:fs';

/** Bytes that go out in one gathered write. */
const MAX_WRITE = 1 << 20;

interface Waiting {
  readonly bytes: readonly Buffer[];
  readonly length: number;
  readonly done: () => void;
}

/** The least that a log can be: one file, the appends of a loop turn in gathered synchronous writes, reads by pread. */
export class AppendLog {
  readonly #fd: number;
  #waiting: Waiting[] = [];
  #size = 0;

  constructor(path: string) {
    this.#fd = openSync(path, 'a+');
  }

  /** Appends at the end of this loop turn, then calls `done`. */
  append(bytes: readonly Buffer[], length: number, done: () => void): void {
    if (this.#waiting.push({ bytes, length, done }) === 1) setImmediate(() => this.#writeAll());
  }

  /** Reads `memory.length` bytes at `position`. */
  read(memory: Buffer, position: number, done: () => void): void {
    read(this.#fd, memory, 0, memory.length, position, (error, count) => {
      if (error !== null || count !== memory.length) throw error ?? new Error(`read only ${count} bytes`);
      done();
    });
  }

  get size(): number {
    return this.#size;
  }

  /** Begins again with an empty file. */
  reset(): void {
    ftruncateSync(this.#fd);
    this.#size = 0;
  }

  #writeAll(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (let from = 0; from < waiting.length;) {
      let to = from;
      let length = 0;
      while (to < waiting.length && (to === from || length + waiting[to]!.length <= MAX_WRITE)) {
        length += waiting[to++]!.length;
      }
      const group = waiting.slice(from, to);
      if (
        writevSync(
          this.#fd,
          group.flatMap(one => one.bytes),
        ) !== length
      )
        throw new Error('a write came back short');
      this.#size += length;
      from = to;
    }
    for (const { done } of waiting) done();
  }
}
