import type { FileSystem } from '../../shared/runtime/file-system.ts';
import { recallBatches } from './producer-recall.ts';
import type { ProducerStateManager } from './producer-state-manager.ts';
import { snapshotOffsets } from './producer-snapshot-files.ts';
import type { Segment } from './segment.ts';

/** The log whose producers' state is to be found out. */
export interface ReplayedLog {
  readonly directory: string;
  /** At least one, ascending. */
  readonly segments: readonly Segment[];
  readonly logStartOffset: number;
  /** The state will be that of the log below it. */
  readonly endOffset: number;
}

/**
 * Brings the producers' state to the log's end, from the newest snapshot and what follows it in the log (Kafka:
 * `UnifiedLog.rebuildProducerState`). It leaves snapshots at the bases of the last two segments and at the end, so that
 * the next time there is little to read.
 * @throws the file system's error
 */
export async function rebuildProducers(producers: ProducerStateManager, log: ReplayedLog): Promise<void> {
  const { directory, logStartOffset, endOffset } = log;
  // Who had no producers before a truncation has none after it, and need not read the log to see that.
  const isKnownEmpty = producers.isEmpty && producers.endOffset >= endOffset;
  const isFromSnapshot = producers.reload(directory, logStartOffset, endOffset);
  if (isFromSnapshot && !producers.isEmpty) await recallBatches(producers.byId, log.segments, producers.endOffset);
  if (!isKnownEmpty) await replay(producers, log);
  producers.takeSnapshot(directory, endOffset);
}

async function replay(producers: ProducerStateManager, log: ReplayedLog): Promise<void> {
  const { directory, segments, logStartOffset, endOffset } = log;
  const lastTwo = segments.slice(-2).map(({ baseOffset }) => baseOffset);
  for (const [index, segment] of segments.entries()) {
    if (producers.endOffset >= endOffset) return;
    const end = segments[index + 1]?.baseOffset ?? endOffset;
    if (end <= producers.endOffset || segment.baseOffset >= endOffset) continue;
    const from = Math.max(segment.baseOffset, producers.endOffset, logStartOffset);
    if (lastTwo.includes(from)) producers.takeSnapshot(directory, from);
    await replaySegment(producers, segment, from);
  }
}

async function replaySegment(producers: ProducerStateManager, segment: Segment, from: number): Promise<void> {
  const { offsets } = await segment.indexes();
  // Whole batches, because markers are in the records; large reads are what makes it quick.
  await segment.scan(offsets.lookup(from), true, (bytes, at) => {
    producers.replay(bytes, at);
    return 'go on';
  });
}

/**
 * Takes a log that was closed properly and has no snapshot at all for one without producers: older versions of the
 * broker wrote none. Snapshots of nothing at the bases of the last two segments and at the end spare reading it all.
 * @returns whether it was one
 */
export function assumeNoProducers(producers: ProducerStateManager, fs: FileSystem, log: ReplayedLog): boolean {
  if (snapshotOffsets(fs, log.directory).length > 0) return false;
  const offsets = [...log.segments.slice(-2).map(({ baseOffset }) => baseOffset), log.endOffset];
  for (const offset of offsets) producers.takeSnapshot(log.directory, offset);
  return true;
}
