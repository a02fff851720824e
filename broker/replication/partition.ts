import { ErrorCode } from '../../shared/protocol/errors.ts';
import { partitionKey } from '../../shared/topics/topic-partition.ts';
import type { LeaderAppendOptions } from '../storage/leader-append.ts';
import type { AppendInfo } from '../storage/log-appender.ts';
import type { PartitionLog } from '../storage/partition-log.ts';
import { ReplicationError } from './errors.ts';
import {
  Leadership,
  type ControllerState,
  type FollowerFetch,
  type IsrChange,
  type PartitionSurroundings,
} from './leadership.ts';

/** What a partition tells its broker; called synchronously, after the change. */
export interface PartitionEvents {
  /** What a fetch of the partition would be answered may have changed: records, high watermark, log start, leader, epoch. */
  readable(partition: Partition): void;
  /** An acks=all produce may be complete: the high watermark moved, or the partition is no longer led or hosted here. */
  committed(partition: Partition): void;
  /** A deletion of records may be complete: a follower's log start moved, or the partition is no longer led here. */
  deleted(partition: Partition): void;
  isrChange(partition: Partition, what: IsrChange): void;
}

/** Who is told without having to wait for it: the fetch sessions that have the partition. */
export interface PartitionWatcher {
  /** What a fetch of the partition would be answered may have changed. */
  partitionChanged(): void;
}

/** What a leader's append came to. */
export interface LeaderAppend {
  readonly info: AppendInfo;
  /** The epoch under which the records were appended. */
  readonly leaderEpoch: number;
}

const NO_LEADER = -1;
const NO_EPOCH = -1;

/**
 * A partition hosted by this broker (Kafka: `Partition`): its role and epochs. The records are the log's; what only a
 * leader knows is in `Leadership`. Everything here is synchronous, except that an append resolves when it is written.
 */
export class Partition {
  readonly topic: string;
  readonly partition: number;
  /** Text form, `topic-partition`. */
  readonly key: string;
  readonly #surroundings: PartitionSurroundings;
  readonly #events: PartitionEvents;
  #log: PartitionLog | null = null;
  #isOffline = false;
  #leader = NO_LEADER;
  #leaderEpoch = NO_EPOCH;
  #partitionEpoch = NO_EPOCH;
  #replicas: readonly number[] = [];
  #addingReplicas: readonly number[] = [];
  #removingReplicas: readonly number[] = [];
  /** Not null on the leader only. */
  #leadership: Leadership | null = null;
  readonly #watchers = new Set<PartitionWatcher>();
  /** While a new role is prepared: the appends that wait for it, in order. */
  #held: (() => void)[] | null = null;
  /** Leader's appends that the log has not written yet. */
  #appending = 0;
  #nothingAppending: (() => void) | null = null;
  #reviewedLogStart = -1;

  constructor(topic: string, partition: number, surroundings: PartitionSurroundings, events: PartitionEvents) {
    this.topic = topic;
    this.partition = partition;
    this.key = partitionKey(topic, partition);
    this.#surroundings = surroundings;
    this.#events = events;
  }

  /** The replica's log; null before the first LeaderAndIsr was applied, and when its directory is offline. */
  get log(): PartitionLog | null {
    return this.#log;
  }

  get isOffline(): boolean {
    return this.#isOffline;
  }

  get isLeader(): boolean {
    return this.#leadership !== null;
  }

  /** Not null where this broker leads. */
  get leadership(): Leadership | null {
    return this.#leadership;
  }

  /** Broker id, -1 = not known. */
  get leader(): number {
    return this.#leader;
  }

  /** -1 before the first LeaderAndIsr. */
  get leaderEpoch(): number {
    return this.#leaderEpoch;
  }

  /** The version of the state that is known: of the LeaderAndIsr, or of the ISR committed since. */
  get partitionEpoch(): number {
    return this.#leadership?.partitionEpoch ?? this.#partitionEpoch;
  }

  hasReplica(brokerId: number): boolean {
    return this.#replicas.includes(brokerId);
  }

  /** Whether a reassignment is bringing a replica to that broker. */
  isAdding(brokerId: number): boolean {
    return this.#addingReplicas.includes(brokerId);
  }

  watch(watcher: PartitionWatcher): void {
    this.#watchers.add(watcher);
  }

  unwatch(watcher: PartitionWatcher): void {
    this.#watchers.delete(watcher);
  }

  // --- roles -------------------------------------------------------------------------------------------------------

