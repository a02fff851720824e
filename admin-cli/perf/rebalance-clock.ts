/**
 * How long a consumer has been without partitions because its group shared them out (Kafka: `ConsumerPerfRebListener`).
 * All times in milliseconds since 1970.
 */
export class RebalanceClock {
  #since: number;
  #totalMs = 0;

  /** @param nowMs the consumer is about to join */
  constructor(nowMs: number) {
    this.#since = nowMs;
  }

  revoked(nowMs: number): void {
    this.#since = nowMs;
  }

  assigned(nowMs: number): void {
    this.#totalMs += nowMs - this.#since;
    // What a member that keeps its partitions gets in addition has not kept it from reading.
    this.#since = nowMs;
  }

  get totalMs(): number {
    return this.#totalMs;
  }
}
