import { ConnectionError } from '../../shared/connection/connection.ts';
import type { ResponseOf } from '../../shared/protocol/api.ts';
import { errorByCode, ErrorCode } from '../../shared/protocol/errors.ts';
import { recordsBuffer } from '../../shared/protocol/json.ts';
import type { Fetch } from '../../shared/protocol/messages/fetch.ts';
import type { BufferPool } from '../../shared/memory/buffer-pool.ts';
import type { Timers } from '../../shared/runtime/clock.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import { clientError } from './errors.ts';
import { FetcherSession } from './fetcher-session.ts';
import { FollowedPartition, type Following } from './followed-partition.ts';
import type { LeaderEndpoint } from './leader-endpoint.ts';
import type { ReplicationThrottle } from './replication-throttle.ts';
import { truncationFor } from './truncation.ts';

type PartitionData = ResponseOf<typeof Fetch>['responses'][number]['partitions'][number];

/** The follower's settings, in milliseconds and bytes. */
export interface FetcherSettings {
  /** `replica.fetch.wait.max.ms` */
  readonly maxWaitMs: number;
  /** `replica.fetch.min.bytes` */
  readonly minBytes: number;
  /** `replica.fetch.response.max.bytes` */
  readonly maxBytes: number;
  /** `replica.fetch.max.bytes`, of one partition */
  readonly maxPartitionBytes: number;
  /** `replica.fetch.backoff.ms` */
  readonly backOffMs: number;
}

export interface FetcherOptions {
  readonly brokerId: number;
  /** The epoch under which this broker is registered. */
  readonly brokerEpoch: () => bigint;
  readonly leader: LeaderEndpoint;
  readonly settings: FetcherSettings;
  /** Memory for answers. */
  readonly pool: BufferPool;
  readonly timers: Timers;
  readonly logger: Logger;
  /** The partition cannot be followed in this leader epoch; it has been removed. */
  readonly onFailed: (partition: FollowedPartition) => void;
  /** Of this broker as a follower. */
  readonly throttle: ReplicationThrottle;
  /** Told of what was appended. */
  readonly onReplicatedIn: (topic: string, bytes: number, isReassignment: boolean) => void;
}

/**
 * The first pause after an error; it doubles up to `replica.fetch.backoff.ms`. When leaders move, this follower often
 * hears of it before the new leader does, and a full pause would be the longest part of the failover.
 */
const FIRST_BACK_OFF_MS = 50;

/** How often it is looked whether the throttle lets partitions go on, while nothing else is fetched. */
const THROTTLE_CHECK_MS = 100;

/**
 * Follows one leader broker: fetches what its log has got, appends it, and fetches again (Kafka: `ReplicaFetcherThread`).
 * Partitions come and go while a request is under way; an answer counts only for those that are still what they were
 * when it was sent.
 *
 *     add ─→ [empty epoch cache: cut to the high watermark] ─→ fetching ─→ append, go on
 *                                       diverging epoch:     cut, go on │ ↑
 *                                       out of range:  cut or restart, go on
 *                                       other errors:        backing off ┘ (out of the session until then)
 *                                       fenced, storage error:  failed, until the next LeaderAndIsr
 */
export class Fetcher {
  readonly #options: FetcherOptions;
  readonly #session: FetcherSession;
  readonly #partitions = new Map<string, FollowedPartition>();
  /** Partitions that are fetched now: not being prepared and not backing off. */
  readonly #fetching = new Set<FollowedPartition>();
  /** Partitions that the throttle holds back: not fetched for the time being. */
  readonly #held = new Set<FollowedPartition>();
  #isStopped = false;
  #wake: (() => void) | null = null;
  #lostSessions = 0;

  constructor(options: FetcherOptions) {
    this.#options = options;
    this.#session = new FetcherSession(options.settings.maxPartitionBytes);
    void this.#run();
  }

  get size(): number {
    return this.#partitions.size;
  }

  has(key: string): boolean {
    return this.#partitions.has(key);
  }

