import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { FoundTimestamp } from '../storage/timestamp-lookup.ts';
import type { PartitionLog } from '../storage/partition-log.ts';
import { clientError } from './errors.ts';
import type { HostedPartitions } from './hosted-partitions.ts';
import type { Partition } from './partition.ts';

/** A ListOffsets request for one partition. */
export interface OffsetQuery {
  /** Of the request: broker id of a follower, -1 = a consumer, -2 = a debugging tool, which may ask any replica. */
  readonly replicaId: number;
  /** Of the request: what may be answered depends on it. */
  readonly version: number;
  /** -1 = none. */
  readonly currentLeaderEpoch: number;
  /** A consumer wants to know of what is decided only. */
  readonly readCommitted: boolean;
}

/** Timestamp (milliseconds), offset and leader epoch are -1 where there is none. */
export interface FoundOffset {
  readonly errorCode: ErrorCode;
  readonly timestamp: number;
  readonly offset: number;
  readonly leaderEpoch: number;
}

export interface FoundEpochEnd {
  readonly errorCode: ErrorCode;
  readonly leaderEpoch: number;
  readonly endOffset: number;
}

const CONSUMER = -1;
const DEBUGGING_TOOL = -2;

/** The special timestamps, with the version that introduced them; there are no other negative ones. */
const LATEST = -1;
const EARLIEST = -2;
const MAX_TIMESTAMP = -3;
const EARLIEST_LOCAL = -4;
const LATEST_TIERED = -5;
const SINCE: ReadonlyMap<number, number> = new Map([
  [LATEST, 0],
  [EARLIEST, 0],
  [MAX_TIMESTAMP, 7],
  [EARLIEST_LOCAL, 8],
  [LATEST_TIERED, 9],
]);

/** From this version on clients know OFFSET_NOT_AVAILABLE. */
const SINCE_OFFSET_NOT_AVAILABLE = 5;

const NOTHING: FoundOffset = { errorCode: ErrorCode.NONE, timestamp: -1, offset: -1, leaderEpoch: -1 };

function refused(errorCode: ErrorCode): FoundOffset {
  return { ...NOTHING, errorCode };
}

/** Looks offsets up by time and by epoch (Kafka: `Partition.fetchOffsetForTimestamp`, `lastOffsetForLeaderEpoch`). */
export class Offsets {
  readonly #partitions: HostedPartitions;

  constructor(partitions: HostedPartitions) {
    this.#partitions = partitions;
  }

  async find(topic: string, partition: number, timestamp: number, query: OffsetQuery): Promise<FoundOffset> {
    if (timestamp < 0 && query.version < (SINCE.get(timestamp) ?? Infinity))
      return refused(ErrorCode.UNSUPPORTED_VERSION);
    const found = this.#partitions.find(topic, partition);
    if (typeof found === 'number') return refused(found);
    const errorCode = found.checkReadable(query.currentLeaderEpoch, query.replicaId !== DEBUGGING_TOOL);
    if (errorCode !== ErrorCode.NONE) return refused(errorCode);
    const log = found.log!;
    try {
      return await lookUp(found, log, timestamp, query);
    } catch (error) {
      const known = clientError(error);
      if (known === null) throw error;
      // The log has moved to another directory while it was searched.
      if (found.log !== null && found.log !== log) return this.find(topic, partition, timestamp, query);
      return refused(known.code);
    }
  }

  /** Where `leaderEpoch`, or the greatest epoch below that is known, ends on this leader; (-1, -1) = not known. */
  epochEnd(topic: string, partition: number, currentLeaderEpoch: number, leaderEpoch: number): FoundEpochEnd {
    const found = this.#partitions.find(topic, partition);
    const errorCode = typeof found === 'number' ? found : found.checkReadable(currentLeaderEpoch, true);
    if (typeof found === 'number' || errorCode !== ErrorCode.NONE) return { errorCode, leaderEpoch: -1, endOffset: -1 };
    return { errorCode, ...found.log!.endOffsetForEpoch(leaderEpoch) };
  }
}

async function lookUp(
  partition: Partition,
  log: PartitionLog,
  timestamp: number,
  query: OffsetQuery,
): Promise<FoundOffset> {
  switch (timestamp) {
    case LATEST:
      if (mayGoBack(partition, log, query)) return notAvailable(query);
      return { ...NOTHING, offset: visibleEnd(log, query), leaderEpoch: partition.leaderEpoch };
    case EARLIEST:
    case EARLIEST_LOCAL:
      return { ...NOTHING, offset: log.logStartOffset, leaderEpoch: log.epochAt(log.logStartOffset) };
    case LATEST_TIERED:
      return NOTHING;
    case MAX_TIMESTAMP:
      return visible(await log.maxTimestampOffset(), partition, log, query);
    default:
      return visible(await log.offsetForTimestamp(timestamp), partition, log, query);
  }
}

/** Followers see the whole log, clients what is committed, or decided as well. */
function visibleEnd(log: PartitionLog, { replicaId, readCommitted }: OffsetQuery): number {
  if (replicaId !== CONSUMER) return log.logEndOffset;
  return readCommitted ? log.lastStableOffset : log.highWatermark;
}

/**
 * Right after an election the leader's high watermark may be behind the former leader's, so that a client could see it
 * go back; it cannot any more once it has reached the start of the leader's own epoch (KIP-207).
 */
function mayGoBack({ leadership }: Partition, log: PartitionLog, { replicaId }: OffsetQuery): boolean {
  return replicaId === CONSUMER && leadership !== null && leadership.epochStartOffset > log.highWatermark;
}

function notAvailable({ version }: OffsetQuery): FoundOffset {
  const knowsIt = version >= SINCE_OFFSET_NOT_AVAILABLE;
  return refused(knowsIt ? ErrorCode.OFFSET_NOT_AVAILABLE : ErrorCode.LEADER_NOT_AVAILABLE);
}

function visible(
  found: FoundTimestamp | null,
  partition: Partition,
  log: PartitionLog,
  query: OffsetQuery,
): FoundOffset {
  if (found !== null && found.offset < visibleEnd(log, query)) return { errorCode: ErrorCode.NONE, ...found };
  return mayGoBack(partition, log, query) ? notAvailable(query) : NOTHING;
}
