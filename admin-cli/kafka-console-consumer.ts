import { createConsumer } from '../client/create/consumer.ts';
import type { Consumer } from '../client/index.ts';
import { Assigner, throughGroup, type Assigning } from './consuming/assigner.ts';
import {
  consumerCommand,
  consumerSettings,
  formatterProperties,
  groupOf,
  selection,
  type ConsumerOptions,
} from './consuming/options.ts';
import { Printer } from './consuming/printer.ts';
import { recordFormatter } from './format/record-formatter.ts';
import { toolLogger } from './support/logger.ts';
import { progressOnStderr, type Progress } from './support/progress.ts';
import { parseOptions, required, runTool } from './support/tool.ts';

/** How often it looks for a topic that is not there yet. */
const LOOK_AGAIN_MS = 1_000;
/** How often new topics and partitions are looked for, unless `metadata.max.age.ms` says otherwise. */
const METADATA_AGE_MS = 300_000;

const command = consumerCommand();

async function main(argv: string[]): Promise<void> {
  const options = parseOptions<ConsumerOptions>(command, argv);
  const settings = consumerSettings(options);
  const wanted = selection(options, settings);
  const group = groupOf(options, settings);
  // Without a group nothing is kept: all partitions are read, from where the options say.
  settings['group.id'] = group ?? '';
  const format = recordFormatter(options.formatter ?? 'DefaultMessageFormatter', formatterProperties(options));
  const limit = options.maxMessages === undefined || options.maxMessages < 0 ? Infinity : options.maxMessages;
  // Where the records themselves are seen, nothing is written between them.
  const progress = process.stdout.isTTY ? null : progressOnStderr('messages', limit === Infinity ? null : limit);
  const complain = (line: string) => {
    progress?.clear();
    process.stderr.write(line);
  };
  const printer = new Printer(format, options.skipMessageOnError === true, limit, complain);
  const logger = toolLogger(complain);
  settings['bootstrap.servers'] = await bootstrapServers(options);
  const consumer = createConsumer(settings, { runtime: { logger } });
  const session = {
    options,
    printer,
    consumer,
    assigner: group === null ? new Assigner(consumer, wanted, logger) : throughGroup(consumer, wanted),
    stopped: false,
    progress,
    complain,
  };
  stopOnSignals(session);
  try {
    await read(session, Number(settings['metadata.max.age.ms'] ?? METADATA_AGE_MS));
  } finally {
    await consumer.close();
    if (options.enableSystestEvents) process.stdout.write('shutdown_complete\n');
    complain(`Processed a total of ${printer.count} messages\n`);
  }
}

interface Session {
  readonly options: ConsumerOptions;
  readonly printer: Printer;
  readonly consumer: Consumer;
  readonly assigner: Assigning;
  readonly progress: Progress | null;
  readonly complain: (line: string) => void;
  stopped: boolean;
}

/** Reads until the records, the time or the user's patience are at an end. */
async function read(session: Session, metadataAgeMs: number): Promise<void> {
  const { consumer, printer, assigner } = session;
  const idleMs =
    session.options.timeoutMs === undefined || session.options.timeoutMs < 0 ? Infinity : session.options.timeoutMs;
  let lookAgainAt = 0;
  let lastRecordAt = performance.now();
  while (!session.stopped && !printer.isDone) {
    const now = performance.now();
    if (now >= lookAgainAt) lookAgainAt = now + ((await assigner.assign()) ? metadataAgeMs : LOOK_AGAIN_MS);
    const records = await consumer.poll(Math.min(lookAgainAt - now, lastRecordAt + idleMs - now, LOOK_AGAIN_MS));
    if (records.length > 0) {
      await printer.print(records);
      session.progress?.update(printer.count);
      lastRecordAt = performance.now();
    } else if (performance.now() - lastRecordAt >= idleMs) {
      session.complain(
        `ERROR Error processing message, terminating consumer process: TimeoutException: no record within ${idleMs} ms\n`,
      );
      return;
    }
  }
}

function stopOnSignals(session: Session): void {
  const stop = () => {
    session.stopped = true;
    session.consumer.wakeup();
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
}

/** For those who still name ZooKeeper, as the consumer of 0.8 did. */
async function bootstrapServers(options: ConsumerOptions): Promise<string> {
  if (options.zookeeper === undefined) return required(options.bootstrapServer, 'bootstrap-server');
  if (options.bootstrapServer !== undefined) return options.bootstrapServer;
  const { brokersInZooKeeper } = await import('./zookeeper/brokers.ts');
  const brokers = await brokersInZooKeeper(options.zookeeper);
  process.stderr.write(`--zookeeper is deprecated: going on as with --bootstrap-server ${brokers}\n`);
  return brokers;
}

await runTool(command, main);
