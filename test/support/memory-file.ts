import type { Random } from '../../shared/runtime/random.ts';

/** A change that is not flushed yet, with what it takes to undo it. */
interface Change {
  /** Size of the file before the change. */
  readonly size: number;
  readonly position: number;
  /** The bytes that the change overwrote or cut off. */
  readonly former: Buffer;
  /** How many bytes the change wrote; 0 for a truncation. */
  readonly written: number;
}

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
    this.#changes.push({ size: this.#size, position, former, written: data.length });
    this.#reserve(end);
    if (position > this.#size) this.#bytes.fill(0, this.#size, position);
    data.copy(this.#bytes, position);
    this.#size = Math.max(this.#size, end);
  }

  truncate(length: number): void {
    if (length === this.#size) return;
    const former = Buffer.from(this.#bytes.subarray(Math.min(length, this.#size), this.#size));
    this.#changes.push({ size: this.#size, position: length, former, written: 0 });
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
    const partly = torn === undefined ? 0 : random.int(torn.written + 1);
    const beginning = torn === undefined ? null : this.#written(torn, partly, kept);
    while (this.#changes.length > kept) this.#undo(this.#changes.pop()!);
    if (torn !== undefined && beginning !== null) this.write(beginning, torn.position);
    this.flush();
  }

  /** The first bytes that a change wrote, as long as no later one touched them. */
  #written(change: Change, length: number, index: number): Buffer | null {
    const end = change.position + length;
    const later = this.#changes.slice(index + 1);
    if (length === 0 || later.some(other => other.position < end)) return null;
    return Buffer.from(this.#bytes.subarray(change.position, end));
  }

  #undo(change: Change): void {
    this.#reserve(change.size);
    change.former.copy(this.#bytes, change.position);
    this.#size = change.size;
  }
}
