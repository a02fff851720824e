import { createProducer } from '../client/create/producer.ts';
import { monotonicPayloads, payloadsFromFile, randomPayload, type Payloads } from './perf/payloads.ts';
import { ProducerStats } from './perf/producer-stats.ts';
import { sendPaced } from './perf/send-paced.ts';
import { TimedTransactions } from './perf/timed-transactions.ts';
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
  transactionalId: string;
  transactionDurationMs: number;
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
  .option('--producer.config <file>', 'File with settings of the producer; --producer-props go before it.')
  .option(
    '--transactional-id <id>',
    'The transactional.id of the producer, if --transaction-duration-ms is positive.',
    'performance-producer-default-transactional-id',
  )
  .option(
    '--transaction-duration-ms <ms>',
    'How long a transaction is open before it is committed; 0: records are sent without transactions.',
    integer('transaction-duration-ms'),
    0,
  );

async function main(argv: string[]): Promise<void> {
  const options = parseOptions<Options>(command, argv);
  const topic = required(options.topic, 'topic');
  const count = required(options.numRecords, 'num-records');
  const rate = required(options.throughput, 'throughput');
  if (Number.isNaN(rate)) throw new UsageError('Cannot parse the argument of option throughput: it takes a number');
  const payloads = payloadsOf(options);
  const producer = createProducer(settingsOf(options), { runtime: { logger: toolLogger() } });
  const transactions = hasTransactions(options) ? new TimedTransactions(producer, options.transactionDurationMs) : null;
  const complain = (line: string) => process.stderr.write(line);
  const failures = new SendFailures(topic, complain);
  try {
    if (transactions !== null) await producer.initTransactions();
    const stats = new ProducerStats({
      expected: count,
      now: () => performance.now(),
      intervalMs: REPORT_INTERVAL_MS,
      print: line => process.stdout.write(`${line}\n`),
      onFailure: error => failures.callback(error, null),
    });
    const send = (n: number, nowMs: number) => {
      const value = payloads(n);
      transactions?.beforeRecord(nowMs);
      producer.send({ topic, value }, stats.callback(nowMs, value.length));
    };
    const afterBurst = (nowMs: number) => transactions?.afterRecords(nowMs);
    await sendPaced(producer, { count, rate, send, afterBurst });
    await (transactions === null ? producer.flush() : transactions.finish());
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
  const given = { ...readSettings(file), ...keyValues(producerProps, 'producer-props') };
  return hasTransactions(options) ? { ...given, 'transactional.id': options.transactionalId } : given;
}

/** As Kafka's tool has it: the duration alone turns transactions on, whatever transactional.id is among the settings. */
function hasTransactions({ transactionDurationMs }: Options): boolean {
  return transactionDurationMs > 0;
}

await runTool(command, main);
