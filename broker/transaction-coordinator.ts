import { ConnectionError, type Connector } from '../shared/connection/connection.ts';
import { WriteTxnMarkers } from '../shared/protocol/messages/write-txn-markers.ts';
import type { Clock, Timers } from '../shared/runtime/clock.ts';
import type { Logger } from '../shared/runtime/logger.ts';
import { TRANSACTION_STATE_TOPIC } from '../shared/topics/names.ts';
import type { ZooKeeperStore } from '../shared/zookeeper/store.ts';
import { BrokerLinks } from './broker-links.ts';
import { openLedLog } from './coordinator-logs.ts';
import type { BrokerConfig } from './config/broker-config.ts';
import type { MetadataCache } from './metadata/metadata-cache.ts';
import type { ReplicaManager } from './replication/replica-manager.ts';
import { TransactionCoordinator } from './transaction/coordinator.ts';
import type { LogWriter, MarkerSender, TransactionSettings } from './transaction/ports.ts';
import type { ProducerIds } from './transaction/producer-ids.ts';

export interface TransactionCoordinatorSurroundings {
  readonly config: BrokerConfig;
  readonly store: ZooKeeperStore;
  readonly metadata: MetadataCache;
  readonly replicas: ReplicaManager;
  readonly producerIds: ProducerIds;
  readonly connector: Connector;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** The version of WriteTxnMarkers spoken: that of inter.broker.protocol.version 3.9. */
const MARKERS_VERSION = 1;
const ALL_REPLICAS = -1;

/**
 * The coordinator of transactions, over the replicas of `__transaction_state`. How many partitions those have is read
 * once: the count decides where a transactional id is, and must never change.
 */
export async function buildTransactionCoordinator(
  surroundings: TransactionCoordinatorSurroundings,
): Promise<TransactionCoordinator> {
  const { config, store, replicas, producerIds, clock, timers, logger } = surroundings;
  const existing = await store.topics.get(TRANSACTION_STATE_TOPIC);
  const transactions = new TransactionCoordinator({
    partitionCount: existing?.partitions.size ?? config.get('transaction.state.log.num.partitions'),
    settings: () => settingsOf(config),
    producerIds,
    writer: writerTo(replicas),
    reader: { open: partition => openLedLog(replicas, TRANSACTION_STATE_TOPIC, partition) },
    markers: markersThrough(surroundings),
    clock,
    timers,
    logger,
  });
  replicas.onLeadershipChange(({ gained, lost }) => {
    for (const { topic, partition } of lost) if (topic === TRANSACTION_STATE_TOPIC) transactions.resign(partition);
    for (const { topic, partition } of gained)
      if (topic === TRANSACTION_STATE_TOPIC) void transactions.elect(partition);
  });
  return transactions;
}

function settingsOf(config: BrokerConfig): TransactionSettings {
  return {
    maxTimeoutMs: config.get('transaction.max.timeout.ms'),
    timeoutCheckIntervalMs: config.get('transaction.abort.timed.out.transaction.cleanup.interval.ms'),
    idExpirationMs: config.get('transactional.id.expiration.ms'),
    expiryCheckIntervalMs: config.get('transaction.remove.expired.transaction.cleanup.interval.ms'),
    loadBufferSize: config.get('transaction.state.log.load.buffer.size'),
    requestTimeoutMs: config.get('request.timeout.ms'),
  };
}

function writerTo(replicas: ReplicaManager): LogWriter {
  return {
    async append(partition, batch, timeoutMs) {
      const [result] = await replicas.append(
        {
          acks: ALL_REPLICAS,
          timeoutMs,
          entries: [{ topic: TRANSACTION_STATE_TOPIC, partition, records: batch }],
          legacyMagicAllowed: false,
          origin: 'coordinator',
        },
        () => {},
      );
      return result!.errorCode;
    },
  };
}

function markersThrough({ config, metadata, connector }: TransactionCoordinatorSurroundings): MarkerSender {
  const links = new BrokerLinks(metadata, connector, config.listeners.interBroker);
  const timeoutMs = config.get('request.timeout.ms');
  return {
    leaderOf(topic, partition) {
      const known = metadata.partition(topic, partition);
      if (known !== null) return metadata.isAlive(known.leader) ? known.leader : null;
      // Before this broker has been told of the cluster, nothing is there, and nothing has been deleted.
      return metadata.hasTopic(TRANSACTION_STATE_TOPIC) ? 'deleted' : null;
    },
    async send(brokerId, markers) {
      const connection = await links.connect(brokerId);
      const response = await connection.call(WriteTxnMarkers, { markers }, { version: MARKERS_VERSION, timeoutMs });
      if (response === undefined) throw new ConnectionError('BAD_RESPONSE', `${connection.peer} did not answer`);
      return response.markers;
    },
    close: () => links.close(),
  };
}
