import { setTimeout } from 'node:timers/promises';
import { createProducer, type Producer } from '../../client/index.ts';
import type { Cluster } from '../../test/support/cluster.ts';
import { inTurns, ratioOf, valueOf, type Contestant } from '../harness/in-turns.ts';
import { underLoad, type LoadResult } from '../harness/load.ts';
import type { Row } from '../harness/row.ts';
import type { BenchOptions } from '../harness/scenario.ts';
import { createTopic, deleteTopic } from '../harness/test-cluster.ts';

const VALUE = Buffer.alloc(1024, 'All that is logged is append-only. ');
/** Records that are sent before the loop gets to send them. */
const BURST = 100;
const TRANSACTION_MS = 100;
const COMMON = { 'samsa.dialect': 'kafka', acks: 'all', 'batch.size': String(64 << 10), 'linger.ms': '5' };

/** The ways to produce, the first of which the others are compared with. */
const WAYS = [
  { name: 'plain', settings: { 'enable.idempotence': 'false' } },
  { name: 'idempotent', settings: {} },
  { name: `in transactions of ${TRANSACTION_MS} ms`, settings: { 'transactional.id': 'costs' } },
] as const;
type Way = (typeof WAYS)[number];

let turns = 0;

/** What idempotence and transactions cost the broker: the same records by the same producer, with and without. */
export async function produceCosts(
  cluster: Cluster,
  { rounds, durationMs }: BenchOptions,
  report: (row: Row) => void,
): Promise<void> {
  const contestants = WAYS.map(
    (way): Contestant =>
      warmUpMs =>
        produce(cluster, way, { warmUpMs, durationMs }),
  );
  const results = await inTurns(contestants, rounds);
  WAYS.forEach(({ name }, way) => {
    for (const [number, unit, what] of NUMBERS) {
      report({
        name: `produce 1 KiB kafka, ${name}, ${what}`,
        value: valueOf(results, way, number),
        unit,
        ...(way > 0 && {
          reference: { what: WAYS[0].name, value: valueOf(results, 0, number) },
          ratio: ratioOf(results, way, 0, number),
        }),
      });
    }
  });
}

const NUMBERS: readonly (readonly [keyof LoadResult, string, string])[] = [
  ['megabytesPerSecond', 'MB/s', 'throughput'],
  ['cpuPerGigabyte', 's/GB', 'CPU'],
];

async function produce(
  cluster: Cluster,
  { settings }: Way,
  times: { readonly warmUpMs: number; readonly durationMs: number },
): Promise<LoadResult> {
  const topic = `costs-${turns++}`;
  await createTopic(cluster, topic, 1, 1);
  const producer = createProducer({ ...COMMON, ...settings, 'bootstrap.servers': cluster.bootstrap });
  try {
    const commits = 'transactional.id' in settings ? await Commits.begin(producer) : null;
    const load = { call: sending(producer, topic, commits), inFlight: 1, pids: cluster.brokers.map(({ pid }) => pid) };
    const result = await underLoad({ ...load, ...times });
    await commits?.end();
    return result;
  } finally {
    await producer.close();
    await deleteTopic(cluster, topic);
  }
}

/** Sends some records, as fast as the producer takes them; gives the bytes that have been acknowledged since the last time. */
function sending(producer: Producer, topic: string, commits: Commits | null): () => Promise<number> {
  let acknowledged = 0;
  let failure: Error | null = null;
  const onDone = (error: Error | null) => {
    if (error === null) acknowledged += VALUE.length;
    else failure = error;
  };
  return async () => {
    if (failure !== null) throw failure;
    for (let n = 0; n < BURST; n++) producer.send({ topic, partition: 0, value: VALUE }, onDone);
    await commits?.maybe();
    await (producer.needsDrain ? producer.drained() : setTimeout(0));
    const bytes = acknowledged;
    acknowledged = 0;
    return bytes;
  };
}

/** A transaction behind the other, each open for some time. */
class Commits {
  readonly #producer: Producer;
  #begunMs = performance.now();

  private constructor(producer: Producer) {
    this.#producer = producer;
  }

  static async begin(producer: Producer): Promise<Commits> {
    await producer.initTransactions();
    producer.beginTransaction();
    return new Commits(producer);
  }

  async maybe(): Promise<void> {
    if (performance.now() < this.#begunMs + TRANSACTION_MS) return;
    await this.end();
    this.#producer.beginTransaction();
    this.#begunMs = performance.now();
  }

  end(): Promise<void> {
    return this.#producer.commitTransaction();
  }
}