  /**
   * Holds new appends back until `releaseAppends`, and resolves when those under way are written: a role must not change
   * under an append, or its records, of the former epoch, would come behind the start of the new one.
   */
  holdAppends(): Promise<void> {
    this.#held ??= [];
    if (this.#appending === 0) return Promise.resolve();
    return new Promise(resolve => (this.#nothingAppending = resolve));
  }

  /** Lets the appends that were held back go on, in order, under whatever role is in force now. */
  releaseAppends(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const proceed of held) proceed();
  }

  /**
   * Makes this broker the leader in a new epoch, which begins at the log's end. No append may be under way.
   * @returns whether it did not lead before
   */
  makeLeader(state: ControllerState, log: PartitionLog): boolean {
    const former = this.#leadership;
    former?.retire();
    log.assignEpochStart(state.leaderEpoch, log.logEndOffset);
    this.#adopt(state, log);
    this.#leadership = new Leadership(this, log, state, this.#surroundings, this.#leadershipEvents(), former);
    // The ISR may have become just this broker.
    this.#leadership.reviewHighWatermark();
    this.#roleChanged();
    return former === null;
  }

  #leadershipEvents() {
    return {
      highWatermarkMoved: () => {
        this.#notifyReadable();
        this.#events.committed(this);
      },
      followerStartMoved: () => this.#events.deleted(this),
      isrChange: (what: IsrChange) => this.#events.isrChange(this, what),
    };
  }

  /** Makes this broker a follower. No append may be under way. */
  makeFollower(state: ControllerState, log: PartitionLog): void {
    this.#resign();
    this.#adopt(state, log);
    this.#roleChanged();
  }

  /** Hosts the log without a role: the leader is not known to be alive. */
  hostLog(log: PartitionLog): void {
    this.#log ??= log;
  }

  /** Another log, with the same records, has taken the place of this one: a move between log directories. */
  replaceLog(former: PartitionLog, log: PartitionLog): void {
    if (this.#log !== former) return;
    this.#log = log;
    this.#leadership?.replaceLog(log);
    this.#notifyReadable();
  }

  /** The log's directory failed: until the broker is restarted the partition only answers that. */
  goOffline(): void {
    this.#isOffline = true;
    this.#vacate();
  }

  /** This broker no longer hosts the partition. */
  stop(): void {
    this.#vacate();
  }

  #vacate(): void {
    this.#resign();
    this.#log = null;
    this.#leader = NO_LEADER;
    this.#roleChanged();
    this.releaseAppends();
  }

  #resign(): void {
    this.#leadership?.retire();
    this.#leadership = null;
  }

