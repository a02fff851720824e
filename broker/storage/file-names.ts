import type { TopicPartition } from '../../shared/topics/topic-partition.ts';

/** Files of a segment, named by its base offset, and what may be left of them (Kafka: `LogFileUtils`, `UnifiedLog`). */
export const LOG_SUFFIX = '.log';
export const OFFSET_INDEX_SUFFIX = '.index';
export const TIME_INDEX_SUFFIX = '.timeindex';
export const TRANSACTION_INDEX_SUFFIX = '.txnindex';
export const SNAPSHOT_SUFFIX = '.snapshot';
/** Renamed away, to be removed after `file.delete.delay.ms`. */
export const DELETED_SUFFIX = '.deleted';
/** Being written by compaction or a split: incomplete. */
export const CLEANED_SUFFIX = '.cleaned';
/** A complete replacement on its way into place. */
export const SWAP_SUFFIX = '.swap';

/** Suffixes of the files that live and die with a segment; the log itself comes last, so that it vanishes last. */
export const SEGMENT_SUFFIXES = [
  OFFSET_INDEX_SUFFIX,
  TIME_INDEX_SUFFIX,
  TRANSACTION_INDEX_SUFFIX,
  SNAPSHOT_SUFFIX,
  LOG_SUFFIX,
] as const;

const MAX_DIRECTORY_NAME = 255;
const DELETE_DIRECTORY = /^.+\.[0-9a-f]{32}-delete$/;
const FUTURE_DIRECTORY = /^(.+)\.[0-9a-f]{32}-future$/;
const STRAY_DIRECTORY = /^.+\.[0-9a-f]{32}-stray$/;
const UNIQUE_HEX_DIGITS = 32;
const SEGMENT_FILE = /^(\d{20})(\.[a-z]+)(\.[a-z]+)?$/;

/** `00000000000000001042.log` for offset 1042. */
export function segmentFileName(baseOffset: number, suffix: string): string {
  return baseOffset.toString().padStart(20, '0') + suffix;
}

export interface SegmentFileName {
  readonly baseOffset: number;
  /** `.log`, `.index`, … */
  readonly suffix: string;
  /** `.deleted`, `.cleaned`, `.swap`, or the empty string. */
  readonly mark: string;
}

/** Takes a segment file's name apart; null for files of another kind. */
export function parseSegmentFileName(name: string): SegmentFileName | null {
  const match = SEGMENT_FILE.exec(name);
  if (match === null) return null;
  const baseOffset = Number(match[1]);
  return Number.isSafeInteger(baseOffset) ? { baseOffset, suffix: match[2]!, mark: match[3] ?? '' } : null;
}

/** What a directory inside a log directory is. */
export type DirectoryKind =
  | ({ readonly kind: 'partition' } & TopicPartition)
  /** Being filled, to become the partition's log: a move between log directories. */
  | ({ readonly kind: 'future' } & TopicPartition)
  | { readonly kind: 'delete' }
  | { readonly kind: 'other' }
  | { readonly kind: 'foreign' };

/** The partition is what follows the last dash; what fits no form makes start-up fail, as in Kafka. */
export function parseDirectoryName(name: string): DirectoryKind {
  if (DELETE_DIRECTORY.test(name)) return { kind: 'delete' };
  if (STRAY_DIRECTORY.test(name)) return { kind: 'other' };
  const future = FUTURE_DIRECTORY.exec(name)?.[1];
  const partition = parsePartition(future ?? name);
  if (partition === null) return { kind: 'foreign' };
  return { kind: future === undefined ? 'partition' : 'future', ...partition };
}

function parsePartition(name: string): TopicPartition | null {
  const dash = name.lastIndexOf('-');
  const digits = name.slice(dash + 1);
  if (dash < 1 || !/^(0|[1-9]\d{0,9})$/.test(digits)) return null;
  return { topic: name.slice(0, dash), partition: Number(digits) };
}

/** `orders-0.<32 hex>-future`; null when the topic's name leaves no room for that (Kafka refuses such moves, too). */
export function futureDirectoryName(topic: string, partition: number, unique: Buffer): string | null {
  const name = `${topic}-${partition}.${unique.toString('hex')}-future`;
  return name.length > MAX_DIRECTORY_NAME ? null : name;
}

/** Whether a log of this name may move between log directories. */
export function mayMove(topic: string, partition: number): boolean {
  return futureDirectoryName(topic, partition, Buffer.alloc(UNIQUE_HEX_DIGITS / 2)) !== null;
}

/** `orders-0.<32 hex>-delete`, the topic cut so that the name stays within what file systems take. */
export function deletedDirectoryName(topic: string, partition: number, unique: Buffer): string {
  const suffix = `-${partition}.${unique.toString('hex')}-delete`;
  return topic.slice(0, MAX_DIRECTORY_NAME - suffix.length) + suffix;
}
