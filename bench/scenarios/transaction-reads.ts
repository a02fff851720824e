import { createConsumer, createProducer } from '../../client/index.ts';
import type { Connection } from '../../shared/connection/connection.ts';
import * as batch from '../../shared/records/batch.ts';
import type { Cluster } from '../../test/support/cluster.ts';
import { waitFor } from '../../test/support/wait.ts';
import { connectTo, fetchRecords } from '../harness/dialect.ts';
import { inTurns, ratioOf, valueOf, type Contestant } from '../harness/in-turns.ts';
import { underLoad, type LoadResult } from '../harness/load.ts';
import type { Row } from '../harness/row.ts';
import type { BenchOptions } from '../harness/scenario.ts';
import { addressOf, createTopic } from '../harness/test-cluster.ts';

/** Producers whose transactions overlap, as those of an application's instances do. */
const PRODUCERS = 16;
const TRANSACTIONS_EACH = 128;
/** Of 1 KiB each, 64 KiB a transaction, 128 MiB in all. */
const RECORDS = 64;
const VALUE = Buffer.alloc(1024, 'All that is logged is append-only. ');
/** Of a topic, markers included. */
const END = PRODUCERS * TRANSACTIONS_EACH * (RECORDS + 1);
/** Small ones: what a fetch costs beside its bytes shows most. */
const FETCH_BYTES = 64 << 10;
/** Each with one fetch under way, as consumers have. */
const CONSUMERS = 4;

const TOPICS = [
  { topic: 'all-committed', name: 'all committed', abortsEvery: Infinity },
  { topic: 'tenth-aborted', name: 'a tenth aborted', abortsEvery: 10 },
] as const;

/** What it costs the broker to tell readers only of what is committed: the same log read both ways. */
export async function readCosts(
  cluster: Cluster,
  { rounds, durationMs }: BenchOptions,
  report: (row: Row) => void,
): Promise<void> {
  for (const { topic, name, abortsEvery } of TOPICS) {
    await createTopic(cluster, topic, 1, 1);
    await fill(cluster, topic, abortsEvery);
    const contestants = [true, false].map(
      (readCommitted): Contestant =>
        warmUpMs =>
          read(cluster, topic, readCommitted, { warmUpMs, durationMs }),
    );
    const results = await inTurns(contestants, rounds);
    const row = (number: keyof LoadResult, unit: string, what: string): Row => ({
      name: `fetch 64 KiB kafka, read_committed, ${name}, ${what}`,
      value: valueOf(results, 0, number),
      unit,
      reference: { what: 'read_uncommitted', value: valueOf(results, 1, number) },
      ratio: ratioOf(results, 0, 1, number),
    });
    report(row('megabytesPerSecond', 'MB/s', 'throughput'));
    report(row('cpuPerGigabyte', 's/GB', 'CPU'));
  }
}

async function fill(cluster: Cluster, topic: string, abortsEvery: number): Promise<void> {
  await Promise.all(Array.from({ length: PRODUCERS }, (_, n) => write(cluster, topic, `${topic}-${n}`, abortsEvery)));
  const consumer = createConsumer({ 'bootstrap.servers': cluster.bootstrap, 'isolation.level': 'read_committed' });
  await waitFor(
    `${topic} to be decided`,
    async () => (await consumer.endOffsets([{ topic, partition: 0 }]))[0] === END,
  );
  await consumer.close();
}

async function write(cluster: Cluster, topic: string, transactionalId: string, abortsEvery: number): Promise<void> {
  const settings = { 'samsa.dialect': 'kafka', 'batch.size': String(FETCH_BYTES), 'linger.ms': '5' };
  const producer = createProducer({
    ...settings,
    'bootstrap.servers': cluster.bootstrap,
    'transactional.id': transactionalId,
  });
  try {
    await producer.initTransactions();
    for (let n = 1; n <= TRANSACTIONS_EACH; n++) {
      producer.beginTransaction();
      for (let record = 0; record < RECORDS; record++) producer.send({ topic, partition: 0, value: VALUE }, null);
      // Only what is in the log can be aborted there.
      await producer.flush();
      await (n % abortsEvery === 0 ? producer.abortTransaction() : producer.commitTransaction());
    }
  } finally {
    await producer.close();
  }
}

async function read(
  cluster: Cluster,
  topic: string,
  readCommitted: boolean,
  times: { readonly warmUpMs: number; readonly durationMs: number },
): Promise<LoadResult> {
  const broker = cluster.brokers[0]!;
  const consumers = await Promise.all(
    Array.from({ length: CONSUMERS }, async () => new Walk(await connectTo('kafka', addressOf(broker)))),
  );
  const idle = [...consumers];
  const call = async () => {
    const consumer = idle.pop()!;
    const bytes = await consumer.next(topic, readCommitted);
    idle.push(consumer);
    return bytes;
  };
  try {
    return await underLoad({ call, inFlight: CONSUMERS, pids: [broker.pid], ...times });
  } finally {
    for (const consumer of consumers) consumer.close();
  }
}

/** A consumer that reads a partition from its beginning to its end, again and again. */
class Walk {
  readonly #connection: Connection;
  #offset = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** @returns the bytes that the next fetch brought */
  async next(topic: string, readCommitted: boolean): Promise<number> {
    const records = await fetchRecords(this.#connection, topic, 0, this.#offset, FETCH_BYTES, readCommitted);
    const end = endOffset(records);
    this.#offset = end === END ? 0 : end;
    return records.length;
  }

  close(): void {
    this.#connection.close();
  }
}

/** Behind the last batch that is there as a whole. */
function endOffset(records: Buffer): number {
  let end = 0;
  for (let at = 0; at < records.length; at += batch.batchSizeInBytes(records, at))
    end = batch.lastOffset(records, at) + 1;
  return end;
}
