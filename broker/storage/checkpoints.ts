import type { FileSystem } from '../../shared/runtime/file-system.ts';
import { partitionKey, type TopicPartition } from '../../shared/topics/topic-partition.ts';
import { replaceUnsynced } from './durable-files.ts';
import type { EpochEntry } from './leader-epochs.ts';

/** Checkpoint files of a log directory. */
export const RECOVERY_POINT_CHECKPOINT = 'recovery-point-offset-checkpoint';
export const LOG_START_CHECKPOINT = 'log-start-offset-checkpoint';
export const HIGH_WATERMARK_CHECKPOINT = 'replication-offset-checkpoint';
export const CLEANER_CHECKPOINT = 'cleaner-offset-checkpoint';
/** Checkpoint file of a partition's directory. */
export const LEADER_EPOCH_CHECKPOINT = 'leader-epoch-checkpoint';

const VERSION = '0';

/** An offset that a checkpoint keeps for a partition. */
export interface PartitionOffset extends TopicPartition {
  readonly offset: number;
}

/** A checkpoint file that is no checkpoint file. */
class MalformedCheckpoint extends Error {
  override readonly name = 'MalformedCheckpoint';
}

/** Version line, line with the count of entries, one line an entry (Kafka: `CheckpointFile`). */
function formatLines(lines: readonly string[]): string {
  return [VERSION, lines.length.toString(), ...lines, ''].join('\n');
}

function number(text: string | undefined): number {
  if (text === undefined || !/^-?\d+$/.test(text)) throw new MalformedCheckpoint(`'${text}' is not a number`);
  return Number(text);
}

/**
 * The fields of each entry; an empty file has none.
 * @throws MalformedCheckpoint
 */
function parseLines(text: string): string[][] {
  if (text === '') return [];
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  const [version, count, ...entries] = lines;
  if (version?.trim() !== VERSION) throw new MalformedCheckpoint(`unknown version '${version}'`);
  if (number(count?.trim()) !== entries.length) {
    throw new MalformedCheckpoint(`${count} entries announced, ${entries.length} found`);
  }
  return entries.map(line => line.trim().split(/\s+/));
}

function readEntries<T>(fs: FileSystem, path: string, parse: (fields: string[]) => T): T[] {
  if (!fs.exists(path)) return [];
  try {
    return parseLines(fs.readFile(path).toString('utf8')).map(parse);
  } catch (error) {
    if (!(error instanceof MalformedCheckpoint)) throw error;
    throw new MalformedCheckpoint(`The checkpoint file ${path} is malformed: ${error.message}.`, { cause: error });
  }
}

/** The text of a file of `topic partition offset` lines. */
export function formatOffsets(offsets: Iterable<PartitionOffset>): string {
  return formatLines(Array.from(offsets, entry => `${entry.topic} ${entry.partition} ${entry.offset}`));
}

/**
 * Reads a file of `topic partition offset` lines, keyed by `topic-partition`; empty when there is none.
 * @throws Error when it is malformed or cannot be read
 */
export function readOffsets(fs: FileSystem, path: string): Map<string, number> {
  return new Map(
    readEntries(fs, path, fields => {
      if (fields.length !== 3) throw new MalformedCheckpoint(`an entry has ${fields.length} fields`);
      return [partitionKey(fields[0]!, number(fields[1])), number(fields[2])] as const;
    }),
  );
}

/**
 * Reads a partition's `leader-epoch-checkpoint`; no entries when there is none. null when it is empty or malformed,
 * which is what a loss of power makes of a file whose content had not reached the disk: the batches tell the epochs.
 * @throws Error when it cannot be read
 */
export function readLeaderEpochs(fs: FileSystem, directory: string): EpochEntry[] | null {
  const path = `${directory}/${LEADER_EPOCH_CHECKPOINT}`;
  if (fs.stat(path)?.size === 0) return null;
  try {
    return readEntries(fs, path, fields => {
      if (fields.length !== 2) throw new MalformedCheckpoint(`an entry has ${fields.length} fields`);
      return { epoch: number(fields[0]), startOffset: number(fields[1]) };
    });
  } catch (error) {
    if (error instanceof MalformedCheckpoint) return null;
    throw error;
  }
}

/** Replaces a partition's `leader-epoch-checkpoint`, without waiting for the device. */
export function writeLeaderEpochs(fs: FileSystem, directory: string, entries: readonly EpochEntry[]): void {
  const text = formatLines(entries.map(entry => `${entry.epoch} ${entry.startOffset}`));
  replaceUnsynced(fs, `${directory}/${LEADER_EPOCH_CHECKPOINT}`, text);
}
