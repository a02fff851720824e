import { ErrorCode } from '../../shared/protocol/errors.ts';
import { ZERO_UUID } from '../../shared/protocol/schema.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { PartitionLog } from '../storage/partition-log.ts';
import { FollowerState, type Contact } from './follower-state.ts';
import { nextHighWatermark, type FollowerOffset } from './high-watermark.ts';
import {
  committedIsr,
  effectiveMinIsr,
  expandIsr,
  inMaximalIsr,
  isrRefusal,
  maximalIsrSize,
  mayJoinIsr,
  proposedIsr,
  shrinkIsr,
  type IsrState,
} from './isr.ts';
import type { IsrOutcome, IsrProposals } from './isr-proposals.ts';

/** What all partitions of a broker share. */
export interface PartitionSurroundings {
  readonly brokerId: number;
  readonly clock: Clock;
  readonly proposals: IsrProposals;
  /** `replica.lag.time.max.ms`. */
  maxLagMs(): number;
  isAlive(brokerId: number): boolean;
}

/** A partition's state as the controller sent it. */
export interface ControllerState {
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly isr: readonly number[];
  readonly partitionEpoch: number;
  readonly replicas: readonly number[];
  readonly addingReplicas: readonly number[];
  readonly removingReplicas: readonly number[];
}

/** A fetch by a follower, as far as the leader keeps it. */
export interface FollowerFetch {
  readonly fetchOffset: number;
  readonly logStartOffset: number;
  /** Of the fetch's session; null without one. */
  readonly contact: Contact | null;
}

/** What becomes of a leader's changes. */
export interface LeadershipEvents {
  highWatermarkMoved(): void;
  /** A follower has told another log start offset. */
  followerStartMoved(): void;
  /** A proposed ISR was committed, or refused for good. */
  isrChange(what: IsrChange): void;
}

export type IsrChange = 'shrunk' | 'expanded' | 'failed';

/**
 * This broker as the leader of a partition in one leader epoch: what the followers have, who is in sync, and how far
 * the records are committed. Created with the epoch and retired with it.
 */
export class Leadership {
  readonly epoch: number;
  /** The epoch in which this broker began to lead: what was appended before may have been truncated in between. */
  readonly leadingSince: number;
  /** Log end offset at which the epoch began. */
  readonly epochStartOffset: number;
  readonly #topic: string;
  readonly #partition: number;
  #log: PartitionLog;
  readonly #surroundings: PartitionSurroundings;
  readonly #events: LeadershipEvents;
  readonly #followers: ReadonlyMap<number, FollowerState>;
  readonly #replicaCount: number;
  #partitionEpoch: number;
  #isr: IsrState;

  /**
   * Begins the epoch at the log's end. No append may be under way.
   * @param former the leadership that goes on in a new epoch; null when this broker did not lead
   */
  constructor(
    { topic, partition }: { readonly topic: string; readonly partition: number },
    log: PartitionLog,
    state: ControllerState,
    surroundings: PartitionSurroundings,
    events: LeadershipEvents,
    former: Leadership | null,
  ) {
    this.epoch = state.leaderEpoch;
    this.leadingSince = former?.leadingSince ?? state.leaderEpoch;
    this.epochStartOffset = log.logEndOffset;
    this.#topic = topic;
    this.#partition = partition;
    this.#log = log;
    this.#surroundings = surroundings;
    this.#events = events;
    this.#partitionEpoch = state.partitionEpoch;
    this.#isr = committedIsr(state.isr);
    this.#replicaCount = state.replicas.length;
    // At the end of a reassignment a replica is not assigned any more, but still in sync: until it has left the ISR it may
    // be elected by a controller that does not know of the end, so that nothing is committed without it.
    const others = [...new Set([...state.replicas, ...state.isr])].filter(id => id !== surroundings.brokerId);
    const known = former === null ? new Map<number, FollowerState>() : former.#followers;
    this.#followers = new Map(others.map(id => [id, known.get(id) ?? new FollowerState(id)]));
    const now = surroundings.clock.monotonic();
    for (const follower of this.#followers.values()) {
      follower.reset(former === null, state.isr.includes(follower.brokerId), log.logEndOffset, now);
    }
  }

  get isrState(): IsrState {
    return this.#isr;
  }

  get partitionEpoch(): number {
    return this.#partitionEpoch;
  }

  /** The log has moved to another directory. The new one learnt the epochs from the records, of which this may have none. */
  replaceLog(log: PartitionLog): void {
    log.assignEpochStart(this.epoch, log.logEndOffset);
    this.#log = log;
  }

  /** The epoch is over: answers to what it proposed mean nothing any more. */
  retire(): void {
    this.#isr = committedIsr(this.#isr.isr);
  }

  // --- high watermark ----------------------------------------------------------------------------------------------

  /** How many replicas more than the effective min ISR are in sync; negative: below. */
  get spareIsr(): number {
    return this.#isr.isr.size - this.#effectiveMinIsr();
  }

  #effectiveMinIsr(): number {
    return effectiveMinIsr(this.#log.config['min.insync.replicas'], this.#replicaCount);
  }

