import type { FileSystem } from '../../shared/runtime/file-system.ts';
import { parseSegmentFileName, segmentFileName, SNAPSHOT_SUFFIX } from './file-names.ts';

/** Path of the snapshot of the producers as they were at `offset`. */
export function snapshotPath(directory: string, offset: number): string {
  return `${directory}/${segmentFileName(offset, SNAPSHOT_SUFFIX)}`;
}

/** The offsets of a partition directory's snapshots, ascending. */
export function snapshotOffsets(fs: FileSystem, directory: string): number[] {
  return fs
    .list(directory)
    .flatMap(({ name }) => {
      const file = parseSegmentFileName(name);
      return file?.mark === '' && file.suffix === SNAPSHOT_SUFFIX ? [file.baseOffset] : [];
    })
    .sort((a, b) => a - b);
}

/**
 * Removes the snapshots that belong to no segment, except the newest if it is beyond the last segment's base: that one
 * was taken at the end of the log, by a shutdown (Kafka: `ProducerStateManager.removeStraySnapshots`).
 */
export function removeStraySnapshots(fs: FileSystem, directory: string, baseOffsets: readonly number[]): void {
  const bases = new Set(baseOffsets);
  const stray = snapshotOffsets(fs, directory).filter(offset => !bases.has(offset));
  const last = stray.at(-1);
  if (last !== undefined && last > (baseOffsets.at(-1) ?? Infinity)) stray.pop();
  for (const offset of stray) fs.removeFileSync(snapshotPath(directory, offset));
}
