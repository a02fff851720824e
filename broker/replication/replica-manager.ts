import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { Timer } from '../../shared/runtime/clock.ts';
import type { TopicPartition } from '../../shared/topics/topic-partition.ts';
import { DelayedOperations } from '../delayed/delayed-operations.ts';
import type { PartitionLog } from '../storage/partition-log.ts';
import type { ProducerEntry } from '../storage/producer-entry.ts';
import type { AppendRequest } from './append-request.ts';
import { Appender, type AppendResult } from './append.ts';
import type {
  LeaderAndIsrRequest,
  LeaderAndIsrResponse,
  StopReplicaRequest,
  StopReplicaResponse,
} from './control-requests.ts';
import { ControllerEpochs } from './controller-epochs.ts';
import type { DirectoryMoves } from './directory-moves.ts';
import { FetchReader, type FetchParams } from './fetch.ts';
import { FetchSessionCache } from './fetch-session-cache.ts';
import { FetchSessions } from './fetch-sessions.ts';
import type { FetchedPartition, FetchView } from './fetch-target.ts';
import type { FetcherManager } from './fetcher-manager.ts';
import { HostedPartitions } from './hosted-partitions.ts';
import type { IsrManager } from './isr-manager.ts';
import type { IsrChange, PartitionSurroundings } from './leadership.ts';
import { Offsets, type FoundEpochEnd, type FoundOffset, type OffsetQuery } from './offsets.ts';
import {
  LogDirChanges,
  type DescribedDirectory,
  type DirectoryOrder,
  type DirectoryOutcome,
} from './log-dir-changes.ts';
import { Partition } from './partition.ts';
import { RecordDeletion, type DeletionEntry, type DeletionResult } from './record-deletion.ts';
import { gatherStatistics, type ReplicationStatistics } from './replication-statistics.ts';
import {
  createFetchers,
  createIsrManager,
  createMoves,
  createReadReplicaChoice,
  createThrottle,
  createVerification,
  type ReplicaManagerOptions,
} from './replica-manager-parts.ts';
import { RoleChanges, type LeadershipChange } from './role-changes.ts';
import { WaitingFetches } from './waiting-fetches.ts';

/**
 * The replicas of this broker: the entrance to replication for the API handlers (Kafka: `ReplicaManager`). What it does
 * itself is to bring its parts together:
 *
 *     LeaderAndIsr, StopReplica ─→ RoleChanges ─→ Partition, FetcherManager, LogManager
 *     Produce ─→ Appender ─→ Partition ─→ log            high watermark moves ─→ waiting produces
 *     Fetch ─→ FetchSessions ─→ WaitingFetches ─→ log    anything readable changes ─→ waiting fetches
 *     DeleteRecords ─→ RecordDeletion ─→ Partition       a follower's log start moves ─→ waiting deletions
 *     Partition ─→ IsrManager ─→ controller
 */
export class ReplicaManager {
  /** Fencing of control requests; UpdateMetadata shares it. */
  readonly epochs: ControllerEpochs;
  readonly fetchSessions: FetchSessions;
  readonly #options: ReplicaManagerOptions;
  readonly #partitions: HostedPartitions;
  readonly #surroundings: PartitionSurroundings;
  readonly #isrManager: IsrManager;
  readonly #fetchers: FetcherManager;
  readonly #roles: RoleChanges;
  readonly #moves: DirectoryMoves;
  readonly #logDirs: LogDirChanges;
  readonly #produces: DelayedOperations;
  readonly #fetches: WaitingFetches;
  readonly #deletions: DelayedOperations;
  readonly #sessionCache: FetchSessionCache;
  readonly #appender: Appender;
  readonly #recordDeletion: RecordDeletion;
  readonly #offsets: Offsets;
  readonly #leadershipListeners: ((change: LeadershipChange) => void)[] = [];
  readonly #isrChanges: Record<IsrChange, number> = { shrunk: 0, expanded: 0, failed: 0 };
  #alive: ReadonlySet<number> = new Set();
  #reviews: Timer | null = null;
  #checkpoints: Timer | null = null;