  /** The log has grown. */
  appended(): void {
    for (const follower of this.#followers.values()) follower.settle();
    this.reviewHighWatermark();
  }

  /** Advances the high watermark as far as the followers allow; says so if it moved. */
  reviewHighWatermark(): void {
    const current = this.#log.highWatermark;
    const next = nextHighWatermark(current, this.#log.logEndOffset, this.#followerOffsets(), this.spareIsr < 0);
    if (next <= current) return;
    this.#log.updateHighWatermark(next);
    this.#events.highWatermarkMoved();
  }

  *#followerOffsets(): Generator<FollowerOffset> {
    for (const follower of this.#followers.values()) {
      const { brokerId, logEndOffset } = follower;
      const counts =
        inMaximalIsr(this.#isr, brokerId) || (this.#surroundings.isAlive(brokerId) && this.#isCaughtUp(follower));
      yield { logEndOffset, counts };
    }
  }

  #isCaughtUp(follower: FollowerState): boolean {
    const { clock } = this.#surroundings;
    return follower.isCaughtUp(this.#log.logEndOffset, clock.monotonic(), this.#surroundings.maxLagMs());
  }

  /**
   * What an acks=all produce of this leader that ends before `requiredOffset` can be answered; null = it must wait
   * (Kafka: `Partition.checkEnoughReplicasReachOffset`).
   */
  produceOutcome(requiredOffset: number): ErrorCode | null {
    if (this.#log.highWatermark < requiredOffset) return null;
    const isEnough = maximalIsrSize(this.#isr) >= this.#effectiveMinIsr();
    return isEnough ? ErrorCode.NONE : ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND;
  }

  /**
   * The least log start offset of all live replicas: what is below is deleted everywhere (Kafka:
   * `Partition.lowWatermarkIfLeader`). -1 while a live follower has not been heard of.
   */
  get lowWatermark(): number {
    let lowest = this.#log.logStartOffset;
    for (const { brokerId, logStartOffset } of this.#followers.values()) {
      if (logStartOffset < lowest && this.#surroundings.isAlive(brokerId)) lowest = logStartOffset;
    }
    return lowest;
  }

  // --- followers ---------------------------------------------------------------------------------------------------

  /** Notes what a follower's fetch says, and what follows from it for the ISR and the high watermark. */
  noteFetch(brokerId: number, { fetchOffset, logStartOffset, contact }: FollowerFetch): void {
    const follower = this.#followers.get(brokerId);
    if (follower === undefined) return;
    const before = follower.logEndOffset;
    const startBefore = follower.logStartOffset;
    const now = this.#surroundings.clock.monotonic();
    follower.noteFetch(fetchOffset, logStartOffset, this.#log.logEndOffset, now, contact);
    this.#maybeExpandIsr(follower);
    if (fetchOffset !== before) this.reviewHighWatermark();
    if (logStartOffset !== startBefore) this.#events.followerStartMoved();
  }

  /** The in-sync followers that have the record at `offset`, or are where it will be. */
  inSyncFollowersAt(offset: number): FollowerState[] {
    return [...this.#followers.values()].filter(
      ({ brokerId, logStartOffset, logEndOffset }) =>
        this.#isr.isr.has(brokerId) && logStartOffset <= offset && offset <= logEndOffset,
    );
  }

  /** The follower's session no longer speaks for this partition. */
  settleFollower(brokerId: number): void {
    this.#followers.get(brokerId)?.settle();
  }

  // --- ISR ---------------------------------------------------------------------------------------------------------

  #maybeExpandIsr({ brokerId, logEndOffset }: FollowerState): void {
    if (this.#isr.kind !== 'committed' || this.#isr.isr.has(brokerId) || !this.#surroundings.isAlive(brokerId)) return;
    if (mayJoinIsr(logEndOffset, this.#log.highWatermark, this.epochStartOffset)) {
      this.#propose(expandIsr(this.#isr, brokerId));
    }
  }

  /** Proposes to remove the followers that have not caught up for `replica.lag.time.max.ms`. To be called now and then. */
  maybeShrinkIsr(): void {
    if (this.#isr.kind === 'committed') {
      const lagging = [...this.#isr.isr].filter(id => this.#isLagging(id));
      if (lagging.length > 0) this.#propose(shrinkIsr(this.#isr, lagging));
    }
    // A follower outside the ISR holds the high watermark back only for as long as it counts as caught up.
    this.reviewHighWatermark();
  }

  #isLagging(brokerId: number): boolean {
    if (brokerId === this.#surroundings.brokerId) return false;
    const follower = this.#followers.get(brokerId);
    return follower === undefined || !this.#isCaughtUp(follower);
  }

  #propose(pending: IsrState): void {
    this.#isr = pending;
    this.#surroundings.proposals.submit({
      topic: this.#topic,
      topicId: this.#log.topicId ?? ZERO_UUID,
      partition: this.#partition,
      leaderEpoch: this.epoch,
      partitionEpoch: this.#partitionEpoch,
      isr: proposedIsr(pending),
      settled: outcome => this.#settle(pending, outcome),
    });
  }

  /** An answer counts only for the proposal that is still pending. */
  #settle(pending: IsrState, outcome: IsrOutcome): void {
    if (this.#isr !== pending) return;
    if (outcome.errorCode === ErrorCode.NONE) {
      this.#commit(pending, outcome);
      return;
    }
    const refusal = isrRefusal(outcome.errorCode);
    if (refusal === 'retry') {
      this.#propose(pending);
      return;
    }
    if (refusal === 'revert') this.#isr = committedIsr(pending.isr);
    this.#events.isrChange('failed');
    this.reviewHighWatermark();
  }

  #commit(pending: IsrState, outcome: IsrOutcome): void {
    if (outcome.leaderEpoch !== this.epoch || outcome.partitionEpoch < this.#partitionEpoch) return;
    this.#isr = committedIsr(outcome.isr);
    this.#partitionEpoch = outcome.partitionEpoch;
    this.#events.isrChange(pending.kind === 'pendingShrink' ? 'shrunk' : 'expanded');
    this.reviewHighWatermark();
  }
}
