import type { Connector } from '../../shared/connection/connection.ts';
import type { Clock, Timers } from '../../shared/runtime/clock.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import type { Random } from '../../shared/runtime/random.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import type { MetadataCache } from '../metadata/metadata-cache.ts';
import type { LogManager } from '../storage/log-manager.ts';
import { ControllerLink } from './controller-link.ts';
import { DirectoryMoves, type DirectoryMovesOptions } from './directory-moves.ts';
import type { ChooseReadReplica } from './fetch.ts';
import { FetcherManager } from './fetcher-manager.ts';
import type { HostedPartitions } from './hosted-partitions.ts';
import { IsrManager } from './isr-manager.ts';
import { readReplicaChoice, REPLICA_SELECTORS } from './replica-selector.ts';
import { ReplicationQuota } from './replication-quota.ts';
import { ReplicationThrottle } from './replication-throttle.ts';
import { TransactionVerification } from './transaction-verification.ts';
import type { TxnVerifier } from './txn-verifier.ts';

/** What a ReplicaManager needs from its surroundings. */
export interface ReplicaManagerOptions {
  readonly brokerId: number;
  /** The epoch under which this broker is registered; -1n before it is. */
  readonly brokerEpoch: () => bigint;
  readonly config: BrokerConfig;
  readonly metadata: MetadataCache;
  readonly logs: LogManager;
  /** For connections to leaders and to the controller: every call names its version. */
  readonly connector: Connector;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  /** Without it, transactional produces are taken on trust. */
  readonly txnVerifier?: TxnVerifier;
  /** Told of what this broker's followers have appended. */
  readonly onReplicatedIn?: (topic: string, bytes: number, isReassignment: boolean) => void;
}

export function createIsrManager(options: ReplicaManagerOptions): IsrManager {
  const { brokerId, brokerEpoch, config, metadata, connector, timers, logger } = options;
  const timeoutMs = config.get('controller.socket.timeout.ms');
  const channel = new ControllerLink(metadata, connector, config.listeners.interBroker, timeoutMs);
  return new IsrManager({ brokerId, brokerEpoch, channel, timers, logger });
}

export function createFetchers(options: ReplicaManagerOptions): FetcherManager {
  const { brokerId, brokerEpoch, config, metadata, connector, timers, logger, onReplicatedIn } = options;
  return new FetcherManager({
    brokerId,
    brokerEpoch,
    metadata,
    connector,
    listenerName: config.listeners.interBroker,
    fetchersPerLeader: () => config.get('num.replica.fetchers'),
    timeoutMs: config.get('replica.socket.timeout.ms'),
    settings: {
      maxWaitMs: config.get('replica.fetch.wait.max.ms'),
      minBytes: config.get('replica.fetch.min.bytes'),
      maxBytes: config.get('replica.fetch.response.max.bytes'),
      maxPartitionBytes: config.get('replica.fetch.max.bytes'),
      backOffMs: config.get('replica.fetch.backoff.ms'),
    },
    throttle: createThrottle('follower', options),
    timers,
    logger,
    onReplicatedIn: onReplicatedIn ?? (() => {}),
  });
}

export function createVerification(
  partitions: HostedPartitions,
  { txnVerifier, config }: ReplicaManagerOptions,
): TransactionVerification | null {
  if (txnVerifier === undefined) return null;
  const isEnabled = () => config.get('transaction.partition.verification.enable');
  return new TransactionVerification(partitions, txnVerifier, isEnabled);
}

/** From which replica a consumer should read, as `replica.selector.class` has it. */
export function createReadReplicaChoice(options: ReplicaManagerOptions): ChooseReadReplica {
  const { brokerId, config, metadata, clock } = options;
  const className = config.get('replica.selector.class') as keyof typeof REPLICA_SELECTORS | null;
  if (className === null) return () => null;
  return readReplicaChoice(REPLICA_SELECTORS[className], { brokerId, metadata, clock });
}

export function createMoves(options: ReplicaManagerOptions, finish: DirectoryMovesOptions['finish']): DirectoryMoves {
  const { config, clock, timers, logger } = options;
  return new DirectoryMoves({
    concurrency: config.get('num.replica.alter.log.dirs.threads') ?? config.logDirs.length,
    maxBytes: config.get('replica.fetch.max.bytes'),
    bytesPerSecond: () => config.get('replica.alter.log.dirs.io.max.bytes.per.second'),
    finish,
    clock,
    timers,
    logger,
  });
}

/** The throttle of replication that this broker sends as a leader, or reads as a follower (KIP-73). */
export function createThrottle(
  role: 'leader' | 'follower',
  { brokerId, config, clock }: ReplicaManagerOptions,
): ReplicationThrottle {
  const window = {
    samples: config.get('replication.quota.window.num'),
    sampleMs: config.get('replication.quota.window.size.seconds') * 1000,
  };
  const quota = new ReplicationQuota(clock, window, () => config.get(`${role}.replication.throttled.rate`));
  return new ReplicationThrottle(quota, `${role}.replication.throttled.replicas`, brokerId);
}
