import { ErrorCode } from '../../../shared/protocol/errors.ts';
import { Heartbeat } from '../../../shared/protocol/messages/heartbeat.ts';
import { LeaveGroup } from '../../../shared/protocol/messages/leave-group.ts';
import type { Timer } from '../../../shared/runtime/clock.ts';
import { partitionKey, type TopicPartition } from '../../../shared/topics/topic-partition.ts';
import { backoffMs } from '../../backoff.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { KafkaError } from '../../errors.ts';
import { mayPass, type CoordinatorLink } from './coordinator-link.ts';
import { NO_GENERATION, type Generation } from './generation.ts';
import { join, type Joined, type JoinSettings } from './join.ts';
import { topicsOf, type Wanted } from './subscription.ts';
import { TopicWatch } from './topic-watch.ts';

export interface MembershipSettings extends JoinSettings {
  readonly heartbeatIntervalMs: number;
  /** Longest time between two polls before the group goes on without this member. */
  readonly maxPollIntervalMs: number;
  readonly metadataMaxAgeMs: number;
  readonly excludeInternalTopics: boolean;
  readonly retryBackoffMs: number;
  readonly retryBackoffMaxMs: number;
}

/** What a member's partitions are to the consumer. All run within a poll, one after the other. */
export interface PartitionsOwner {
  owned(): TopicPartition[];
  /** They are to be given up: the last chance to commit. */
  revoke(partitions: readonly TopicPartition[]): Promise<void>;
  /** They belong to somebody else already: nothing can be committed any more. */
  lose(partitions: readonly TopicPartition[]): Promise<void>;
  assign(all: readonly TopicPartition[], added: readonly TopicPartition[]): Promise<void>;
  /** A poll that waits should look again. */
  wake(): void;
}

/** After these the member has to join as a new one; what it had is lost. */
const EXPELLED: ReadonlySet<number> = new Set([ErrorCode.UNKNOWN_MEMBER_ID, ErrorCode.ILLEGAL_GENERATION]);
/** After these a join is tried again at once. */
const JOIN_AGAIN: ReadonlySet<number> = new Set([
  ErrorCode.MEMBER_ID_REQUIRED,
  ErrorCode.REBALANCE_IN_PROGRESS,
  ...EXPELLED,
]);

/**
 * A consumer's place in its group (Kafka: `ConsumerCoordinator`). It joins, and joins again, only while the application
 * polls, so that partitions change hands when it is not at work on them; in between it sends heartbeats.
 *
 *     out ──join──▶ joining ──assigned──▶ in ──heartbeat: rebalance──▶ joining
 *      ▲                                   │
 *      └── leave · no poll for too long · expelled ◀──┘
 */
export class Membership {
  readonly #cluster: Cluster;
  readonly #link: CoordinatorLink;
  readonly #settings: MembershipSettings;
  readonly #owner: PartitionsOwner;
  readonly #wanted: Wanted;
  readonly #watch: TopicWatch;
  readonly #isCooperative: boolean;
  #generation: Generation = NO_GENERATION;
  /** What was assigned last, which sticky assignors tell the leader although it has been given up. */
  #last: readonly TopicPartition[] = [];
  #lastGeneration = -1;
  /** Why the next poll has to join; null: it has not. */
  #joinReason: string | null = 'the consumer is new';
  #isExpelled = false;
  #isPrepared = false;
  #joining: Promise<void> | null = null;
  #preparing: Promise<void> = Promise.resolve();
  #fatal: Error | null = null;
  #heartbeats: Timer | null = null;
  #isBeating = false;
  #lastBeat = 0;
  #lastPoll = 0;
  #polls = 0;
  #left = false;

  constructor(
    cluster: Cluster,
    link: CoordinatorLink,
    settings: MembershipSettings,
    wanted: Wanted,
    owner: PartitionsOwner,
  ) {
    this.#cluster = cluster;
    this.#link = link;
    this.#settings = settings;
    this.#wanted = wanted;
    this.#owner = owner;
    this.#isCooperative = settings.assignors.every(assignor => assignor.isCooperative);
    this.#watch = new TopicWatch(cluster, wanted, settings);
  }

