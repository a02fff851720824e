import type { CodecId } from '../shared/records/compression.ts';
import type { Clock, Timers } from '../shared/runtime/clock.ts';
import type { Logger } from '../shared/runtime/logger.ts';
import type { Random } from '../shared/runtime/random.ts';
import { CONSUMER_OFFSETS_TOPIC } from '../shared/topics/names.ts';
import type { ZooKeeperStore } from '../shared/zookeeper/store.ts';
import { openLedLog } from './coordinator-logs.ts';
import type { BrokerConfig } from './config/broker-config.ts';
import { GroupCoordinator } from './group/coordinator.ts';
import type { GroupSettings, LogWriter } from './group/ports.ts';
import type { MetadataCache } from './metadata/metadata-cache.ts';
import type { ReplicaManager } from './replication/replica-manager.ts';

export interface GroupCoordinatorSurroundings {
  readonly config: BrokerConfig;
  readonly store: ZooKeeperStore;
  readonly metadata: MetadataCache;
  readonly replicas: ReplicaManager;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * The coordinator of groups, over the replicas of `__consumer_offsets`. How many partitions those have is read once: the
 * count decides where a group is, and must never change.
 */
export async function buildGroupCoordinator(surroundings: GroupCoordinatorSurroundings): Promise<GroupCoordinator> {
  const { config, store, metadata, replicas, clock, timers, random, logger } = surroundings;
  const existing = await store.topics.get(CONSUMER_OFFSETS_TOPIC);
  const groups = new GroupCoordinator({
    partitionCount: existing?.partitions.size ?? config.get('offsets.topic.num.partitions'),
    settings: () => settingsOf(config),
    writer: writerTo(replicas, config),
    reader: { open: partition => openLedLog(replicas, CONSUMER_OFFSETS_TOPIC, partition) },
    clock,
    timers,
    random,
    logger,
  });
  replicas.onLeadershipChange(({ gained, lost }) => {
    for (const { topic, partition } of lost) if (topic === CONSUMER_OFFSETS_TOPIC) groups.resign(partition);
    for (const { topic, partition } of gained) if (topic === CONSUMER_OFFSETS_TOPIC) void groups.elect(partition);
  });
  metadata.onChange(({ removed }) => {
    if (removed.length > 0) groups.partitionsDeleted(removed);
  });
  return groups;
}

function settingsOf(config: BrokerConfig): GroupSettings {
  return {
    minSessionTimeoutMs: config.get('group.min.session.timeout.ms'),
    maxSessionTimeoutMs: config.get('group.max.session.timeout.ms'),
    initialRebalanceDelayMs: config.get('group.initial.rebalance.delay.ms'),
    maxSize: config.get('group.max.size'),
    maxMetadataLength: config.get('offset.metadata.max.bytes'),
    loadBufferSize: config.get('offsets.load.buffer.size'),
    compression: config.get('offsets.topic.compression.codec') as CodecId,
    retentionMs: config.get('offsets.retention.minutes') * 60_000,
    retentionCheckIntervalMs: config.get('offsets.retention.check.interval.ms'),
    commitAcks: config.get('offsets.commit.required.acks'),
  };
}

function writerTo(replicas: ReplicaManager, config: BrokerConfig): LogWriter {
  return {
    async append(partition, batch, acks, transaction) {
      const [result] = await replicas.append(
        {
          acks,
          timeoutMs: config.get('offsets.commit.timeout.ms'),
          entries: [{ topic: CONSUMER_OFFSETS_TOPIC, partition, records: batch }],
          legacyMagicAllowed: false,
          origin: 'coordinator',
          ...(transaction && { transaction }),
        },
        () => {},
      );
      return result!;
    },
  };
}
