import type { Random } from '../../shared/runtime/random.ts';

/** A change that is not flushed yet, with what it takes to undo it, or to do it in part. */
interface Change {
  /** Size of the file before the change. */
  readonly size: number;
  readonly position: number;
  /** The bytes that the change overwrote or cut off. */
  readonly former: Buffer;
  /** The bytes that it wrote; none for a truncation. */
  readonly written: Buffer;
}

const NOTHING = Buffer.alloc(0);

/** The bytes of one file, and which of them would survive a loss of power. */
export class MemoryFile {
  modifiedMs = 0;
  #bytes = Buffer.alloc(0);
  #size = 0;
  #changes: Change[] = [];

  get size(): number {
    return this.#size;
  }

  content(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#size));
  }

  read(target: Buffer, offset: number, length: number, position: number): number {
    const end = Math.min(this.#size, position + length);
    return end <= position ? 0 : this.#bytes.copy(target, offset, position, end);
  }

  write(data: Buffer, position: number): void {
    const end = position + data.length;
    const former = Buffer.from(this.#bytes.subarray(Math.min(position, this.#size), Math.min(end, this.#size)));
    this.#changes.push({ size: this.#size, position, former, written: Buffer.from(data) });
    this.#reserve(end);
    if (position > this.#size) this.#bytes.fill(0, this.#size, position);
    data.copy(this.#bytes, position);
    this.#size = Math.max(this.#size, end);
  }

  truncate(length: number): void {
    if (length === this.#size) return;
    const former = Buffer.from(this.#bytes.subarray(Math.min(length, this.#size), this.#size));
    this.#changes.push({ size: this.#size, position: length, former, written: NOTHING });
    this.#reserve(length);
    if (length > this.#size) this.#bytes.fill(0, this.#size, length);
    this.#size = length;
  }

  #reserve(size: number): void {
    if (size <= this.#bytes.length) return;
    const grown = Buffer.alloc(Math.max(size, this.#bytes.length * 2, 256));
    this.#bytes.copy(grown, 0, 0, this.#size);
    this.#bytes = grown;
  }

  /** Makes everything so far survive. */
  flush(): void {
    this.#changes = [];
  }

  /** Keeps a random prefix of the changes not flushed, the last of them perhaps in part; all without `random`. */
  losePower(random: Random | undefined): void {
    if (random === undefined) this.flush();
    if (random === undefined || this.#changes.length === 0) return;
    const kept = random.int(this.#changes.length + 1);
    const torn = this.#changes[kept];
    while (this.#changes.length > kept) this.#undo(this.#changes.pop()!);
    if (torn !== undefined && torn.written.length > 0) {
      this.write(torn.written.subarray(0, random.int(torn.written.length)), torn.position);
    }
    this.flush();
  }

  #undo(change: Change): void {
    this.#reserve(change.size);
    change.former.copy(this.#bytes, change.position);
    this.#size = change.size;
  }
}
