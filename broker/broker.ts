import type { Logger } from '../shared/runtime/logger.ts';
import { acrossSessions, ZooKeeperStore, type BrokerRegistration } from '../shared/zookeeper/store.ts';
import type { SessionEvent, ZooKeeper } from '../shared/zookeeper/zookeeper.ts';
import { buildRegistry } from './apis.ts';
import { ConfigSync } from './config-sync.ts';
import { cleanerSetup } from './cleaner-setup.ts';
import type { BrokerConfig } from './config/broker-config.ts';
import { Controller } from './controller/controller.ts';
import { exposeGauges } from './gauges.ts';
import type { Readiness } from './http/ports.ts';
import { buildGroupCoordinator } from './group-coordinator.ts';
import { establishIdentity, type Identity } from './identity.ts';
import { leaveCluster } from './leave-cluster.ts';
import { MetadataCache } from './metadata/metadata-cache.ts';
import { TopicConfigs } from './metadata/topic-configs.ts';
import { BrokerMetrics } from './metrics/broker-metrics.ts';
import { buildOwnConnector } from './own-connector.ts';
import type { Door, Platform } from './platform.ts';
import { buildProducerIds } from './producer-ids.ts';
import { registerBroker } from './registration.ts';
import { ReplicaManager } from './replication/replica-manager.ts';
import type { Dispatcher } from './request/handler.ts';
import type { BrokerRooms } from './rooms.ts';
import { Security } from './security/security.ts';
import { DEFAULT_STORAGE_OPTIONS, LogManager } from './storage/log-manager.ts';
import { buildTransactionCoordinator } from './transaction-coordinator.ts';
import { TxnVerification } from './txn-verification.ts';

/** How long connections may take to end by themselves when the broker stops. */
const GRACEFUL_CLOSE_MS = 2_000;
/** Beyond the session's timeout, ZooKeeper may take two of its ticks to notice an expiry. */
const EXPIRY_SLACK_MS = 10_000;

type State = 'starting' | 'running' | 'stopping' | 'stopped';

/**
 * One broker: builds every room, starts them in order, and stops them in the reverse one (Kafka: KafkaServer).
 *
 *   ZooKeeper → identity → settings → logs → ports bound → replicas → registered → controller → requests
 *
 * Recovering large logs, or a machine that is busy, may take longer than the ZooKeeper session lasts: until the broker is
 * registered it only reads, and goes on in the next session; from then on it registers again.
 */
export class Broker {
  readonly #config: BrokerConfig;
  readonly #platform: Platform;
  #logger: Logger;
  #state: State = 'starting';
  #zk: ZooKeeper | null = null;
  #rooms: BrokerRooms | null = null;
  #configSync: ConfigSync | null = null;
  #door: Door | null = null;
  #txnVerification: TxnVerification | null = null;
  #dispatcher: Dispatcher | null = null;
  #registration: BrokerRegistration | null = null;
  #brokerEpoch = -1n;
  #expiryHandled: Promise<void> = Promise.resolve();

  constructor(config: BrokerConfig, logger: Logger, platform: Platform) {
    this.#config = config;
    this.#logger = logger;
    this.#platform = platform;
  }

