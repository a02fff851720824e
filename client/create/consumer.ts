import type { ClientSettings } from '../config.ts';
import { Consumer } from '../consumer/consumer.ts';
import { build, type ClientParts } from './parts.ts';

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
    nearReplicaMs: config['metadata.max.age.ms'],
    maxPollRecords: config['max.poll.records'],
    defaultApiTimeoutMs: config['default.api.timeout.ms'],
  });
}
