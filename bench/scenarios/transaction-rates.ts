import { createConsumer, createProducer, type Consumer, type Producer } from '../../client/index.ts';
import type { Cluster } from '../../test/support/cluster.ts';
import type { Dialect } from '../harness/dialect.ts';
import type { Row } from '../harness/row.ts';
import type { BenchOptions } from '../harness/scenario.ts';
import { percentile } from '../harness/statistics.ts';
import { createTopic, deleteTopic } from '../harness/test-cluster.ts';

/** Transactions of one producer, one after the other. */
interface Shape {
  readonly dialect: Dialect;
  /** Of each transaction. */
  readonly records: number;
  /** That its records are spread over, in turns. */
  readonly partitions: number;
}

const SHAPES: readonly Shape[] = [
  { dialect: 'kafka', records: 1, partitions: 1 },
  { dialect: 'kafka', records: 100, partitions: 1 },
  { dialect: 'kafka', records: 100, partitions: 3 },
  { dialect: 'http2', records: 1, partitions: 1 },
];
const VALUE_BYTES = 100;
const WARM_UP_MS = 2_000;
const SHARES = [0.5, 0.99] as const;

/** What one producer and one reader saw; milliseconds. */
interface Measured {
  readonly perSecond: number;
  /** From `beginTransaction` to the resolution of `commitTransaction`. */
  readonly commits: readonly number[];
  /** From a record's `send` until a reader of committed records has it. */
  readonly reads: readonly number[];
}

/** Transactions a second of one producer, how long each takes, and how long its records take to a reader of committed ones. */
export async function rates(cluster: Cluster, options: BenchOptions, report: (row: Row) => void): Promise<void> {
  const size = cluster.brokers.length === 1 ? 'one broker' : 'three brokers';
  for (const shape of SHAPES) {
    const topic = `rates-${shape.dialect}-${shape.records}-${shape.partitions}`;
    await createTopic(cluster, topic, shape.partitions, cluster.brokers.length);
    const measured = await measure(cluster, topic, shape, options.durationMs * options.rounds);
    const name = `transactions of ${nameOf(shape)} ${shape.dialect}, ${size}`;
    report({ name, value: measured.perSecond, unit: 'a second' });
    for (const share of SHARES) {
      const p = `p${share * 100}`;
      report({ name: `${name}, begin to commit, ${p}`, value: percentile(measured.commits, share), unit: 'ms' });
      report({ name: `${name}, send to reader, ${p}`, value: percentile(measured.reads, share), unit: 'ms' });
    }
    await deleteTopic(cluster, topic);
  }
}

function nameOf({ records, partitions }: Shape): string {
  if (records === 1) return '1 record';
  return `${records} records${partitions > 1 ? ` in ${partitions} partitions` : ''}`;
}

async function measure(cluster: Cluster, topic: string, shape: Shape, durationMs: number): Promise<Measured> {
  const settings = { 'bootstrap.servers': cluster.bootstrap, 'samsa.dialect': shape.dialect };
  const producer = createProducer({ ...settings, 'transactional.id': topic });
  const reader = new CommittedReader(settings, topic, shape.partitions);
  try {
    await producer.initTransactions();
    const warmUntil = performance.now() + WARM_UP_MS;
    while (performance.now() < warmUntil) await commitOne(producer, topic, shape);
    const commits: number[] = [];
    const begin = performance.now();
    reader.countFrom(begin);
    while (performance.now() < begin + durationMs) commits.push(await commitOne(producer, topic, shape));
    const perSecond = (commits.length / (performance.now() - begin)) * 1000;
    await reader.hasRead(commits.length * shape.records);
    return { perSecond, commits, reads: reader.latencies };
  } finally {
    await producer.close();
    await reader.close();
  }
}

/** @returns milliseconds from its beginning to its commit */
async function commitOne(producer: Producer, topic: string, { records, partitions }: Shape): Promise<number> {
  const begin = performance.now();
  producer.beginTransaction();
  for (let n = 0; n < records; n++) {
    const value = Buffer.alloc(VALUE_BYTES);
    value.writeDoubleBE(performance.now());
    producer.send({ topic, partition: n % partitions, value }, null);
  }
  await producer.commitTransaction();
  return performance.now() - begin;
}

/** Waits at the end of all partitions for what is committed; the records tell when they were sent. */
class CommittedReader {
  readonly latencies: number[] = [];
  readonly #consumer: Consumer;
  readonly #loop: Promise<void>;
  #from = Infinity;
  #isRunning = true;
  #progress: () => void = () => {};

  constructor(settings: Readonly<Record<string, string>>, topic: string, partitions: number) {
    const isolation = { 'isolation.level': 'read_committed', 'auto.offset.reset': 'earliest' };
    this.#consumer = createConsumer({ ...settings, ...isolation });
    this.#consumer.assign(Array.from({ length: partitions }, (_, partition) => ({ topic, partition })));
    this.#loop = this.#run();
  }

  async #run(): Promise<void> {
    while (this.#isRunning) {
      const records = await this.#consumer.poll(1_000);
      const now = performance.now();
      for (const { value } of records) {
        const sent = value!.readDoubleBE();
        if (sent >= this.#from) this.latencies.push(now - sent);
      }
      this.#progress();
    }
  }

  /** Records sent before `ms` do not count. */
  countFrom(ms: number): void {
    this.#from = ms;
  }

  /** Resolves when so many records that count have been read. */
  async hasRead(count: number): Promise<void> {
    while (this.latencies.length < count) await new Promise<void>(resolve => (this.#progress = resolve));
  }

  async close(): Promise<void> {
    this.#isRunning = false;
    this.#consumer.wakeup();
    await this.#loop;
    await this.#consumer.close();
  }
}
