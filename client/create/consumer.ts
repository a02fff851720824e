import type { ClientConfigValues, ClientSettings } from '../config.ts';
import { assignorsOf } from '../consumer/assignors/by-name.ts';
import { Consumer, type ConsumerOptions } from '../consumer/consumer.ts';
import type { DeliveryParts } from '../consumer/delivery.ts';
import type { GroupSettings } from '../consumer/group/consumer-group.ts';
import { build, type ClientParts } from './parts.ts';

/** Deserializers and interceptors of the application's own. */
export interface ConsumerParts<K = Buffer | null, V = Buffer | null> extends ClientParts, DeliveryParts<K, V> {}

/** Makes a consumer from classic settings; it reads what `assign` names, or with `group.id` what `subscribe` brings. @throws KafkaError for a bad setting */
export function createConsumer<K = Buffer | null, V = Buffer | null>(
  settings: ClientSettings,
  parts: ConsumerParts<K, V> = {},
): Consumer<K, V> {
  const { config, cluster } = build('consumer', settings, parts);
  const options: ConsumerOptions = {
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
    group: config['group.id'] === '' ? null : groupSettings(config),
  };
  return new Consumer(cluster, options, parts);
}

function groupSettings(config: ClientConfigValues): GroupSettings {
  const instanceId = config['group.instance.id'];
  return {
    groupId: config['group.id'],
    instanceId: instanceId === '' ? null : instanceId,
    sessionTimeoutMs: config['session.timeout.ms'],
    // A member has as long to join again as it has between two polls (KIP-62).
    rebalanceTimeoutMs: config['max.poll.interval.ms'],
    heartbeatIntervalMs: config['heartbeat.interval.ms'],
    maxPollIntervalMs: config['max.poll.interval.ms'],
    metadataMaxAgeMs: config['metadata.max.age.ms'],
    excludeInternalTopics: config['exclude.internal.topics'],
    assignors: assignorsOf(config['partition.assignment.strategy']),
    clientRack: config['client.rack'],
    retryBackoffMs: config['retry.backoff.ms'],
    retryBackoffMaxMs: config['retry.backoff.max.ms'],
    autoCommit: config['enable.auto.commit'],
    autoCommitIntervalMs: config['auto.commit.interval.ms'],
    defaultApiTimeoutMs: config['default.api.timeout.ms'],
  };
}
