import type { Connector } from '../shared/connection/connection.ts';
import { Http2Connector } from '../shared/connection/http2.ts';
import { KafkaConnector } from '../shared/connection/kafka.ts';
import { CODECS, type CodecName } from '../shared/records/compression.ts';
import { parseAddresses } from './addresses.ts';
import { Admin } from './admin/admin.ts';
import { Cluster } from './cluster/cluster.ts';
import { resolveConfig, type ClientConfigValues, type ClientSettings } from './config.ts';
import { Consumer } from './consumer/consumer.ts';
import type { BatchCompression } from './producer/batch.ts';
import { DefaultPartitioner, RoundRobinPartitioner, type Partitioner } from './producer/partitioner.ts';
import { Producer } from './producer/producer.ts';
import { systemRuntime, type ClientRuntime } from './runtime.ts';

export { KafkaError } from './errors.ts';
export type { Admin } from './admin/admin.ts';
export type { ConfigChange, ConfigEntry, ConfigResource, ElectionOutcome, NewTopic } from './admin/types.ts';
export type { BrokerInfo, PartitionInfo, TopicInfo } from './cluster/cluster-view.ts';
export type { ClientSettings } from './config.ts';
export type { Consumer } from './consumer/consumer.ts';
export type { FoundOffset, OffsetSpec } from './consumer/offsets.ts';
export type { ConsumerRecord } from './consumer/record.ts';
export type { Partitioner } from './producer/partitioner.ts';
export type { Producer } from './producer/producer.ts';
export type { ProducerRecord, RecordMetadata, SendCallback } from './producer/record.ts';

/** What a caller may put in place of the usual: another transport, virtual time, a partitioner of its own. */
export interface ClientParts {
  readonly connector?: Connector;
  readonly runtime?: Partial<ClientRuntime>;
  readonly partitioner?: Partitioner;
}

/** Makes a producer from classic settings (`bootstrap.servers`, `acks`, `linger.ms`, …). @throws KafkaError for a bad setting */
export function createProducer(settings: ClientSettings, parts: ClientParts = {}): Producer {
  const { config, cluster } = build('producer', settings, parts);
  const acks = config.acks === 'all' || config.acks === '-1' ? -1 : config.acks === '1' ? 1 : 0;
  return new Producer(cluster, {
    acks,
    batchSize: config['batch.size'],
    lingerMs: config['linger.ms'],
    bufferMemory: config['buffer.memory'],
    maxBlockMs: config['max.block.ms'],
    maxRequestSize: config['max.request.size'],
    maxInFlight: config['max.in.flight.requests.per.connection'],
    retries: config.retries,
    deliveryTimeoutMs: config['delivery.timeout.ms'],
    requestTimeoutMs: config['request.timeout.ms'],
    retryBackoffMs: config['retry.backoff.ms'],
    retryBackoffMaxMs: config['retry.backoff.max.ms'],
    compression: compressionOf(config),
    partitioner: parts.partitioner ?? partitionerOf(config, cluster),
  });
}

/** Makes a consumer from classic settings; it reads what `assign` names. @throws KafkaError for a bad setting */
export function createConsumer(settings: ClientSettings, parts: ClientParts = {}): Consumer {
  const { config, cluster } = build('consumer', settings, parts);
  return new Consumer(cluster, {
    minBytes: config['fetch.min.bytes'],
    maxBytes: config['fetch.max.bytes'],
    maxWaitMs: config['fetch.max.wait.ms'],
    maxPartitionBytes: config['max.partition.fetch.bytes'],
    requestTimeoutMs: config['request.timeout.ms'],
    retryBackoffMs: config['retry.backoff.ms'],
    autoOffsetReset: config['auto.offset.reset'] as 'earliest' | 'latest' | 'none',
    isolation: config['isolation.level'] as 'read_uncommitted' | 'read_committed',
    checkCrcs: config['check.crcs'],
    clientRack: config['client.rack'],
    maxPollRecords: config['max.poll.records'],
    defaultApiTimeoutMs: config['default.api.timeout.ms'],
  });
}

/** Makes an admin client from classic settings. @throws KafkaError for a bad setting */
export function createAdmin(settings: ClientSettings, parts: ClientParts = {}): Admin {
  const { config, cluster } = build('admin', settings, parts);
  return new Admin(cluster, {
    requestTimeoutMs: config['request.timeout.ms'],
    defaultApiTimeoutMs: config['default.api.timeout.ms'],
  });
}

function build(
  kind: 'producer' | 'consumer' | 'admin',
  settings: ClientSettings,
  parts: ClientParts,
): { config: ClientConfigValues; cluster: Cluster } {
  const { values: config, warnings } = resolveConfig(kind, settings);
  const runtime = { ...systemRuntime, ...parts.runtime };
  for (const warning of warnings) runtime.logger.warn(warning);
  const cluster = new Cluster(
    {
      bootstrap: parts.connector === undefined ? parseAddresses(config['bootstrap.servers']) : bootstrapOrNone(config),
      connector: parts.connector ?? connectorOf(kind, config, runtime),
      metadataMaxAgeMs: config['metadata.max.age.ms'],
      retryBackoffMs: config['retry.backoff.ms'],
      retryBackoffMaxMs: config['retry.backoff.max.ms'],
      reconnectBackoffMs: config['reconnect.backoff.ms'],
      reconnectBackoffMaxMs: config['reconnect.backoff.max.ms'],
      allowAutoCreate: kind === 'producer' || (kind === 'consumer' && config['allow.auto.create.topics']),
    },
    runtime,
  );
  return { config, cluster };
}

/** A connector of the caller's own may need no address: then any will do. */
function bootstrapOrNone(config: ClientConfigValues) {
  const list = config['bootstrap.servers'];
  return list === '' ? [{ host: 'local', port: 1 }] : parseAddresses(list);
}

function connectorOf(kind: string, config: ClientConfigValues, runtime: ClientRuntime): Connector {
  const options = {
    clientId: config['client.id'] === '' ? `${kind}-1` : config['client.id'],
    requestTimeoutMs: config['request.timeout.ms'],
    connectTimeoutMs: config['socket.connection.setup.timeout.ms'],
    timers: runtime.timers,
  };
  return config['samsa.dialect'] === 'kafka'
    ? new KafkaConnector({ ...options, negotiate: true })
    : new Http2Connector(options);
}

function compressionOf(config: ClientConfigValues): BatchCompression {
  const name = config['compression.type'] as CodecName;
  const level = name === 'gzip' || name === 'lz4' || name === 'zstd' ? config[`compression.${name}.level`] : undefined;
  return { codec: CODECS[name], level };
}

function partitionerOf(config: ClientConfigValues, cluster: Cluster): Partitioner {
  return config['partitioner.class'] === 'default'
    ? new DefaultPartitioner(cluster.runtime.random, config['partitioner.ignore.keys'])
    : new RoundRobinPartitioner();
}
