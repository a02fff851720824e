import type { Clock } from './clock.ts';

/** As a sensor of Kafka's (`SampledStat` with the default `MetricConfig`); a window begins with its first sample. */
const WINDOW_MS = 30_000;
const WINDOWS = 2;

interface Window {
  readonly begunMs: number;
  max: number;
  sum: number;
  count: number;
}

/** The largest and the average of what was measured in the last 30 to 60 seconds; not a number when nothing was. */
export class RecentSamples {
  readonly #clock: Clock;
  #windows: Window[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(value: number): void {
    const now = this.#clock.monotonic();
    let window = this.#windows.at(-1);
    if (window === undefined || now - window.begunMs >= WINDOW_MS) {
      window = { begunMs: now, max: -Infinity, sum: 0, count: 0 };
      this.#windows = [...this.#recent(), window];
    }
    window.max = Math.max(window.max, value);
    window.sum += value;
    window.count += 1;
  }

  get max(): number {
    const recent = this.#recent();
    return recent.length === 0 ? NaN : Math.max(...recent.map(({ max }) => max));
  }

  get average(): number {
    const [sum, count] = this.#recent().reduce(([s, c], window) => [s + window.sum, c + window.count], [0, 0]);
    return sum / count;
  }

  #recent(): Window[] {
    const oldest = this.#clock.monotonic() - WINDOWS * WINDOW_MS;
    return this.#windows.filter(({ begunMs }) => begunMs > oldest);
  }
}
