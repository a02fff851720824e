import type { AnswerMemory, Releasable } from '../request/answer-memory.ts';
import type { BufferPool } from '../../shared/memory/buffer-pool.ts';

/**
 * The memory of one answer, out of a pool.
 *
 *     in use ──release()──────────► the pool has it again          the answer is written, or never will be
 *        ├─────release() while a read still fills it──► garbage    its handler gave up before its reads were done
 *        └─────never released──► garbage                           somebody might still look at it
 */
export class PooledAnswerMemory implements AnswerMemory {
  readonly #pool: BufferPool;
  #slabs: Buffer[] | null = [];
  readonly #kept: Releasable[] = [];
  #reading = 0;

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  take(length: number): Buffer {
    // After the release nobody would give a slab back any more.
    if (this.#slabs === null) return Buffer.allocUnsafeSlow(length);
    const slab = this.#pool.take(length);
    this.#slabs.push(slab);
    return slab.length === length ? slab : slab.subarray(0, length);
  }

  async fill(length: number, read: (target: Buffer) => Promise<number>): Promise<Buffer> {
    const target = this.take(length);
    this.#reading++;
    try {
      const count = await read(target);
      return target.subarray(0, count);
    } finally {
      this.#reading--;
    }
  }

  keep(memory: Releasable): void {
    this.#kept.push(memory);
  }

  /** Gives the memory back: nobody may read it any more. Releasing twice does nothing. */
  release(): void {
    const slabs = this.#slabs ?? [];
    this.#slabs = null;
    if (this.#reading > 0) return;
    for (const slab of slabs) this.#pool.giveBack(slab);
    for (const memory of this.#kept.splice(0)) memory.release();
  }
}
