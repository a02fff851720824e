import { MAX_LONG } from '../../../shared/config/types.ts';

/** What the decision about compaction needs to know of a segment. Sizes in bytes, times in milliseconds. */
export interface SegmentFacts {
  readonly baseOffset: number;
  readonly size: number;
  /** Largest timestamp of its records; needed of dirty segments only, and only if there is a least lag. */
  readonly largestMs?: number;
  /** Timestamp of its first batch; needed of dirty segments only, and only if there is a greatest lag. */
  readonly firstMs?: number;
}

/** A compacted log, as far as that decision goes. */
export interface CompactionFacts {
  readonly logStartOffset: number;
  readonly logEndOffset: number;
  /** Everything below is committed and part of no open transaction (Kafka: the last stable offset). */
  readonly stableOffset: number;
  /** Ascending; the last one is the active one. */
  readonly segments: readonly SegmentFacts[];
  /** `min.compaction.lag.ms` */
  readonly leastLagMs: number;
  /** `max.compaction.lag.ms`; `MAX_LONG`: none */
  readonly greatestLagMs: number;
  /** `min.cleanable.dirty.ratio` */
  readonly leastRatio: number;
  readonly now: number;
}

/** How much there is to clean in a log. */
export interface Dirtiness {
  /** Everything below has been cleaned. */
  readonly firstDirtyOffset: number;
  /** The base of the first segment that must be left alone. */
  readonly firstUncleanableOffset: number;
  /** Bytes of the segments that have been cleaned, and of those that can be now. */
  readonly cleanBytes: number;
  readonly cleanableBytes: number;
  /** Part of those bytes that is not clean. */
  readonly ratio: number;
  /** For how long records have been due by `max.compaction.lag.ms`, in milliseconds; 0: none is. */
  readonly overdueMs: number;
  /** Whether the log is to be cleaned. */
  readonly isDue: boolean;
}

/**
 * Where cleaning begins: where it ended, unless the log has been cut since, at either end.
 * @param cleanedOffset what the checkpoint says; undefined: nothing
 */
export function firstDirtyOffset(
  cleanedOffset: number | undefined,
  { logStartOffset, logEndOffset }: Pick<CompactionFacts, 'logStartOffset' | 'logEndOffset'>,
): number {
  if (cleanedOffset === undefined || cleanedOffset < logStartOffset) return logStartOffset;
  // With damage at the end of the log, the checkpoint may speak of other records than are there now.
  return cleanedOffset > logEndOffset ? logStartOffset : cleanedOffset;
}

/** Kafka: `LogCleanerManager.cleanableOffsets`, `LogToClean`, `maxCompactionDelay`. */
export function dirtinessOf(firstDirty: number, facts: CompactionFacts): Dirtiness {
  const { segments, now } = facts;
  const active = segments.at(-1)!;
  const uncleanable = Math.max(firstDirty, firstUncleanable(firstDirty, facts));
  // Segments are cleaned as a whole: the one in which it becomes uncleanable waits.
  const end =
    uncleanable >= active.baseOffset ? active.baseOffset : segments[floorIndex(segments, uncleanable)]!.baseOffset;
  const from = floorIndex(segments, Math.min(firstDirty, end));
  const cleanBytes = bytesOf(segments.filter(({ baseOffset }) => baseOffset < firstDirty));
  const cleanableBytes = bytesOf(segments.slice(from).filter(({ baseOffset }) => baseOffset < end));
  const total = cleanBytes + cleanableBytes;
  const ratio = total === 0 ? 0 : cleanableBytes / total;
  const overdueMs = overdue(segments.slice(floorIndex(segments, firstDirty), -1), facts.greatestLagMs, now);
  const isDue = cleanableBytes > 0 && (overdueMs > 0 || ratio > facts.leastRatio);
  return {
    firstDirtyOffset: firstDirty,
    firstUncleanableOffset: end,
    cleanBytes,
    cleanableBytes,
    ratio,
    overdueMs,
    isDue,
  };
}

/** The active segment, what is not stable, and segments with a record that is too young are left alone. */
function firstUncleanable(firstDirty: number, { segments, stableOffset, leastLagMs, now }: CompactionFacts): number {
  const active = segments.at(-1)!;
  const bounds = [stableOffset, active.baseOffset];
  if (leastLagMs > 0 && firstDirty <= active.baseOffset) {
    const dirty = segments.slice(floorIndex(segments, firstDirty), -1);
    const young = dirty.find(({ largestMs }) => largestMs! > now - leastLagMs);
    if (young !== undefined) bounds.push(young.baseOffset);
  }
  return Math.min(...bounds);
}

function overdue(dirty: readonly SegmentFacts[], greatestLagMs: number, now: number): number {
  if (greatestLagMs >= MAX_LONG) return 0;
  const firsts = dirty.flatMap(({ firstMs }) => (firstMs !== undefined && firstMs > 0 ? [firstMs] : []));
  return Math.max(0, now - greatestLagMs - Math.min(...firsts, Infinity));
}

function bytesOf(segments: readonly SegmentFacts[]): number {
  return segments.reduce((sum, { size }) => sum + size, 0);
}

/** The place of the segment that may hold `offset`. */
export function floorIndex(segments: readonly { readonly baseOffset: number }[], offset: number): number {
  return Math.max(
    0,
    segments.findLastIndex(({ baseOffset }) => baseOffset <= offset),
  );
}

/** The one to be cleaned first: the dirtiest of those that are due; null when none is. */
export function filthiest<T extends { readonly dirtiness: Dirtiness }>(candidates: readonly T[]): T | null {
  let found: T | null = null;
  for (const candidate of candidates) {
    if (!candidate.dirtiness.isDue) continue;
    if (found === null || candidate.dirtiness.ratio > found.dirtiness.ratio) found = candidate;
  }
  return found;
}
