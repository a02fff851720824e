import { ConnectionError } from '../../shared/connection/connection.ts';
import type { RequestInput, ResponseOf } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { Fetch } from '../../shared/protocol/messages/fetch.ts';
import { recordsBuffer } from '../../shared/protocol/json.ts';
import { partitionKey } from '../../shared/topics/topic-partition.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { KafkaError } from '../errors.ts';
import { FetchedRecords } from './fetched-records.ts';
import { listOffset } from './offsets.ts';
import type { PartitionState } from './partition-state.ts';

export interface FetcherOptions {
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly maxWaitMs: number;
  readonly maxPartitionBytes: number;
  readonly requestTimeoutMs: number;
  readonly retryBackoffMs: number;
  readonly autoOffsetReset: 'earliest' | 'latest' | 'none';
  readonly isolation: 'read_uncommitted' | 'read_committed';
  readonly checkCrcs: boolean;
  readonly clientRack: string;
  /** How long a near replica is read before the leader is asked again (`metadata.max.age.ms`). */
  readonly nearReplicaMs: number;
}

type PartitionData = ResponseOf<typeof Fetch>['responses'][number]['partitions'][number];

/** One Fetch version without topic ids: versions from 13 on name topics by id, which a leader may not know yet. */
const LAST_VERSION_WITH_NAMES = 12;

/**
 * Keeps one long-poll fetch under way at each broker that has something to fetch, never two: the partition's leader, or
 * the replica in our rack to which the leader has sent us (KIP-392). What arrives is buffered
 * by partition; a partition is not asked for again until its buffer is empty, which bounds the memory to
 * fetch.max.bytes a broker.
 */
export class Fetcher {
  readonly #cluster: Cluster;
  readonly #options: FetcherOptions;
  readonly #assigned: () => Iterable<PartitionState>;
  readonly #onProgress: () => void;
  readonly #busyBrokers = new Set<number>();
  #refreshing = false;
  #closed = false;

  constructor(
    cluster: Cluster,
    options: FetcherOptions,
    assigned: () => Iterable<PartitionState>,
    onProgress: () => void,
  ) {
    this.#cluster = cluster;
    this.#options = options;
    this.#assigned = assigned;
    this.#onProgress = onProgress;
  }

  close(): void {
    this.#closed = true;
  }