  #adopt(state: ControllerState, log: PartitionLog): void {
    this.#log = log;
    this.#leader = state.leader;
    this.#leaderEpoch = state.leaderEpoch;
    this.#partitionEpoch = state.partitionEpoch;
    this.#replicas = state.replicas;
    this.#addingReplicas = state.addingReplicas;
    this.#removingReplicas = state.removingReplicas;
  }

  #roleChanged(): void {
    this.#notifyReadable();
    this.#events.committed(this);
    this.#events.deleted(this);
  }

  #notifyReadable(): void {
    for (const watcher of this.#watchers) watcher.partitionChanged();
    this.#events.readable(this);
  }

  // --- requests ----------------------------------------------------------------------------------------------------

  /** Whether a request that knows leader epoch `requested` (-1 = none) may be answered here (KIP-320). */
  checkLeaderEpoch(requested: number): ErrorCode {
    if (requested === NO_EPOCH || requested === this.#leaderEpoch) return ErrorCode.NONE;
    return requested < this.#leaderEpoch ? ErrorCode.FENCED_LEADER_EPOCH : ErrorCode.UNKNOWN_LEADER_EPOCH;
  }

  /** Whether a read may be served from this replica, and if not, why. With NONE, `log` is not null. */
  checkReadable(requestedLeaderEpoch: number, requireLeader: boolean): ErrorCode {
    if (this.#isOffline) return ErrorCode.KAFKA_STORAGE_ERROR;
    const epochError = this.checkLeaderEpoch(requestedLeaderEpoch);
    if (epochError !== ErrorCode.NONE) return epochError;
    return (requireLeader && !this.isLeader) || this.#log === null ? ErrorCode.NOT_LEADER_OR_FOLLOWER : ErrorCode.NONE;
  }

  /**
   * Appends records as the leader. The log takes them at once, in the order of the calls.
   * @param requireMinIsr acks=all: refuse when fewer than the effective min ISR are in sync
   * @throws (rejects) ReplicationError or StorageError
   */
  appendAsLeader(records: Buffer, options: LeaderAppendOptions, requireMinIsr: boolean): Promise<LeaderAppend> {
    const held = this.#held;
    if (held === null) return this.#append(records, options, requireMinIsr);
    return new Promise((resolve, reject) => {
      held.push(() => {
        this.#append(records, options, requireMinIsr).then(resolve, reject);
      });
    });
  }

  async #append(records: Buffer, options: LeaderAppendOptions, requireMinIsr: boolean): Promise<LeaderAppend> {
    const { log, leadership } = this.#requireLeader();
    if (requireMinIsr && leadership.spareIsr < 0) throw this.#notEnoughReplicas(leadership);
    this.#appending += 1;
    try {
      const info = await log.appendAsLeader(records, leadership.epoch, options);
      if (this.#leadership === leadership) {
        leadership.appended();
        this.#notifyReadable();
      }
      return { info, leaderEpoch: leadership.epoch };
    } finally {
      this.#appending -= 1;
      if (this.#appending === 0) this.#announceQuiet();
    }
  }

  #announceQuiet(): void {
    this.#nothingAppending?.();
    this.#nothingAppending = null;
  }

  #requireLeader(): { log: PartitionLog; leadership: Leadership } {
    if (this.#isOffline) {
      throw new ReplicationError(ErrorCode.KAFKA_STORAGE_ERROR, `The log directory of ${this.key} is offline.`);
    }
    if (this.#leadership === null || this.#log === null) {
      throw new ReplicationError(ErrorCode.NOT_LEADER_OR_FOLLOWER, `This broker does not lead ${this.key}.`);
    }
    return { log: this.#log, leadership: this.#leadership };
  }

  #notEnoughReplicas({ isrState, spareIsr }: Leadership): ReplicationError {
    const size = isrState.isr.size;
    const message = `${this.key} has ${size} replicas in sync, and ${size - spareIsr} are needed.`;
    return new ReplicationError(ErrorCode.NOT_ENOUGH_REPLICAS, message);
  }

  /**
   * What an acks=all produce that was appended under `leaderEpoch` and ends before `requiredOffset` can be answered;
   * null = it must wait. An epoch from before this broker lost and regained the lead does not count: its records may
   * have been truncated in between, and others be committed at their offsets.
   */
  produceOutcome(requiredOffset: number, leaderEpoch: number): ErrorCode | null {
    if (this.#isOffline) return ErrorCode.KAFKA_STORAGE_ERROR;
    if (this.#leadership === null || leaderEpoch < this.#leadership.leadingSince)
      return ErrorCode.NOT_LEADER_OR_FOLLOWER;
    return this.#leadership.produceOutcome(requiredOffset);
  }

  /**
   * Makes the records below `offset` (-1: everything that is committed) go, as the leader.
   * @returns the log start offset that all replicas are to reach
   * @throws ReplicationError, or StorageError OFFSET_OUT_OF_RANGE
   */
  deleteRecords(offset: number): number {
    const { log } = this.#requireLeader();
    if (!log.config['cleanup.policy'].includes('delete')) {
      const message = `${this.key} is compacted only: records are deleted where cleanup.policy has delete.`;
      throw new ReplicationError(ErrorCode.POLICY_VIOLATION, message);
    }
    const requiredOffset = offset === -1 ? log.highWatermark : offset;
    if (requiredOffset < 0) {
      const message = `Offset ${offset} is below zero; -1 stands for the high watermark.`;
      throw new ReplicationError(ErrorCode.OFFSET_OUT_OF_RANGE, message);
    }
    // Followers hear of it with their next answer; for this alone no waiting fetch is answered.
    if (log.incrementLogStartOffset(requiredOffset)) this.#notifyReadable();
    return requiredOffset;
  }

  /** How far a deletion of records has got on the live replicas; an error if this broker no longer leads. */
  deletionProgress(): { readonly errorCode: ErrorCode; readonly lowWatermark: number } {
    if (this.#isOffline) return { errorCode: ErrorCode.KAFKA_STORAGE_ERROR, lowWatermark: -1 };
    if (this.#leadership === null) return { errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER, lowWatermark: -1 };
    return { errorCode: ErrorCode.NONE, lowWatermark: this.#leadership.lowWatermark };
  }

  /** Notes a follower's fetch; ignored where this broker does not lead. */
  noteFollowerFetch(brokerId: number, fetch: FollowerFetch): void {
    this.#leadership?.noteFetch(brokerId, fetch);
  }

  /** This follower has got further, or back: who reads from it may go on. */
  followerMoved(): void {
    this.#notifyReadable();
  }

  /** To be called now and then: finds followers that lag, and what happened without a request. */
  review(): void {
    this.#leadership?.maybeShrinkIsr();
    // Retention has raised it: followers may delete the same records.
    const logStartOffset = this.#log?.logStartOffset ?? -1;
    if (logStartOffset !== this.#reviewedLogStart) this.#notifyReadable();
    this.#reviewedLogStart = logStartOffset;
  }

  // --- statistics --------------------------------------------------------------------------------------------------

  /** Led here, with fewer replicas in sync than assigned; those that a reassignment adds do not count yet. */
  get isUnderReplicated(): boolean {
    if (this.#leadership === null) return false;
    const settled = this.#replicas.filter(id => !this.#addingReplicas.includes(id)).length;
    return this.#leadership.isrState.isr.size < settled;
  }

  /** Led here, with replicas on their way to or from other brokers. */
  get isBeingReassigned(): boolean {
    return this.isLeader && this.#addingReplicas.length + this.#removingReplicas.length > 0;
  }
}
