import type { Clock } from '../../shared/runtime/clock.ts';

export interface QuotaWindow {
  /** How many samples the rate is measured over, the present one included. */
  readonly samples: number;
  /** Length of a sample in milliseconds. */
  readonly sampleMs: number;
}

interface Sample {
  readonly startMs: number;
  bytes: number;
}

/**
 * A limit of bytes a second, measured over the last few samples (Kafka: `ReplicationQuotaManager` over `SimpleRate`).
 * It is looked at before a transfer and told of it afterwards, so that one transfer may exceed it; the next ones wait
 * until the rate over the window is below the limit again.
 */
export class ReplicationQuota {
  readonly #clock: Clock;
  readonly #window: QuotaWindow;
  readonly #limit: () => number;
  /** Oldest first, never more than the window has. */
  readonly #samples: Sample[] = [];

  /** @param limit bytes a second; asked anew each time. From MAX_SAFE_INTEGER on there is none */
  constructor(clock: Clock, window: QuotaWindow, limit: () => number) {
    this.#clock = clock;
    this.#window = window;
    this.#limit = limit;
  }

  /** Whether there is a limit at all. */
  get isLimited(): boolean {
    return this.#limit() < Number.MAX_SAFE_INTEGER;
  }

  record(bytes: number): void {
    const now = this.#clock.monotonic();
    this.#purge(now);
    const current = this.#samples.at(-1);
    if (current !== undefined && now - current.startMs < this.#window.sampleMs) current.bytes += bytes;
    else this.#samples.push({ startMs: now, bytes });
  }

  get isExceeded(): boolean {
    return this.isLimited && this.bytesPerSecond > this.#limit();
  }

  /** Over the time since the oldest sample of the window began, at least one sample's length. */
  get bytesPerSecond(): number {
    const now = this.#clock.monotonic();
    this.#purge(now);
    const oldest = this.#samples[0];
    if (oldest === undefined) return 0;
    let bytes = 0;
    for (const sample of this.#samples) bytes += sample.bytes;
    return (bytes * 1000) / Math.max(now - oldest.startMs, this.#window.sampleMs);
  }

  #purge(now: number): void {
    const { samples, sampleMs } = this.#window;
    while (this.#samples.length > 0 && now - this.#samples[0]!.startMs >= samples * sampleMs) this.#samples.shift();
  }
}