  /** Resolves when requests are being served. @throws Error naming what is in the way */
  async start(): Promise<void> {
    const { clock, timers, random, fs } = this.#platform;
    const begun = clock.monotonic();
    for (const warning of this.#config.warnings) this.#logger.warn(warning);
    const zkLogger = this.#component('zookeeper');
    const zk = await this.#platform.connectZooKeeper(this.#config, zkLogger);
    this.#zk = zk;
    const store = new ZooKeeperStore(zk, { clock, timers, logger: zkLogger });
    await acrossSessions(() => store.ensurePersistentPaths());
    const identity = await acrossSessions(() => establishIdentity(this.#config, store, fs, random));
    if (this.#config.get('broker.id') < 0) this.#logger = this.#logger.child({ brokerId: identity.brokerId });
    const rooms = await this.#build(identity, store);
    this.#rooms = rooms;
    const door = await this.#openDoor(rooms);
    rooms.replicas.startup();
    rooms.groups.startup();
    rooms.transactions.startup();
    this.#registration = this.#describeSelf(identity.brokerId, door);
    await acrossSessions(() => this.#register(store));
    zk.onSession(event => this.#onSession(event));
    await rooms.controller.startup();
    await this.#configSync!.start();
    door.startProcessing();
    this.#state = 'running';
    const ms = Math.round(clock.monotonic() - begun);
    this.#logger.info({ ms, clusterId: identity.clusterId }, `[KafkaServer id=${identity.brokerId}] started`);
  }

  async #build({ brokerId, clusterId }: Identity, store: ZooKeeperStore): Promise<BrokerRooms> {
    const config = this.#config;
    const { clock, timers, random, failpoints } = this.#platform;
    const seams = { clock, timers, random };
    const topicConfigs = new TopicConfigs(config);
    const configSync = new ConfigSync({
      brokerId,
      store,
      config,
      topicConfigs,
      logger: this.#component('config'),
      onTopicChange: topic => this.#onTopicChange(topic),
    });
    this.#configSync = configSync;
    await acrossSessions(() => configSync.loadBrokerConfig());
    const security = Security.load(config, clock, this.#component('security'));
    await acrossSessions(() => configSync.loadTopicConfigs());
    const metrics = new BrokerMetrics();
    const metadata = new MetadataCache();
    const logs = await this.#openLogs(brokerId, clusterId, topicConfigs, store);
    const connector = this.#platform.brokerConnector(brokerId, config, security.interBroker);
    const connectorForTransactions = buildOwnConnector({
      brokerId,
      clientId: `broker-${brokerId}`,
      config,
      metadata,
      timers,
      dispatcher: () => this.#dispatcher,
      remote: connector,
    });
    this.#txnVerification = new TxnVerification({ config, metadata, connector: connectorForTransactions });
    const replicas = new ReplicaManager({
      brokerId,
      brokerEpoch: () => this.#brokerEpoch,
      config,
      logs,
      metadata,
      connector,
      ...seams,
      logger: this.#component('replication'),
      txnVerifier: this.#txnVerification,
      onReplicatedIn: (topic, bytes, isReassignment) => metrics.topic(topic).replicatedIn(bytes, isReassignment),
    });
    const producerIds = buildProducerIds({
      brokerId,
      brokerEpoch: () => this.#brokerEpoch,
      config,
      metadata,
      connector,
      clock,
      logger: this.#component('transaction'),
    });
    const groups = await acrossSessions(() =>
      buildGroupCoordinator({ config, store, metadata, replicas, ...seams, logger: this.#component('group') }),
    );
    const transactions = await acrossSessions(() =>
      buildTransactionCoordinator({
        config,
        store,
        metadata,
        replicas,
        producerIds,
        connector: connectorForTransactions,
        clock,
        timers,
        logger: this.#component('transaction'),
      }),
    );
    const controller = new Controller({
      brokerId,
      store,
      connector,
      config,
      ...seams,
      logger: this.#component('controller'),
      observer: { eventProcessed: () => {}, uncleanElections: count => metrics.count('uncleanLeaderElections', count) },
      ...(failpoints === undefined ? {} : { failpoints }),
    });
    config.onChange('unclean.leader.election.enable', () => {
      if (config.get('unclean.leader.election.enable')) void controller.uncleanLeaderElectionEnabled();
    });
    config.onAnyChange(() => this.#rooms?.logs.updateAllTopicConfigs());
    return {
      brokerId,
      clusterId,
      config,
      ...seams,
      store,
      metadata,
      topicConfigs,
      loadNewTopics: topics => configSync.loadNewTopics(topics),
      metrics,
      logs,
      replicas,
      controller,
      producerIds,
      groups,
      transactions,
      connector,
      security,
    };
  }

  async #openLogs(
    brokerId: number,
    clusterId: string,
    topicConfigs: TopicConfigs,
    store: ZooKeeperStore,
  ): Promise<LogManager> {
    const config = this.#config;
    const { fs, clock, timers, random } = this.#platform;
    const logs = await LogManager.open({
      fs,
      clock,
      timers,
      random,
      logger: this.#component('storage'),
      directories: config.logDirs,
      options: {
        ...DEFAULT_STORAGE_OPTIONS,
        recoveryThreadsPerDirectory: config.get('num.recovery.threads.per.data.dir'),
        flushCheckIntervalMs: config.get('log.flush.scheduler.interval.ms'),
        recoveryPointCheckpointIntervalMs: config.get('log.flush.offset.checkpoint.interval.ms'),
        logStartCheckpointIntervalMs: config.get('log.flush.start.offset.checkpoint.interval.ms'),
        retentionCheckIntervalMs: config.get('log.retention.check.interval.ms'),
        initialTaskDelayMs: config.get('log.initial.task.delay.ms'),
        fileDeleteDelayMs: config.get('log.segment.delete.delay.ms'),
        producerExpirationMs: () => config.get('producer.id.expiration.ms'),
        producerExpirationCheckIntervalMs: config.get('producer.id.expiration.check.interval.ms'),
      },
      topicConfig: topic => topicConfigs.effective(topic),
      brokerId,
      clusterId,
      onDirectoryFailure: (directory, error) => this.#onDirectoryFailure(brokerId, store, directory, error),
      ...(config.get('log.cleaner.enable') ? { cleaner: cleanerSetup(config, this.#platform) } : {}),
    });
    config.onChange('log.cleaner.threads', () => logs.cleaner?.start());
    return logs;
  }

  async #openDoor(rooms: BrokerRooms): Promise<Door> {
    const dispatcher = buildRegistry(rooms, this.#logger);
    this.#dispatcher = dispatcher;
    exposeGauges(rooms);
    this.#door = await this.#platform.openDoor({
      rooms,
      dispatcher,
      readiness: () => this.#readiness(),
      logger: this.#logger,
    });
    return this.#door;
  }

  /** Ready: registered, and told by the controller who is in the cluster. */
  #readiness(): Readiness {
    if (this.#state !== 'running') return { ready: false, reason: `The broker is ${this.#state}.` };
    const known = this.#rooms!.metadata.isAlive(this.#rooms!.brokerId);
    return known
      ? { ready: true, reason: '' }
      : { ready: false, reason: 'The controller has not taken notice of this broker yet.' };
  }

  #describeSelf(brokerId: number, door: Door): BrokerRegistration {
    const { advertised } = this.#config.listeners;
    return {
      id: brokerId,
      endpoints: advertised.map(({ name, securityProtocol, host, port }) => ({
        listenerName: name,
        securityProtocol,
        host,
        port: port === 0 ? door.boundPorts.get(name)! : port,
      })),
      rack: this.#config.get('broker.rack'),
      jmxPort: -1,
      timestampMs: this.#platform.clock.now(),
    };
  }

  async #register(store: ZooKeeperStore): Promise<void> {
    this.#brokerEpoch = await registerBroker(this.#registration!, {
      store,
      clock: this.#platform.clock,
      timers: this.#platform.timers,
      logger: this.#logger,
      patienceMs: this.#config.get('zookeeper.session.timeout.ms') + EXPIRY_SLACK_MS,
    });
  }

  /** An expired session took the registration with it, and the controllership: a new session gets both anew. */
  #onSession(event: SessionEvent): void {
    const rooms = this.#rooms;
    if (rooms === null || this.#state === 'stopping' || this.#state === 'stopped') return;
    if (event === 'expired') {
      this.#logger.warn('the ZooKeeper session expired; this broker registers again in a new one');
      rooms.metrics.count('zooKeeperExpires');
      this.#expiryHandled = rooms.controller.handleSessionExpired();
    } else if (event === 'connected') {
      void this.#rejoin(rooms);
    }
  }

  async #rejoin(rooms: BrokerRooms): Promise<void> {
    try {
      await this.#expiryHandled;
      await this.#register(rooms.store);
      await rooms.controller.handleNewSession();
      this.#logger.info('this broker has registered again');
    } catch (error) {
      // If the session expired once more meanwhile, its successor's 'connected' starts this again.
      this.#logger.error({ err: error }, 'could not register again');
    }
  }

  #onDirectoryFailure(brokerId: number, store: ZooKeeperStore, directory: string, error: Error): void {
    this.#logger.error({ err: error, directory }, 'a log directory failed and is offline until the next start');
    const rooms = this.#rooms;
    if (rooms === null) return;
    rooms.replicas.handleDirectoryFailure(directory);
    if (rooms.logs.offlineDirectories.length === rooms.config.logDirs.length) {
      this.#logger.fatal('all log directories have failed: this broker halts');
      this.#platform.halt();
      return;
    }
    store.logDirEvents.add(brokerId).catch((cause: unknown) => {
      this.#logger.error({ err: cause }, 'could not tell the controller of the failed log directory');
    });
  }

  #onTopicChange(topic: string): void {
    const rooms = this.#rooms;
    if (rooms === null) return;
    rooms.logs.updateTopicConfig(topic);
    if (rooms.topicConfigs.effective(topic)['unclean.leader.election.enable'])
      void rooms.controller.uncleanLeaderElectionEnabled(topic);
  }

  /** Leaves the cluster in order: leaderships first, then connections, logs and the ZooKeeper session. */
  async shutdown(): Promise<void> {
    const rooms = this.#rooms;
    const wasRunning = this.#state === 'running';
    this.#state = 'stopping';
    if (rooms !== null && wasRunning) {
      const { brokerId, config, metadata, timers, connector } = rooms;
      await leaveCluster({
        brokerId,
        brokerEpoch: this.#brokerEpoch,
        config,
        metadata,
        connector,
        timers,
        logger: this.#logger,
      });
    }
    await this.#release();
    this.#state = 'stopped';
    this.#logger.info(`[KafkaServer id=${rooms?.brokerId ?? this.#config.get('broker.id')}] shut down completed`);
  }

  /** Gives up a start that failed: releases what was taken. */
  async abandon(): Promise<void> {
    this.#state = 'stopping';
    await this.#release().catch((error: unknown) => this.#logger.error({ err: error }, 'could not release everything'));
  }

  async #release(): Promise<void> {
    this.#configSync?.close();
    this.#rooms?.groups.shutdown();
    this.#rooms?.transactions.shutdown();
    this.#txnVerification?.close();
    await this.#door?.close(GRACEFUL_CLOSE_MS);
    this.#rooms?.producerIds.close();
    await this.#rooms?.replicas.shutdown();
    await this.#rooms?.logs.shutdown();
    await this.#rooms?.controller.shutdown();
    await this.#zk?.close();
  }

  #component(component: string): Logger {
    return this.#logger.child({ component });
  }
}
