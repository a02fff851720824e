import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { Clock, Timer, Timers } from '../../shared/runtime/clock.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import { RecentSamples } from '../../shared/runtime/recent-samples.ts';
import type { Random } from '../../shared/runtime/random.ts';
import { coordinatorPartition } from '../../shared/topics/coordinator-partition.ts';
import type { TopicPartition } from '../../shared/topics/topic-partition.ts';
import type { CommittedOffsets } from './committed-offsets.ts';
import type { OffsetOf } from './offset.ts';
import { commit, commitInTransaction, type CommitRequest } from './committing.ts';
import { expiredOffsets } from './expiry.ts';
import { GroupLog } from './group-log.ts';
import type { Group } from './group.ts';
import { Joining, type JoinRequest } from './joining.ts';
import { leave, type LeavingMember } from './leaving.ts';
import { GroupLoader } from './loader.ts';
import type { GroupState } from './states.ts';
import type { CommittingTransaction, GroupSettings, LogReader, LogWriter } from './ports.ts';
import { Rebalancer } from './rebalancer.ts';
import { GroupRegistry } from './registry.ts';
import { joinError, syncError, type JoinResult, type SyncResult } from './results.ts';
import { Syncing, type SyncRequest } from './syncing.ts';
import { checkGeneration, NO_MEMBER_ID, type MemberIdentity } from './validation.ts';

export interface GroupCoordinatorParts {
  /** Partitions of `__consumer_offsets`; never changes. */
  readonly partitionCount: number;
  readonly settings: () => GroupSettings;
  readonly writer: LogWriter;
  readonly reader: LogReader;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
}

export interface HeartbeatRequest extends MemberIdentity {
  readonly groupId: string;
  readonly generationId: number;
}

/** What became of those that were to leave; with an error for all, of none. */
export interface LeaveResult {
  readonly errorCode: ErrorCode;
  readonly members: readonly (LeavingMember & { readonly errorCode: ErrorCode })[];
}

/** The offsets of a group that somebody asked for. */
export interface FetchedOffsets {
  readonly errorCode: ErrorCode;
  readonly group: Pick<CommittedOffsets, 'get' | 'all' | 'transactional'> | null;
}

/**
 * Coordinates the groups of those partitions of `__consumer_offsets` that this broker leads (Kafka: `GroupCoordinator`).
 * What a group does is decided in joining, syncing, committing and so on; here is who may ask, and what groups there are.
 */
export class GroupCoordinator {
  /** Milliseconds from each election until the groups were loaded. */
  readonly loadTimes: RecentSamples;
  readonly #parts: GroupCoordinatorParts;
  readonly #registry: GroupRegistry;
  readonly #log: GroupLog;
  readonly #rebalancer: Rebalancer;
  readonly #joining: Joining;
  readonly #syncing: Syncing;
  #cleaning: Timer | null = null;
  #isActive = false;
  /** One partition is loaded after the other. */
  #loading: Promise<void> = Promise.resolve();

  constructor(parts: GroupCoordinatorParts) {
    const { settings, writer, clock, timers, random, logger } = parts;
    this.#parts = parts;
    this.loadTimes = new RecentSamples(clock);
    const partitionOf = (groupId: string) => this.partitionOf(groupId);
    this.#registry = new GroupRegistry(partitionOf, clock);
    this.#log = new GroupLog({ writer, settings, clock, partitionOf });
    this.#rebalancer = new Rebalancer({ timers, settings, log: this.#log, logger });
    this.#joining = new Joining({ settings, random, rebalancer: this.#rebalancer, log: this.#log });
    this.#syncing = new Syncing(this.#rebalancer, this.#log);
  }

