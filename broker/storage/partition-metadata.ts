import type { FileSystem } from '../../shared/runtime/file-system.ts';
import { replaceUnsynced } from './durable-files.ts';
import { StorageStartupError } from './errors.ts';

/** File of a partition's directory that says which topic of that name it belongs to. */
export const PARTITION_METADATA = 'partition.metadata';

const CONTENT = /^version: (\d+)\r?\ntopic_id: ([A-Za-z0-9_-]{22})\s*$/;
const ZERO_ID = 'A'.repeat(22);
const BEFORE_ID = 'version: 0\ntopic_id: ';
const UNFINISHED_ID = /^[A-Za-z0-9_-]{0,21}$/;

/**
 * The topic id of a partition's directory, 22 characters of url-safe base64; null when there is no such file, or an
 * unfinished one: its content had not reached the disk when power was lost, and the controller will tell the id again.
 * @throws StorageStartupError when it is malformed
 */
export function readTopicId(fs: FileSystem, directory: string): string | null {
  const path = `${directory}/${PARTITION_METADATA}`;
  if (!fs.exists(path)) return null;
  const text = fs.readFile(path).toString('utf8');
  if (isUnfinished(text)) return null;
  const match = CONTENT.exec(text);
  if (match === null || match[1] !== '0' || match[2] === ZERO_ID) {
    throw new StorageStartupError(
      `${path} is malformed: it must have a line "version: 0" and a line "topic_id: <id>".`,
    );
  }
  return match[2]!;
}

/** Whether this is what a loss of power may leave: a part of the content, or space that was never written. */
function isUnfinished(text: string): boolean {
  const written = text.replace(/\0+$/, '');
  if (written.length < BEFORE_ID.length) return BEFORE_ID.startsWith(written);
  return written.startsWith(BEFORE_ID) && UNFINISHED_ID.test(written.slice(BEFORE_ID.length));
}

/** Writes the topic id, without waiting for the device (see `replaceUnsynced`). */
export function writeTopicId(fs: FileSystem, directory: string, topicId: string): void {
  replaceUnsynced(fs, `${directory}/${PARTITION_METADATA}`, `version: 0\ntopic_id: ${topicId}`);
}