  constructor(options: ReplicaManagerOptions) {
    const { brokerId, brokerEpoch, config, metadata, logs, clock, timers, random, logger } = options;
    this.#options = options;
    this.#partitions = new HostedPartitions(metadata);
    this.#produces = new DelayedOperations(timers);
    this.#deletions = new DelayedOperations(timers);
    const verification = createVerification(this.#partitions, options);
    this.#appender = new Appender(this.#partitions, this.#produces, verification, logger);
    this.#recordDeletion = new RecordDeletion(this.#partitions, this.#deletions, logger);
    const throttle = createThrottle('leader', options);
    const reader = new FetchReader(this.#partitions, clock, throttle, createReadReplicaChoice(options));
    this.#fetches = new WaitingFetches(reader, timers);
    this.#offsets = new Offsets(this.#partitions);
    this.#sessionCache = new FetchSessionCache(config.get('max.incremental.fetch.session.cache.slots'), random);
    const sessionSurroundings = { partitions: this.#partitions, wake: (key: string) => this.#fetches.wake(key) };
    this.fetchSessions = new FetchSessions(this.#sessionCache, sessionSurroundings, clock);
    this.epochs = new ControllerEpochs(brokerEpoch);
    this.#isrManager = createIsrManager(options);
    this.#surroundings = {
      brokerId,
      clock,
      proposals: this.#isrManager,
      maxLagMs: () => config.get('replica.lag.time.max.ms'),
      isAlive: id => metadata.isAlive(id),
    };
    this.#fetchers = createFetchers(options);
    this.#moves = createMoves(options, move => this.#logDirs.finish(move));
    this.#roles = new RoleChanges({
      brokerId,
      partitions: this.#partitions,
      createPartition: (topic, partition) => this.#createPartition(topic, partition),
      fetchers: this.#fetchers,
      cancelMoves: keys => this.#moves.cancel(keys),
      logs,
      metadata,
      epochs: this.epochs,
      onChange: change => this.#leadershipChanged(change),
      clock,
      timers,
      logger,
    });
    this.#logDirs = new LogDirChanges({
      partitions: this.#partitions,
      logs,
      moves: this.#moves,
      fetchers: this.#fetchers,
      inOrder: action => this.#roles.inOrder(action),
      logger,
    });
    metadata.onChange(() => this.#metadataChanged());
    config.onChange('num.replica.fetchers', () => void this.#roles.inOrder(() => this.#fetchers.resize()));
  }

  #createPartition(topic: string, partition: number): Partition {
    return new Partition(topic, partition, this.#surroundings, {
      readable: ({ key }) => this.#fetches.wake(key),
      committed: ({ key }) => this.#produces.check(key),
      deleted: ({ key }) => this.#deletions.check(key),
      isrChange: (changed, what) => this.#isrChanged(changed, what),
    });
  }

  // --- life --------------------------------------------------------------------------------------------------------

  /** Begins to look after the ISRs. */
  startup(): void {
    const periodMs = Math.max(1, this.#options.config.get('replica.lag.time.max.ms') / 2);
    this.#reviews = this.#options.timers.every(periodMs, () => this.#review());
  }

  /** Stops following and answering, and writes the high watermarks down. The logs are closed by their manager. */
  async shutdown(): Promise<void> {
    this.#reviews?.cancel();
    this.#checkpoints?.cancel();
    this.#isrManager.shutdown();
    await this.#moves.shutdown();
    await this.#roles.inOrder(() => this.#fetchers.shutdown());
    this.#produces.cancelAll();
    this.#fetches.cancelAll();
    this.#deletions.cancelAll();
    await this.#options.logs.checkpointHighWatermarks();
  }

  #review(): void {
    for (const partition of this.#partitions.all()) partition.review();
  }

  /** A follower that is dead, and not in the ISR, holds no high watermark back; if it is dead, no deletion waits for it. */
  #metadataChanged(): void {
    const alive = new Set(this.#options.metadata.aliveBrokers().map(({ id }) => id));
    const hasLost = [...this.#alive].some(id => !alive.has(id));
    this.#alive = alive;
    if (!hasLost) return;
    for (const { key, leadership } of this.#partitions.all()) {
      leadership?.reviewHighWatermark();
      this.#deletions.check(key);
    }
  }

  // --- controller --------------------------------------------------------------------------------------------------

  /** @param version of the request, on which the answer's layout depends */
  async applyLeaderAndIsr(request: LeaderAndIsrRequest, version: number): Promise<LeaderAndIsrResponse> {
    this.#startCheckpoints();
    const response = await this.#roles.leaderAndIsr(request, version);
    this.#logDirs.resume();
    return response;
  }

  /** The answer's layout is the same in all versions. */
  stopReplicas(request: StopReplicaRequest): Promise<StopReplicaResponse> {
    return this.#roles.stopReplicas(request);
  }

  /** Only from the first LeaderAndIsr on, because until then it is not known what belongs into the checkpoints. */
  #startCheckpoints(): void {
    const { config, timers, logs, logger } = this.#options;
    this.#checkpoints ??= timers.every(config.get('replica.high.watermark.checkpoint.interval.ms'), () => {
      logs.checkpointHighWatermarks().catch((error: unknown) => {
        logger.warn({ err: error }, 'the high watermarks could not be written down');
      });
    });
  }

  /** Calls back after each request or failure that changed leaderships, in order of registration. */
  onLeadershipChange(listener: (change: LeadershipChange) => void): void {
    this.#leadershipListeners.push(listener);
  }

  #leadershipChanged(change: LeadershipChange): void {
    for (const listener of this.#leadershipListeners) listener(change);
  }

  /** A log directory has failed: its partitions are offline until the broker is restarted. */
  handleDirectoryFailure(directory: string): void {
    const lost: Partition[] = [];
    for (const partition of this.#partitions.all()) if (partition.log?.directory === directory) lost.push(partition);
    for (const partition of lost) partition.goOffline();
    this.#options.logger.error(
      { directory, partitions: lost.length },
      'partitions are offline with their log directory',
    );
    void this.#fetchers.remove(lost);
    this.#moves.cancelIn(directory);
    this.#leadershipChanged({ gained: [], lost });
  }

  #isrChanged({ topic, partition, leadership }: Partition, what: IsrChange): void {
    this.#isrChanges[what] += 1;
    const isr = [...(leadership?.isrState.isr ?? [])];
    if (what === 'failed') this.#options.logger.warn({ topic, partition, isr }, 'the controller refused an ISR change');
    else this.#options.logger.info({ topic, partition, isr }, `the ISR has ${what}`);
  }

  // --- log directories ---------------------------------------------------------------------------------------------

  /** Moves replicas to other log directories of this broker; see `LogDirChanges.alter`. */
  alterLogDirs(orders: readonly DirectoryOrder[]): Promise<DirectoryOutcome[]> {
    return this.#logDirs.alter(orders);
  }

  /** The log directories of this broker; of their logs those that `isWanted`. */
  describeLogDirs(isWanted: (tp: TopicPartition) => boolean): Promise<DescribedDirectory[]> {
    return this.#logDirs.describe(isWanted);
  }

  // --- records -----------------------------------------------------------------------------------------------------

  /**
   * Appends to partitions led here; see `Appender.append`.
   * @param onParked called when the records have got their places in the logs
   */
  append(request: AppendRequest, onParked: () => void): Promise<AppendResult[]> {
    return this.#appender.append(request, onParked);
  }

  /** Deletes records of partitions led here; see `RecordDeletion.delete`. */
  deleteRecords(entries: readonly DeletionEntry[], timeoutMs: number): Promise<DeletionResult[]> {
    return this.#recordDeletion.delete(entries, timeoutMs);
  }

  /**
   * Reads partitions, waiting for `minBytes` if there is nothing to tell at once.
   * @param view what to read: `FetchContext.view`, or `listView(…)`
   * @param onParked called when the fetch has to wait
   */
  fetch(params: FetchParams, view: FetchView, onParked: () => void): Promise<FetchedPartition[]> {
    return this.#fetches.fetch(params, view, onParked);
  }

  /** Looks up an offset by timestamp (milliseconds, or -1 latest, -2 earliest, -3 that of the largest timestamp, …). */
  listOffset(topic: string, partition: number, timestamp: number, query: OffsetQuery): Promise<FoundOffset> {
    return this.#offsets.find(topic, partition, timestamp, query);
  }

  /** Where a leader epoch ends in the log of a partition led here. */
  offsetForLeaderEpoch(
    topic: string,
    partition: number,
    currentLeaderEpoch: number,
    leaderEpoch: number,
  ): FoundEpochEnd {
    return this.#offsets.epochEnd(topic, partition, currentLeaderEpoch, leaderEpoch);
  }

  /** The log of a partition led here, for coordinators to read; null where this broker does not lead. */
  logLedHere(topic: string, partition: number): PartitionLog | null {
    const found = this.#partitions.get(topic, partition);
    return found?.isLeader === true ? found.log : null;
  }

  /** Whether there is a replica here that can be used, whatever its role. */
  hasLog(topic: string, partition: number): boolean {
    return (this.#partitions.get(topic, partition)?.log ?? null) !== null;
  }

  /** The producers known to a replica here, whatever its role, or why there is none. */
  activeProducers(topic: string, partition: number): Iterable<ProducerEntry> | ErrorCode {
    const found = this.#partitions.find(topic, partition);
    if (typeof found === 'number') return found;
    if (found.isOffline) return ErrorCode.KAFKA_STORAGE_ERROR;
    return found.log?.activeProducers() ?? ErrorCode.NOT_LEADER_OR_FOLLOWER;
  }

  // --- statistics --------------------------------------------------------------------------------------------------

  /** The partitions that this broker leads. */
  partitionsLedHere(): TopicPartition[] {
    const led: TopicPartition[] = [];
    for (const { topic, partition, isLeader } of this.#partitions.all()) if (isLeader) led.push({ topic, partition });
    return led;
  }

  /** Walks over all partitions: for metrics, now and then. */
  statistics(): ReplicationStatistics {
    const { clock, config } = this.#options;
    return {
      ...gatherStatistics(this.#partitions.all(), clock.now(), config.get('transaction.max.timeout.ms')),
      isrShrinks: this.#isrChanges.shrunk,
      isrExpands: this.#isrChanges.expanded,
      failedIsrUpdates: this.#isrChanges.failed,
      failedPartitions: this.#fetchers.failedCount,
      fetchers: this.#fetchers.fetcherCount,
      fetchSessions: this.#sessionCache.size,
      waitingProduces: this.#produces.size,
      waitingFetches: this.#fetches.size,
    };
  }
}
