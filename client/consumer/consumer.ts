import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { Timer } from '../../shared/runtime/clock.ts';
import { partitionKey, type TopicPartition } from '../../shared/topics/topic-partition.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { PartitionInfo, TopicInfo } from '../cluster/cluster-view.ts';
import { KafkaError } from '../errors.ts';
import { Assignment } from './assignment.ts';
import { Delivery, type DeliveryParts } from './delivery.ts';
import { Fetcher, type FetcherOptions } from './fetcher.ts';
import {
  ConsumerGroup,
  type GroupHost,
  type GroupMetadata,
  type GroupSettings,
  type RebalanceListener,
} from './group/consumer-group.ts';
import type { CommittedOffset, OffsetToCommit } from '../groups/committed-offsets.ts';
import type { Wanted } from './group/subscription.ts';
import { Iteration } from './iteration.ts';
import { listOffset, type FoundOffset, type OffsetSpec } from './offsets.ts';
import type { PartitionState, Position } from './partition-state.ts';
import type { ConsumerRecord } from './record.ts';
import { RecordDeserializationError } from './record-decoder.ts';

export interface ConsumerOptions extends FetcherOptions {
  readonly maxPollRecords: number;
  readonly defaultApiTimeoutMs: number;
  /** Null without a `group.id`. */
  readonly group: GroupSettings | null;
}

/**
 * Reads partitions that the application assigns itself, or that its group gives it (compare Kafka's KafkaConsumer).
 * Fetching runs ahead of the application by at most one answer a broker; `poll` hands out what has arrived.
 */
export class Consumer<K = Buffer | null, V = Buffer | null> implements AsyncIterable<ConsumerRecord<K, V>> {
  readonly #cluster: Cluster;
  readonly #options: ConsumerOptions;
  readonly #delivery: Delivery<K, V>;
  readonly #fetcher: Fetcher;
  readonly #assignment = new Assignment();
  readonly #group: ConsumerGroup | null;
  #wake: (() => void) | null = null;
  #wokenUp = false;
  /** What a `for await` is at. */
  #iteration: Iteration<ConsumerRecord<K, V>> | null = null;
  #closed = false;

