import { createConsumer } from '../client/create/consumer.ts';
import type { Consumer } from '../client/index.ts';
import { header, reportLine, type Reading } from './perf/consumer-report.ts';
import { formatDate } from './perf/date-format.ts';
import { RebalanceClock } from './perf/rebalance-clock.ts';
import { toolLogger } from './support/logger.ts';
import { clientSettings, readSettings } from './support/settings.ts';
import { integer, parseOptions, required, runTool, toolCommand } from './support/tool.ts';

interface Options {
  bootstrapServer?: string;
  brokerList?: string;
  topic?: string;
  messages?: number;
  group?: string;
  fetchSize: number;
  fromLatest?: true;
  reportingInterval: number;
  showDetailedStats?: true;
  hideHeader?: true;
  dateFormat: string;
  timeout: number;
  'consumer.config'?: string;
}

const POLL_MS = 100;

const command = toolCommand('kafka-consumer-perf-test', 'Reads a topic and says how fast that went.')
  .option('--bootstrap-server <servers>', 'Brokers to connect to: host:port, separated by commas.')
  .option('--broker-list <servers>', 'Older name of --bootstrap-server.')
  .option('--topic <topic>', 'The topic to read, all partitions of it.')
  .option('--messages <count>', 'How many records are to be read.', integer('messages', 1))
  .option('--group <id>', 'The group to read in. Default: one of its own, perf-consumer-<number>.')
  .option('--fetch-size <bytes>', 'Bytes of one partition in one answer.', integer('fetch-size', 1), 1 << 20)
  .option('--from-latest', 'Begin with what comes from now on, not with the oldest record.')
  .option('--socket-buffer-size <bytes>', 'Accepted for old scripts.', integer('socket-buffer-size', 0))
  .option('--reporting-interval <ms>', 'Time between two detailed lines.', integer('reporting-interval', 1), 5000)
  .option('--show-detailed-stats', 'A line each reporting interval instead of one at the end.')
  .option('--hide-header', 'No header line.')
  .option('--date-format <pattern>', 'How times are shown.', 'yyyy-MM-dd HH:mm:ss:SSS')
  .option('--timeout <ms>', 'The longest time without a record.', integer('timeout', 0), 10_000)
  .option('--threads <count>', 'Accepted for old scripts.')
  .option('--num-fetch-threads <count>', 'Accepted for old scripts.')
  .option('--consumer.config <file>', 'File with settings of the consumer.');

async function main(argv: string[]): Promise<void> {
  const options = parseOptions<Options>(command, argv);
  const bootstrap = required(options.bootstrapServer ?? options.brokerList, 'bootstrap-server');
  const topic = required(options.topic, 'topic');
  const wanted = required(options.messages, 'messages');
  formatDate(options.dateFormat, 0);
  const settings = clientSettings(bootstrap, options['consumer.config'], {
    'auto.offset.reset': options.fromLatest === true ? 'latest' : 'earliest',
    'max.partition.fetch.bytes': options.fetchSize,
    'check.crcs': false,
    'group.id': options.group ?? `perf-consumer-${Math.floor(Math.random() * 100_000)}`,
    'client.id': readSettings(options['consumer.config'])['client.id'] ?? 'perf-consumer-client',
  });
  const consumer = createConsumer(settings, { runtime: { logger: toolLogger() } });
  try {
    await readAndReport(consumer, topic, wanted, options);
  } finally {
    await consumer.close();
  }
}

async function readAndReport(consumer: Consumer, topic: string, wanted: number, options: Options): Promise<void> {
  const date = (timeMs: number) => formatDate(options.dateFormat, timeMs);
  if (options.hideHeader !== true) print(header(options.showDetailedStats === true));
  const start: Reading = { timeMs: Date.now(), bytes: 0, messages: 0, rebalanceMs: 0 };
  let lastReport = start;
  const onProgress = (reading: Reading) => {
    if (options.showDetailedStats !== true || reading.timeMs - lastReport.timeMs < options.reportingInterval) return;
    print(reportLine(`${date(reading.timeMs)}, 0`, lastReport, reading));
    lastReport = reading;
  };
  const rebalances = new RebalanceClock(start.timeMs);
  consumer.subscribe([topic], {
    onPartitionsRevoked: () => rebalances.revoked(Date.now()),
    onPartitionsAssigned: () => rebalances.assigned(Date.now()),
  });
  const end = await read(consumer, wanted, options.timeout, rebalances, onProgress);
  if (end.messages < wanted) {
    print(
      `WARNING: Exiting before consuming the expected number of messages: timeout (${options.timeout} ms) exceeded. ` +
        'You can use the --timeout option to increase the timeout.',
    );
  }
  if (options.showDetailedStats !== true) print(reportLine(`${date(start.timeMs)}, ${date(end.timeMs)}`, start, end));
}

/** Reads until enough has come, or nothing has for `timeoutMs`. */
async function read(
  consumer: Consumer,
  wanted: number,
  timeoutMs: number,
  rebalances: RebalanceClock,
  onProgress: (reading: Reading) => void,
): Promise<Reading> {
  let bytes = 0;
  let messages = 0;
  let lastRecordMs = Date.now();
  const reading = () => ({ timeMs: Date.now(), bytes, messages, rebalanceMs: rebalances.totalMs });
  while (messages < wanted && Date.now() - lastRecordMs <= timeoutMs) {
    const records = await consumer.poll(POLL_MS);
    if (records.length > 0) lastRecordMs = Date.now();
    for (const { key, value } of records) bytes += (key?.length ?? 0) + (value?.length ?? 0);
    messages += records.length;
    onProgress(reading());
  }
  return reading();
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

await runTool(command, main);
