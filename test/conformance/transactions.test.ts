import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import kafkajs, { type Kafka as Client } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { waitFor } from '../support/wait.ts';

/** Transactions of librdkafka: a topic is copied exactly once, though brokers and the copying process are killed. */

// Node does not see the names that this package exports.
const { Kafka, logLevel } = kafkajs;
const PROGRAM = join(import.meta.dirname, 'drivers/transactional_copy.py');
const PARTITIONS = 2;
const RECORDS = 3000;

let cluster: Cluster;
let kafka: Client;
let copier: ChildProcess | null = null;
let output = '';

beforeAll(async () => {
  cluster = await startCluster({
    properties: {
      'transaction.state.log.replication.factor': '3',
      'transaction.state.log.min.isr': '2',
      'transaction.state.log.num.partitions': '3',
      'offsets.topic.replication.factor': '3',
      'offsets.topic.num.partitions': '3',
      'min.insync.replicas': '2',
    },
  });
  kafka = new Kafka({
    brokers: cluster.bootstrap.split(','),
    logLevel: logLevel.NOTHING,
    retry: { retries: 200, initialRetryTime: 50, maxRetryTime: 300 },
  });
}, 60_000);

afterAll(async () => {
  copier?.kill('SIGKILL');
  await cluster.stop();
});

/** Starts the program, and again whenever it ends with a fatal error; resolves when all is copied. */
function copying() {
  let isDone = false;
  const isFatal = (code: number | null, signal: string | null) => code === 3 || signal === 'SIGKILL';
  const start = (resolve: () => void, reject: (error: Error) => void) => {
    const child = spawn('setpriv', [
      ...['--pdeathsig', 'KILL', '--', '/usr/bin/python3', '-B', PROGRAM],
      ...[cluster.bootstrap, 'source', 'target', String(RECORDS)],
    ]);
    copier = child;
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('exit', (code, signal) => {
      isDone = code === 0;
      if (isDone) resolve();
      else if (isFatal(code, signal)) start(resolve, reject);
      else reject(new Error(`the copying ended with ${code}:\n${output.slice(-2000)}`));
    });
  };
  const done = new Promise<void>(start);
  done.catch(() => {});
  return { done, isDone: () => isDone, restart: () => void copier?.kill('SIGKILL') };
}

/** How many times something has been copied. */
const copies = () => output.split('copied up to').length - 1;

async function moreCopies(): Promise<void> {
  const before = copies();
  await waitFor('the copying to go on', () => copies() >= before + 5);
}

/** What readers of committed records see, by partition. */
async function committed(topic: string): Promise<string[][]> {
  const seen: string[][] = Array.from({ length: PARTITIONS }, () => []);
  const consumer = kafka.consumer({ groupId: `readers-of-${topic}`, readUncommitted: false, maxWaitTimeInMs: 200 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: ({ partition, message }) => {
      seen[partition]!.push(message.value!.toString());
      return Promise.resolve();
    },
  });
  await waitFor('all records', () => seen.flat().length >= RECORDS);
  await consumer.disconnect();
  return seen;
}

test('a topic is copied exactly once, and in order', async () => {
  const admin = kafka.admin();
  await admin.connect();
  const topics = ['source', 'target'].map(topic => ({ topic, numPartitions: PARTITIONS, replicationFactor: 3 }));
  await admin.createTopics({ topics, waitForLeaders: true });
  await admin.disconnect();
  const producer = kafka.producer();
  await producer.connect();
  const messages = Array.from({ length: RECORDS }, (_, i) => ({ value: String(i), partition: i % PARTITIONS }));
  await producer.send({ topic: 'source', messages });
  await producer.disconnect();

  const copied = copying();
  await moreCopies();
  for (const broker of cluster.brokers) {
    await broker.kill();
    await Promise.race([copied.done, moreCopies()]);
    await broker.start();
  }
  // All that was in the middle of it.
  expect(copied.isDone()).toBe(false);
  copied.restart();
  await copied.done;
  const expected = Array.from({ length: PARTITIONS }, (_, partition) =>
    messages.filter(message => message.partition === partition).map(({ value }) => value),
  );
  expect(await committed('target')).toEqual(expected);
}, 300_000);
