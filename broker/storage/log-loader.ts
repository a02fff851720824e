import type { Logger } from '../../shared/runtime/logger.ts';
import type { TopicConfigValues } from '../../shared/topics/topic-config.ts';
import { readLeaderEpochs, writeLeaderEpochs } from './checkpoints.ts';
import {
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  parseSegmentFileName,
  segmentFileName,
  TIME_INDEX_SUFFIX,
  TRANSACTION_INDEX_SUFFIX,
} from './file-names.ts';
import { settleInterruptedChanges } from './interrupted-changes.ts';
import { LeaderEpochs } from './leader-epochs.ts';
import { indexLimitsOf, type LoadedLog, type LogEnvironment } from './log-state.ts';
import { ProducerStateManager } from './producer-state-manager.ts';
import { assumeNoProducers, rebuildProducers } from './producer-rebuild.ts';
import { removeStraySnapshots } from './producer-snapshot-files.ts';
import { readSegmentEnd, type RecoveredSegment, recoverSegment } from './recovery.ts';
import { writeTopicId } from './partition-metadata.ts';
import { Segment } from './segment.ts';
import type { SegmentIndexes } from './segment-indexes.ts';
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

/** A log to be made. */
export interface LogToCreate {
  readonly topic: string;
  readonly partition: number;
  readonly topicId: string | null;
  readonly config: TopicConfigValues;
}

/**
 * Makes the directory of a new, empty log.
 * @throws the file system's error, also when the directory exists
 */
export function createLog(environment: LogEnvironment, path: string, log: LogToCreate): LoadedLog {
  const { fs } = environment.resources;
  if (fs.exists(path)) throw new Error(`The directory ${path} of a new log exists already.`);
  fs.makeDirectory(path);
  if (log.topicId !== null) writeTopicId(fs, path, log.topicId);
  const { topic, partition, config } = log;
  const segments = new Segments([Segment.create(environment.resources, path, 0, environment.clock.now())]);
  const offsets = { logStartOffset: 0, logEndOffset: 0, recoveryPoint: 0 };
  const producers = producersOf(environment);
  return { topic, partition, path, config, segments, epochs: new LeaderEpochs(), producers, ...offsets };
}

function producersOf({ resources, clock, producers }: LogEnvironment): ProducerStateManager {
  return new ProducerStateManager(resources.fs, clock, producers);
}

/** The segments of a log (at least one), the last of which ends at `endOffset` and has these indexes. */
interface CheckedSegments {
  readonly segments: readonly Segment[];
  readonly indexes: SegmentIndexes;
  readonly endOffset: number;
}

/** What index files can express: a new segment is begun before an offset lies further from the base. */
const OFFSETS_PER_SEGMENT = 2 ** 31;

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
  const entries = readLeaderEpochs(fs, log.path);
  if (entries === null) logger.warn({ path: log.path }, 'the leader epoch checkpoint is damaged: reading all batches');
  const epochs = new LeaderEpochs(entries ?? []);
  const found = openSegments(environment, log);
  const producers = producersOf(environment);
  const isClean = log.wasClosed && entries !== null;
  // Without epochs on file, only all batches together tell them.
  const recoverFrom = entries === null ? 0 : Math.min(isClean ? Infinity : log.recoveryPoint, firstUnindexed(found));
  const checked =
    recoverFrom === Infinity
      ? await checkClosed(found, log, logger)
      : await recover(found, { epochs, producers }, recoverFrom, log, logger);
  const loaded = assemble(environment, log, checked, { epochs, producers }, isClean);
  await loadProducers(environment, loaded, isClean);
  if (JSON.stringify(entries) !== JSON.stringify(epochs.entries)) writeLeaderEpochs(fs, log.path, epochs.entries);
  return loaded;
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
      const size = fs.stat(`${path}/${segmentFileName(baseOffset, LOG_SUFFIX)}`)?.size ?? 0;
      return new Segment(environment.resources, path, baseOffset, size, now);
    });
}

/**
 * The base of the first segment without index files, or with a damaged transaction index. What that has to say, if the
 * segment needs one at all, only reading the log from there tells (Kafka: `LogLoader.loadSegmentFiles`). Infinity when
 * all is there.
 */
function firstUnindexed(segments: readonly Segment[]): number {
  const isSound = ({ hasIndexFiles, aborted, baseOffset }: Segment, i: number) =>
    hasIndexFiles && aborted.isPlausible(baseOffset, segments[i + 1]?.baseOffset ?? baseOffset + OFFSETS_PER_SEGMENT);
  return segments.find((segment, i) => !isSound(segment, i))?.baseOffset ?? Infinity;
}

