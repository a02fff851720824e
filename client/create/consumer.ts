import type { ClientConfigValues, ClientSettings } from '../config.ts';
import { assignorsOf } from '../consumer/assignors/by-name.ts';
import { Consumer } from '../consumer/consumer.ts';
import type { GroupSettings } from '../consumer/group/consumer-group.ts';
import { build, type ClientParts } from './parts.ts';

/** Makes a consumer from classic settings; it reads what `assign` names, or with `group.id` what `subscribe` brings. @throws KafkaError for a bad setting */
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
    group: config['group.id'] === '' ? null : groupSettings(config),
  });
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
