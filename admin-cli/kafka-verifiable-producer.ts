import { createProducer } from '../client/create/producer.ts';
import type { ProducerRecord, RecordMetadata } from '../client/index.ts';
import { sendPaced } from './perf/send-paced.ts';
import { LineOutput } from './support/line-output.ts';
import { toolLogger } from './support/logger.ts';
import { clientSettings } from './support/settings.ts';
import { integer, parseOptions, required, runTool, toolCommand, UsageError } from './support/tool.ts';

interface Options {
  topic?: string;
  bootstrapServer?: string;
  brokerList?: string;
  maxMessages: number;
  throughput: number;
  acks: number;
  'producer.config'?: string;
  messageCreateTime: number;
  valuePrefix?: number;
  repeatingKeys?: number;
}

const FLUSH_EVERY_MS = 100;

const command = toolCommand(
  'kafka-verifiable-producer',
  'Sends the numbers 0, 1, … to a topic and tells of each what became of it, as a line of JSON.',
)
  .option('--topic <topic>', 'The topic to send to.')
  .option('--bootstrap-server <servers>', 'Brokers to connect to: host:port, separated by commas.')
  .option('--broker-list <servers>', 'Older name of --bootstrap-server.')
  .option('--max-messages <count>', 'How many; -1: until it is stopped.', integer('max-messages', -1), -1)
  .option('--throughput <rate>', 'Messages a second; -1: as many as it goes.', integer('throughput', -1), -1)
  .option('--acks <acks>', '0, 1 or -1.', integer('acks', -1, 1), -1)
  .option('--producer.config <file>', 'File with settings of the producer.')
  .option(
    '--message-create-time <ms>',
    'Timestamp of the first message, since 1970; the others follow as time passes. -1: now.',
    integer('message-create-time', -1),
    -1,
  )
  .option('--value-prefix <number>', 'Makes the values <number>.0, <number>.1, …', integer('value-prefix'))
  .option('--repeating-keys <count>', 'Keys 0 to count - 1, over and over.', integer('repeating-keys', 1));

async function main(argv: string[]): Promise<void> {
  const options = parseOptions<Options>(command, argv);
  const topic = required(options.topic, 'topic');
  const bootstrap = options.bootstrapServer ?? options.brokerList;
  if (bootstrap === undefined)
    throw new UsageError('One of the arguments --bootstrap-server --broker-list is required');
  const events = new Events();
  // A failure is to be told of, not made up for.
  const settings = clientSettings(bootstrap, options['producer.config'], { acks: String(options.acks), retries: 0 });
  const producer = createProducer(settings, { runtime: { logger: toolLogger() } });
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  events.emit('startup_complete', {});
  const startMs = Date.now();
  let sent = 0;
  let acked = 0;
  await sendPaced(producer, {
    count: options.maxMessages,
    rate: options.throughput,
    signal: stop.signal,
    send(n) {
      const record = recordOf(options, topic, n, startMs);
      sent++;
      producer.send(record, (error, metadata) => {
        if (error === null) acked++;
        events.outcome(record, error, metadata);
      });
    },
  });
  await producer.close();
  events.emit('shutdown_complete', {});
  const seconds = (Date.now() - startMs) / 1000;
  const averages = { target_throughput: options.throughput, avg_throughput: acked / Math.max(seconds, 0.001) };
  events.emit('tool_data', { sent, acked, ...averages });
  await events.close();
}

function recordOf(options: Options, topic: string, n: number, startMs: number): ProducerRecord {
  const { valuePrefix, repeatingKeys, messageCreateTime } = options;
  return {
    topic,
    key: repeatingKeys === undefined ? null : String(n % repeatingKeys),
    value: valuePrefix === undefined ? String(n) : `${valuePrefix}.${n}`,
    ...(messageCreateTime < 0 ? {} : { timestamp: messageCreateTime + Date.now() - startMs }),
  };
}

/** Lines of JSON, many in a write: there is one for each message. */
class Events {
  readonly #output = new LineOutput();
  readonly #timer = setInterval(() => void this.#output.flush(), FLUSH_EVERY_MS);

  emit(name: string, fields: object): void {
    this.#output.line(JSON.stringify({ timestamp: Date.now(), name, ...fields }));
    void this.#output.settle();
  }

  outcome({ key, value, topic }: ProducerRecord, error: Error | null, metadata: RecordMetadata | null): void {
    if (error === null) {
      const { offset, partition } = metadata!;
      this.emit('producer_send_success', { key, value, offset, topic, partition });
    } else {
      this.emit('producer_send_error', { key, value, topic, exception: error.name, message: error.message });
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#output.flush();
  }
}

await runTool(command, main);