async function checkClosed(
  segments: readonly Segment[],
  log: LogToLoad,
  logger: Logger,
): Promise<CheckedSegments | null> {
  const active = segments.at(-1);
  if (active === undefined) return null;
  const end = await readSegmentEnd(active, indexLimitsOf(log.config));
  reportCut(active, end, log, logger);
  return { segments, ...end };
}

/** What a log knows besides its records. */
interface Knowledge {
  readonly epochs: LeaderEpochs;
  readonly producers: ProducerStateManager;
}

async function recover(
  found: Segment[],
  { epochs, producers }: Knowledge,
  from: number,
  log: LogToLoad,
  logger: Logger,
): Promise<CheckedSegments | null> {
  const limits = indexLimitsOf(log.config);
  const first = Math.max(
    0,
    found.findLastIndex(segment => segment.baseOffset <= from),
  );
  // What the batches to be read say, counts more than a file that may be older or newer than they are.
  if (found[first] !== undefined) epochs.truncateFromEnd(found[first].baseOffset);
  await producersUpTo(first, found, producers, log);
  for (let i = first; i < found.length; i++) {
    const segment = found[i]!;
    const limitOffset = found[i + 1]?.baseOffset ?? segment.baseOffset + OFFSETS_PER_SEGMENT;
    producers.takeSnapshot(log.path, segment.baseOffset);
    const end = await recoverSegment(segment, { epochs, producers }, limits, limitOffset);
    reportCut(segment, end, log, logger);
    segment.activate(end.indexes);
    if (i === found.length - 1) return { segments: found, ...end };
    if (end.bytesCut > 0) return { segments: dropFrom(found, i + 1, logger), ...end };
    segment.seal();
  }
  return null;
}

/** Finds out the producers' state at the beginning of segment number `first`, which is the first to be recovered. */
async function producersUpTo(
  first: number,
  found: readonly Segment[],
  producers: ProducerStateManager,
  { path, logStartOffset }: LogToLoad,
): Promise<void> {
  const segment = found[first];
  if (segment === undefined) return;
  await rebuildProducers(producers, {
    directory: path,
    segments: found.slice(0, first),
    logStartOffset: Math.max(logStartOffset, found[0]!.baseOffset),
    endOffset: segment.baseOffset,
  });
}

function reportCut(segment: Segment, { bytesCut, endOffset }: RecoveredSegment, log: LogToLoad, logger: Logger): void {
  if (bytesCut === 0) return;
  const fields = {
    topic: log.topic,
    partition: log.partition,
    file: segment.file.path,
    bytesCut,
    logEndOffset: endOffset,
  };
  logger.warn(fields, 'cut off an incomplete or damaged end of the log');
}

/** Deletes the segments from number `from` on, beginning at the end, and returns the others. */
function dropFrom(segments: readonly Segment[], from: number, logger: Logger): Segment[] {
  for (const segment of segments.slice(from).reverse()) {
    logger.warn({ file: segment.file.path, bytes: segment.size }, 'dropped a segment that follows a damaged one');
    segment.remove();
  }
  return segments.slice(0, from);
}

function assemble(
  environment: LogEnvironment,
  log: LogToLoad,
  checked: CheckedSegments | null,
  { epochs, producers }: Knowledge,
  isClean: boolean,
): LoadedLog {
  const { topic, partition, path, config } = log;
  let segments: Segments;
  let logEndOffset = log.logStartOffset;
  if (checked === null || checked.endOffset < log.logStartOffset) {
    // Nothing is left of what clients may see.
    dropAll(checked?.segments ?? []);
    segments = new Segments([Segment.create(environment.resources, path, log.logStartOffset, environment.clock.now())]);
  } else {
    segments = new Segments(checked.segments);
    segments.active.activate(checked.indexes);
    logEndOffset = checked.endOffset;
  }
  const logStartOffset = Math.max(log.logStartOffset, segments.first.baseOffset);
  epochs.truncateFromEnd(logEndOffset);
  epochs.truncateFromStart(logStartOffset);
  const recoveryPoint = isClean ? logEndOffset : Math.min(log.recoveryPoint, logEndOffset);
  return { topic, partition, path, config, segments, epochs, producers, logStartOffset, logEndOffset, recoveryPoint };
}

/** Brings the producers' state to the end of the log that has been found. */
async function loadProducers({ resources }: LogEnvironment, loaded: LoadedLog, isClean: boolean): Promise<void> {
  const { path, segments, producers, logStartOffset, logEndOffset } = loaded;
  const bases = segments.all.map(({ baseOffset }) => baseOffset);
  removeStraySnapshots(resources.fs, path, bases);
  const log = { directory: path, segments: segments.all, logStartOffset, endOffset: logEndOffset };
  if (isClean && assumeNoProducers(producers, resources.fs, log)) return;
  await rebuildProducers(producers, log);
}

function dropAll(segments: readonly Segment[]): void {
  for (const segment of [...segments].reverse()) segment.remove();
}
