import type { Command } from 'commander';
import type { ClientSettings } from '../../client/index.ts';
import { keyValues, optionOrSetting, readSettings } from '../support/settings.ts';
import { collect, integer, toolCommand, UsageError } from '../support/tool.ts';

export interface ProducerOptions {
  topic?: string;
  bootstrapServer?: string;
  brokerList?: string;
  sync?: true;
  compressionCodec?: string | true;
  batchSize?: number;
  messageSendMaxRetries?: number;
  retryBackoffMs?: number;
  timeout?: number;
  requestRequiredAcks?: string;
  requestTimeoutMs?: number;
  metadataExpiryMs?: number;
  maxBlockMs?: number;
  maxMemoryBytes?: number;
  maxPartitionMemoryBytes?: number;
  socketBufferSize?: number;
  lineReader?: string;
  readerConfig?: string;
  property?: string[];
  producerProperty?: string[];
  'producer.config'?: string;
}

/**
 * Larger than the SDK's default: one batch of a partition is on its way at a time, so that its size is what bounds the
 * speed of a long input. It delays nothing, as a batch never waits longer than `--timeout`.
 */
const BATCH_BYTES = 500_000;

export function producerCommand(): Command {
  return toolCommand('kafka-console-producer', 'Sends each line of the standard input to a topic.')
    .option('--topic <topic>', 'The topic to send to.')
    .option('--bootstrap-server <servers>', 'Brokers to connect to: host:port, separated by commas.')
    .option('--broker-list <servers>', 'Older name of --bootstrap-server.')
    .option('--sync', 'Wait for the acknowledgement of each line before the next.')
    .option('--compression-codec [codec]', 'none, gzip, snappy, lz4 or zstd; gzip if no codec is named.')
    .option('--batch-size <bytes>', 'Bytes at which a batch is closed (default 500000).', integer('batch-size', 0))
    .option(
      '--message-send-max-retries <count>',
      'Retries of a request (default 3).',
      integer('message-send-max-retries', 0),
    )
    .option('--retry-backoff-ms <ms>', 'Pause before a retry (default 100).', integer('retry-backoff-ms', 0))
    .option('--timeout <ms>', 'How long a batch waits for more lines (default 1000).', integer('timeout', 0))
    .option('--request-required-acks <acks>', 'Acknowledgement waited for: 0, 1 or -1, all (default -1).')
    .option('--request-timeout-ms <ms>', 'Time limit of a request (default 30000).', integer('request-timeout-ms', 1))
    .option(
      '--metadata-expiry-ms <ms>',
      'Age at which metadata is asked for again (default 300000).',
      integer('metadata-expiry-ms', 0),
    )
    .option(
      '--max-block-ms <ms>',
      'How long a send may wait for metadata or memory (default 60000).',
      integer('max-block-ms', 0),
    )
    .option(
      '--max-memory-bytes <bytes>',
      'Bytes that may wait to be sent (default 33554432).',
      integer('max-memory-bytes', 0),
    )
    .option('--max-partition-memory-bytes <bytes>', 'Same as --batch-size.', integer('max-partition-memory-bytes', 0))
    .option('--socket-buffer-size <bytes>', 'Accepted for old scripts.', integer('socket-buffer-size', 0))
    .option('--line-reader <class>', 'How lines are read; LineMessageReader is the only one.')
    .option('--reader-config <file>', 'File with properties of the line reader.')
    .option(
      '--property <name=value>',
      'A property of the line reader: parse.key, key.separator, parse.headers, headers.delimiter, headers.separator, headers.key.separator, ignore.error, null.marker; repeatable.',
      collect,
    )
    .option('--producer-property <name=value>', 'A setting of the producer; repeatable.', collect)
    .option('--producer.config <file>', 'File with settings of the producer; --producer-property goes before it.');
}

/** How lines become records. @throws UsageError for a reader that does not exist */
export function readerProperties(options: ProducerOptions): Record<string, string> {
  if (options.lineReader !== undefined && !/(^|[.$])LineMessageReader$/.test(options.lineReader)) {
    throw new UsageError(`There is no line reader ${options.lineReader}: the only one is LineMessageReader`);
  }
  return { ...readSettings(options.readerConfig), ...keyValues(options.property, 'property') };
}

/** How long a batch waits for more lines. With `--sync` no more will come before it is acknowledged. */
const LINGER_MS = 1_000;

/** What decides: an option that was given, else the producer's properties, else the tool's default. */
export function producerSettings(options: ProducerOptions): ClientSettings {
  const own = {
    ...readSettings(options['producer.config']),
    ...keyValues(options.producerProperty, 'producer-property'),
  };
  const bootstrap = options.bootstrapServer ?? options.brokerList;
  if (bootstrap === undefined) throw new UsageError('Missing required argument "[bootstrap-server]"');
  const codec = options.compressionCodec === true ? 'gzip' : options.compressionCodec;
  const pick = optionOrSetting(own);
  return {
    ...own,
    'bootstrap.servers': bootstrap,
    'client.id': own['client.id'] ?? 'console-producer',
    'compression.type': pick('compression.type', codec, 'none'),
    'linger.ms': pick('linger.ms', options.timeout, options.sync ? 0 : LINGER_MS),
    acks: pick('acks', options.requestRequiredAcks, '-1'),
    'request.timeout.ms': pick('request.timeout.ms', options.requestTimeoutMs, 30_000),
    retries: pick('retries', options.messageSendMaxRetries, 3),
    'retry.backoff.ms': pick('retry.backoff.ms', options.retryBackoffMs, 100),
    'buffer.memory': pick('buffer.memory', options.maxMemoryBytes, 33_554_432),
    'batch.size': pick('batch.size', options.batchSize ?? options.maxPartitionMemoryBytes, BATCH_BYTES),
    'metadata.max.age.ms': pick('metadata.max.age.ms', options.metadataExpiryMs, 300_000),
    'max.block.ms': pick('max.block.ms', options.maxBlockMs, 60_000),
  };
}
