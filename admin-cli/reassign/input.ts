import { partitionKey, type TopicPartition } from '../../shared/topics/topic-partition.ts';
import type { AssignedPartition } from '../format/reassignment.ts';
import { ToolFailure } from '../support/tool.ts';

/** A replica's log, and the directory that it is ordered to. */
export interface LogDirOrder extends TopicPartition {
  readonly broker: number;
  /** Absolute path. */
  readonly directory: string;
}

/** What a --reassignment-json-file asks for. */
export interface ReassignmentFile {
  readonly partitions: readonly AssignedPartition[];
  /** Only those that the file names a directory for. */
  readonly logDirs: readonly LogDirOrder[];
}

interface Entry extends AssignedPartition {
  readonly logDirs: readonly string[];
}

const FORM = '{"topic":"t","partition":0,"replicas":[1,2],"log_dirs":["any","any"]}';
const ANY = 'any';

/** @throws Error saying what is wrong */
export function parseReassignmentFile(text: string): ReassignmentFile {
  const { partitions } = versioned(text);
  if (!Array.isArray(partitions)) throw new Error('it has no list "partitions"');
  if (partitions.length === 0) throw new Error('Partition reassignment list cannot be empty');
  const entries = partitions.map(parseEntry);
  rejectRepeated(
    entries.map(({ topic, partition }) => partitionKey(topic, partition)),
    'Partition reassignment contains duplicate topic partitions',
  );
  return {
    partitions: entries.map(({ topic, partition, replicas }) => ({ topic, partition, replicas })),
    logDirs: entries.flatMap(({ topic, partition, replicas, logDirs }) =>
      replicas.flatMap((broker, index) =>
        logDirs[index] === ANY ? [] : [{ topic, partition, broker, directory: logDirs[index]! }],
      ),
    ),
  };
}

function parseEntry(value: unknown): Entry {
  const { topic, partition, replicas, log_dirs: dirs } = value as Record<string, unknown>;
  const isWellFormed = typeof topic === 'string' && isIndex(partition) && isListOf(replicas, isIndex);
  if (!isWellFormed) throw new Error(`${JSON.stringify(value)} is no partition: it takes ${FORM}`);
  const key = partitionKey(topic, partition);
  if (replicas.length === 0) throw new Error(`Partition replica list cannot be empty: ${key}`);
  rejectRepeated(replicas, `Partition replica lists may not contain duplicate entries: ${key} has more than one of`);
  const logDirs = dirs === undefined ? replicas.map(() => ANY) : dirs;
  if (!isListOf(logDirs, isDirectory)) {
    throw new Error(`the log_dirs of ${key} must be "any" or absolute paths, not ${JSON.stringify(dirs)}`);
  }
  if (logDirs.length !== replicas.length) {
    throw new Error(`${key} has ${replicas.length} replicas, but ${logDirs.length} log_dirs: there must be as many`);
  }
  return { topic, partition, replicas, logDirs };
}

/** The topics of a --topics-to-move-json-file. @throws Error saying what is wrong */
export function parseTopicsFile(text: string): string[] {
  const { topics } = versioned(text);
  if (!Array.isArray(topics) || topics.length === 0) throw new Error('it has no topics: {"topics":[{"topic":"t"}]}');
  const names = topics.map((entry: unknown) => {
    const { topic } = entry as { topic?: unknown };
    if (typeof topic !== 'string') throw new Error(`${JSON.stringify(entry)} is no topic: it takes {"topic":"t"}`);
    return topic;
  });
  rejectRepeated(names, 'List of topics to reassign contains duplicate entries');
  return names;
}

/** The ids of a --broker-list. @throws ToolFailure */
export function parseBrokerList(text: string): number[] {
  const ids = text.split(',').map(id => {
    if (!/^\d+$/.test(id.trim())) throw failure(`'${id}' in --broker-list is no broker id (form: 0,1,2)`);
    return Number(id);
  });
  const repeated = duplicates(ids);
  if (repeated.length > 0) throw failure(`Broker list contains duplicate entries: ${repeated.join()}`);
  return ids;
}

/** A failure of this tool goes to stdout. */
export function failure(message: string): ToolFailure {
  return new ToolFailure(message, 'stdout');
}

/** Files without a version are of the first one. */
function versioned(text: string): Record<string, unknown> {
  const json = JSON.parse(text) as Record<string, unknown> | null;
  if (typeof json !== 'object' || json === null) throw new Error('it is no JSON object');
  if ((json.version ?? 1) !== 1) throw new Error(`Not supported version field value ${JSON.stringify(json.version)}`);
  return json;
}

function rejectRepeated<T>(items: readonly T[], problem: string): void {
  const repeated = duplicates(items);
  if (repeated.length > 0) throw new Error(`${problem}: ${repeated.join()}`);
}

function duplicates<T>(items: readonly T[]): T[] {
  return [...new Set(items.filter((item, index) => items.indexOf(item) !== index))];
}

function isIndex(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

function isDirectory(value: unknown): value is string {
  return typeof value === 'string' && (value === ANY || value.startsWith('/'));
}

function isListOf<T>(value: unknown, is: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.every(is);
}