  /** Starts whatever lookups and fetches the assigned partitions need and are not under way. */
  drive(): void {
    if (this.#closed) return;
    const now = this.#cluster.runtime.clock.monotonic();
    const byBroker = new Map<number, PartitionState[]>();
    for (const state of this.#assigned()) {
      if (state.reset !== null && !state.fetching && !state.paused && now >= state.notBefore) void this.#lookUp(state);
      if (!state.isFetchable(now)) continue;
      const leader = this.#cluster.partition(state.topic, state.partition)?.leader ?? -1;
      if (leader < 0 || this.#cluster.isStale) this.#refresh(state.topic);
      if (leader < 0) continue;
      const source = sourceOf(state, leader, now);
      if (this.#busyBrokers.has(source)) continue;
      const states = byBroker.get(source);
      if (states === undefined) byBroker.set(source, [state]);
      else states.push(state);
    }
    for (const [broker, states] of byBroker) void this.#fetch(broker, states);
  }

  #refresh(topic: string): void {
    if (this.#refreshing) return;
    this.#refreshing = true;
    const { clock, timers } = this.#cluster.runtime;
    void this.#cluster
      .topic(topic, clock.monotonic() + this.#options.requestTimeoutMs)
      .catch(() => this.#cluster.invalidate())
      .then(() => (this.#cluster.isStale ? timers.sleep(this.#options.retryBackoffMs) : undefined))
      .finally(() => {
        this.#refreshing = false;
        this.#progress();
      });
  }

  /** Resolves an 'earliest' or 'latest' position into an offset. */
  async #lookUp(state: PartitionState): Promise<void> {
    const { generation, reset } = state;
    state.fetching = true;
    try {
      const deadline = this.#cluster.runtime.clock.monotonic() + this.#options.requestTimeoutMs;
      const { offset } = await listOffset(this.#cluster, state, reset!, this.#options.isolation, deadline);
      if (state.generation === generation) {
        state.position = offset;
        state.reset = null;
        state.attempts = 0;
      }
    } catch (error) {
      if (state.generation === generation) this.#failed(state, error);
    } finally {
      state.fetching = false;
      this.#progress();
    }
  }

  async #fetch(broker: number, states: readonly PartitionState[]): Promise<void> {
    this.#busyBrokers.add(broker);
    const asked = states.map(state => ({ state, generation: state.generation }));
    for (const { state } of asked) state.fetching = true;
    try {
      const connection = await this.#cluster.broker(broker);
      const versions = connection.versions(Fetch);
      const version = Math.min(LAST_VERSION_WITH_NAMES, versions?.max ?? LAST_VERSION_WITH_NAMES);
      const timeoutMs = this.#options.requestTimeoutMs + this.#options.maxWaitMs;
      const response = (await connection.call(Fetch, this.#request(states), { version, timeoutMs }))!;
      this.#take(asked, response);
    } catch (error) {
      this.#cluster.invalidate();
      for (const { state, generation } of asked) if (state.generation === generation) this.#failed(state, error);
    } finally {
      this.#busyBrokers.delete(broker);
      for (const { state } of asked) state.fetching = false;
      this.#progress();
    }
  }

  #progress(): void {
    if (this.#closed) return;
    this.drive();
    this.#onProgress();
  }

  #request(states: readonly PartitionState[]): RequestInput<typeof Fetch> {
    const topics = new Map<string, RequestInput<typeof Fetch>['topics'][number]['partitions'][number][]>();
    for (const state of states) {
      let partitions = topics.get(state.topic);
      if (partitions === undefined) topics.set(state.topic, (partitions = []));
      partitions.push({
        partition: state.partition,
        currentLeaderEpoch: this.#cluster.partition(state.topic, state.partition)?.leaderEpoch ?? -1,
        fetchOffset: state.position!,
        lastFetchedEpoch: -1,
        logStartOffset: -1,
        partitionMaxBytes: this.#options.maxPartitionBytes,
      });
    }
    const { minBytes, maxBytes, maxWaitMs, isolation, clientRack } = this.#options;
    return {
      replicaId: -1,
      maxWaitMs,
      minBytes,
      maxBytes,
      isolationLevel: isolation === 'read_committed' ? 1 : 0,
      sessionId: 0,
      sessionEpoch: -1,
      topics: [...topics].map(([topic, partitions]) => ({ topic, partitions })),
      forgottenTopicsData: [],
      rackId: clientRack,
    };
  }

  #take(asked: readonly { state: PartitionState; generation: number }[], response: ResponseOf<typeof Fetch>): void {
    if (response.errorCode !== ErrorCode.NONE) throw new KafkaError(response.errorCode);
    const answers = new Map<string, PartitionData>();
    for (const { topic, partitions } of response.responses) {
      for (const data of partitions) answers.set(partitionKey(topic, data.partitionIndex), data);
    }
    for (const { state, generation } of asked) {
      const data = answers.get(partitionKey(state.topic, state.partition));
      // A seek happened meanwhile: this answer is about another position.
      if (data === undefined || state.generation !== generation) continue;
      if (data.errorCode === ErrorCode.NONE) this.#buffer(state, data);
      else if (data.errorCode === ErrorCode.OFFSET_OUT_OF_RANGE && state.nearReplica === null) this.#outOfRange(state);
      else this.#failed(state, new KafkaError(data.errorCode));
    }
  }

  #buffer(state: PartitionState, data: PartitionData): void {
    state.endOffset = this.#options.isolation === 'read_committed' ? data.lastStableOffset : data.highWatermark;
    state.logStartOffset = data.logStartOffset;
    state.attempts = 0;
    if (data.preferredReadReplica >= 0) {
      const until = this.#cluster.runtime.clock.monotonic() + this.#options.nearReplicaMs;
      state.nearReplica = { brokerId: data.preferredReadReplica, until };
    }
    const bytes = recordsBuffer(data.records);
    if (bytes.length === 0) return;
    const aborted = this.#options.isolation === 'read_committed' ? (data.abortedTransactions ?? []) : [];
    state.buffered = new FetchedRecords(
      state.topic,
      state.partition,
      bytes,
      state.position!,
      this.#options.checkCrcs,
      aborted,
    );
  }

  #outOfRange(state: PartitionState): void {
    if (this.#options.autoOffsetReset === 'none') {
      state.error = new KafkaError(
        ErrorCode.OFFSET_OUT_OF_RANGE,
        `offset ${state.position ?? -1} of ${state.topic}-${state.partition} is outside the log, and auto.offset.reset is none`,
      );
    } else state.seek(this.#options.autoOffsetReset);
  }

  /** Retriable errors wait and are tried again; others are thrown by the next poll. */
  #failed(state: PartitionState, error: unknown): void {
    const { clock } = this.#cluster.runtime;
    // A near replica may lag behind, or be gone: the leader decides.
    const wasNear = state.nearReplica !== null;
    state.nearReplica = null;
    const retriable = error instanceof ConnectionError || (error instanceof KafkaError && error.retriable);
    if (!retriable && !wasNear) {
      state.error = error instanceof Error ? error : new Error(String(error));
      return;
    }
    if (!(error instanceof KafkaError) || error.refreshMetadata) this.#cluster.invalidate();
    state.attempts++;
    const pause = this.#options.retryBackoffMs;
    state.notBefore = clock.monotonic() + pause;
    this.#cluster.runtime.timers.after(Math.ceil(pause) + 1, () => this.#progress());
  }
}

/** The broker to read a partition from. */
function sourceOf(state: PartitionState, leader: number, now: number): number {
  if (state.nearReplica !== null && now >= state.nearReplica.until) state.nearReplica = null;
  return state.nearReplica?.brokerId ?? leader;
}
