import type { SendCallback } from '../../client/index.ts';
import { Latencies } from './latencies.ts';

const MIB = 1 << 20;
const PERCENTILES = [0.5, 0.95, 0.99, 0.999];

/** What is counted over some time. */
class Window {
  readonly startMs: number;
  count = 0;
  bytes = 0;
  totalLatencyMs = 0;
  maxLatencyMs = 0;

  constructor(startMs: number) {
    this.startMs = startMs;
  }

  add(bytes: number, latencyMs: number): void {
    this.count++;
    this.bytes += bytes;
    this.totalLatencyMs += latencyMs;
    this.maxLatencyMs = Math.max(this.maxLatencyMs, latencyMs);
  }

  rates(nowMs: number): { records: number; mib: number; averageMs: number } {
    const seconds = Math.max(nowMs - this.startMs, 1) / 1000;
    return {
      records: this.count / seconds,
      mib: this.bytes / seconds / MIB,
      averageMs: this.count === 0 ? 0 : this.totalLatencyMs / this.count,
    };
  }
}

export interface ProducerStatsOptions {
  /** How many records will be sent. */
  readonly expected: number;
  /** Milliseconds on any clock that only goes forward. */
  readonly now: () => number;
  /** Milliseconds between two lines. */
  readonly intervalMs: number;
  readonly print: (line: string) => void;
  /** Told of each record that failed; it does not count. */
  readonly onFailure: (error: Error) => void;
}

/** Counts acknowledged records and prints the lines of kafka-producer-perf-test (Kafka: `ProducerPerformance.Stats`). */
export class ProducerStats {
  readonly #options: ProducerStatsOptions;
  readonly #latencies: Latencies;
  readonly #all: Window;
  #window: Window;
  #callback: SendCallback = () => {};
  #callbackFor = { startMs: NaN, bytes: NaN };

  constructor(options: ProducerStatsOptions) {
    this.#options = options;
    this.#latencies = new Latencies(options.expected);
    this.#all = new Window(options.now());
    this.#window = new Window(this.#all.startMs);
  }

  /** What is to be called when a record of so many bytes, sent at `startMs`, is done. Records of one burst share it. */
  callback(startMs: number, bytes: number): SendCallback {
    const last = this.#callbackFor;
    if (last.startMs === startMs && last.bytes === bytes) return this.#callback;
    this.#callbackFor = { startMs, bytes };
    this.#callback = error => {
      if (error === null) this.#done(startMs, bytes);
      else this.#options.onFailure(error);
    };
    return this.#callback;
  }

  #done(startMs: number, bytes: number): void {
    const now = this.#options.now();
    const latencyMs = Math.trunc(now - startMs);
    this.#all.add(bytes, latencyMs);
    this.#window.add(bytes, latencyMs);
    this.#latencies.add(latencyMs);
    if (now - this.#window.startMs < this.#options.intervalMs) return;
    this.#printWindow(now);
    this.#window = new Window(now);
  }

  #printWindow(now: number): void {
    const { count, maxLatencyMs } = this.#window;
    const { records, mib, averageMs } = this.#window.rates(now);
    this.#options.print(
      `${count} records sent, ${records.toFixed(1)} records/sec (${mib.toFixed(2)} MB/sec), ` +
        `${averageMs.toFixed(1)} ms avg latency, ${maxLatencyMs.toFixed(1)} ms max latency.`,
    );
  }

  printTotal(): void {
    const { count, maxLatencyMs } = this.#all;
    const { records, mib, averageMs } = this.#all.rates(this.#options.now());
    const [p50, p95, p99, p999] = this.#latencies.percentiles(PERCENTILES);
    this.#options.print(
      `${count} records sent, ${records.toFixed(6)} records/sec (${mib.toFixed(2)} MB/sec), ` +
        `${averageMs.toFixed(2)} ms avg latency, ${maxLatencyMs.toFixed(2)} ms max latency, ` +
        `${p50!} ms 50th, ${p95!} ms 95th, ${p99!} ms 99th, ${p999!} ms 99.9th.`,
    );
  }
}
