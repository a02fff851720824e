import { BufferPool } from '../../shared/memory/buffer-pool.ts';

export const POISON = 0xdb;

/** A pool that spoils what it is given back: whoever still reads there shows. */
export class PoisoningPool extends BufferPool {
  /** How often memory was given back. */
  returns = 0;
  readonly #idle = new Set<Buffer>();

  override take(bytes: number): Buffer {
    const slab = super.take(bytes);
    this.#idle.delete(slab);
    return slab;
  }

  override giveBack(slab: Buffer): void {
    if (this.#idle.has(slab)) throw new Error('memory was given back twice');
    this.#idle.add(slab);
    this.returns++;
    slab.fill(POISON);
    super.giveBack(slab);
  }
}