  constructor(cluster: Cluster, options: ConsumerOptions, delivery: DeliveryParts<K, V> = {}) {
    this.#cluster = cluster;
    this.#options = options;
    this.#delivery = new Delivery(delivery, cluster.runtime.logger);
    this.#fetcher = new Fetcher(
      cluster,
      options,
      () => this.#assignment.inOrder,
      () => this.#wake?.(),
    );
    this.#group = options.group === null ? null : new ConsumerGroup(cluster, options.group, this.#host());
  }

  /**
   * Reads what the group gives this member of the topics: by name, or all whose whole name a pattern matches. Partitions
   * come and go within `poll`. Replaces an earlier subscription.
   * @throws KafkaError INVALID_GROUP_ID without a `group.id`; Error when partitions have been assigned by hand
   */
  subscribe(topics: Wanted, listener: RebalanceListener = {}): void {
    const group = this.#needGroup('subscribe');
    if (!group.isSubscribed && this.#assignment.inOrder.length > 0)
      throw new Error('partitions were assigned to this consumer by hand; unassign them first: assign([])');
    group.subscribe(topics, listener);
  }

  /** Leaves the group, after a last commit if that is automatic. */
  async unsubscribe(): Promise<void> {
    await this.#group?.leave('the consumer unsubscribed');
  }

  /**
   * Commits where the application stands, or these offsets: of the records to be read next. It is tried again as long as
   * that helps, and a later commit has the last word all the same. Need not be awaited (Kafka: `commitSync`, `commitAsync`).
   * @throws KafkaError when the partitions are not this member's any more, or it has not succeeded in default.api.timeout.ms
   */
  commit(offsets?: readonly OffsetToCommit[]): Promise<void> {
    const committed = this.#needGroup('commit').commit(offsets);
    committed.catch((error: unknown) =>
      this.#cluster.runtime.logger.debug({ err: error }, 'offsets are not committed'),
    );
    return committed;
  }

  /** What the group has committed of these partitions, in the order asked; null where it has not. */
  async committed(partitions: readonly TopicPartition[]): Promise<(CommittedOffset | null)[]> {
    const found = await this.#needGroup('ask for committed offsets').committed(partitions);
    return partitions.map(({ topic, partition }) => found.get(partitionKey(topic, partition)) ?? null);
  }

  /** As whom this consumer commits: without a subscription no member, in generation -1. @throws KafkaError INVALID_GROUP_ID without a `group.id` */
  groupMetadata(): GroupMetadata {
    return this.#needGroup('have group metadata').metadata;
  }

  #needGroup(what: string): ConsumerGroup {
    if (this.#group !== null) return this.#group;
    throw new KafkaError(ErrorCode.INVALID_GROUP_ID, `To ${what}, a consumer needs the setting group.id.`);
  }

  /**
   * Replaces the assignment. New partitions start where the group stands, if there is a group, else at auto.offset.reset,
   * unless `seek` says otherwise; kept ones keep their position.
   * @throws Error while subscribed
   */
  assign(partitions: readonly TopicPartition[]): void {
    if (this.#group?.isSubscribed === true)
      throw new Error('the group assigns the partitions of this consumer; unsubscribe first');
    const added = this.#assignment.hold(partitions);
    if (this.#group === null) for (const state of added) state.seek(this.#startWithoutOffset());
  }

  #startWithoutOffset(): 'earliest' | 'latest' {
    return this.#options.autoOffsetReset === 'earliest' ? 'earliest' : 'latest';
  }

  /** What the group may do here. */
  #host(): GroupHost {
    return {
      assignment: () => this.assignment(),
      hold: partitions => void this.#assignment.hold(partitions),
      waiting: () => this.#assignment.inOrder.filter(state => state.position === null && state.reset === null),
      start: ({ topic, partition }, committed) => this.#start(topic, partition, committed),
      positions: () => this.#positions(),
      committed: offsets => this.#delivery.committed(offsets),
      wake: () => this.#wake?.(),
    };
  }

  #start(topic: string, partition: number, committed: CommittedOffset | null): void {
    const state = this.#assignment.get(topic, partition);
    if (state === undefined || state.position !== null || state.reset !== null) return;
    state.seek(committed?.offset ?? this.#startWithoutOffset());
    state.leaderEpoch = committed?.leaderEpoch ?? -1;
    if (committed !== null || this.#options.autoOffsetReset !== 'none') return;
    state.error = new KafkaError(
      ErrorCode.OFFSET_OUT_OF_RANGE,
      `the group has no committed offset of ${topic}-${partition}, and auto.offset.reset is none`,
    );
  }

  /** Where the application stands: behind what it has been handed, in a `for await` one by one. */
  #positions(): OffsetToCommit[] {
    const unread = this.#iteration?.unread();
    return this.#assignment.inOrder.flatMap(({ topic, partition, position, leaderEpoch }) => {
      if (position === null) return [];
      const next = unread?.get(partitionKey(topic, partition)) ?? { offset: position, leaderEpoch };
      return [{ topic, partition, offset: next.offset, leaderEpoch: next.leaderEpoch }];
    });
  }

  assignment(): TopicPartition[] {
    return this.#assignment.list();
  }

  /** The next poll continues at `offset`. @throws if the partition is not assigned */
  seek(topic: string, partition: number, offset: number): void {
    if (!Number.isSafeInteger(offset) || offset < 0)
      throw new RangeError(`an offset is an integer from 0 on, not ${offset}`);
    this.#seek(topic, partition, offset);
  }

  #seek(topic: string, partition: number, to: Position): void {
    this.#assignment.need(topic, partition).seek(to);
    this.#iteration?.forget(partitionKey(topic, partition));
  }

  seekToBeginning(partitions: readonly TopicPartition[] = this.assignment()): void {
    for (const { topic, partition } of partitions) this.#seek(topic, partition, 'earliest');
  }

  seekToEnd(partitions: readonly TopicPartition[] = this.assignment()): void {
    for (const { topic, partition } of partitions) this.#seek(topic, partition, 'latest');
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) this.#assignment.need(topic, partition).paused = true;
  }

  /** Those that are assigned and paused. */
  paused(): TopicPartition[] {
    return this.#assignment.inOrder.filter(state => state.paused).map(({ topic, partition }) => ({ topic, partition }));
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) this.#assignment.need(topic, partition).paused = false;
    this.#fetcher.drive();
  }

  /**
   * Offset of the next record that poll will hand out, looking it up if need be: where the group stands, if nobody has
   * said otherwise.
   * @throws KafkaError OFFSET_OUT_OF_RANGE when the group has no offset, and auto.offset.reset is none
   */
  async position(topic: string, partition: number): Promise<number> {
    const state = this.#assignment.need(topic, partition);
    if (state.position === null && state.reset === null) await this.#group?.startWaiting();
    if (state.position !== null) return this.#standsAt(state, state.position);
    if (state.error !== null) throw state.error;
    const { offset } = await listOffset(
      this.#cluster,
      state,
      state.reset ?? 'latest',
      this.#options.isolation,
      this.#deadline(),
    );
    return this.#adopt(state, offset);
  }

  /**
   * How many offsets lie between the next record and the end of what may be read, as the last fetch told it; null before
   * there was one. Asks nobody.
   */
  currentLag(topic: string, partition: number): number | null {
    const state = this.#assignment.need(topic, partition);
    if (state.position === null || state.endOffset < 0) return null;
    return Math.max(0, state.endOffset - this.#standsAt(state, state.position));
  }

  #standsAt({ topic, partition }: PartitionState, position: number): number {
    return this.#iteration?.unread().get(partitionKey(topic, partition))?.offset ?? position;
  }

  /** A seek or a fetch may have been quicker. */
  #adopt(state: PartitionState, offset: number): number {
    if (state.position === null) {
      state.position = offset;
      state.reset = null;
    }
    return state.position;
  }

  /**
   * Hands out records that have arrived, at most max.poll.records, each partition's in order; waits up to `timeoutMs`
   * for the first, and returns an empty list if none came.
   * @throws KafkaError when a partition cannot be read on: OFFSET_OUT_OF_RANGE with auto.offset.reset=none, rights, corruption
   * @throws RecordDeserializationError at a record that the deserializers do not take, until a seek goes past it
   */
  async poll(timeoutMs: number): Promise<ConsumerRecord<K, V>[]> {
    if (this.#closed) throw new Error('the consumer is closed');
    this.#group?.enterPoll();
    try {
      this.#group?.autoCommit();
      const records = await this.#pollUntil(this.#cluster.runtime.clock.monotonic() + timeoutMs);
      return this.#delivery.handOut(records);
    } finally {
      this.#group?.leavePoll();
    }
  }

  async #pollUntil(deadline: number): Promise<ConsumerRecord<K, V>[]> {
    const { clock } = this.#cluster.runtime;
    for (;;) {
      // While partitions change hands nothing is handed out: it could be somebody else's already.
      const mayRead = this.#group?.advance() ?? true;
      const records = mayRead ? this.#collect() : [];
      // What was handed out, or turned out to be empty, makes room: the next fetch runs while the application works.
      this.#fetcher.drive();
      const left = deadline - clock.monotonic();
      if (records.length > 0 || left <= 0 || this.#interrupted()) {
        this.#wokenUp = false;
        return records;
      }
      await this.#progress(left);
    }
  }

  /** Makes a poll that waits return at once; if none waits, the next one. */
  wakeup(): void {
    this.#wokenUp = true;
    this.#wake?.();
  }

  /**
   * Polls for ever. What is committed meanwhile without naming offsets is what has been handed out; whoever leaves the
   * loop finds the next record where he left it.
   */
  async *[Symbol.asyncIterator](): AsyncIterator<ConsumerRecord<K, V>> {
    while (!this.#closed) {
      const iteration = new Iteration(await this.poll(1_000));
      this.#iteration = iteration;
      try {
        yield* iteration;
      } finally {
        this.#iteration = null;
        this.#handBack(iteration);
      }
    }
  }

  #handBack(iteration: Iteration<ConsumerRecord<K, V>>): void {
    for (const { topic, partition, offset } of iteration.unread().values())
      this.#assignment.get(topic, partition)?.seek(offset);
  }

  #interrupted(): boolean {
    return this.#wokenUp || this.#closed;
  }

  #collect(): ConsumerRecord<K, V>[] {
    const records: ConsumerRecord<K, V>[] = [];
    const served: PartitionState[] = [];
    for (const state of this.#assignment.inOrder) {
      if (state.buffered !== null && !state.paused) {
        if (records.length >= this.#options.maxPollRecords) break;
        this.#drain(state, records);
        served.push(state);
      }
      // What was read before it is handed out first.
      if (state.error !== null && records.length === 0) {
        const { error } = state;
        state.error = null;
        throw error;
      }
    }
    this.#assignment.putLast(served);
    return records;
  }

  #drain(state: PartitionState, into: ConsumerRecord<K, V>[]): void {
    const buffered = state.buffered!;
    try {
      this.#delivery.take(buffered, this.#options.maxPollRecords - into.length, into);
      state.position = buffered.nextOffset;
      state.leaderEpoch = buffered.leaderEpoch;
    } catch (error) {
      state.error = error as Error;
      state.position = error instanceof RecordDeserializationError ? error.offset : buffered.nextOffset;
    }
    if (buffered.isExhausted || state.error !== null) state.buffered = null;
  }

  #progress(timeoutMs: number): Promise<void> {
    return new Promise(resolve => {
      const done = () => {
        timer.cancel();
        this.#wake = null;
        resolve();
      };
      const timer: Timer = this.#cluster.runtime.timers.after(Math.ceil(timeoutMs), done);
      this.#wake = done;
    });
  }

  #deadline(): number {
    return this.#cluster.runtime.clock.monotonic() + this.#options.defaultApiTimeoutMs;
  }

  /**
   * A topic's partitions. @param timeoutMs how long a topic that no broker knows may take to come; default
   * default.api.timeout.ms
   * @throws KafkaError UNKNOWN_TOPIC_OR_PARTITION when it does not come
   */
  async partitionsFor(topic: string, timeoutMs = this.#options.defaultApiTimeoutMs): Promise<readonly PartitionInfo[]> {
    return (await this.#cluster.topic(topic, this.#cluster.runtime.clock.monotonic() + timeoutMs)).partitions;
  }

  listTopics(): Promise<TopicInfo[]> {
    return this.#cluster.describeTopics(null);
  }

  /** First offset of each partition, in the order asked. */
  async beginningOffsets(partitions: readonly TopicPartition[]): Promise<number[]> {
    return (await this.#lookUp(partitions.map(tp => [tp, 'earliest']))).map(found => found.offset);
  }

  /** Offset after the last record that may be read, of each partition, in the order asked. */
  async endOffsets(partitions: readonly TopicPartition[]): Promise<number[]> {
    return (await this.#lookUp(partitions.map(tp => [tp, 'latest']))).map(found => found.offset);
  }

  /** First record at or after a time (ms) in each partition; offset -1 where there is none. */
  offsetsForTimes(times: readonly (readonly [TopicPartition, number])[]): Promise<FoundOffset[]> {
    return this.#lookUp(times);
  }

  #lookUp(wanted: readonly (readonly [TopicPartition, OffsetSpec])[]): Promise<FoundOffset[]> {
    const deadline = this.#deadline();
    return Promise.all(
      wanted.map(([tp, spec]) => listOffset(this.#cluster, tp, spec, this.#options.isolation, deadline)),
    );
  }

  /** Leaves the group, if there is one, after a last commit if that is automatic; resolves when all is closed. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#fetcher.close();
    this.#wake?.();
    await this.#group?.leave('the consumer is being closed');
    this.#delivery.close();
    this.#cluster.close();
  }
}
