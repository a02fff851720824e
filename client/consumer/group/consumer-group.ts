import { ErrorCode } from '../../../shared/protocol/errors.ts';
import { partitionKey, type TopicPartition } from '../../../shared/topics/topic-partition.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { KafkaError } from '../../errors.ts';
import { mayPass } from '../../groups/coordinator-errors.ts';
import { CoordinatorLink } from '../../groups/coordinator-link.ts';
import { NO_GENERATION, type Generation } from './generation.ts';
import type { MemberName } from './member-commits.ts';
import { Membership, type MembershipSettings, type PartitionsOwner } from './membership.ts';
import type { CommittedOffset, OffsetToCommit } from '../../groups/committed-offsets.ts';
import { OffsetStore } from './offset-store.ts';
import type { Wanted } from './subscription.ts';
import { within, without } from './topic-partitions.ts';

export interface GroupSettings extends MembershipSettings {
  readonly autoCommit: boolean;
  readonly autoCommitIntervalMs: number;
  readonly defaultApiTimeoutMs: number;
}

/** Told, within polls, what happens to the partitions; what it returns is waited for. */
export interface RebalanceListener {
  /** They will be somebody else's: what was read of them can still be committed. */
  onPartitionsRevoked?(partitions: readonly TopicPartition[]): void | Promise<void>;
  /** They are new here; a seek decides where they are read from. */
  onPartitionsAssigned?(partitions: readonly TopicPartition[]): void | Promise<void>;
  /** They are somebody else's already; default: as if they had been revoked. */
  onPartitionsLost?(partitions: readonly TopicPartition[]): void | Promise<void>;
}

/** What a member is known by to its group's coordinator (Kafka: `ConsumerGroupMetadata`). */
export interface GroupMetadata extends MemberName {
  readonly groupInstanceId: string | null;
}

/** What a group does to the consumer that is in it. */
export interface GroupHost {
  assignment(): TopicPartition[];
  /** Assigns these; new ones wait for `start`. */
  hold(partitions: readonly TopicPartition[]): void;
  /** Assigned ones that nobody has said yet where to start. */
  waiting(): TopicPartition[];
  /** Starts a partition where the group stands; null: it has never been there. */
  start(partition: TopicPartition, committed: CommittedOffset | null): void;
  /** Where the application stands in each partition. */
  positions(): OffsetToCommit[];
  /** These have been committed. */
  committed(offsets: readonly OffsetToCommit[]): void;
  wake(): void;
}

/** Errors that say: these partitions are somebody else's, or soon will be. */
const NOT_MINE: ReadonlySet<number> = new Set([
  ErrorCode.UNKNOWN_MEMBER_ID,
  ErrorCode.ILLEGAL_GENERATION,
  ErrorCode.REBALANCE_IN_PROGRESS,
  ErrorCode.FENCED_INSTANCE_ID,
]);

const NOT_COMMITTED = 'the offsets were not committed';

/** A consumer's group: its membership, its committed offsets, and what the application wants to be told. */
export class ConsumerGroup implements PartitionsOwner {
  readonly #cluster: Cluster;
  readonly #settings: GroupSettings;
  readonly #host: GroupHost;
  readonly #link: CoordinatorLink;
  readonly #store: OffsetStore;
  #membership: Membership | null = null;
  #listener: RebalanceListener = {};
  #commitAt = Infinity;
  #lastCommit: Promise<void> = Promise.resolve();
  #positioning: Promise<void> | null = null;
  #failure: Error | null = null;
  /** What this consumer has committed of the partitions it has, by partition. */
  readonly #committed = new Map<string, number>();

  constructor(cluster: Cluster, settings: GroupSettings, host: GroupHost) {
    this.#cluster = cluster;
    this.#settings = settings;
    this.#host = host;
    this.#link = new CoordinatorLink(cluster, settings.groupId);
    this.#store = new OffsetStore(this.#link, settings.groupId, settings.instanceId);
  }

