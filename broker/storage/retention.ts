/** What retention knows of a segment. */
export interface SegmentFacts {
  readonly baseOffset: number;
  /** Bytes. */
  readonly size: number;
  /** Largest timestamp of its records, or the file's modification time where they have none. Milliseconds. */
  readonly newestMs: number;
}

export interface RetentionRules {
  /** `retention.ms` of a topic whose policy is to delete; null: age does not count. */
  readonly maxAgeMs: number | null;
  /** `retention.bytes` likewise. */
  readonly maxBytes: number | null;
}

export interface RetentionFacts extends RetentionRules {
  readonly now: number;
  readonly logStartOffset: number;
  readonly highWatermark: number;
  readonly logEndOffset: number;
}

/**
 * How many of the oldest segments are to be deleted (Kafka: `UnifiedLog.deleteOldSegments`): those wholly below the log
 * start offset, too old, or too much. Never one that is not wholly below the high watermark, none behind one that stays,
 * and not an empty active segment.
 */
export function deletableSegments(segments: readonly SegmentFacts[], facts: RetentionFacts): number {
  let excess = facts.maxBytes === null ? -1 : sizeOf(segments) - facts.maxBytes;
  let count = 0;
  for (const segment of segments) {
    const end = segments[count + 1]?.baseOffset ?? facts.logEndOffset;
    const isEmptyActive = count === segments.length - 1 && segment.size === 0;
    if (isEmptyActive || facts.highWatermark < end) break;
    const isTooMuch = excess >= segment.size;
    if (!isTooMuch && !isBelowStart(segments[count + 1], facts) && !isTooOld(segment, facts)) break;
    excess -= segment.size;
    count++;
  }
  return count;
}

function sizeOf(segments: readonly SegmentFacts[]): number {
  return segments.reduce((sum, segment) => sum + segment.size, 0);
}

function isBelowStart(next: SegmentFacts | undefined, { logStartOffset }: RetentionFacts): boolean {
  return next !== undefined && next.baseOffset <= logStartOffset;
}

function isTooOld({ newestMs }: SegmentFacts, { now, maxAgeMs }: RetentionFacts): boolean {
  return maxAgeMs !== null && now - newestMs > maxAgeMs;
}
