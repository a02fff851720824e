import { createConsumer } from '../client/create/consumer.ts';
import { createProducer } from '../client/create/producer.ts';
import type { Consumer, Producer } from '../client/index.ts';
import { Latencies } from './perf/latencies.ts';
import { randomPayload } from './perf/payloads.ts';
import { withAdmin } from './support/admin.ts';
import { toolLogger } from './support/logger.ts';
import { clientSettings } from './support/settings.ts';
import { integer, runTool, toolCommand, ToolFailure, UsageError } from './support/tool.ts';

const USAGE = 'broker_list topic num_messages producer_acks message_size_bytes [properties_file]';
/** The longest that one message may take. */
const TIMEOUT_MS = 60_000;
const SHOWN_EVERY = 1_000;

const command = toolCommand(
  'kafka-e2e-latency',
  'Sends one message at a time and says how long each takes to be read back.',
).usage(USAGE);

interface Arguments {
  readonly bootstrap: string;
  readonly topic: string;
  readonly count: number;
  readonly acks: string;
  readonly size: number;
  readonly file?: string;
}

function parse(argv: readonly string[]): Arguments {
  const [bootstrap, topic, count, acks, size, file] = argv;
  if (argv.length < 5 || argv.length > 6) throw new UsageError('');
  if (acks !== '1' && acks !== 'all')
    throw new UsageError('Latency testing requires synchronous acknowledgement. Please use 1 or all');
  return {
    bootstrap: bootstrap!,
    topic: topic!,
    count: integer('num_messages', 1)(count!),
    acks,
    size: integer('message_size_bytes', 1)(size!),
    ...(file === undefined ? {} : { file }),
  };
}

async function main(argv: string[]): Promise<void> {
  const asked = parse(argv);
  const { bootstrap, topic, file } = asked;
  await ensureTopic(asked);
  const parts = { runtime: { logger: toolLogger() } };
  const producer = createProducer(
    clientSettings(bootstrap, file, { acks: asked.acks, 'linger.ms': 0, 'max.block.ms': TIMEOUT_MS }),
    parts,
  );
  const consumer = createConsumer(
    clientSettings(bootstrap, file, { 'auto.offset.reset': 'latest', 'fetch.max.wait.ms': 0 }),
    parts,
  );
  try {
    consumer.assign(await consumer.partitionsFor(topic));
    for (const { partition } of consumer.assignment()) await consumer.position(topic, partition);
    await measure(asked, producer, consumer);
  } finally {
    await producer.close();
    await consumer.close();
  }
}

/** Makes the topic if it is missing, as Kafka's tool does. */
async function ensureTopic({ bootstrap, topic, file }: Arguments): Promise<void> {
  await withAdmin(bootstrap, file, async admin => {
    if ((await admin.listTopics()).some(({ name }) => name === topic)) return;
    process.stdout.write(
      `Topic "${topic}" does not exist. Will create topic with 1 partition(s) and replication factor = 1\n`,
    );
    await admin.createTopics([{ name: topic, partitions: 1, replicationFactor: 1 }]);
  });
}

async function measure({ topic, count, size }: Arguments, producer: Producer, consumer: Consumer): Promise<void> {
  const latencies = new Latencies(count);
  let totalMs = 0;
  for (let n = 0; n < count; n++) {
    const value = randomPayload(size)(n);
    const start = performance.now();
    await producer.send({ topic, value });
    await readBack(consumer, value);
    const elapsedMs = performance.now() - start;
    if (n % SHOWN_EVERY === 0) process.stdout.write(`${n}\t${elapsedMs}\n`);
    totalMs += elapsedMs;
    latencies.add(Math.trunc(elapsedMs));
  }
  const [p50, p99, p999] = latencies.percentiles([0.5, 0.99, 0.999]);
  process.stdout.write(`Avg latency: ${(totalMs / count).toFixed(4)} ms\n\n`);
  process.stdout.write(`Percentiles: 50th = ${p50!}, 99th = ${p99!}, 99.9th = ${p999!}\n`);
}

/** @throws ToolFailure unless exactly the value comes */
async function readBack(consumer: Consumer, value: Buffer): Promise<void> {
  const records = await consumer.poll(TIMEOUT_MS);
  if (records.length === 0) throw new ToolFailure(`poll() timed out before finding a result (timeout:[${TIMEOUT_MS}])`);
  if (records.length > 1)
    throw new ToolFailure(`Only one result was expected during this test. We found [${records.length}]`);
  if (records[0]!.value?.equals(value) !== true)
    throw new ToolFailure('The message read did not match the message sent: somebody else writes to the topic');
}

await runTool(command, main);
