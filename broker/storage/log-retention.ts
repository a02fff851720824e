import type { LogState } from './log-state.ts';
import { deletableSegments, type SegmentFacts } from './retention.ts';

/**
 * What retention needs to know of a log's segments; reads index files where necessary.
 * @throws StorageError STORAGE_ERROR
 */
export async function gatherSegmentFacts(state: LogState): Promise<SegmentFacts[]> {
  state.requireOnline();
  const { version } = state;
  const facts: SegmentFacts[] = [];
  try {
    for (const segment of [...state.segments.all]) {
      const { timestamp } = await segment.largestTimestamp();
      const newestMs = timestamp >= 0 ? timestamp : segment.modifiedMs;
      facts.push({ baseOffset: segment.baseOffset, size: segment.size, newestMs });
    }
  } catch (error) {
    // A file that was deleted or cut meanwhile says nothing about the disk.
    if (version === state.version) throw state.ioFailure(error);
  }
  return facts;
}

/** How many of the oldest segments are to be deleted now, some time after the facts were gathered. */
export function deletableNow(state: LogState, facts: readonly SegmentFacts[]): number {
  const known = new Map(facts.map(fact => [fact.baseOffset, fact]));
  const current = state.segments.all.map(({ baseOffset, size }) => {
    const fact = known.get(baseOffset);
    // What was appended to meanwhile has just become young.
    return { baseOffset, size, newestMs: fact?.size === size ? fact.newestMs : Infinity };
  });
  const { config, environment, logStartOffset, highWatermark, logEndOffset } = state;
  const deletes = config['cleanup.policy'].includes('delete');
  const limit = (value: number) => (deletes && value >= 0 ? value : null);
  return deletableSegments(current, {
    maxAgeMs: limit(config['retention.ms']),
    maxBytes: limit(config['retention.bytes']),
    now: environment.clock.now(),
    logStartOffset,
    highWatermark,
    logEndOffset,
  });
}
