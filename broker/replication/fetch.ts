import { ErrorCode } from '../../shared/protocol/errors.ts';
import { ZERO_UUID } from '../../shared/protocol/schema.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { AnswerMemory } from '../request/answer-memory.ts';
import type { UpperBound } from '../storage/log-reader.ts';
import type { PartitionLog } from '../storage/partition-log.ts';
import type { AbortedTransaction } from '../storage/transaction-index.ts';
import { clientError } from './errors.ts';
import {
  fetchError,
  type DivergingEpoch,
  type FetchedPartition,
  type FetchTarget,
  type FetchView,
} from './fetch-target.ts';
import type { HostedPartitions } from './hosted-partitions.ts';
import type { Partition } from './partition.ts';
import type { ReplicationThrottle } from './replication-throttle.ts';

/** What all partitions of a fetch have in common. */
export interface FetchParams {
  /** Broker id of the follower; negative: a consumer. */
  readonly replicaId: number;
  /** Milliseconds to wait for `minBytes`. */
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  /** The first batch is returned even if it alone exceeds the limits (from version 3 on). */
  readonly minOneMessage: boolean;
  /** A consumer wants no records of transactions that are undecided, and to know which were aborted. */
  readonly readCommitted: boolean;
  /** A consumer may read from a follower (from version 11 on, KIP-392). */
  readonly fromFollowers: boolean;
  /** Where the consumer says that it is (`client.rack`); empty: it does not say. */
  readonly clientRack: string;
  /** Aborts when nobody waits for the answer any more. */
  readonly closed?: AbortSignal;
  /** Where records that are read from files go; they are then to be looked at only until the answer has been sent. */
  readonly memory?: AnswerMemory;
}

/** What a first look, which touches no file, says of a target. */
type Look =
  | { readonly kind: 'error'; readonly target: FetchTarget; readonly errorCode: ErrorCode }
  | {
      readonly kind: 'diverging';
      readonly target: FetchTarget;
      readonly log: PartitionLog;
      readonly divergingEpoch: DivergingEpoch;
    }
  | {
      readonly kind: 'elsewhere';
      readonly target: FetchTarget;
      readonly log: PartitionLog;
      /** The broker from which the consumer had better read. */
      readonly replica: number;
    }
  | {
      readonly kind: 'log';
      readonly target: FetchTarget;
      readonly partition: Partition;
      readonly log: PartitionLog;
      readonly leaderEpoch: number;
      /** Bytes that could be read, roughly; 0 = none for certain. */
      readonly available: number;
      /** There is more to read than one segment holds: no use in waiting for it to grow. */
      readonly isOnOlderSegment: boolean;
    };

/** The broker from which a consumer in that rack had better read a partition led here, at an offset; null: from here. */
export type ChooseReadReplica = (partition: Partition, clientRack: string, fetchOffset: number) => number | null;

/**
 * Looks at partitions for a fetch, and reads them (Kafka: `ReplicaManager.readFromLog`, `Partition.fetchRecords`).
 * Looking is synchronous and cheap; so whether a fetch is answered or has to wait is decided without reading.
 */
export class FetchReader {
  readonly #partitions: HostedPartitions;
  readonly #clock: Clock;
  readonly #throttle: ReplicationThrottle;
  readonly #readReplica: ChooseReadReplica;

  /** @param throttle of this broker as a leader */
  constructor(
    partitions: HostedPartitions,
    clock: Clock,
    throttle: ReplicationThrottle,
    readReplica: ChooseReadReplica,
  ) {
    this.#partitions = partitions;
    this.#clock = clock;
    this.#throttle = throttle;
    this.#readReplica = readReplica;
  }

