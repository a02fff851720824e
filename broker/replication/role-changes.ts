import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { Clock, Timers } from '../../shared/runtime/clock.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import { TurnTaking } from '../../shared/runtime/turn-taking.ts';
import { partitionKey, type TopicPartition } from '../../shared/topics/topic-partition.ts';
import type { MetadataCache } from '../metadata/metadata-cache.ts';
import type { LogManager } from '../storage/log-manager.ts';
import type { PartitionLog } from '../storage/partition-log.ts';
import {
  answerOrders,
  ordersOf,
  stopOrdersOf,
  type LeaderAndIsrRequest,
  type LeaderAndIsrResponse,
  type OrderOutcome,
  type PartitionOrder,
  type StopOrder,
  type StopReplicaRequest,
  type StopReplicaResponse,
} from './control-requests.ts';
import type { ControllerEpochs } from './controller-epochs.ts';
import { clientError, ReplicationError } from './errors.ts';
import type { FetcherManager, FollowingOf } from './fetcher-manager.ts';
import type { HostedPartitions } from './hosted-partitions.ts';
import type { Partition } from './partition.ts';

/** Leaderships that a request, or a failure, changed. */
export interface LeadershipChange {
  /** Led here from now on, and not before. */
  readonly gained: readonly TopicPartition[];
  /** Not led here any more, or from the start. */
  readonly lost: readonly TopicPartition[];
}

export interface RoleChangesOptions {
  readonly brokerId: number;
  readonly partitions: HostedPartitions;
  /** Makes a partition that is not hosted yet; it is not to be entered there. */
  readonly createPartition: (topic: string, partition: number) => Partition;
  readonly fetchers: FetcherManager;
  /** Ends moves between log directories; resolves when nothing is being done to their logs any more. */
  readonly cancelMoves: (keys: Iterable<string>) => Promise<void>;
  readonly logs: LogManager;
  readonly metadata: MetadataCache;
  readonly epochs: ControllerEpochs;
  readonly onChange: (change: LeadershipChange) => void;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** An order that will be carried out. */
interface Accepted {
  readonly order: PartitionOrder;
  readonly partition: Partition;
}

/** `host`: it can neither lead nor follow, and has the log all the same. */
type Role = 'lead' | 'follow' | 'host';

/** What clients wait for comes first. */
const RANKS: Readonly<Record<Role, number>> = { lead: 0, follow: 1, host: 2 };
const ORDERED_BY_DELETION = -2;
const EPOCH_NOT_TOLD = -1;

/**
 * Carries out what the controller orders by LeaderAndIsr and StopReplica, one request after the other (Kafka:
 * `ReplicaManager.becomeLeaderOrFollower`, `stopReplicas`). A role changes only when nothing is being done to the log:
 *
 *     check epochs ─→ stop fetching ─→ hold appends ─┬→ new role ─→ release appends ─┬→ fetch from new leaders
 *                                                    └───── one partition a time ◀───┘
 *
 * A request may be about thousands of partitions whose files have to be made, so all others get their turns in between.
 */
export class RoleChanges {
  readonly #options: RoleChangesOptions;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: RoleChangesOptions) {
    this.#options = options;
  }

  leaderAndIsr(request: LeaderAndIsrRequest, version: number): Promise<LeaderAndIsrResponse> {
    return this.inOrder(async () => {
      const errorCode = this.#options.epochs.check(request);
      if (errorCode !== ErrorCode.NONE) return { errorCode };
      return answerOrders(await this.#apply(ordersOf(request)), version);
    });
  }

  stopReplicas(request: StopReplicaRequest): Promise<StopReplicaResponse> {
    return this.inOrder(async () => {
      const errorCode = this.#options.epochs.check(request);
      if (errorCode !== ErrorCode.NONE) return { errorCode, partitionErrors: [] };
      const partitionErrors = await this.#stopAll(stopOrdersOf(request));
      await this.#options.fetchers.stopIdle();
      return { errorCode: ErrorCode.NONE, partitionErrors };
    });
  }

  /** Runs `action` when what came before is done, whether that went well or not. */
  inOrder<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#last.then(action);
    this.#last = result.catch(() => {});
    return result;
  }

  // --- LeaderAndIsr ------------------------------------------------------------------------------------------------