  /** Takes the place of one that wanted other topics: the same member, which joins again. */
  succeed(former: Membership): void {
    former.#left = true;
    former.#stopHeartbeats();
    this.#generation = former.#generation;
    this.#last = former.#last;
    this.#lastGeneration = former.#lastGeneration;
    this.#isExpelled = former.#isExpelled;
    this.#joinReason = 'the subscription has changed';
  }

  get generation(): Generation {
    return this.#generation;
  }

  /** The application is at a poll, and not at work on records. */
  enterPoll(): void {
    this.#polls++;
  }

  leavePoll(): void {
    this.#polls--;
    this.#lastPoll = this.#now();
  }

  /** Whether the member is in a generation; if not, joins in the background of this and the next polls. @throws Error */
  get isReady(): boolean {
    if (this.#fatal !== null) {
      const error = this.#fatal;
      this.#fatal = null;
      throw error;
    }
    if (this.#joining === null && this.#joinReason === null) return true;
    this.#joining ??= this.#joinUntilIn()
      .catch((error: unknown) => {
        this.#fatal = error as Error;
      })
      .finally(() => {
        this.#joining = null;
        this.#owner.wake();
      });
    return false;
  }

  /**
   * Gives everything up and tells the group, unless it is to wait for this instance (KIP-345). A join that is on its way is
   * not waited for, which could take as long as the slowest member's work: the coordinator answers it when it hears of this.
   */
  async leave(reason: string): Promise<void> {
    this.#left = true;
    this.#stopHeartbeats();
    await this.#preparing.catch(() => {});
    if (this.#generation.id >= 0 && !this.#isExpelled) await this.#owner.revoke(this.#owner.owned());
    await this.#tellLeaving(reason);
  }

  async #tellLeaving(reason: string): Promise<void> {
    const { memberId } = this.#generation;
    const { groupId, instanceId } = this.#settings;
    if (memberId === '' || instanceId !== null) return;
    this.#generation = NO_GENERATION;
    const members = [{ memberId, groupInstanceId: null, reason }];
    // It is a courtesy: without it the session's timeout comes to the same.
    await this.#link.call(LeaveGroup, { groupId, memberId, members }).catch(() => {});
  }

  // ── joining ──────────────────────────────────────────────────────────────────────────────────────────────────────

  async #joinUntilIn(): Promise<void> {
    const { timers, random } = this.#cluster.runtime;
    const { retryBackoffMs, retryBackoffMaxMs } = this.#settings;
    for (let attempt = 1; !this.#left; attempt++) {
      try {
        this.#preparing = this.#prepare();
        await this.#preparing;
        await this.#joinOnce();
        return;
      } catch (error) {
        const code = error instanceof KafkaError ? error.code : null;
        if (code !== null && EXPELLED.has(code)) this.#expel();
        if (code !== null && JOIN_AGAIN.has(code)) continue;
        if (!mayPass(error)) throw error;
      }
      await timers.sleep(backoffMs(attempt, retryBackoffMs, retryBackoffMaxMs, random));
    }
  }