  /**
   * Looks at all targets of the view.
   * @param isArrival whether the request has just come: then a follower's offsets are news to the leader
   */
  look(params: FetchParams, view: FetchView, isArrival: boolean): Look[] {
    const looks = view.targets().map(target => this.#lookAt(params, view, target));
    if (isArrival) for (const look of looks) this.#noteFollower(params, view, look);
    // Only now, because until here it speaks for partitions that this fetch may have had something else to say about.
    if (isArrival && view.contact !== null) view.contact.lastFetchMs = this.#clock.monotonic();
    return looks;
  }

  #lookAt(params: FetchParams, view: FetchView, target: FetchTarget): Look {
    const found = this.#find(target);
    if (typeof found === 'number') return { kind: 'error', target, errorCode: found };
    const errorCode = checkAccess(found, params, target);
    if (errorCode !== ErrorCode.NONE) return { kind: 'error', target, errorCode };
    const log = found.log!;
    const replica = isFollower(params) ? null : this.#readReplica(found, params.clientRack, target.fetchOffset);
    if (replica !== null) return { kind: 'elsewhere', target, log, replica };
    const look = lookInto(found, log, target, boundFor(params));
    const isOutOfSync = this.#isOutOfSync(found, params);
    if (look.kind === 'log' && isOutOfSync && this.#throttle.holdsBack(found)) {
      return { ...look, available: 0, isOnOlderSegment: false };
    }
    // What is known of an out-of-sync follower may change without the log changing: it is looked at again and again.
    if (look.kind === 'log' && look.available === 0 && !isOutOfSync) {
      view.nothingNew(target, log.highWatermark, log.logStartOffset);
    }
    return look;
  }

  #isOutOfSync({ leadership }: Partition, { replicaId }: FetchParams): boolean {
    return replicaId >= 0 && leadership?.isrState.isr.has(replicaId) !== true;
  }

  #find({ topic, topicId, partition }: FetchTarget): Partition | ErrorCode {
    if (topic === null) return ErrorCode.UNKNOWN_TOPIC_ID;
    const found = this.#partitions.find(topic, partition);
    if (typeof found === 'number' || topicId === ZERO_UUID) return found;
    const hostedId = found.log?.topicId ?? null;
    return hostedId !== null && hostedId !== topicId ? ErrorCode.INCONSISTENT_TOPIC_ID : found;
  }

  #noteFollower(params: FetchParams, { contact }: FetchView, look: Look): void {
    if (look.kind !== 'log' || !isFollower(params)) return;
    const { fetchOffset, logStartOffset } = look.target;
    look.partition.noteFollowerFetch(params.replicaId, { fetchOffset, logStartOffset, contact });
  }

  /** Reads what was looked at, in order, within the fetch's limits. */
  async read(params: FetchParams, looks: readonly Look[]): Promise<FetchedPartition[]> {
    const fetched: FetchedPartition[] = [];
    let left = params.maxBytes;
    let { minOneMessage } = params;
    for (const look of looks) {
      const data = await readOne(params, look, left, minOneMessage);
      fetched.push(data);
      if (look.kind === 'log' && isFollower(params)) this.#throttle.copied(look.partition, data.sizeInBytes);
      left = Math.max(0, left - data.sizeInBytes);
      if (data.sizeInBytes > 0) minOneMessage = false;
    }
    return fetched;
  }
}

export type Looks = readonly Look[];

function isFollower({ replicaId }: FetchParams): boolean {
  return replicaId >= 0;
}

/** How far the fetcher may see. Followers are given all there is, whatever else they ask for. */
function boundFor(params: FetchParams): UpperBound {
  if (isFollower(params)) return 'logEnd';
  return params.readCommitted ? 'lastStable' : 'highWatermark';
}

function checkAccess(partition: Partition, params: FetchParams, target: FetchTarget): ErrorCode {
  const errorCode = partition.checkReadable(target.currentLeaderEpoch, isFollower(params) || !params.fromFollowers);
  if (errorCode !== ErrorCode.NONE || !isFollower(params) || partition.hasReplica(params.replicaId)) return errorCode;
  // Perhaps this leader has not heard of a reassignment yet: whoever named an epoch is asked to try again.
  return target.currentLeaderEpoch === -1 ? ErrorCode.NOT_LEADER_OR_FOLLOWER : ErrorCode.UNKNOWN_LEADER_EPOCH;
}

