import { ErrorCode } from '../../../shared/protocol/errors.ts';
import { LeaveGroup } from '../../../shared/protocol/messages/leave-group.ts';
import type { TopicPartition } from '../../../shared/topics/topic-partition.ts';
import { backoffMs } from '../../backoff.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { KafkaError } from '../../errors.ts';
import { mayPass } from '../../groups/coordinator-errors.ts';
import type { CoordinatorLink } from '../../groups/coordinator-link.ts';
import { NO_GENERATION, type Generation } from './generation.ts';
import { Heartbeats, type HeartbeatOwner, type HeartbeatSettings } from './heartbeats.ts';
import { join, type Joined, type JoinSettings } from './join.ts';
import { topicsOf, type Wanted } from './subscription.ts';
import { without } from './topic-partitions.ts';
import { TopicWatch } from './topic-watch.ts';

export interface MembershipSettings extends JoinSettings, HeartbeatSettings {
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
/**
 * What a poll begins and the background does. `prepare` and `takeOver` hand partitions over: the application's callbacks
 * run, and no records are handed out. While the others are waited for (`join`), what a member keeps is read on.
 */
type Step = 'prepare' | 'join' | 'takeOver';

/** From this version on several members leave at once. */
const BATCHED_SINCE = 3;

/**
 * A consumer's place in its group (Kafka: `ConsumerCoordinator`). Each step is begun by a poll, so that partitions change
 * hands when the application is not at work on them; in between the member sends heartbeats.
 *
 *               ┌───────── failed: expelled ─────────┐
 *               ▼                                    │
 *     out ──▶ prepare ──▶ join ──────────────────────┴─▶ takeOver ──▶ in ──heartbeat: rebalance──▶ prepare
 *      ▲    give up what   JoinGroup, SyncGroup;         give up and   │
 *      │    is not kept    again after what may pass     take          │
 *      └───────────────── left · no poll for too long · expelled ◀─────┘
 */
export class Membership implements HeartbeatOwner {
  readonly #cluster: Cluster;
  readonly #link: CoordinatorLink;
  readonly #settings: MembershipSettings;
  readonly #owner: PartitionsOwner;
  readonly #wanted: Wanted;
  readonly #watch: TopicWatch;
  readonly #heartbeats: Heartbeats;
  readonly #isCooperative: boolean;
  #generation: Generation = NO_GENERATION;
  /** What was assigned last, which sticky assignors tell the leader although it has been given up. */
  #last: readonly TopicPartition[] = [];
  #lastGeneration = -1;
  /** Why the next polls have to join; null: they have not. */
  #joinReason: string | null = 'the consumer is new';
  /** What came of the join, until a poll takes it over. */
  #joined: Joined | null = null;
  /** Joins that have failed since the last that has not. */
  #failures = 0;
  #isExpelled = false;
  #isPrepared = false;
  #step: Step | null = null;
  #work: Promise<void> = Promise.resolve();
  #fatal: Error | null = null;
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
    this.#heartbeats = new Heartbeats(cluster.runtime, link, settings, this);
  }

