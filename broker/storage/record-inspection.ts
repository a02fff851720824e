import * as batch from '../../shared/records/batch.ts';
import { HEADER_SIZE } from '../../shared/records/layout.ts';
import { RecordCursor } from '../../shared/records/record-cursor.ts';
import { type RecordError, StorageError } from './errors.ts';

/** How many bad records an error names at most. */
const MAX_RECORD_ERRORS = 100;

/** What the records of a batch must be like, beyond being well-formed. */
export interface RecordRules {
  /** The topic is compacted: every record needs a key. */
  readonly keyRequired: boolean;
  /** Bounds for timestamps in milliseconds; -1, "no timestamp", is always fine. */
  readonly earliestTimestamp: number;
  readonly latestTimestamp: number;
}

/**
 * Reads all records of a magic 2 batch and checks them (Kafka: `LogValidator`).
 * @throws StorageError INVALID_RECORD or INVALID_TIMESTAMP with the indexes of the bad records; RecordsError
 */
export function inspectRecords(buffer: Buffer, at: number, rules: RecordRules): void {
  const keyErrors: RecordError[] = [];
  const timestampErrors: RecordError[] = [];
  let index = 0;
  for (const cursor = new RecordCursor().reset(buffer, at); cursor.next(); index++) {
    const { timestamp } = cursor;
    if (cursor.offsetDelta !== index) {
      throw new StorageError(
        'INVALID_RECORD',
        `Record ${index} of the batch has the offset delta ${cursor.offsetDelta}.`,
      );
    }
    if (rules.keyRequired && cursor.keyLength < 0) {
      note(keyErrors, index, 'Compacted topic cannot accept message without key.');
    }
    if (timestamp !== -1 && (timestamp < rules.earliestTimestamp || timestamp > rules.latestTimestamp)) {
      note(timestampErrors, index, timestampProblem(timestamp, rules));
    }
  }
  if (keyErrors.length > 0) throw refused('INVALID_RECORD', keyErrors);
  if (timestampErrors.length > 0) throw refused('INVALID_TIMESTAMP', timestampErrors);
}

function note(errors: RecordError[], batchIndex: number, message: string): void {
  if (errors.length < MAX_RECORD_ERRORS) errors.push({ batchIndex, message });
}

function timestampProblem(timestamp: number, { earliestTimestamp, latestTimestamp }: RecordRules): string {
  return `Timestamp ${timestamp} of message is out of range: it should be within [${earliestTimestamp}, ${latestTimestamp}].`;
}

function refused(kind: 'INVALID_RECORD' | 'INVALID_TIMESTAMP', errors: readonly RecordError[]): StorageError {
  const count = errors.length === MAX_RECORD_ERRORS ? `${MAX_RECORD_ERRORS} or more` : errors.length.toString();
  return new StorageError(kind, `${count} of the batch's records were refused: ${errors[0]!.message}`, errors);
}

/**
 * Whether the lengths in front of the records of an uncompressed magic 2 batch lead exactly to its end in as many steps
 * as it says to have records. That much is seen of every batch; it costs a few nanoseconds a record.
 */
export function framingIsValid(buffer: Buffer, at: number): boolean {
  const end = at + batch.batchSizeInBytes(buffer, at);
  let position = at + HEADER_SIZE;
  for (let left = batch.recordCount(buffer, at); left > 0; left--) {
    if (position >= end) return false;
    // A zig-zag varint; a negative length is odd as it stands. Most have one or two bytes.
    const first = buffer[position]!;
    const second = buffer[position + 1]!;
    if (first & 1) return false;
    if (first < 0x80) position += 1 + (first >>> 1);
    else if (second < 0x80) position += 2 + (((first & 0x7f) | (second << 7)) >>> 1);
    else position = afterLongRecord(buffer, position, end);
  }
  return position === end;
}

/** Where the record ends whose length, at `position`, takes more than two bytes; Infinity if that cannot be. */
function afterLongRecord(buffer: Buffer, position: number, end: number): number {
  let encoded = 0;
  for (let shift = 0; shift < 35 && position < end; shift += 7) {
    const byte = buffer[position++]!;
    encoded += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return position + encoded / 2;
  }
  return Infinity;
}
