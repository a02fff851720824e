import type { Logger } from '../../shared/runtime/logger.ts';
import type { TopicConfigValues } from '../../shared/topics/topic-config.ts';
import { readLeaderEpochs, writeLeaderEpochs } from './checkpoints.ts';
import {
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  parseSegmentFileName,
  TIME_INDEX_SUFFIX,
  TRANSACTION_INDEX_SUFFIX,
} from './file-names.ts';
import { settleInterruptedChanges } from './interrupted-changes.ts';
import { LeaderEpochs } from './leader-epochs.ts';
import { indexLimitsOf, type LoadedLog, type LogEnvironment } from './log-state.ts';
import { readSegmentEnd, type RecoveredSegment, recoverSegment } from './recovery.ts';
import { Segment } from './segment.ts';
import type { IndexLimits, SegmentIndexes } from './segment-indexes.ts';
import { Segments } from './segments.ts';

/** A partition's directory to be loaded, and what the checkpoints say about it. */
export interface LogToLoad {
  readonly topic: string;
  readonly partition: number;
  readonly path: string;
  readonly config: TopicConfigValues;
  /** Whether the last use of the log directory was ended properly. */
  readonly wasClosed: boolean;
  /** From the recovery-point checkpoint; 0 when it says nothing. */
  readonly recoveryPoint: number;
  /** From the log-start checkpoint; 0 when it says nothing. */
  readonly logStartOffset: number;
}

interface LoadedEnd {
  readonly segments: Segment[];
  readonly indexes: SegmentIndexes;
  readonly endOffset: number;
}

const INDEX_SUFFIXES: readonly string[] = [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TRANSACTION_INDEX_SUFFIX];

/**
 * Loads the log in a directory (Kafka: `LogLoader`). After a clean shutdown only the end of the last segment is looked
 * at. Otherwise every segment from the one that holds the recovery point on is read and checked: the log ends before the
 * first invalid byte, and later segments are dropped.
 * @throws the file system's error, StorageStartupError
 */
export async function loadLog(environment: LogEnvironment, log: LogToLoad, logger: Logger): Promise<LoadedLog> {
  const { fs } = environment.resources;
  settleInterruptedChanges(fs, log.path);
  removeIndexesWithoutLog(environment, log);
  const limits = indexLimitsOf(log.config);
  const found = openSegments(environment, log);
  const entries = readLeaderEpochs(fs, log.path);
  if (entries === null) logger.warn({ path: log.path }, 'the leader epoch checkpoint is damaged: reading all batches');
  const epochs = new LeaderEpochs(entries ?? []);
  // Without epochs on file, only all batches together tell them.
  const recoverFrom = entries === null ? 0 : log.recoveryPoint;
  const end =
    log.wasClosed && entries !== null
      ? await loadClosed(found, limits, log, logger)
      : await recover(found, epochs, recoverFrom, limits, log, logger);
  return finish(environment, log, end, epochs, logger);
}

function removeIndexesWithoutLog(environment: LogEnvironment, { path }: LogToLoad): void {
  const { fs } = environment.resources;
  const names = fs.list(path).map(entry => entry.name);
  const logs = new Set(names.map(name => parseSegmentFileName(name)).flatMap(logBaseOffset));
  for (const name of names) {
    const file = parseSegmentFileName(name);
    if (file?.mark !== '' || !INDEX_SUFFIXES.includes(file.suffix) || logs.has(file.baseOffset)) continue;
    fs.removeFileSync(`${path}/${name}`);
  }
}

function logBaseOffset(file: ReturnType<typeof parseSegmentFileName>): number[] {
  return file?.mark === '' && file.suffix === LOG_SUFFIX ? [file.baseOffset] : [];
}

function openSegments(environment: LogEnvironment, { path }: LogToLoad): Segment[] {
  const { fs } = environment.resources;
  const now = environment.clock.now();
  return fs
    .list(path)
    .flatMap(entry => logBaseOffset(parseSegmentFileName(entry.name)))
    .sort((a, b) => a - b)
    .map(baseOffset => {
      const name = `${path}/${baseOffset.toString().padStart(20, '0')}${LOG_SUFFIX}`;
      return new Segment(environment.resources, path, baseOffset, fs.stat(name)?.size ?? 0, now);
    });
}

async function loadClosed(segments: Segment[], limits: IndexLimits, log: LogToLoad, logger: Logger): Promise<LoadedEnd> {
  for (const segment of segments) await segment.ensureIndexes(limits);
  const active = segments.at(-1);
  const end = active === undefined ? null : await readSegmentEnd(active, limits);
  if (active !== undefined && end !== null) warnOfCut(active, end, log, logger);
  return toLoadedEnd(segments, end);
}

function toLoadedEnd(segments: Segment[], end: RecoveredSegment | null): LoadedEnd {
  const empty: RecoveredSegment = { indexes: null as never, endOffset: -1, bytesCut: 0 };
  return { segments, ...(end ?? empty) };
}
