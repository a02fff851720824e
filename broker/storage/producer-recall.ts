import * as batch from '../../shared/records/batch.ts';
import { readProducerBatch } from './producer-batches.ts';
import { NONE, ProducerEntry } from './producer-entry.ts';
import type { Segment } from './segment.ts';

/** How much of the log before a snapshot is looked at: what producers may still send again lies at its end. */
const RECALLED_BYTES = 256 << 10;

/**
 * Gives producers back the batches before the last one, which snapshots do not keep: without them a leader that was
 * restarted, or has rolled just before it died, would take the repetition of any but the last batch for a gap, and the
 * producer would write it anew. Only headers are read, of a bounded stretch before `endOffset`.
 * @param segments ascending; those at or above `endOffset` do not matter
 * @throws the file system's error
 */
export async function recallBatches(
  entries: ReadonlyMap<number, ProducerEntry>,
  segments: readonly Segment[],
  endOffset: number,
): Promise<void> {
  const recalled = new Map<number, ProducerEntry>();
  for (const { segment, from } of await stretchBefore(segments, endOffset)) {
    await segment.scan(from, false, (bytes, at) => {
      if (batch.lastOffset(bytes, at) >= endOffset) return 'stop';
      recall(recalled, bytes, at);
      return 'go on';
    });
  }
  for (const [producerId, former] of recalled) entries.get(producerId)?.adoptBatches(former);
}

function recall(recalled: Map<number, ProducerEntry>, bytes: Buffer, at: number): void {
  const producerId = batch.producerId(bytes, at);
  if (producerId === NONE || batch.isControl(bytes, at)) return;
  let entry = recalled.get(producerId);
  if (entry === undefined) recalled.set(producerId, (entry = new ProducerEntry(producerId)));
  entry.append(readProducerBatch(bytes, at));
}

/** Where to begin in which segments, ascending, so that about `RECALLED_BYTES` before the offset are read. */
async function stretchBefore(
  segments: readonly Segment[],
  endOffset: number,
): Promise<{ segment: Segment; from: number }[]> {
  const stretch: { segment: Segment; from: number }[] = [];
  let left = RECALLED_BYTES;
  for (const segment of segments.filter(({ baseOffset }) => baseOffset < endOffset).reverse()) {
    if (left <= 0) break;
    const { offsets } = await segment.indexes();
    const isLast = stretch.length === 0;
    const end = isLast ? offsets.lookup(endOffset) : segment.size;
    let entry = offsets.length - 1;
    while (entry >= 0 && offsets.positionAt(entry) > end - left) entry--;
    const from = entry < 0 ? 0 : offsets.positionAt(entry);
    stretch.unshift({ segment, from });
    left -= end - from;
  }
  return stretch;
}
