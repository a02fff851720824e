import type { Command } from 'commander';
import type { ClientSettings } from '../../client/index.ts';
import { keyValues, readSettings } from '../support/settings.ts';
import { collect, integer, toolCommand, ToolFailure, UsageError } from '../support/tool.ts';
import { topicExpression } from '../support/topic-pattern.ts';

export interface ConsumerOptions {
  topic?: string;
  include?: string;
  whitelist?: string;
  bootstrapServer?: string;
  zookeeper?: string;
  partition?: number;
  offset?: string;
  fromBeginning?: true;
  group?: string;
  maxMessages?: number;
  timeoutMs?: number;
  isolationLevel?: string;
  formatter?: string;
  property?: string[];
  formatterConfig?: string;
  keyDeserializer?: string;
  valueDeserializer?: string;
  consumerProperty?: string[];
  'consumer.config'?: string;
  skipMessageOnError?: true;
  enableSystestEvents?: true;
  newConsumer?: true;
}

export function consumerCommand(): Command {
  return toolCommand('kafka-console-consumer', 'Reads topics and writes their records to the standard output.')
    .option('--topic <topic>', 'The topic to read.')
    .option('--include <pattern>', 'Regular expression: read all topics whose names match.')
    .option('--whitelist <pattern>', 'Older name of --include.')
    .option('--bootstrap-server <servers>', 'Brokers to connect to: host:port, separated by commas.')
    .option('--zookeeper <urls>', 'Find the brokers in ZooKeeper: host:port[/chroot].')
    .option('--partition <number>', 'Read this partition only.', integer('partition', 0))
    .option('--offset <offset>', 'Where to begin, with --partition: earliest, latest (default) or an offset.')
    .option('--from-beginning', 'Begin with the earliest record instead of the latest.')
    .option('--group <group>', 'Group to read as a member of; without it all partitions are read.')
    .option('--max-messages <count>', 'End after so many records.', integer('max-messages', -1))
    .option('--timeout-ms <ms>', 'End when no record has come for so long.', integer('timeout-ms', -1))
    .option('--isolation-level <level>', 'read_uncommitted (default) or read_committed.')
    .option(
      '--formatter <class>',
      'DefaultMessageFormatter (default), LoggingMessageFormatter, NoOpMessageFormatter; for __consumer_offsets OffsetsMessageFormatter and GroupMetadataMessageFormatter, for __transaction_state TransactionLogMessageFormatter.',
    )
    .option(
      '--property <name=value>',
      'A property of the formatter: print.timestamp, print.partition, print.offset, print.headers, print.key, print.value, key.separator, line.separator, headers.separator, null.literal, key.deserializer, value.deserializer, headers.deserializer; repeatable.',
      collect,
    )
    .option('--formatter-config <file>', 'File with properties of the formatter; --property goes before it.')
    .option('--key-deserializer <class>', 'How keys become text.')
    .option('--value-deserializer <class>', 'How values become text.')
    .option('--consumer-property <name=value>', 'A setting of the consumer; repeatable.', collect)
    .option('--consumer.config <file>', 'File with settings of the consumer; --consumer-property goes before it.')
    .option('--skip-message-on-error', 'Leave out a record that cannot be formatted, instead of ending.')
    .option('--enable-systest-events', 'Announce the end on the standard output.')
    .option('--new-consumer', 'Accepted for old scripts.');
}

/** What to read and from where on. */
export interface Selection {
  /** A topic by name, or those that match. */
  readonly topics: { readonly name: string } | { readonly matches: RegExp };
  /** null: all partitions. */
  readonly partition: number | null;
  readonly start: 'earliest' | 'latest' | number;
  /** Whether a pattern matches internal topics, too. */
  readonly withInternal: boolean;
}

/** @throws UsageError in Kafka's words, for options that do not go together */
export function selection(options: ConsumerOptions, settings: ClientSettings): Selection {
  const pattern = options.include ?? options.whitelist;
  if ((options.topic === undefined) === (pattern === undefined)) {
    throw new UsageError('Exactly one of --include/--topic is required.');
  }
  if (options.partition !== undefined && options.topic === undefined) {
    throw new UsageError('The topic is required when partition is specified.');
  }
  if (options.offset !== undefined && options.partition === undefined) {
    throw new UsageError('The partition is required when offset is specified.');
  }
  if (options.fromBeginning && options.offset !== undefined) {
    throw new UsageError("from-beginning and offset can't be specified together.");
  }
  return {
    topics: pattern === undefined ? { name: options.topic! } : { matches: topicExpression(pattern) },
    partition: options.partition ?? null,
    start: startOffset(options, settings),
    withInternal: String(settings['exclude.internal.topics']) === 'false',
  };
}

function startOffset(options: ConsumerOptions, settings: ClientSettings): Selection['start'] {
  if (options.offset === undefined) return settings['auto.offset.reset'] === 'earliest' ? 'earliest' : 'latest';
  const text = options.offset.toLowerCase();
  if (text === 'earliest' || text === 'latest') return text;
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw new UsageError(
    `The provided offset value '${options.offset}' is incorrect. Valid values are 'earliest', 'latest', or a non-negative long.`,
  );
}

/**
 * The group to read in, of --group or the settings; null: none.
 * @throws UsageError, ToolFailure in Kafka's words, for options that do not go together
 */
export function groupOf(options: ConsumerOptions, settings: Readonly<Record<string, unknown>>): string | null {
  const configured = settings['group.id'] as string | undefined;
  if (options.group !== undefined && options.partition !== undefined)
    throw new UsageError('Options group and partition cannot be specified together.');
  if (options.group !== undefined && configured !== undefined && configured !== options.group) {
    throw new ToolFailure(
      "The group ids provided in different places (directly using '--group', via '--consumer-property', or via '--consumer.config') do not match. Detected group ids: " +
        `'${options.group}', '${configured}'`,
    );
  }
  const group = options.group ?? configured;
  return group === undefined || options.partition !== undefined ? null : group;
}

/** A topic or broker that is not there is reported this often, and no sooner given up than --timeout-ms says. */
const LOOK_UP_MS = 5_000;

/** The consumer's settings, without the addresses. @throws ToolFailure for settings that contradict the options */
export function consumerSettings(options: ConsumerOptions): Record<string, unknown> {
  const own = {
    ...readSettings(options['consumer.config']),
    ...keyValues(options.consumerProperty, 'consumer-property'),
  };
  const reset = own['auto.offset.reset'];
  if (options.fromBeginning && reset !== undefined && reset !== 'earliest') {
    throw new ToolFailure(
      `Can't simultaneously specify --from-beginning and 'auto.offset.reset=${reset}', please remove one option`,
    );
  }
  return {
    'max.poll.records': 10_000,
    'default.api.timeout.ms': Math.min(LOOK_UP_MS, Math.max(options.timeoutMs ?? LOOK_UP_MS, 100)),
    ...own,
    'client.id': own['client.id'] ?? 'console-consumer',
    'auto.offset.reset': options.fromBeginning ? 'earliest' : (reset ?? 'latest'),
    'isolation.level': options.isolationLevel ?? own['isolation.level'] ?? 'read_uncommitted',
  };
}

/** The formatter's properties: the options --key-deserializer and --value-deserializer are two of them. */
export function formatterProperties(options: ConsumerOptions): Record<string, string> {
  return {
    ...readSettings(options.formatterConfig),
    ...keyValues(options.property, 'property'),
    ...(options.keyDeserializer === undefined ? {} : { 'key.deserializer': options.keyDeserializer }),
    ...(options.valueDeserializer === undefined ? {} : { 'value.deserializer': options.valueDeserializer }),
  };
}
