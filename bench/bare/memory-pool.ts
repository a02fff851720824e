/** Buffers of one size that are used again. */
export class MemoryPool {
  readonly #free = new Map<number, Buffer[]>();

  take(size: number): Buffer {
    return this.#free.get(size)?.pop() ?? Buffer.allocUnsafeSlow(size);
  }

  giveBack(memory: Buffer): void {
    const free = this.#free.get(memory.length);
    if (free === undefined) this.#free.set(memory.length, [memory]);
    else free.push(memory);
  }
}
