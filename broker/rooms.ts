import type { Connector } from '../shared/connection/connection.ts';
import type { Clock, Timers } from '../shared/runtime/clock.ts';
import type { Random } from '../shared/runtime/random.ts';
import type { ZooKeeperStore } from '../shared/zookeeper/store.ts';
import type { BrokerConfig } from './config/broker-config.ts';
import type { Controller } from './controller/controller.ts';
import type { GroupCoordinator } from './group/coordinator.ts';
import type { MetadataCache } from './metadata/metadata-cache.ts';
import type { TopicConfigs } from './metadata/topic-configs.ts';
import type { BrokerMetrics } from './metrics/broker-metrics.ts';
import type { ReplicaManager } from './replication/replica-manager.ts';
import type { Security } from './security/security.ts';
import type { LogManager } from './storage/log-manager.ts';
import type { TransactionCoordinator } from './transaction/coordinator.ts';
import type { ProducerIds } from './transaction/producer-ids.ts';

/** The rooms of one broker, built and running: what its APIs are made of. */
export interface BrokerRooms {
  readonly brokerId: number;
  readonly clusterId: string;
  readonly config: BrokerConfig;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly store: ZooKeeperStore;
  readonly metadata: MetadataCache;
  readonly topicConfigs: TopicConfigs;
  /** Reads the settings of those topics that are new here; never rejects. */
  readonly loadNewTopics: (topics: Iterable<string>) => Promise<void>;
  readonly metrics: BrokerMetrics;
  readonly logs: LogManager;
  readonly replicas: ReplicaManager;
  readonly controller: Controller;
  readonly producerIds: ProducerIds;
  readonly groups: GroupCoordinator;
  readonly transactions: TransactionCoordinator;
  /** Connections to other brokers, in versions that the caller names. */
  readonly connector: Connector;
  readonly security: Security;
}
