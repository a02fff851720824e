import {
  collectDefaultMetrics,
  Counter as PrometheusCounter,
  Gauge as PrometheusGauge,
  Histogram,
  Registry,
} from 'prom-client';
import {
  COUNTERS,
  GAUGES,
  REQUEST_TIME,
  TOPIC_COUNTERS,
  type Counter,
  type Gauge,
  type TopicCounter,
} from './table.ts';
import { TopicMetrics } from './topic-metrics.ts';

/** Upper bounds in milliseconds: fine where requests should be, coarse up to the usual time limits. */
const REQUEST_TIME_BUCKETS = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000];

/** A broker's metrics, and the registry of which the /metrics page is made. */
export class BrokerMetrics {
  readonly registry = new Registry();
  /** Over all topics; call it directly for what concerns no existing topic, lest clients make up labels. */
  readonly allTopics = new TopicMetrics();
  readonly #topics = new Map<string, TopicMetrics>();
  readonly #readers = new Map<Counter, () => number>();
  readonly #counts = Object.fromEntries(Object.keys(COUNTERS).map(name => [name, 0])) as Record<Counter, number>;
  readonly #requestTime: Histogram<'request'>;
  readonly #requestTimes = new Map<string, Histogram.Internal<'request'>>();

  constructor() {
    for (const counter of Object.keys(TOPIC_COUNTERS) as TopicCounter[]) this.#exposeTopicCounter(counter);
    for (const counter of Object.keys(COUNTERS) as Counter[]) this.#exposeCounter(counter);
    this.#requestTime = new Histogram({
      ...REQUEST_TIME,
      labelNames: ['request'],
      buckets: REQUEST_TIME_BUCKETS,
      registers: [this.registry],
    });
  }

  /** The metrics of an existing topic. Made when first asked for; the same object until `removeTopic`. */
  topic(name: string): TopicMetrics {
    let metrics = this.#topics.get(name);
    if (metrics === undefined) {
      metrics = new TopicMetrics(this.allTopics);
      this.#topics.set(name, metrics);
    }
    return metrics;
  }

  /** Forgets a topic that was deleted or left this broker, so that its label does not stay for ever. */
  removeTopic(name: string): void {
    this.#topics.delete(name);
  }

  count(counter: Counter, by = 1): void {
    this.#counts[counter] += by;
  }

  /** Shows a counter that somebody else keeps, by calling `read` whenever the page is asked for. */
  mirror(counter: Counter, read: () => number): void {
    this.#readers.set(counter, read);
  }

  /** Shows a gauge, from now on, by calling `read` whenever the page is asked for. At most once for each gauge. */
  expose(gauge: Gauge, read: () => number): void {
    new PrometheusGauge({
      ...GAUGES[gauge],
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }

  /** A request of the API named `api` was answered `milliseconds` after it had been read. */
  requestCompleted(api: string, milliseconds: number): void {
    let times = this.#requestTimes.get(api);
    if (times === undefined) {
      times = this.#requestTime.labels(api);
      this.#requestTimes.set(api, times);
    }
    times.observe(milliseconds);
  }

  /** Adds what concerns the process: CPU, memory, file descriptors, garbage collection, event-loop lag. Once a process. */
  exposeProcess(): void {
    collectDefaultMetrics({ register: this.registry });
  }

  #exposeTopicCounter(counter: TopicCounter): void {
    const { allTopics } = this;
    const topics = this.#topics;
    new PrometheusCounter({
      ...TOPIC_COUNTERS[counter],
      labelNames: ['topic'],
      registers: [this.registry],
      collect() {
        this.reset();
        this.inc({}, allTopics.counts[counter]);
        for (const [topic, metrics] of topics) this.inc({ topic }, metrics.counts[counter]);
      },
    });
  }

  #exposeCounter(counter: Counter): void {
    const counts = this.#counts;
    const readers = this.#readers;
    new PrometheusCounter({
      ...COUNTERS[counter],
      registers: [this.registry],
      collect() {
        this.reset();
        this.inc(readers.get(counter)?.() ?? counts[counter]);
      },
    });
  }
}
