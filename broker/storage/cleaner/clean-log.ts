import type { TopicPartition } from '../../../shared/topics/topic-partition.ts';
import { indexLimitsOf } from '../log-state.ts';
import type { PartitionLog } from '../partition-log.ts';
import type { Segment } from '../segment.ts';
import type { CleanerOptions } from '../storage-setup.ts';
import type { Dirtiness } from './dirtiness.ts';
import { groupSegments } from './grouping.ts';
import { type CleanedGroup, CleaningFailure, type CleaningExecutor, type MapSummary } from './steps.ts';

/** What a cleaning did. */
export interface CleaningReport {
  /** Everything below is clean now. */
  readonly endOffset: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly recordsBefore: number;
  readonly recordsAfter: number;
  /** Records without a key, which were dropped. */
  readonly keyless: number;
  readonly keys: number;
  /** Part of the map that was filled. */
  readonly mapUtilization: number;
}

/** A segment to be cleaned, with the sizes by which neighbours are put together. */
interface Source {
  readonly segment: Segment;
  readonly baseOffset: number;
  readonly log: number;
  readonly offsetIndex: number;
  readonly timeIndex: number;
}

/** Where it is kept up to which offset a log is clean: its directory. */
export interface CleanedOffsets {
  cleanedOffset(log: TopicPartition): number | undefined;
  setCleanedOffset(log: TopicPartition, offset: number | undefined): Promise<void>;
}

export interface DirtyLog {
  readonly log: PartitionLog;
  readonly home: CleanedOffsets;
  readonly dirtiness: Dirtiness;
}

/** All that one cleaning is about. */
interface Cleaning {
  readonly log: PartitionLog;
  readonly dirtiness: Dirtiness;
  readonly executor: CleaningExecutor;
  readonly options: CleanerOptions;
  readonly directory: string;
  readonly now: number;
  readonly signal: AbortSignal;
}

/**
 * Cleans a log: reads the keys of its dirty part, then writes its segments anew, group by group, each of which takes its
 * sources' place as soon as it is written (Kafka: `Cleaner.doClean`).
 * @param now wall-clock time in milliseconds
 * @throws CleaningFailure, StorageError
 */
export async function cleanLog(
  { log, home, dirtiness }: DirtyLog,
  executor: CleaningExecutor,
  options: CleanerOptions,
  now: number,
): Promise<CleaningReport> {
  const { compaction } = log;
  const signal = compaction.begin();
  try {
    const cleaning = { log, dirtiness, executor, options, directory: compaction.path, now, signal };
    const map = await executor.run('map', mapOrder(cleaning), signal);
    requireUndisturbed(signal);
    const report = await cleanGroups(cleaning, map);
    await executor.run('finish', { directory: cleaning.directory }, signal);
    requireUndisturbed(signal);
    // Before the cleaning counts as ended: nobody can have cut the log since.
    await home.setCleanedOffset(log, report.endOffset);
    return report;
  } finally {
    compaction.end();
  }
}

function requireUndisturbed(signal: AbortSignal): void {
  if (signal.aborted) throw new CleaningFailure('aborted', 'The log was changed meanwhile.');
}

function chunkOf({ ioBufferBytes, threads }: CleanerOptions): number {
  // One buffer to read into, one to write from.
  return Math.floor(ioBufferBytes / Math.max(1, threads) / 2);
}

function mapOrder({ log, dirtiness, options, directory }: Cleaning) {
  const { firstDirtyOffset, firstUncleanableOffset } = dirtiness;
  const { segments } = log.compaction;
  const from = segments.findLast(({ baseOffset }) => baseOffset <= firstDirtyOffset)?.baseOffset ?? 0;
  const dirty = segments.filter(({ baseOffset }) => baseOffset >= from && baseOffset < firstUncleanableOffset);
  return {
    directory,
    segments: dirty.map(({ baseOffset, size }) => ({ baseOffset, size })),
    allBaseOffsets: segments.map(({ baseOffset }) => baseOffset),
    startOffset: firstDirtyOffset,
    endOffset: firstUncleanableOffset,
    memoryBytes: Math.floor(options.dedupeBufferBytes / Math.max(1, options.threads)),
    loadFactor: options.loadFactor,
    chunk: chunkOf(options),
  };
}

async function cleanGroups(cleaning: Cleaning, { latestOffset, keys, slots }: MapSummary): Promise<CleaningReport> {
  const { log, dirtiness } = cleaning;
  const endOffset = latestOffset + 1;
  const sources = log.compaction.segments.filter(({ baseOffset }) => baseOffset < endOffset).map(withSizes);
  const legacyHorizonMs = legacyHorizon(cleaning);
  const limits = { logBytes: log.config['segment.bytes'], indexBytes: log.config['segment.index.bytes'] };
  const totals = { bytesAfter: 0, recordsBefore: 0, recordsAfter: 0, keyless: 0 };
  for (const group of groupSegments(sources, dirtiness.firstUncleanableOffset, limits)) {
    const cleaned = await cleanGroup(cleaning, group, legacyHorizonMs);
    totals.bytesAfter += cleaned.size;
    totals.recordsBefore += cleaned.recordsRead;
    totals.recordsAfter += cleaned.recordsKept;
    totals.keyless += cleaned.keyless;
  }
  const bytesBefore = sources.reduce((sum, source) => sum + source.log, 0);
  return { endOffset, bytesBefore, ...totals, keys, mapUtilization: keys / slots };
}

function withSizes(segment: Segment): Source {
  const { baseOffset, size, indexFileSizes } = segment;
  return { segment, baseOffset, log: size, offsetIndex: indexFileSizes.offsets, timeIndex: indexFileSizes.times };
}

/** Formats before magic 2 cannot note when a tombstone was first seen: the files' age stands in for it. */
function legacyHorizon({ log, dirtiness }: Cleaning): number {
  const clean = log.compaction.segments.findLast(({ baseOffset }) => baseOffset < dirtiness.firstDirtyOffset);
  return clean === undefined ? 0 : clean.modifiedMs - log.config['delete.retention.ms'];
}

async function cleanGroup(
  cleaning: Cleaning,
  group: readonly Source[],
  legacyHorizonMs: number,
): Promise<CleanedGroup> {
  const { log, dirtiness, executor, options, directory, now, signal } = cleaning;
  const { compaction, config } = log;
  const segments = group.map(({ segment }) => segment);
  const { baseOffset } = segments[0]!;
  const last = compaction.segments.indexOf(segments.at(-1)!);
  const order = {
    directory,
    sources: segments.map(segment => ({ baseOffset: segment.baseOffset, size: segment.size })),
    limits: indexLimitsOf(config),
    now,
    deleteRetentionMs: config['delete.retention.ms'],
    legacyHorizonMs,
    producers: compaction.activeProducers(baseOffset, compaction.segments[last + 1]!.baseOffset),
    roundEnd: dirtiness.firstUncleanableOffset,
    chunk: chunkOf(options),
  };
  const cleaned = await executor.run('group', order, signal);
  if (signal.aborted) compaction.discard(baseOffset);
  requireUndisturbed(signal);
  compaction.replace(segments, cleaned.size);
  return cleaned;
}
