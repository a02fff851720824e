interface Waiter {
  readonly bytes: number;
  readonly granted: () => void;
}

/**
 * How many bytes may be held at a time. Takers beyond the limit wait in line; one that asks for more than the limit
 * gets its bytes when nothing else is held, so that no size within the protocol's bounds waits for ever (Kafka's
 * SimpleMemoryPool has the same exception).
 */
export class ByteBudget {
  readonly limit: number;
  #used = 0;
  readonly #waiters = new Set<Waiter>();

  /** @param limit bytes, at least 1 */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** Bytes held now. */
  get used(): number {
    return this.#used;
  }

  /** Takes `bytes` if they are free and nobody waits. Whoever took them gives them back by `release`. */
  tryTake(bytes: number): boolean {
    if (this.#waiters.size > 0 || !this.#fits(bytes)) return false;
    this.#used += bytes;
    return true;
  }

  /**
   * Gets in line for `bytes`; `granted` is called, once, when they have been taken for the caller.
   * @returns leaves the line; does nothing after the call
   */
  wait(bytes: number, granted: () => void): () => void {
    const waiter = { bytes, granted };
    this.#waiters.add(waiter);
    return () => {
      // The one who left may have been the large one that kept the others waiting.
      if (this.#waiters.delete(waiter)) this.#grant();
    };
  }

  release(bytes: number): void {
    this.#used -= bytes;
    this.#grant();
  }

  #fits(bytes: number): boolean {
    return this.#used === 0 || this.#used + bytes <= this.limit;
  }

  #grant(): void {
    for (const waiter of this.#waiters) {
      if (!this.#fits(waiter.bytes)) return;
      this.#waiters.delete(waiter);
      this.#used += waiter.bytes;
      waiter.granted();
    }
  }
}
