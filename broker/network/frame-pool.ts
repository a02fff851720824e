/** Smaller frames are cut from Node's own slab: pooling them costs more than it saves. */
const SMALLEST_POOLED_BYTES = 2048;

/**
 * Size of the pooled buffer for a frame of `bytes`: four steps per power of two, so that at most a quarter is idle.
 */
export function slabSize(bytes: number): number {
  const step = 2 ** Math.max(0, Math.floor(Math.log2(bytes)) - 2);
  return Math.ceil(bytes / step) * step;
}

/**
 * Buffers that are used again. Fresh buffers for every frame are the largest cost of an upload path: external memory
 * drives the garbage collector, and new pages must be mapped and cleared by the kernel each time.
 */
export class FramePool {
  readonly #retainLimit: number;
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
    const slab = this.#free.get(size)?.pop();
    if (slab === undefined) return Buffer.allocUnsafeSlow(size);
    this.#retained -= size;
    return slab;
  }

  /** Gives back what `take` returned: nobody may read it any more. */
  giveBack(slab: Buffer): void {
    const size = slab.length;
    if (size < SMALLEST_POOLED_BYTES) return;
    if (this.#retained + size > this.#retainLimit) {
      if (size > this.#retainLimit) return;
      this.#dropAll();
    }
    this.#retained += size;
    const list = this.#free.get(size);
    if (list === undefined) this.#free.set(size, [slab]);
    else list.push(slab);
  }

  /** Sizes in demand change over time: a full pool starts anew rather than keep sizes that nobody asks for. */
  #dropAll(): void {
    this.#free.clear();
    this.#retained = 0;
  }
}