  /** Takes the place of one that wanted other topics: the same member, which joins again when that has handed over. */
  succeed(former: Membership): void {
    former.#left = true;
    former.#heartbeats.stop();
    this.#joinReason = 'the subscription has changed';
    if (former.#step === null || former.#step === 'join') {
      this.#inherit(former);
      return;
    }
    this.#step = former.#step;
    this.#work = former.#work.then(() => {
      this.#inherit(former);
      this.#step = null;
      this.#owner.wake();
    });
  }

  #inherit(former: Membership): void {
    this.#generation = former.#generation;
    this.#last = former.#last;
    this.#lastGeneration = former.#lastGeneration;
    this.#isExpelled = former.#isExpelled;
    if (this.#generation.id >= 0) this.#heartbeats.start();
  }

  get generation(): Generation {
    return this.#generation;
  }

  /** The application is at a poll, and not at work on records. */
  enterPoll(): void {
    this.#heartbeats.enterPoll();
  }

  leavePoll(): void {
    this.#heartbeats.leavePoll();
  }

  /**
   * For a poll to call, as often as it looks for records: begins the next step into the group, if one is due.
   * @returns whether records of what is assigned may be handed out now
   * @throws Error that ends the membership
   */
  advance(): boolean {
    if (this.#fatal !== null) {
      const error = this.#fatal;
      this.#fatal = null;
      throw error;
    }
    if (this.#step === null) {
      this.#step = this.#nextStep();
      if (this.#step !== null) this.#work = this.#run(this.#step);
    }
    return this.#step === null || this.#step === 'join';
  }

  /**
   * Gives everything up and tells the group, unless it is to wait for this instance (KIP-345). A join that is on its way is
   * not waited for, which could take as long as the slowest member's work: the coordinator answers it when it hears of this.
   */
  async leave(reason: string): Promise<void> {
    this.#left = true;
    this.#heartbeats.stop();
    if (this.#step !== 'join') await this.#work;
    if (this.#generation.id >= 0 && !this.#isExpelled) await this.#owner.revoke(this.#owner.owned());
    const { memberId } = this.#generation;
    this.#generation = NO_GENERATION;
    await this.#tellLeaving(memberId, reason);
  }

  async #tellLeaving(memberId: string, reason: string): Promise<void> {
    const { groupId, instanceId } = this.#settings;
    if (memberId === '' || instanceId !== null) return;
    try {
      const isBatched = (await this.#link.highestVersion(LeaveGroup)) >= BATCHED_SINCE;
      const who = isBatched ? { members: [{ memberId, groupInstanceId: null, reason }] } : { memberId };
      await this.#link.call(LeaveGroup, { groupId, ...who });
    } catch (error) {
      // It is a courtesy: without it the session's timeout comes to the same.
      this.#cluster.runtime.logger.debug({ err: error, groupId }, 'the group could not be told of the leaving');
    }
  }

  // ── steps ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #nextStep(): Step | null {
    if (this.#left) return null;
    if (this.#joined !== null) return 'takeOver';
    if (this.#joinReason === null) return null;
    return this.#isPrepared && !this.#isExpelled ? 'join' : 'prepare';
  }

  async #run(step: Step): Promise<void> {
    try {
      if (step === 'prepare') await this.#prepare();
      else if (step === 'join') await this.#join();
      else await this.#takeOver(this.#joined!);
    } catch (error) {
      this.#fatal = error as Error;
    }
    this.#step = null;
    this.#owner.wake();
  }

  /** Once before a join and all its tries: what cannot be kept while the group rebalances is given up. */
  async #prepare(): Promise<void> {
    const owned = this.#owner.owned();
    const isExpelled = this.#isExpelled;
    this.#isExpelled = false;
    if (isExpelled) await this.#owner.lose(owned);
    else if (!this.#isCooperative) await this.#owner.revoke(owned);
    this.#isPrepared = true;
  }

  /** Ends with an assignment to take over, or expelled: the next poll goes on from there. @throws Error that will not pass */
  async #join(): Promise<void> {
    const { timers, random } = this.#cluster.runtime;
    const { retryBackoffMs, retryBackoffMaxMs } = this.#settings;
    while (!this.#left && !this.#isExpelled) {
      if (this.#failures > 0) await timers.sleep(backoffMs(this.#failures, retryBackoffMs, retryBackoffMaxMs, random));
      try {
        this.#joined = await this.#joinOnce();
        this.#joinReason = null;
        this.#failures = 0;
        return;
      } catch (error) {
        this.#failures++;
        const code = error instanceof KafkaError ? error.code : null;
        if (code !== null && EXPELLED.has(code)) this.#expel();
        else if (code !== ErrorCode.REBALANCE_IN_PROGRESS && !mayPass(error)) throw error;
      }
    }
  }

  async #joinOnce(): Promise<Joined> {
    const topics = await topicsOf(this.#wanted, this.#cluster, !this.#settings.excludeInternalTopics);
    this.#watch.wants(topics);
    const joining = {
      memberId: this.#generation.memberId,
      topics,
      owned: this.#owner.owned(),
      last: this.#last,
      lastGeneration: this.#lastGeneration,
      reason: this.#joinReason ?? '',
    };
    this.#heartbeats.stop();
    return await join(
      this.#link,
      this.#settings,
      joining,
      names => this.#watch.look(names),
      generation => this.#entered(generation),
    );
  }

  /** Whoever leads shares out the partitions now; that can take a while, and heartbeats go on meanwhile. */
  #entered(generation: Generation): void {
    if (this.#left) return;
    this.#generation = generation;
    if (generation.id >= 0) this.#heartbeats.start();
  }

  async #takeOver({ generation, partitions, led }: Joined): Promise<void> {
    this.#joined = null;
    this.#isPrepared = false;
    // Expelled while its application was busy: all of it is lost, which the next step tells.
    if (this.#left || this.#isExpelled) return;
    this.#last = partitions;
    this.#lastGeneration = generation.id;
    this.#watch.leads(led);
    const before = this.#owner.owned();
    const revoked = without(before, partitions);
    if (revoked.length > 0) {
      await this.#owner.revoke(revoked);
      // Whoever is to have them gets them in the next generation.
      this.#requestJoin('partitions were revoked');
    }
    await this.#owner.assign(partitions, without(partitions, before));
  }

  #requestJoin(reason: string): void {
    this.#joinReason ??= reason;
    this.#owner.wake();
  }

  #expel(): void {
    this.#heartbeats.stop();
    this.#isExpelled = true;
    this.#generation = NO_GENERATION;
    this.#lastGeneration = -1;
    this.#last = [];
  }

  // ── what heartbeats bring ────────────────────────────────────────────────────────────────────────────────────────

  heard(code: number): void {
    // Until SyncGroup is answered it is for that to say what has become of the generation.
    if (code === ErrorCode.NONE || this.#step === 'join') return;
    if (code === ErrorCode.REBALANCE_IN_PROGRESS) this.#requestJoin('the group is rebalancing');
    else if (EXPELLED.has(code)) {
      this.#expel();
      this.#requestJoin('the group has gone on without this member');
    } else if (!new KafkaError(code).retriable) {
      this.#fatal = new KafkaError(code);
      this.#owner.wake();
    }
  }

  async checkTopics(): Promise<void> {
    if (this.#joinReason !== null || this.#joined !== null || this.#left) return;
    if (await this.#watch.hasChanged()) this.#requestJoin('the topics have changed');
  }

  /** Others get the partitions; the application, when it is back, joins again. */
  pollIsOverdue(): void {
    const { groupId, maxPollIntervalMs } = this.#settings;
    this.#cluster.runtime.logger.warn({ groupId, maxPollIntervalMs }, 'no poll within max.poll.interval.ms: leaving');
    const { memberId } = this.#generation;
    this.#expel();
    this.#requestJoin('the consumer was not polled in time');
    void this.#tellLeaving(memberId, 'consumer poll timeout has expired');
  }
}