  /** The partition of `__consumer_offsets` in which a group is kept. */
  partitionOf(groupId: string): number {
    return coordinatorPartition(groupId, this.#parts.partitionCount);
  }

  // --- life --------------------------------------------------------------------------------------------------------

  startup(): void {
    const periodMs = this.#parts.settings().retentionCheckIntervalMs;
    this.#cleaning = this.#parts.timers.every(periodMs, () => this.removeExpired());
    this.#isActive = true;
  }

  /** Gives up all groups; who waits is answered. */
  shutdown(): void {
    this.#isActive = false;
    this.#cleaning?.cancel();
    for (const partition of this.#registry.ownedPartitions()) this.resign(partition);
  }

  /** This broker leads the partition now: reads what is in it, after those that were there before. */
  elect(partition: number): Promise<void> {
    const token = this.#registry.own(partition);
    const elected = this.#parts.clock.monotonic();
    this.#loading = this.#loading.then(() => this.#load(partition, token, elected));
    return this.#loading;
  }

  /** This broker does not lead the partition any more. */
  resign(partition: number): void {
    const groups = this.#registry.disown(partition);
    for (const group of groups) this.#rebalancer.abandon(group);
    if (groups.length > 0)
      this.#parts.logger.info({ partition, groups: groups.length }, 'groups are coordinated elsewhere from now on');
  }

  async #load(partition: number, token: object, elected: number): Promise<void> {
    const { reader, settings, clock, logger } = this.#parts;
    const isCancelled = () => !this.#registry.isOwned(partition, token);
    const begun = clock.monotonic();
    let groups: Group[] = [];
    try {
      const log = isCancelled() ? null : reader.open(partition);
      if (log !== null) groups = await new GroupLoader(this.#parts).load(log, settings().loadBufferSize, isCancelled);
    } catch (error) {
      // As in Kafka the partition counts as loaded: its groups begin anew, instead of being out of reach for good.
      logger.error({ err: error, partition }, 'a partition of __consumer_offsets could not be read');
    }
    if (isCancelled()) return;
    this.#registry.loaded(partition, groups);
    for (const group of groups) this.#resume(group);
    const loaded = clock.monotonic();
    this.loadTimes.add(loaded - elected);
    const ms = Math.round(loaded - begun);
    if (groups.length > 0) logger.info({ partition, groups: groups.length, ms }, 'groups have been loaded');
  }

  /** Members have their session timeout to be heard of; a group that is too large now is made to join again. */
  #resume(group: Group): void {
    const { maxSize } = this.#parts.settings();
    if (group.size > maxSize) this.#rebalancer.maybePrepare(group, `it has more than ${maxSize} members`);
    for (const member of group.members()) this.#rebalancer.keepAlive(group, member);
  }

  // --- who may ask -------------------------------------------------------------------------------------------------

  /** Whether requests about the group may be answered here, and if not, why. */
  #gate(groupId: string, allowsEmptyId: boolean): ErrorCode {
    if (groupId === '' && !allowsEmptyId) return ErrorCode.INVALID_GROUP_ID;
    if (!this.#isActive) return ErrorCode.COORDINATOR_NOT_AVAILABLE;
    const ownership = this.#registry.ownership(groupId);
    if (ownership === 'loading') return ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
    return ownership === 'here' ? ErrorCode.NONE : ErrorCode.NOT_COORDINATOR;
  }

  // --- membership --------------------------------------------------------------------------------------------------

  /** The request's buffers are kept: they must be copies. */
  join(request: JoinRequest): Promise<JoinResult> {
    const { groupId, memberId, sessionTimeoutMs } = request;
    const refused = (errorCode: ErrorCode) => Promise.resolve(joinError(errorCode, memberId));
    const gate = this.#gate(groupId, false);
    if (gate !== ErrorCode.NONE) return refused(gate);
    const { minSessionTimeoutMs, maxSessionTimeoutMs } = this.#parts.settings();
    if (sessionTimeoutMs < minSessionTimeoutMs || sessionTimeoutMs > maxSessionTimeoutMs)
      return refused(ErrorCode.INVALID_SESSION_TIMEOUT);
    const isNew = memberId === NO_MEMBER_ID;
    const group = isNew ? this.#registry.getOrCreate(groupId) : this.#registry.get(groupId);
    return group === null ? refused(ErrorCode.UNKNOWN_MEMBER_ID) : this.#joining.join(group, request);
  }

  /**
   * The assignments' buffers are kept: they must be copies. While the group is being loaded its rebalance is lost, and
   * members are told to join again, which does not make them look for another coordinator.
   */
  sync(request: SyncRequest): Promise<SyncResult> {
    const gate = this.#gate(request.groupId, false);
    if (gate === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
      return Promise.resolve(syncError(ErrorCode.REBALANCE_IN_PROGRESS));
    if (gate !== ErrorCode.NONE) return Promise.resolve(syncError(gate));
    const group = this.#registry.get(request.groupId);
    if (group === null) return Promise.resolve(syncError(ErrorCode.UNKNOWN_MEMBER_ID));
    return this.#syncing.sync(group, request);
  }

  heartbeat({ groupId, generationId, ...identity }: HeartbeatRequest): ErrorCode {
    const gate = this.#gate(groupId, false);
    // Until the group is loaded nobody knows better.
    if (gate === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS) return ErrorCode.NONE;
    if (gate !== ErrorCode.NONE) return gate;
    const group = this.#registry.get(groupId);
    if (group === null) return ErrorCode.UNKNOWN_MEMBER_ID;
    const errorCode = checkGeneration(group, identity, generationId);
    if (errorCode !== ErrorCode.NONE) return errorCode;
    this.#rebalancer.keepAlive(group, group.member(identity.memberId)!);
    return group.is('PreparingRebalance') ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE;
  }

  leave(groupId: string, leaving: readonly LeavingMember[]): LeaveResult {
    const gate = this.#gate(groupId, false);
    if (gate !== ErrorCode.NONE) return { errorCode: gate, members: [] };
    const group = this.#registry.get(groupId);
    const leaveOne = (member: LeavingMember) =>
      group === null ? ErrorCode.UNKNOWN_MEMBER_ID : leave(group, member, this.#rebalancer);
    const members = leaving.map(member => ({ ...member, errorCode: leaveOne(member) }));
    return { errorCode: ErrorCode.NONE, members };
  }

  // --- offsets -----------------------------------------------------------------------------------------------------

  /** Resolves with a code for each offset, in order. */
  async commit(request: CommitRequest): Promise<ErrorCode[]> {
    const { groupId, generationId, offsets } = request;
    const gate = this.#gate(groupId, true);
    if (gate !== ErrorCode.NONE) return offsets.map(() => gate);
    const isKnown = this.#registry.get(groupId) !== null;
    if (!isKnown && generationId >= 0) return offsets.map(() => ErrorCode.ILLEGAL_GENERATION);
    const { settings } = this.#parts;
    const group = this.#registry.getOrCreate(groupId);
    return commit(group, request, { settings, rebalancer: this.#rebalancer, log: this.#log });
  }

  /** Resolves with a code for each offset, in order. They hold when the producer's transaction is committed. */
  async commitInTransaction(request: CommitRequest, transaction: CommittingTransaction): Promise<ErrorCode[]> {
    const gate = this.#gate(request.groupId, false);
    if (gate !== ErrorCode.NONE) return request.offsets.map(() => gate);
    const { settings } = this.#parts;
    const group = this.#registry.getOrCreate(request.groupId);
    const { producerId } = transaction;
    this.#registry.joinTransaction(group, producerId);
    const parts = { settings, rebalancer: this.#rebalancer, log: this.#log };
    const codes = await commitInTransaction(group, request, transaction, parts);
    if (!group.offsets.transactional.isOpen(producerId)) this.#registry.leaveTransaction(group, producerId);
    return codes;
  }

  /**
   * The marker of a producer's transaction has been written to a partition of `__consumer_offsets`: what was committed
   * in it can be seen from now on, or is dropped.
   */
  completeTransaction(partition: number, producerId: number, isCommit: boolean): void {
    this.#registry.endTransaction(partition, producerId, isCommit);
  }

  /** The offsets of a group; a group that nobody knows has none, which is no error. */
  fetchOffsets(groupId: string): FetchedOffsets {
    const errorCode = this.#gate(groupId, true);
    if (errorCode !== ErrorCode.NONE) return { errorCode, group: null };
    return { errorCode, group: this.#registry.get(groupId)?.offsets ?? null };
  }

  /** Forgets offsets of topics that the group does not read; returns a code for the whole, and one for each partition. */
  deleteOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
  ): { readonly errorCode: ErrorCode; readonly partitions: ErrorCode[] } {
    const refused = (errorCode: ErrorCode) => ({ errorCode, partitions: [] });
    const gate = this.#gate(groupId, false);
    if (gate !== ErrorCode.NONE) return refused(gate);
    const group = this.#registry.get(groupId);
    if (group === null) return refused(ErrorCode.GROUP_ID_NOT_FOUND);
    if (!group.is('Empty') && !group.isConsumerGroup) return refused(ErrorCode.NON_EMPTY_GROUP);
    const isRead = ({ topic }: TopicPartition) =>
      !group.is('Empty') && (group.subscribedTopics === null || group.subscribedTopics.has(topic));
    // Before anything is forgotten: with its last offset the group may be gone.
    const codes = partitions.map(partition =>
      isRead(partition) ? ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC : ErrorCode.NONE,
    );
    const unread = partitions.filter((_, index) => codes[index] === ErrorCode.NONE);
    this.#forget(group, () => group.offsets.remove(unread));
    return { errorCode: ErrorCode.NONE, partitions: codes };
  }

  /** The partitions are gone, and so are all groups' offsets of them. */
  partitionsDeleted(partitions: readonly TopicPartition[]): void {
    for (const group of this.#registry.all()) this.#forget(group, () => group.offsets.remove(partitions));
  }

  /** Forgets offsets, and groups, that have been without use for too long. */
  removeExpired(): void {
    const { retentionMs } = this.#parts.settings();
    const now = this.#parts.clock.now();
    for (const group of this.#registry.all())
      this.#forget(group, () => group.offsets.remove(expiredOffsets(group, now, retentionMs)));
  }

  /** A group that has neither members nor offsets any more is forgotten with them; one that never had members left no record. */
  #forget(group: Group, remove: () => OffsetOf[]): void {
    const removed = remove();
    if (group.is('Empty') && group.offsets.isEmpty && group.pendingIds().length === 0) group.become('Dead');
    const isGone = group.is('Dead') && this.#registry.remove(group);
    this.#log.forget(group.groupId, removed, isGone && group.generationId > 0);
  }

  // --- administration ----------------------------------------------------------------------------------------------

  /** The group, or why it cannot be told of; null: nobody knows it. */
  describe(groupId: string): { readonly errorCode: ErrorCode; readonly group: Group | null } {
    const errorCode = this.#gate(groupId, true);
    return { errorCode, group: errorCode === ErrorCode.NONE ? this.#registry.get(groupId) : null };
  }

  /** How many groups are here, in a state or in any. */
  groupCount(state?: GroupState): number {
    const groups = this.#registry.all();
    return state === undefined ? groups.length : groups.filter(group => group.is(state)).length;
  }

  /** How many offsets the groups here have committed. */
  get offsetCount(): number {
    return this.#registry.all().reduce((sum, { offsets }) => sum + offsets.size, 0);
  }

  /** The groups that are here; with an error those that are, while others are being loaded. */
  list(): { readonly errorCode: ErrorCode; readonly groups: readonly Group[] } {
    if (!this.#isActive) return { errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, groups: [] };
    const errorCode = this.#registry.isLoading ? ErrorCode.COORDINATOR_LOAD_IN_PROGRESS : ErrorCode.NONE;
    return { errorCode, groups: this.#registry.all() };
  }

  /** Forgets a group without members, and its offsets. */
  delete(groupId: string): ErrorCode {
    const gate = this.#gate(groupId, true);
    if (gate !== ErrorCode.NONE) return gate;
    const group = this.#registry.get(groupId);
    if (group === null) return ErrorCode.GROUP_ID_NOT_FOUND;
    if (!group.is('Empty')) return ErrorCode.NON_EMPTY_GROUP;
    group.become('Dead');
    this.#forget(group, () => group.offsets.removeAll());
    return ErrorCode.NONE;
  }
}
