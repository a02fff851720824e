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
 * as it says to have records. That much is seen of every batch; it costs a nanosecond or two a record.
 */
export function framingIsValid(buffer: Buffer, at: number): boolean {
  const end = at + batch.batchSizeInBytes(buffer, at);
  const count = batch.recordCount(buffer, at);
  let position = at + HEADER_SIZE;
  for (let left = count; left > 0; left--) {
    // A zig-zag varint; a negative length is odd as it stands.
    let byte = buffer[position++]!;
    let encoded = byte & 0x7f;
    for (let shift = 7; byte >= 0x80; shift += 7) {
      if (shift > 28 || position >= end) return false;
      byte = buffer[position++]!;
      encoded += (byte & 0x7f) * 2 ** shift;
    }
    if (encoded % 2 !== 0) return false;
    position += encoded / 2;
    if (position > end) return false;
  }
  return position === end;
}
