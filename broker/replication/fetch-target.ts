import type { ErrorCode } from '../../shared/protocol/errors.ts';
import type { AbortedTransaction } from '../storage/transaction-index.ts';
import type { Contact } from './follower-state.ts';

/** What a fetch asks of one partition. Epochs and offsets are -1 where the request has none. */
export interface FetchTarget {
  /** null: the request names the topic by an id that is not known here. */
  readonly topic: string | null;
  /** ZERO_UUID when the request names the topic by its name. */
  readonly topicId: string;
  readonly partition: number;
  readonly fetchOffset: number;
  /** The leader epoch that the fetcher knows. */
  readonly currentLeaderEpoch: number;
  /** The epoch of the last record that the fetcher has. */
  readonly lastFetchedEpoch: number;
  /** The follower's own. */
  readonly logStartOffset: number;
  readonly maxBytes: number;
}

/**
 * What a fetch is about: the partitions of its request, or those of its session in which something may have changed.
 */
export interface FetchView {
  /** The session's; null without one. */
  readonly contact: Contact | null;
  /** What to look at now, in the order of reading. */
  targets(): readonly FetchTarget[];
  /** The keys under which a waiting fetch is to be tried again. */
  watchKeys(): readonly string[];
  /** The target was looked at: there is nothing to read, and its offsets are these. */
  nothingNew(target: FetchTarget, highWatermark: number, logStartOffset: number): void;
}

/** A place where the fetcher's log parts from this one (KIP-595). */
export interface DivergingEpoch {
  readonly epoch: number;
  readonly endOffset: number;
}

/** What a fetch found in one partition. Offsets are -1 with an error. */
export interface FetchedPartition {
  readonly target: FetchTarget;
  readonly errorCode: ErrorCode;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  /** Not null: nothing was read, and the fetcher has to truncate first. */
  readonly divergingEpoch: DivergingEpoch | null;
  /** Not -1: nothing was read, because this broker is nearer to the consumer. */
  readonly preferredReadReplica: number;
  /** Whole batches, one behind the other. To be read only. */
  readonly records: readonly Buffer[];
  /** Those that who reads the records has to know of; null where it reads what is not decided, too. */
  readonly abortedTransactions: readonly AbortedTransaction[] | null;
  readonly sizeInBytes: number;
  /** Whether the records go to a follower that a reassignment adds. */
  readonly isReassignment: boolean;
}

export function fetchError(target: FetchTarget, errorCode: ErrorCode): FetchedPartition {
  return {
    target,
    errorCode,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    divergingEpoch: null,
    preferredReadReplica: -1,
    records: [],
    abortedTransactions: null,
    sizeInBytes: 0,
    isReassignment: false,
  };
}
