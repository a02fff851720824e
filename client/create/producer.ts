import { CODECS, type CodecName } from '../../shared/records/compression.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { ClientConfigValues, ClientSettings } from '../config.ts';
import type { BatchCompression } from '../producer/batch.ts';
import { DefaultPartitioner, RoundRobinPartitioner, type Partitioner } from '../producer/partitioner.ts';
import { Idempotence } from '../producer/idempotence.ts';
import { Transactions } from '../producer/transactions/transactions.ts';
import { Preparation, type PreparationParts } from '../producer/preparation.ts';
import { Producer, type ProducerOptions } from '../producer/producer.ts';
import type { Bytes } from '../producer/record.ts';
import { wantsIdempotence } from './idempotence.ts';
import { build, type ClientParts } from './parts.ts';

/** A partitioner of the application's own, serializers and interceptors. */
export interface ProducerParts<K = Bytes, V = Bytes> extends ClientParts, PreparationParts<K, V> {
  readonly partitioner?: Partitioner;
}

/** Makes a producer from classic settings (`bootstrap.servers`, `acks`, `linger.ms`, …). @throws KafkaError for a bad setting */
export function createProducer<K = Bytes, V = Bytes>(
  settings: ClientSettings,
  parts: ProducerParts<K, V> = {},
): Producer<K, V> {
  const { config, cluster } = build('producer', settings, parts);
  const acks = config.acks === 'all' || config.acks === '-1' ? -1 : config.acks === '1' ? 1 : 0;
  const isIdempotent = wantsIdempotence(settings, config, why => cluster.runtime.logger.info(why));
  const idempotence = isIdempotent ? new Idempotence() : null;
  const options: ProducerOptions = {
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
    idempotence,
    transactions: transactionsOf(config, cluster, idempotence),
    partitioner: parts.partitioner ?? partitionerOf(config, cluster),
  };
  return new Producer(cluster, options, Preparation.of(parts, cluster.runtime.logger));
}

function transactionsOf(
  config: ClientConfigValues,
  cluster: Cluster,
  idempotence: Idempotence | null,
): Transactions | null {
  const transactionalId = config['transactional.id'];
  if (transactionalId === '' || idempotence === null) return null;
  const options = {
    transactionalId,
    timeoutMs: config['transaction.timeout.ms'],
    maxBlockMs: config['max.block.ms'],
  };
  return new Transactions(cluster, options, idempotence);
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
