import { createProducer } from '../client/create/producer.ts';
import { monotonicPayloads, payloadsFromFile, randomPayload, type Payloads } from './perf/payloads.ts';
import { ProducerStats } from './perf/producer-stats.ts';
import { sendPaced } from './perf/send-paced.ts';
import { SendFailures } from './producing/send-failures.ts';
import { toolLogger } from './support/logger.ts';
import { keyValues, readSettings } from './support/settings.ts';
import { integer, parseOptions, required, runTool, toolCommand, UsageError } from './support/tool.ts';

interface Options {
  topic?: string;
  numRecords?: number;
  recordSize?: number;
  payloadFile?: string;
  payloadDelimiter: string;
  payloadMonotonic?: true;
  throughput?: number;
  producerProps?: string[];
  'producer.config'?: string;
}

const REPORT_INTERVAL_MS = 5_000;

const command = toolCommand('kafka-producer-perf-test', 'Sends records to a topic and says how fast that went.')
  .option('--topic <topic>', 'The topic to send to.')
  .option('--num-records <count>', 'How many records are sent.', integer('num-records', 1))
  .option('--record-size <bytes>', 'Size of each record’s value, random capital letters.', integer('record-size', 1))
  .option('--payload-file <file>', 'A file of values, of which a random one is sent each time.')
  .option('--payload-delimiter <regex>', 'What separates the values in that file.', '\\n')
  .option('--payload-monotonic', 'The values are the records’ numbers.')
  .option('--throughput <rate>', 'Records a second; -1: as many as it goes.', Number)
  .option('--producer-props <name=value...>', 'Settings of the producer, bootstrap.servers among them.')
  .option('--producer.config <file>', 'File with settings of the producer; --producer-props go before it.');

async function main(argv: string[]): Promise<void> {
  const options = parseOptions<Options>(command, argv);
  const topic = required(options.topic, 'topic');
  const count = required(options.numRecords, 'num-records');
  const rate = required(options.throughput, 'throughput');
  if (Number.isNaN(rate)) throw new UsageError('Cannot parse the argument of option throughput: it takes a number');
  const payloads = payloadsOf(options);
  const producer = createProducer(settingsOf(options), { runtime: { logger: toolLogger() } });
  const complain = (line: string) => process.stderr.write(line);
  const failures = new SendFailures(topic, complain);
  const stats = new ProducerStats({
    expected: count,
    now: () => performance.now(),
    intervalMs: REPORT_INTERVAL_MS,
    print: line => process.stdout.write(`${line}\n`),
    onFailure: error => failures.callback(error, null),
  });
  try {
    const send = (n: number, nowMs: number) => {
      const value = payloads(n);
      producer.send({ topic, value }, stats.callback(nowMs, value.length));
    };
    await sendPaced(producer, { count, rate, send });
    await producer.flush();
    stats.printTotal();
  } finally {
    await producer.close();
    failures.summarise();
  }
}

function payloadsOf({ recordSize, payloadFile, payloadDelimiter, payloadMonotonic }: Options): Payloads {
  const given = [recordSize, payloadFile, payloadMonotonic].filter(option => option !== undefined).length;
  if (given !== 1)
    throw new UsageError('Exactly one of --record-size, --payload-file and --payload-monotonic is required');
  if (recordSize !== undefined) return randomPayload(recordSize);
  return payloadFile === undefined ? monotonicPayloads : payloadsFromFile(payloadFile, payloadDelimiter);
}

function settingsOf(options: Options): Record<string, string> {
  const { producerProps, 'producer.config': file } = options;
  if (producerProps === undefined && file === undefined)
    throw new UsageError('Either --producer-props or --producer.config must be specified.');
  return { ...readSettings(file), ...keyValues(producerProps, 'producer-props') };
}

await runTool(command, main);