function lookInto(partition: Partition, log: PartitionLog, target: FetchTarget, bound: UpperBound): Look {
  const { fetchOffset, lastFetchedEpoch } = target;
  if (fetchOffset < log.logStartOffset) return { kind: 'error', target, errorCode: ErrorCode.OFFSET_OUT_OF_RANGE };
  if (lastFetchedEpoch >= 0) {
    const { leaderEpoch: epoch, endOffset } = log.endOffsetForEpoch(lastFetchedEpoch);
    if (epoch === -1 || endOffset === -1) return { kind: 'error', target, errorCode: ErrorCode.OFFSET_OUT_OF_RANGE };
    if (epoch < lastFetchedEpoch || endOffset < fetchOffset) {
      return { kind: 'diverging', target, log, divergingEpoch: { epoch, endOffset } };
    }
  }
  if (fetchOffset > log.logEndOffset) return { kind: 'error', target, errorCode: ErrorCode.OFFSET_OUT_OF_RANGE };
  const { available, isOnOlderSegment } = lookAtSize(log, fetchOffset, bound);
  return { kind: 'log', target, partition, log, leaderEpoch: partition.leaderEpoch, available, isOnOlderSegment };
}

function lookAtSize(log: PartitionLog, fetchOffset: number, bound: UpperBound) {
  if (fetchOffset >= log.endFor(bound)) return { available: 0, isOnOlderSegment: false };
  const { bytes, isOnOlderSegment } = log.sizeBetween(fetchOffset, bound);
  return { available: Math.max(1, bytes), isOnOlderSegment };
}

/** Whether a fetch has something to tell at once, or as much as it wants. */
export function isWorthAnswering({ minBytes }: FetchParams, looks: Looks): boolean {
  let available = 0;
  for (const look of looks) {
    if (look.kind !== 'log' || look.isOnOlderSegment) return true;
    available += Math.min(look.available, look.target.maxBytes);
  }
  return available >= minBytes;
}

async function readOne(
  params: FetchParams,
  look: Look,
  left: number,
  minOneMessage: boolean,
): Promise<FetchedPartition> {
  switch (look.kind) {
    case 'error':
      return fetchError(look.target, look.errorCode);
    case 'elsewhere':
      return { ...offsetsOf(params, look.target, look.log), preferredReadReplica: look.replica };
    case 'diverging':
      return { ...offsetsOf(params, look.target, look.log), divergingEpoch: look.divergingEpoch };
    case 'log':
      if (look.available === 0 || (left === 0 && !minOneMessage)) return offsetsOf(params, look.target, look.log);
      return readLog(params, look, Math.min(left, look.target.maxBytes), minOneMessage);
  }
}

async function readLog(
  params: FetchParams,
  look: Extract<Look, { kind: 'log' }>,
  maxBytes: number,
  minOneMessage: boolean,
): Promise<FetchedPartition> {
  const { target, partition, log, leaderEpoch } = look;
  try {
    const { records, sizeInBytes, abortedTransactions } = await log.read(target.fetchOffset, maxBytes, {
      upperBound: boundFor(params),
      minOneMessage,
      ...(params.memory === undefined ? {} : { memory: params.memory }),
    });
    // While the file was read, this broker may have become a follower and truncated the log, so that what was read is
    // another leader's. The fetcher, still in the former epoch, would append it behind records that those do not follow.
    const errorCode = checkAccess(partition, params, target);
    if (errorCode !== ErrorCode.NONE) return fetchError(target, errorCode);
    if (partition.leaderEpoch !== leaderEpoch) return fetchError(target, ErrorCode.NOT_LEADER_OR_FOLLOWER);
    const isReassignment = partition.isAdding(params.replicaId);
    return { ...offsetsOf(params, target, log), records, sizeInBytes, abortedTransactions, isReassignment };
  } catch (error) {
    const known = clientError(error);
    if (known === null) throw error;
    // The log has moved to another directory while the former one was read.
    if (partition.log !== null && partition.log !== log)
      return readLog(params, { ...look, log: partition.log }, maxBytes, minOneMessage);
    return fetchError(target, known.code);
  }
}

const NONE_ABORTED: readonly AbortedTransaction[] = [];

function offsetsOf(params: FetchParams, target: FetchTarget, log: PartitionLog): FetchedPartition {
  const { highWatermark, lastStableOffset, logStartOffset } = log;
  return {
    target,
    errorCode: ErrorCode.NONE,
    highWatermark,
    lastStableOffset,
    logStartOffset,
    divergingEpoch: null,
    preferredReadReplica: -1,
    records: [],
    abortedTransactions: boundFor(params) === 'lastStable' ? NONE_ABORTED : null,
    sizeInBytes: 0,
    isReassignment: false,
  };
}