  /** What is followed now. */
  followings(): Following[] {
    return Array.from(this.#partitions.values(), ({ partition, log, leaderEpoch }) => ({
      partition,
      log,
      leaderEpoch,
    }));
  }

  /** Follows the partition; what was known of it before is forgotten. */
  add(following: Following): void {
    const followed = new FollowedPartition(following);
    this.#partitions.set(followed.key, followed);
    // Without epochs, where the logs part can only be told by what is committed.
    const isComparable = followed.log.latestEpoch >= 0 || followed.log.logEndOffset === followed.log.highWatermark;
    if (isComparable) {
      this.#start(followed);
      return;
    }
    void this.#guard(followed, async () => {
      await this.#cutTo(followed, followed.log.highWatermark);
      this.#start(followed);
    });
  }

  /** Stops following the partitions; resolves when nothing is being done to their logs any more. */
  async remove(keys: Iterable<string>): Promise<void> {
    const removals: Promise<void>[] = [];
    for (const key of keys) {
      const followed = this.#partitions.get(key);
      if (followed === undefined) continue;
      this.#partitions.delete(key);
      this.#pause(followed);
      removals.push(followed.remove());
    }
    await Promise.all(removals);
  }

  /** Ends the loop and the connection; resolves like `remove`. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#options.leader.close();
    this.#wake?.();
    await this.remove([...this.#partitions.keys()]);
  }

  #start(followed: FollowedPartition): void {
    if (followed.isRemoved) return;
    followed.moveToEnd();
    this.#fetching.add(followed);
    this.#session.put(followed);
    this.#wake?.();
  }

  #pause(followed: FollowedPartition): void {
    this.#fetching.delete(followed);
    this.#held.delete(followed);
    this.#session.drop(followed);
  }

  #backOff(followed: FollowedPartition): void {
    if (followed.isRemoved) return;
    this.#pause(followed);
    const delayMs = Math.min(this.#options.settings.backOffMs, FIRST_BACK_OFF_MS * 2 ** followed.failures);
    followed.failures += 1;
    followed.backOff = this.#options.timers.after(delayMs, () => this.#start(followed));
  }

  #fail(followed: FollowedPartition, why: object): void {
    if (followed.isRemoved) return;
    const { topic, leaderEpoch } = followed;
    this.#options.logger.warn(
      { topic, partition: followed.partition.partition, leaderEpoch, ...why },
      'cannot follow the partition in this leader epoch',
    );
    void this.remove([followed.key]);
    this.#options.onFailed(followed);
  }

  // --- the loop ----------------------------------------------------------------------------------------------------

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      this.#obeyThrottle();
      if (this.#fetching.size === 0) await this.#waitForWake(this.#held.size === 0 ? null : THROTTLE_CHECK_MS);
      else await this.#fetchOnce();
    }
  }

  /** Leaves partitions out, or takes them in again (Kafka: `ReplicaFetcherThread.shouldFollowerThrottle`). */
  #obeyThrottle(): void {
    const { throttle } = this.#options;
    if (this.#held.size === 0 && !throttle.isActive) return;
    for (const followed of [...this.#held]) {
      if (throttle.holdsBack(followed.partition)) continue;
      this.#held.delete(followed);
      this.#start(followed);
    }
    for (const followed of [...this.#fetching]) {
      if (followed.isCaughtUp || !throttle.holdsBack(followed.partition)) continue;
      this.#pause(followed);
      this.#held.add(followed);
    }
  }

  /** Waits for a partition to be added, at most `timeoutMs` milliseconds. */
  #waitForWake(timeoutMs: number | null): Promise<void> {
    return new Promise(resolve => {
      const timer = timeoutMs === null ? null : this.#options.timers.after(timeoutMs, () => this.#wake?.());
      this.#wake = () => {
        this.#wake = null;
        timer?.cancel();
        resolve();
      };
    });
  }

  async #fetchOnce(): Promise<void> {
    const { pool } = this.#options;
    const lent: Buffer[] = [];
    const allocate = (bytes: number) => {
      const slab = pool.take(bytes);
      lent.push(slab);
      return slab.subarray(0, bytes);
    };
    try {
      const response = await this.#request(allocate);
      if (this.#session.accept(response)) {
        this.#lostSessions = 0;
        await this.#process(response);
      } else {
        await this.#sessionRefused(response.errorCode);
      }
      // All of it is in the logs. After an error somebody might still be at it: it is left to the garbage collector then.
      for (const slab of lent) pool.giveBack(slab);
    } catch (error) {
      if (this.#isStopped) return;
      this.#session.restart();
      this.#options.logger.debug({ err: error }, 'fetching from the leader failed');
      await this.#waitForWake(this.#options.settings.backOffMs);
    }
  }

  #request(allocate: (bytes: number) => Buffer): Promise<ResponseOf<typeof Fetch>> {
    const { brokerId, brokerEpoch, leader, settings } = this.#options;
    const session = this.#session.next();
    const { version } = this.#session;
    const identity =
      version >= 15 ? { replicaState: { replicaId: brokerId, replicaEpoch: brokerEpoch() } } : { replicaId: brokerId };
    const { maxWaitMs, minBytes, maxBytes } = settings;
    const request = { ...identity, maxWaitMs, minBytes, maxBytes, isolationLevel: 0, ...session };
    return leader.fetch(request, version, allocate);
  }

  /** The leader has lost the session: a full request puts that right at once, unless it keeps losing it. */
  async #sessionRefused(errorCode: number): Promise<void> {
    this.#lostSessions += 1;
    const isSessionLost =
      errorCode === ErrorCode.FETCH_SESSION_ID_NOT_FOUND || errorCode === ErrorCode.INVALID_FETCH_SESSION_EPOCH;
    this.#options.logger.debug({ error: errorByCode(errorCode).name }, 'the leader refused a fetch');
    if (!isSessionLost || this.#lostSessions > 1) await this.#waitForWake(this.#options.settings.backOffMs);
  }

  async #process({ responses }: ResponseOf<typeof Fetch>): Promise<void> {
    const work: Promise<void>[] = [];
    for (const { topic, topicId, partitions } of responses) {
      for (const data of partitions) {
        const followed = this.#session.find(topic, topicId, data.partitionIndex);
        if (followed?.isRemoved === false) work.push(this.#guard(followed, () => this.#handle(followed, data)));
      }
    }
    await Promise.all(work);
  }

  // --- one partition -----------------------------------------------------------------------------------------------

  /** Runs what is to be done for a partition, so that no failure of one touches the others. */
  async #guard(followed: FollowedPartition, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      if (followed.isRemoved) return;
      if (!isTransient(error)) {
        this.#fail(followed, { err: error });
        return;
      }
      this.#options.logger.warn({ err: error, partition: followed.key }, 'following a partition failed, trying again');
      this.#backOff(followed);
    }
  }

  async #handle(followed: FollowedPartition, data: PartitionData): Promise<void> {
    switch (data.errorCode) {
      case ErrorCode.NONE:
        return data.divergingEpoch.epoch >= 0 ? this.#truncate(followed, data) : this.#append(followed, data);
      case ErrorCode.OFFSET_OUT_OF_RANGE:
        return this.#reset(followed);
      case ErrorCode.FENCED_LEADER_EPOCH:
        this.#fail(followed, { error: 'FENCED_LEADER_EPOCH' });
        break;
      default:
        this.#options.logger.debug(
          { partition: followed.key, error: errorByCode(data.errorCode).name },
          'the leader refused a partition of a fetch',
        );
        this.#backOff(followed);
    }
  }

  async #append(followed: FollowedPartition, data: PartitionData): Promise<void> {
    const { log } = followed;
    const records = recordsBuffer(data.records);
    if (records.length > 0 && !(await followed.change(() => log.appendAsFollower(records)))) return;
    if (followed.isRemoved) return;
    followed.failures = 0;
    this.#options.throttle.copied(followed.partition, records.length);
    followed.isCaughtUp = data.highWatermark <= log.logEndOffset;
    const movedHighWatermark = log.highWatermark !== log.updateHighWatermark(data.highWatermark);
    const movedStart = data.logStartOffset <= log.highWatermark && log.incrementLogStartOffset(data.logStartOffset);
    if (records.length > 0) this.#countReplicated(followed, records.length);
    if (records.length > 0 || movedStart) this.#goOn(followed);
    if (records.length > 0 || movedHighWatermark || movedStart) followed.partition.followerMoved();
  }

  #countReplicated({ topic, partition }: FollowedPartition, bytes: number): void {
    const { brokerId, onReplicatedIn } = this.#options;
    onReplicatedIn(topic, bytes, partition.isAdding(brokerId));
  }

  /** The logs part: cuts the own one back, perhaps not far enough yet; the next answer will tell. */
  async #truncate(followed: FollowedPartition, { divergingEpoch }: PartitionData): Promise<void> {
    const { log, fetchOffset } = followed;
    const { offset } = truncationFor(
      { leaderEpoch: divergingEpoch.epoch, endOffset: divergingEpoch.endOffset },
      {
        logEndOffset: log.logEndOffset,
        fetchOffset,
        endOffsetForEpoch: epoch => log.endOffsetForEpoch(epoch),
      },
    );
    await this.#cutTo(followed, offset);
    this.#goOn(followed);
  }

  async #cutTo(followed: FollowedPartition, offset: number): Promise<void> {
    const { log } = followed;
    const { logEndOffset, highWatermark } = log;
    if (!(await followed.change(() => log.truncateTo(offset)))) return;
    this.#options.logger.info(
      { partition: followed.key, from: logEndOffset, to: log.logEndOffset, highWatermark },
      'truncated the log to where it agrees with the leader',
    );
    followed.partition.followerMoved();
  }

  /**
   * The leader does not have what comes next (Kafka: `AbstractFetcherThread.fetchOffsetAndTruncate`): either it was
   * elected uncleanly with a shorter log, or it has deleted old records that this follower never got.
   */
  async #reset(followed: FollowedPartition): Promise<void> {
    const { leader } = this.#options;
    const { log, topic, leaderEpoch } = followed;
    const { partition } = followed.partition;
    const leaderEnd = await leader.offset(topic, partition, leaderEpoch, 'latest');
    if (leaderEnd < log.logEndOffset) {
      await this.#cutTo(followed, leaderEnd);
      this.#goOn(followed);
      return;
    }
    const leaderStart = await leader.offset(topic, partition, leaderEpoch, 'earliest');
    if (leaderStart > log.logEndOffset) {
      this.#options.logger.info(
        { partition: followed.key, leaderStart },
        'the leader has deleted what comes next, starting anew',
      );
      await followed.change(() => log.truncateFullyAndStartAt(leaderStart));
      followed.partition.followerMoved();
    }
    this.#goOn(followed);
  }

  /** Has the next request fetch from the log's end. */
  #goOn(followed: FollowedPartition): void {
    if (followed.isRemoved) return;
    followed.moveToEnd();
    this.#session.put(followed);
  }
}

/** Whether it may be better next time, in the same leader epoch. */
function isTransient(error: unknown): boolean {
  if (error instanceof ConnectionError) return true;
  const code = clientError(error)?.code;
  return code !== undefined && code !== ErrorCode.FENCED_LEADER_EPOCH && code !== ErrorCode.KAFKA_STORAGE_ERROR;
}
