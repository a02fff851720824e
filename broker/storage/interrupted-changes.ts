import * as batch from '../../shared/records/batch.ts';
import type { FileSystem } from '../../shared/runtime/file-system.ts';
import {
  CLEANED_SUFFIX,
  DELETED_SUFFIX,
  LOG_SUFFIX,
  parseSegmentFileName,
  type SegmentFileName,
  SWAP_SUFFIX,
} from './file-names.ts';
import { scanEntriesSync } from './segment-scan.ts';

interface FoundFile extends SegmentFileName {
  readonly path: string;
}

/**
 * Brings a partition's directory out of the middle of what a crash interrupted: deletions are completed, replacements
 * of segments (by compaction or a split) undone if they were still being written, completed if not. Replacements go
 *
 *     N.log.cleaned  ──all written──►  N.log.swap  ──originals deleted──►  N.log
 *
 * and the renames to `.swap` begin with the highest base offset, so while a `.cleaned` file is left, the `.swap` files
 * at or above it belong to the same incomplete replacement (Kafka: `LogLoader`).
 */
export function settleInterruptedChanges(fs: FileSystem, directory: string): void {
  for (const { path } of files(fs, directory, DELETED_SUFFIX)) fs.removeFileSync(path);
  const cleaned = files(fs, directory, CLEANED_SUFFIX);
  const firstCleaned = Math.min(...cleaned.map(file => file.baseOffset));
  const incomplete = files(fs, directory, SWAP_SUFFIX).filter(({ baseOffset }) => baseOffset >= firstCleaned);
  for (const { path } of [...cleaned, ...incomplete]) fs.removeFileSync(path);
  completeSwap(fs, directory);
}

function files(fs: FileSystem, directory: string, mark: string): FoundFile[] {
  return fs.list(directory).flatMap(({ name, isDirectory }) => {
    const parsed = isDirectory ? null : parseSegmentFileName(name);
    return parsed?.mark === mark ? [{ ...parsed, path: `${directory}/${name}` }] : [];
  });
}

function completeSwap(fs: FileSystem, directory: string): void {
  const swaps = files(fs, directory, SWAP_SUFFIX);
  const logs = swaps.filter(({ suffix }) => suffix === LOG_SUFFIX);
  if (logs.length > 0) {
    const from = Math.min(...logs.map(file => file.baseOffset));
    const to = Math.max(...logs.map(file => endOffset(fs, file)));
    for (const { path, baseOffset } of files(fs, directory, '')) {
      if (baseOffset >= from && baseOffset < to) fs.removeFileSync(path);
    }
  }
  for (const { path } of swaps) fs.rename(path, path.slice(0, -SWAP_SUFFIX.length));
}

/** The offset behind the last whole entry of a `.log` file. */
function endOffset(fs: FileSystem, { path, baseOffset }: FoundFile): number {
  const handle = fs.open(path, 'r');
  try {
    let end = baseOffset;
    scanEntriesSync(handle, { from: 0, to: handle.sizeSync(), whole: false }, (buffer, at) => {
      end = batch.lastOffset(buffer, at) + 1;
      return 'go on';
    });
    return end;
  } finally {
    handle.closeSync();
  }
}
