import { createConsumer } from '../client/create/consumer.ts';
import type { Consumer } from '../client/index.ts';
import { Consumption, type PartitionOffset } from './consuming/consumption.ts';
import { LineOutput } from './support/line-output.ts';
import { toolLogger } from './support/logger.ts';
import { clientSettings } from './support/settings.ts';
import { integer, parseOptions, required, runTool, toolCommand, UsageError } from './support/tool.ts';

interface Options {
  bootstrapServer?: string;
  brokerList?: string;
  topic?: string;
  groupProtocol: string;
  groupRemoteAssignor?: string;
  groupId?: string;
  groupInstanceId?: string;
  maxMessages: number;
  sessionTimeout: number;
  verbose?: true;
  enableAutocommit?: true;
  resetPolicy: string;
  assignmentStrategy: string;
  'consumer.config'?: string;
}

/** How long a poll waits; then it looks whether it is to stop. */
const POLL_MS = 1_000;

const command = toolCommand(
  'kafka-verifiable-consumer',
  'Reads a topic in a group, and tells what it reads and what the group does as lines of JSON.',
)
  .option('--bootstrap-server <servers>', 'Brokers to connect to: host:port, separated by commas.')
  .option('--broker-list <servers>', 'Older name of --bootstrap-server.')
  .option('--topic <topic>', 'REQUIRED: the topic to read.')
  .option('--group-protocol <protocol>', 'How the group is coordinated; classic is all there is.', 'classic')
  .option('--group-remote-assignor <name>', 'Accepted for scripts that use other protocols.')
  .option('--group-id <id>', 'REQUIRED: the group to read in.')
  .option('--group-instance-id <id>', 'Makes it a static member of this name.')
  .option('--max-messages <count>', 'End after so many; -1: when it is stopped.', integer('max-messages', -1), -1)
  .option('--session-timeout <ms>', "The member's session timeout.", integer('session-timeout', 1), 30_000)
  .option('--verbose', 'A line for each record, too.')
  .option('--enable-autocommit', 'Commit from time to time, instead of after each poll with a line about it.')
  .option('--reset-policy <policy>', 'Where to begin without an offset: earliest, latest or none.', 'earliest')
  .option(
    '--assignment-strategy <class>',
    'How the members share partitions out: range, roundrobin, sticky, cooperative-sticky, or their classes in Kafka.',
    'org.apache.kafka.clients.consumer.RangeAssignor',
  )
  .option('--consumer.config <file>', 'File with settings of the consumer; those of options go before it.');

async function main(argv: string[]): Promise<void> {
  const options = parseOptions<Options>(command, argv);
  const topic = required(options.topic, 'topic');
  const groupId = required(options.groupId, 'group-id');
  const bootstrap = options.bootstrapServer ?? options.brokerList;
  if (bootstrap === undefined)
    throw new UsageError('One of the arguments --bootstrap-server --broker-list is required');
  if (options.groupProtocol.toLowerCase() !== 'classic')
    throw new UsageError(`Group protocol '${options.groupProtocol}' is not supported: there is only classic`);
  const settings = clientSettings(bootstrap, options['consumer.config'], {
    'group.id': groupId,
    'enable.auto.commit': options.enableAutocommit === true,
    'auto.offset.reset': options.resetPolicy,
    'session.timeout.ms': options.sessionTimeout,
    'partition.assignment.strategy': options.assignmentStrategy,
    ...(options.groupInstanceId === undefined ? {} : { 'group.instance.id': options.groupInstanceId }),
  });
  const consumer = createConsumer(settings, { runtime: { logger: toolLogger() } });
  await consume(consumer, topic, options);
}

async function consume(consumer: Consumer, topic: string, options: Options): Promise<void> {
  const output = new LineOutput();
  const emit = (name: string, fields: object) =>
    output.line(JSON.stringify({ timestamp: Date.now(), name, ...fields }));
  const consumption = new Consumption(options.maxMessages, options.verbose === true, emit);
  const stopping = new AbortController();
  const stop = () => {
    stopping.abort();
    consumer.wakeup();
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  emit('startup_complete', {});
  await output.flush();
  consumer.subscribe([topic], {
    onPartitionsAssigned: partitions => emit('partitions_assigned', { partitions }),
    onPartitionsRevoked: partitions => emit('partitions_revoked', { partitions }),
  });
  try {
    while (!stopping.signal.aborted && !consumption.isFinished) {
      const offsets = consumption.take(await consumer.poll(POLL_MS));
      if (options.enableAutocommit !== true && offsets.length > 0)
        emit('offsets_committed', await commit(consumer, offsets));
      await output.flush();
    }
  } finally {
    await consumer.close();
    emit('shutdown_complete', {});
    await output.flush();
  }
}

/** What a line says of a commit, which may fail when the group has moved on. */
async function commit(consumer: Consumer, offsets: readonly PartitionOffset[]): Promise<object> {
  try {
    await consumer.commit(offsets);
    return { offsets, success: true };
  } catch (error) {
    return { offsets, error: (error as Error).message, success: false };
  }
}

await runTool(command, main);