  get #generation(): Generation {
    return this.#membership?.generation ?? NO_GENERATION;
  }

  get metadata(): GroupMetadata {
    const { groupId, instanceId } = this.#settings;
    const { memberId, id } = this.#generation;
    return { groupId, generationId: id, memberId, groupInstanceId: instanceId };
  }

  get isSubscribed(): boolean {
    return this.#membership !== null;
  }

  subscribe(wanted: Wanted, listener: RebalanceListener): void {
    this.#listener = listener;
    const former = this.#membership;
    this.#membership = new Membership(this.#cluster, this.#link, this.#settings, wanted, this);
    if (former !== null) this.#membership.succeed(former);
    this.#commitAt = this.#now() + this.#settings.autoCommitIntervalMs;
  }

  /** Gives all partitions back; those who stay share them out. */
  async leave(reason: string): Promise<void> {
    const membership = this.#membership;
    await membership?.leave(reason);
    // A subscription of meanwhile stays.
    if (this.#membership !== membership) return;
    this.#membership = null;
    this.#host.hold([]);
  }

  enterPoll(): void {
    this.#membership?.enterPoll();
  }

  leavePoll(): void {
    this.#membership?.leavePoll();
  }

  /**
   * For a poll to call, as often as it looks for records: what is due in the group is begun.
   * @returns whether records may be handed out: not while partitions change hands
   * @throws Error that ends the membership
   */
  advance(): boolean {
    if (this.#failure !== null) {
      const error = this.#failure;
      this.#failure = null;
      throw error;
    }
    if (this.#membership !== null) return this.#membership.advance();
    // Assigned by hand: partitions start, one by one, when it is known where.
    if (this.#positioning === null) this.#positioning = this.#position();
    return true;
  }

  /** Null when nothing waits for a position. */
  #position(): Promise<void> | null {
    if (this.#host.waiting().length === 0) return null;
    return this.startWaiting()
      .catch((error: unknown) => {
        this.#failure = error as Error;
      })
      .finally(() => {
        this.#positioning = null;
        this.wake();
      });
  }

  // ── offsets ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** In the background, when it is time to. What the application was handed before this poll counts as done. */
  autoCommit(): void {
    if (!this.#settings.autoCommit || this.#membership === null || this.#now() < this.#commitAt) return;
    this.#commitAt = this.#now() + this.#settings.autoCommitIntervalMs;
    this.#commitNews(this.#host.positions()).catch((error: unknown) => {
      const { groupId } = this.#settings;
      this.#cluster.runtime.logger.warn(
        { err: error, groupId },
        'offsets could not be committed; the next time will do',
      );
    });
  }

  /**
   * In the turn of the calls, and as the member that calls: however often one is tried again, a later one has the last
   * word, and none of before a rebalance overwrites what others have committed since.
   * @param offsets default: where the application stands
   * @throws KafkaError when the partitions are not this member's any more, or nothing came of it in default.api.timeout.ms
   */
  commit(offsets: readonly OffsetToCommit[] = this.#host.positions()): Promise<void> {
    const generation = this.#asWhom();
    return this.#inTurn(() => this.#untilDone(NOT_COMMITTED, () => this.#send(offsets, generation)));
  }

  /** Where the group stands, by the key of `partitionKey`; partitions where it has never been are missing. */
  committed(partitions: readonly TopicPartition[]): Promise<Map<string, CommittedOffset>> {
    return this.#untilDone('no committed offsets', () => this.#store.fetch(partitions));
  }

  /** One try, of what has not been committed by then. */
  #commitNews(offsets: readonly OffsetToCommit[]): Promise<void> {
    const generation = this.#asWhom();
    return this.#inTurn(() => this.#send(this.#news(offsets), generation));
  }

  #inTurn(commit: () => Promise<void>): Promise<void> {
    const committed = this.#lastCommit.then(commit);
    this.#lastCommit = committed.catch(() => {});
    return committed;
  }

  /**
   * The generation in which this consumer commits; -1 if it has assigned partitions to itself. Null for a member that has
   * none: as nobody's, its commit would be taken by a group that is empty at the moment, over what others have committed
   * since (Kafka: `ConsumerCoordinator.sendOffsetCommitRequest`).
   */
  #asWhom(): Generation | null {
    const generation = this.#generation;
    return this.#membership !== null && generation.id < 0 ? null : generation;
  }

  async #send(offsets: readonly OffsetToCommit[], generation: Generation | null): Promise<void> {
    if (offsets.length === 0) return;
    if (generation === null)
      throw new KafkaError(
        ErrorCode.UNKNOWN_MEMBER_ID,
        'The offsets were not committed: this consumer is in no generation of its group, which may have gone on without it.',
      );
    await this.#store.commit(offsets, generation);
    for (const { topic, partition, offset } of offsets) this.#committed.set(partitionKey(topic, partition), offset);
    this.#host.committed(offsets);
  }

  #news(offsets: readonly OffsetToCommit[]): OffsetToCommit[] {
    return offsets.filter(
      ({ topic, partition, offset }) => this.#committed.get(partitionKey(topic, partition)) !== offset,
    );
  }

  async #untilDone<T>(what: string, action: () => Promise<T>): Promise<T> {
    const deadline = this.#now() + this.#settings.defaultApiTimeoutMs;
    for (let attempt = 1; ; attempt++) {
      try {
        return await action();
      } catch (error) {
        if (!mayPass(error) || (error instanceof KafkaError && NOT_MINE.has(error.code))) throw error;
        await this.#cluster.pause(attempt, deadline, error, what);
      }
    }
  }

  // ── what the membership does to the partitions ───────────────────────────────────────────────────────────────────

  owned(): TopicPartition[] {
    return this.#host.assignment();
  }

  async revoke(partitions: readonly TopicPartition[]): Promise<void> {
    if (partitions.length === 0) return;
    if (this.#settings.autoCommit) {
      const offsets = within(this.#host.positions(), partitions);
      const generation = this.#asWhom();
      const last = () => this.#untilDone(NOT_COMMITTED, () => this.#send(this.#news(offsets), generation));
      await this.#inTurn(last).catch((error: unknown) => {
        this.#cluster.runtime.logger.warn({ err: error }, 'offsets of revoked partitions could not be committed');
      });
    }
    await this.#listener.onPartitionsRevoked?.(partitions);
    this.#drop(partitions);
  }

  async lose(partitions: readonly TopicPartition[]): Promise<void> {
    if (partitions.length === 0) return;
    if (this.#listener.onPartitionsLost !== undefined) await this.#listener.onPartitionsLost(partitions);
    else await this.#listener.onPartitionsRevoked?.(partitions);
    this.#drop(partitions);
  }

  async assign(all: readonly TopicPartition[], added: readonly TopicPartition[]): Promise<void> {
    this.#host.hold(all);
    await this.#listener.onPartitionsAssigned?.(added);
    await this.startWaiting();
  }

  /** Starts what waits to be told where, from what is committed. @throws KafkaError when that cannot be had */
  async startWaiting(): Promise<void> {
    const waiting = this.#host.waiting();
    if (waiting.length === 0) return;
    const found = await this.committed(waiting);
    for (const tp of waiting) this.#host.start(tp, found.get(partitionKey(tp.topic, tp.partition)) ?? null);
  }

  wake(): void {
    this.#host.wake();
  }

  #drop(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) this.#committed.delete(partitionKey(topic, partition));
    this.#host.hold(without(this.#host.assignment(), partitions));
  }

  #now(): number {
    return this.#cluster.runtime.clock.monotonic();
  }
}