  /** Once before a join and all its tries: what cannot be kept while the group rebalances is given up. */
  async #prepare(): Promise<void> {
    this.#stopHeartbeats();
    if (this.#isPrepared && !this.#isExpelled) return;
    const owned = this.#owner.owned();
    if (this.#isExpelled) await this.#owner.lose(owned);
    else if (!this.#isCooperative) await this.#owner.revoke(owned);
    this.#isExpelled = false;
    this.#isPrepared = true;
  }

  async #joinOnce(): Promise<void> {
    const reason = this.#joinReason ?? '';
    this.#joinReason = null;
    const topics = await topicsOf(this.#wanted, this.#cluster, !this.#settings.excludeInternalTopics);
    this.#watch.wants(topics);
    const joining = {
      memberId: this.#generation.memberId,
      topics,
      owned: this.#owner.owned(),
      last: this.#last,
      lastGeneration: this.#lastGeneration,
      reason,
    };
    try {
      const joined = await join(
        this.#link,
        this.#settings,
        joining,
        names => this.#watch.count(names),
        memberId => (this.#generation = { ...NO_GENERATION, memberId }),
      );
      await this.#joined(joined);
    } catch (error) {
      this.#joinReason ??= reason;
      throw error;
    }
  }

  async #joined({ generation, partitions, led }: Joined): Promise<void> {
    if (this.#left) return;
    this.#generation = generation;
    this.#last = partitions;
    this.#lastGeneration = generation.id;
    this.#isPrepared = false;
    this.#watch.leads(led);
    this.#startHeartbeats();
    const assigned = new Set(partitions.map(({ topic, partition }) => partitionKey(topic, partition)));
    const before = this.#owner.owned();
    const had = new Set(before.map(({ topic, partition }) => partitionKey(topic, partition)));
    const revoked = before.filter(({ topic, partition }) => !assigned.has(partitionKey(topic, partition)));
    const added = partitions.filter(({ topic, partition }) => !had.has(partitionKey(topic, partition)));
    if (revoked.length > 0) {
      await this.#owner.revoke(revoked);
      // Whoever is to have them gets them in the next generation.
      this.#requestJoin('partitions were revoked');
    }
    await this.#owner.assign(partitions, added);
  }

  #requestJoin(reason: string): void {
    this.#joinReason ??= reason;
    this.#owner.wake();
  }

  #expel(): void {
    this.#isExpelled = true;
    this.#generation = NO_GENERATION;
    this.#lastGeneration = -1;
    this.#last = [];
  }

  // ── heartbeats ───────────────────────────────────────────────────────────────────────────────────────────────────

  #startHeartbeats(): void {
    this.#lastBeat = this.#now();
    this.#lastPoll = this.#now();
    this.#heartbeats ??= this.#cluster.runtime.timers.every(
      this.#settings.heartbeatIntervalMs,
      () => void this.#beat(),
    );
  }

  #stopHeartbeats(): void {
    this.#heartbeats?.cancel();
    this.#heartbeats = null;
  }

  async #beat(): Promise<void> {
    if (this.#isBeating || this.#joinReason !== null || this.#left) return;
    if (this.#polls === 0 && this.#now() - this.#lastPoll > this.#settings.maxPollIntervalMs) {
      await this.#giveWay();
      return;
    }
    this.#isBeating = true;
    const { groupId, instanceId } = this.#settings;
    const { id, memberId } = this.#generation;
    try {
      const beat = { groupId, generationId: id, memberId, groupInstanceId: instanceId };
      const { errorCode } = await this.#link.call(Heartbeat, beat, { timeoutMs: this.#settings.sessionTimeoutMs });
      if (this.#generation.id === id) this.#heard(errorCode);
      if (await this.#watch.hasChanged()) this.#requestJoin('the topics have changed');
    } catch (error) {
      // Another try comes with the next heartbeat; who coordinates the group is looked up for it.
      this.#cluster.runtime.logger.debug({ err: error, groupId }, 'a heartbeat was not answered');
      if (this.#now() - this.#lastBeat > this.#settings.sessionTimeoutMs) this.#link.forget();
    } finally {
      this.#isBeating = false;
    }
  }

  #heard(code: number): void {
    this.#link.note(code);
    if (code === ErrorCode.NONE) this.#lastBeat = this.#now();
    else if (code === ErrorCode.REBALANCE_IN_PROGRESS) this.#requestJoin('the group is rebalancing');
    else if (EXPELLED.has(code)) {
      this.#expel();
      this.#requestJoin('the group has gone on without this member');
    } else if (!new KafkaError(code).retriable) {
      this.#fatal = new KafkaError(code);
      this.#owner.wake();
    }
  }

  /** The application is at work on records for too long: others get the partitions. */
  async #giveWay(): Promise<void> {
    const { groupId, maxPollIntervalMs } = this.#settings;
    this.#cluster.runtime.logger.warn({ groupId, maxPollIntervalMs }, 'no poll within max.poll.interval.ms: leaving');
    this.#stopHeartbeats();
    await this.#tellLeaving('consumer poll timeout has expired');
    this.#expel();
    this.#requestJoin('the consumer was not polled in time');
  }

  #now(): number {
    return this.#cluster.runtime.clock.monotonic();
  }
}