  async #apply(orders: readonly PartitionOrder[]): Promise<OrderOutcome[]> {
    const refusals = new Map<PartitionOrder, ErrorCode>();
    const accepted: Accepted[] = [];
    const named = new Set<string>();
    for (const order of orders) {
      const key = partitionKey(order.topic, order.partition);
      const checked = named.has(key) ? ErrorCode.INVALID_REQUEST : this.#check(order);
      named.add(key);
      if (typeof checked === 'number') refusals.set(order, checked);
      else accepted.push({ order, partition: checked });
    }
    await this.#changeRoles(accepted, refusals);
    return orders.map(order => ({ order, errorCode: refusals.get(order) ?? ErrorCode.NONE }));
  }

  /** The partition, if the order is to be carried out; else the answer, which may be NONE. */
  #check(order: PartitionOrder): Partition | ErrorCode {
    const { topic, partition, topicId, leaderEpoch, partitionEpoch } = order;
    const hosted = this.#options.partitions.get(topic, partition) ?? this.#options.createPartition(topic, partition);
    if (hosted.isOffline) return ErrorCode.KAFKA_STORAGE_ERROR;
    const log = hosted.log ?? this.#options.logs.getLog(topic, partition);
    const logTopicId = log?.topicId ?? null;
    if (topicId !== null && logTopicId !== null && topicId !== logTopicId) return ErrorCode.INCONSISTENT_TOPIC_ID;
    if (leaderEpoch === hosted.leaderEpoch && topicId !== null && logTopicId === null && log !== undefined) {
      return this.#attempt(order, () => log.ensureTopicId(topicId));
    }
    if (leaderEpoch <= hosted.leaderEpoch) return ErrorCode.STALE_CONTROLLER_EPOCH;
    if (!order.replicas.includes(this.#options.brokerId)) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    return partitionEpoch < hosted.partitionEpoch ? ErrorCode.NONE : hosted;
  }

  #attempt({ topic, partition }: TopicPartition, action: () => void): ErrorCode {
    try {
      action();
      return ErrorCode.NONE;
    } catch (error) {
      const known = clientError(error);
      this.#options.logger.error({ err: error, topic, partition }, 'the controller’s order could not be carried out');
      return known?.code ?? ErrorCode.UNKNOWN_SERVER_ERROR;
    }
  }

  async #changeRoles(accepted: readonly Accepted[], refusals: Map<PartitionOrder, ErrorCode>): Promise<void> {
    const { brokerId, metadata, fetchers, clock, timers } = this.#options;
    const changes = accepted
      .map(change => ({ ...change, role: roleIn(change.order, brokerId, metadata) }))
      .sort((a, b) => RANKS[a.role] - RANKS[b.role]);
    const changing = changes.filter(({ role }) => role !== 'host');
    await fetchers.remove(changing.map(({ partition }) => partition));
    await Promise.all(changing.map(({ partition }) => partition.holdAppends()));
    const gained: TopicPartition[] = [];
    const lost: TopicPartition[] = [];
    const followings: FollowingOf[] = [];
    const turns = new TurnTaking(clock, timers);
    for (const change of changes) {
      if (change.role === 'lead') this.#enact(change, refusals, () => this.#lead(change, gained));
      else if (change.role === 'follow') this.#enact(change, refusals, () => this.#follow(change, followings, lost));
      else this.#enact(change, refusals, () => this.#hostOnly(change));
      if (change.role !== 'host') change.partition.releaseAppends();
      if (turns.isOver) await turns.next();
    }
    fetchers.add(followings);
    await fetchers.stopIdle();
    this.#report(gained, lost, accepted.length);
  }

  #enact(change: Accepted, refusals: Map<PartitionOrder, ErrorCode>, action: () => void): void {
    const errorCode = this.#attempt(change.order, action);
    if (errorCode !== ErrorCode.NONE) refusals.set(change.order, errorCode);
  }

  #lead({ order, partition }: Accepted, gained: TopicPartition[]): void {
    const isNew = partition.makeLeader(order, this.#log(order, partition));
    if (isNew) gained.push({ topic: order.topic, partition: order.partition });
  }

  #follow({ order, partition }: Accepted, followings: FollowingOf[], lost: TopicPartition[]): void {
    const log = this.#log(order, partition);
    partition.makeFollower(order, log);
    followings.push({ partition, log, leader: order.leader, leaderEpoch: order.leaderEpoch });
    lost.push({ topic: order.topic, partition: order.partition });
  }

  /**
   * The leader is not alive, as far as is known here, or there is none: there must be a log, so that its high watermark
   * stays in the checkpoint, but roles and epoch stay as they are.
   */
  #hostOnly({ order, partition }: Accepted): void {
    partition.hostLog(this.#log(order, partition));
    const { topic, leader, leaderEpoch } = order;
    this.#options.logger.warn(
      { topic, partition: order.partition, leader, leaderEpoch },
      'the leader to follow is not alive',
    );
  }

  /** The partition's log, made if there is none; the partition is hosted from here on. @throws StorageError, ReplicationError */
  #log({ topic, partition: number, topicId, isNew }: PartitionOrder, partition: Partition): PartitionLog {
    // The directory may have failed since the order was checked.
    if (partition.isOffline) {
      throw new ReplicationError(ErrorCode.KAFKA_STORAGE_ERROR, `The log directory of ${partition.key} is offline.`);
    }
    const log = this.#options.logs.getOrCreateLog(topic, number, { topicId, isNew });
    if (this.#options.partitions.get(topic, number) === undefined) this.#options.partitions.add(partition);
    return log;
  }

  #report(gained: readonly TopicPartition[], lost: readonly TopicPartition[], count: number): void {
    if (count === 0) return;
    this.#options.logger.info({ leading: gained.length, following: lost.length }, 'the controller changed roles');
    this.#options.onChange({ gained, lost });
  }

  // --- StopReplica -------------------------------------------------------------------------------------------------

  /** All at once, so that a thousand deletions do not write the checkpoints a thousand times. */
  async #stopAll(orders: readonly StopOrder[]): Promise<StopReplicaResponse['partitionErrors']> {
    const { partitions, fetchers } = this.#options;
    const checked = orders.map(order => {
      const hosted = partitions.get(order.topic, order.partition);
      return { order, hosted, refusal: stopRefusal(order, hosted) };
    });
    const stopping = checked.filter(({ refusal }) => refusal === null);
    await fetchers.remove(stopping.flatMap(({ hosted }) => hosted ?? []));
    await this.#options.cancelMoves(stopping.map(({ order }) => partitionKey(order.topic, order.partition)));
    return Promise.all(
      checked.map(async ({ order, hosted, refusal }) => ({
        topicName: order.topic,
        partitionIndex: order.partition,
        errorCode: refusal ?? (order.deletePartition ? await this.#delete(order, hosted) : ErrorCode.NONE),
      })),
    );
  }

  /** Deletes what is hosted, or what a former life of this broker has left. */
  async #delete({ topic, partition }: StopOrder, hosted: Partition | undefined): Promise<ErrorCode> {
    const { partitions, logs, onChange, logger } = this.#options;
    partitions.remove(topic, partition);
    hosted?.stop();
    if (hosted !== undefined) onChange({ gained: [], lost: [{ topic, partition }] });
    try {
      await logs.deleteLog(topic, partition);
      return ErrorCode.NONE;
    } catch (error) {
      logger.error({ err: error, topic, partition }, 'a log could not be deleted');
      return clientError(error)?.code ?? ErrorCode.UNKNOWN_SERVER_ERROR;
    }
  }
}

/** What the order makes of this broker. */
function roleIn({ leader }: PartitionOrder, brokerId: number, metadata: MetadataCache): Role {
  if (leader === brokerId) return 'lead';
  return metadata.isAlive(leader) ? 'follow' : 'host';
}

/** Why a replica is not stopped; null = it is. */
function stopRefusal({ leaderEpoch }: StopOrder, hosted: Partition | undefined): ErrorCode | null {
  if (hosted?.isOffline === true) return ErrorCode.KAFKA_STORAGE_ERROR;
  // A topic's deletion does not raise the leader epoch, and old versions do not tell it: those go by other marks.
  if (leaderEpoch === ORDERED_BY_DELETION || leaderEpoch === EPOCH_NOT_TOLD || hosted === undefined) return null;
  return leaderEpoch < hosted.leaderEpoch ? ErrorCode.FENCED_LEADER_EPOCH : null;
}
