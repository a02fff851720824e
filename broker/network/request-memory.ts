import { PooledAnswerMemory } from './answer-memory.ts';
import type { Clock, Timers } from '../../shared/runtime/clock.ts';
import { ByteBudget } from './byte-budget.ts';
import { FillWatch, type Filling } from './fill-watch.ts';
import { BufferPool } from '../../shared/memory/buffer-pool.ts';

/** Memory of one request, held until it has been answered. */
export interface Lease {
  /** Exactly as long as asked for; arbitrary content. */
  readonly bytes: Buffer;
  /** Gives the memory back, after which `bytes` belongs to somebody else. Releasing twice does nothing. */
  release(): void;
}

/** Share of the budget that only requests other than Produce may use. */
const RESERVED_SHARE = 1 / 8;
/** Share of the budget that may lie idle for later frames. */
const POOLED_SHARE = 1 / 2;

class PooledLease implements Lease {
  readonly bytes: Buffer;
  readonly #budget: ByteBudget;
  readonly #pool: BufferPool;
  #slab: Buffer | null;

  constructor(length: number, budget: ByteBudget, pool: BufferPool) {
    this.#budget = budget;
    this.#pool = pool;
    this.#slab = pool.take(length);
    this.bytes = this.#slab.length === length ? this.#slab : this.#slab.subarray(0, length);
  }

  release(): void {
    const slab = this.#slab;
    if (slab === null) return;
    this.#slab = null;
    this.#pool.giveBack(slab);
    this.#budget.release(this.bytes.length);
  }
}

/**
 * The memory of all requests under way, in whichever dialect (`queued.max.request.bytes`).
 *
 * Produce requests that wait for followers hold theirs, and it is the followers' Fetch requests that let them go: were
 * there one line for all, a broker full of waiting produces could never read the fetches they wait for. Hence two
 * budgets: the bulk for Produce, and a reserved part for everything else.
 */
export class RequestMemory {
  readonly #produce: ByteBudget;
  readonly #other: ByteBudget;
  readonly #pool: BufferPool;
  readonly #watch: FillWatch;

  /**
   * @param limitBytes `queued.max.request.bytes`, positive
   * @param time for how long who has memory may take to fill it while others wait
   * @param pool where the memory comes from
   */
  constructor(
    limitBytes: number,
    time: { readonly clock: Clock; readonly timers: Timers },
    pool = new BufferPool(limitBytes * POOLED_SHARE),
  ) {
    const reserved = Math.ceil(limitBytes * RESERVED_SHARE);
    this.#produce = new ByteBudget(Math.max(1, limitBytes - reserved));
    this.#other = new ByteBudget(reserved);
    this.#pool = pool;
    this.#watch = new FillWatch(
      time.clock,
      time.timers,
      () => this.#produce.isShort || this.#other.isShort,
      ({ bytes, isProduce }) => this.#budgetOf(isProduce).isWaitedFor(bytes),
    );
  }

  /** Bytes of the requests under way. */
  get bytesInFlight(): number {
    return this.#produce.used + this.#other.used;
  }

  /** Memory at once, or null when there is none or others wait for it. */
  tryLease(length: number, isProduce: boolean): Lease | null {
    const budget = this.#budgetOf(isProduce);
    return budget.tryTake(length) ? new PooledLease(length, budget, this.#pool) : null;
  }

  /**
   * Memory when it is there: `granted` is called once with the lease, possibly much later.
   * @returns gives up waiting; does nothing once granted
   */
  lease(length: number, isProduce: boolean, granted: (lease: Lease) => void): () => void {
    const budget = this.#budgetOf(isProduce);
    this.#watch.start();
    return budget.wait(length, () => granted(new PooledLease(length, budget, this.#pool)));
  }

  /** Its bytes have not all come with the first read: should others wait for its memory, it has to make haste. */
  filling(filling: Filling): void {
    this.#watch.add(filling);
  }

  /** It is filled, or given up. */
  filled(filling: Filling): void {
    this.#watch.remove(filling);
  }

  /**
   * Memory for the answer to a request, out of the same pool. It is not bounded here: how many answers may wait to be
   * sent, and how large they are, is bounded by connection.
   */
  forAnswer(): PooledAnswerMemory {
    return new PooledAnswerMemory(this.#pool);
  }

  #budgetOf(isProduce: boolean): ByteBudget {
    return isProduce ? this.#produce : this.#other;
  }
}
