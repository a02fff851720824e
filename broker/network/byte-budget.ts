interface Waiter {
  readonly bytes: number;
  readonly granted: () => void;
}

/**
 * How many bytes may be held at a time. Takers beyond the limit wait in line.
 *
 * One that asks for more than the limit can never fit, and yet no size within the protocol's bounds may wait for ever:
 * such takers have a line of their own, in which one at a time gets its bytes on top of the limit (Kafka's
 * SimpleMemoryPool, too, goes beyond its limit by one request). They neither wait for the others nor keep them waiting:
 * who only announces a huge request, and sends nothing of it, stands in the way of nobody but its like.
 */
export class ByteBudget {
  readonly limit: number;
  #used = 0;
  /** What the one beyond the limit holds; 0 for none. */
  #oversized = 0;
  readonly #waiters = new Set<Waiter>();
  readonly #oversizedWaiters = new Set<Waiter>();

  /** @param limit bytes, at least 1 */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** Bytes held now. */
  get used(): number {
    return this.#used + this.#oversized;
  }

  /** Whether anybody waits for what somebody who holds `bytes` will give back. */
  isWaitedFor(bytes: number): boolean {
    return this.#lineFor(bytes).size > 0;
  }

  get isShort(): boolean {
    return this.#waiters.size > 0 || this.#oversizedWaiters.size > 0;
  }

  /** Takes `bytes` if they are free and nobody waits. Whoever took them gives them back by `release`. */
  tryTake(bytes: number): boolean {
    if (this.#lineFor(bytes).size > 0 || !this.#fits(bytes)) return false;
    this.#take(bytes);
    return true;
  }

  /**
   * Gets in line for `bytes`; `granted` is called, once, when they have been taken for the caller.
   * @returns leaves the line; does nothing after the call
   */
  wait(bytes: number, granted: () => void): () => void {
    const waiter = { bytes, granted };
    const line = this.#lineFor(bytes);
    line.add(waiter);
    return () => {
      // The one who left may have been the large one that kept the others waiting.
      if (line.delete(waiter)) this.#grant(line);
    };
  }

  /** @param bytes exactly as many as were taken at once */
  release(bytes: number): void {
    if (bytes > this.limit) this.#oversized = 0;
    else this.#used -= bytes;
    this.#grant(this.#lineFor(bytes));
  }

  #lineFor(bytes: number): Set<Waiter> {
    return bytes > this.limit ? this.#oversizedWaiters : this.#waiters;
  }

  #fits(bytes: number): boolean {
    return bytes > this.limit ? this.#oversized === 0 : this.#used + bytes <= this.limit;
  }

  #take(bytes: number): void {
    if (bytes > this.limit) this.#oversized = bytes;
    else this.#used += bytes;
  }

  #grant(line: Set<Waiter>): void {
    for (const waiter of line) {
      if (!this.#fits(waiter.bytes)) return;
      line.delete(waiter);
      this.#take(waiter.bytes);
      waiter.granted();
    }
  }
}
