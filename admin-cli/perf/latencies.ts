/** Latencies that are kept for percentiles; of more records only every n-th is (Kafka: `ProducerPerformance.Stats`). */
const MOST_SAMPLES = 500_000;

/** Whole milliseconds, in the order in which they came. */
export class Latencies {
  readonly #every: number;
  readonly #samples: Int32Array;
  #seen = 0;
  #count = 0;

  /** @param expected how many will be added */
  constructor(expected: number) {
    this.#every = Math.max(1, Math.ceil(expected / MOST_SAMPLES));
    this.#samples = new Int32Array(Math.ceil(expected / this.#every));
  }

  add(milliseconds: number): void {
    if (this.#seen++ % this.#every === 0 && this.#count < this.#samples.length)
      this.#samples[this.#count++] = milliseconds;
  }

  /** The latencies below which these shares of all are; 0 where there are none. */
  percentiles(shares: readonly number[]): number[] {
    const sorted = this.#samples.slice(0, this.#count).sort();
    return shares.map(share => sorted[Math.min(this.#count - 1, Math.floor(share * this.#count))] ?? 0);
  }
}
