import type { TopicConfigValues } from '../../shared/topics/topic-config.ts';

/** What the decision to roll depends on. Times in milliseconds, sizes in bytes. */
export interface RollQuestion {
  /** The active segment, with what is about to be written to it before. */
  readonly baseOffset: number;
  readonly size: number;
  /** Timestamp of the segment's first batch: -1 when it has none; null when it is empty. */
  readonly firstTimestamp: number | null;
  readonly openedMs: number;
  readonly indexIsFull: boolean;
  /** The records to be appended. */
  readonly length: number;
  readonly maxTimestamp: number;
  readonly lastOffset: number;
  readonly now: number;
  /** `segment.bytes`, and `segment.ms` less jitter. */
  readonly maxSize: number;
  readonly maxAgeMs: number;
}

/**
 * The age in milliseconds at which a log's segment is ended, less what jitter takes off: `segment.ms`, and where the log
 * is compacted `max.compaction.lag.ms`, for an active segment is not (KIP-354).
 */
export function mostAge(config: TopicConfigValues): number {
  const isCompacted = config['cleanup.policy'].includes('compact');
  return isCompacted ? Math.min(config['segment.ms'], config['max.compaction.lag.ms']) : config['segment.ms'];
}

/**
 * Whether a new segment must be begun before the records are appended (Kafka: `LogSegment.shouldRoll`): it would become
 * too large, it is too old by the time of its records (by that of the clock where they have none), an index is full, or
 * the new offsets are too far from its base for the index format.
 */
export function mustRoll(question: RollQuestion): boolean {
  const { size, baseOffset, lastOffset } = question;
  if (lastOffset - baseOffset > 0x7fffffff) return true;
  if (size === 0) return false;
  return size + question.length > question.maxSize || isTooOld(question) || question.indexIsFull;
}

function isTooOld({ firstTimestamp, maxTimestamp, openedMs, now, maxAgeMs }: RollQuestion): boolean {
  const waited = firstTimestamp === null || firstTimestamp < 0 ? now - openedMs : maxTimestamp - firstTimestamp;
  return waited > maxAgeMs;
}
