/** Smaller ones are cut from Node's own slab: pooling them costs more than it saves. */
const SMALLEST_POOLED_BYTES = 2048;

/**
 * Size of the pooled buffer for `bytes`: four steps per power of two, so that at most a quarter is idle.
 */
export function slabSize(bytes: number): number {
  const step = 2 ** Math.max(0, Math.floor(Math.log2(bytes)) - 2);
  return Math.ceil(bytes / step) * step;
}

/**
 * Buffers that are used again. Fresh buffers for every request or answer are the largest cost of moving bytes through
 * Node: external memory drives the garbage collector, and new pages must be mapped and cleared by the kernel each time.
 *
 * A buffer that is not given back is the garbage collector's; one that is given back must not be looked at any more.
 */
export class BufferPool {
  readonly #retainLimit: number;
  /** Idle slabs by size, the size that was asked for last at the end. */
  readonly #free = new Map<number, Buffer[]>();
  #retained = 0;

  /** @param retainLimitBytes how much memory may lie idle in the pool */
  constructor(retainLimitBytes: number) {
    this.#retainLimit = retainLimitBytes;
  }

  /** Idle bytes. */
  get retained(): number {
    return this.#retained;
  }

  /** A buffer of at least `bytes`; its content is arbitrary. */
  take(bytes: number): Buffer {
    if (bytes < SMALLEST_POOLED_BYTES) return Buffer.allocUnsafe(bytes);
    const size = slabSize(bytes);
    const slab = this.#recent(size).pop();
    if (slab === undefined) return Buffer.allocUnsafeSlow(size);
    this.#retained -= size;
    return slab;
  }

  /** Gives back what `take` returned: nobody may read it any more. */
  giveBack(slab: Buffer): void {
    const size = slab.length;
    if (size < SMALLEST_POOLED_BYTES || !this.#makeRoom(size)) return;
    this.#retained += size;
    this.#free.get(size)!.push(slab);
  }

  #recent(size: number): Buffer[] {
    const slabs = this.#free.get(size) ?? [];
    this.#free.delete(size);
    this.#free.set(size, slabs);
    return slabs;
  }

  /** Sizes in demand change over time: those that nobody has asked for lately make room. False when there is none. */
  #makeRoom(size: number): boolean {
    for (const [other, slabs] of this.#free) {
      if (other === size) break;
      while (slabs.length > 0 && this.#retained + size > this.#retainLimit) {
        slabs.pop();
        this.#retained -= other;
      }
      if (slabs.length === 0) this.#free.delete(other);
      if (this.#retained + size <= this.#retainLimit) break;
    }
    if (!this.#free.has(size)) this.#free.set(size, []);
    return this.#retained + size <= this.#retainLimit;
  }
}
