import * as batch from '../../shared/records/batch.ts';
import { HEADER_SIZE, NO_TIMESTAMP } from '../../shared/records/layout.ts';
import { RecordCursor } from '../../shared/records/record-cursor.ts';
import { type RecordError, StorageError } from './errors.ts';

/** How many bad records an error names at most. */
const MAX_RECORD_ERRORS = 100;

/** What the records of a batch must be like, beyond being well-formed. */
export interface RecordRules {
  /** The topic is compacted: every record needs a key. */
  readonly keyRequired: boolean;
  /** The topic says CreateTime: the timestamps stay what the producer says. */
  readonly keepsTimestamps: boolean;
  /** Bounds for timestamps in milliseconds; -1, "no timestamp", is always fine. */
  readonly earliestTimestamp: number;
  readonly latestTimestamp: number;
}

/**
 * Reads all records of a magic 2 batch and checks them (Kafka: `LogValidator`). A compressed one is decompressed for it.
 * @returns their largest timestamp in milliseconds, -1 if none has one
 * @throws StorageError INVALID_RECORD or INVALID_TIMESTAMP with the indexes of the bad records; RecordsError
 */
export function inspectRecords(buffer: Buffer, at: number, rules: RecordRules): number {
  const glance = batch.compressionCodec(buffer, at) === 0 ? glanceAtRecords(buffer, at, rules) : NaN;
  return Number.isNaN(glance) ? readRecords(buffer, at, rules) : glance;
}

/** The same for records of any kind, with the reason if they are refused. */
function readRecords(buffer: Buffer, at: number, rules: RecordRules): number {
  const refused: RecordError[] = [];
  let kind: 'INVALID_RECORD' | 'INVALID_TIMESTAMP' = 'INVALID_RECORD';
  let maxTimestamp = NO_TIMESTAMP;
  let index = 0;
  const saysAppendTime = batch.timestampType(buffer, at) === batch.LOG_APPEND_TIME;
  for (const cursor = new RecordCursor().reset(buffer, at); cursor.next(); index++) {
    const { timestamp } = cursor;
    if (cursor.offsetDelta !== index) {
      const message = `Record ${index} of the batch has the offset delta ${cursor.offsetDelta}.`;
      throw new StorageError('INVALID_RECORD', message);
    }
    if (timestamp > maxTimestamp) maxTimestamp = timestamp;
    if (rules.keyRequired && cursor.keyLength < 0) {
      note(refused, index, 'Compacted topic cannot accept message without key.');
    } else if (isOutOfTime(timestamp, rules)) {
      // One wrong timestamp decides what all is called (Kafka: `LogValidator.processRecordErrors`).
      kind = 'INVALID_TIMESTAMP';
      note(refused, index, timestampProblem(timestamp, rules));
    } else if (saysAppendTime && !(rules.keepsTimestamps && timestamp !== NO_TIMESTAMP)) {
      kind = 'INVALID_TIMESTAMP';
      note(refused, index, 'The record says LogAppendTime, which is for the broker to say.');
    }
  }
  if (refused.length > 0) throw refusal(kind, refused);
  return maxTimestamp;
}

function isOutOfTime(timestamp: number, { earliestTimestamp, latestTimestamp }: RecordRules): boolean {
  return (timestamp < earliestTimestamp || timestamp > latestTimestamp) && timestamp !== NO_TIMESTAMP;
}

function note(errors: RecordError[], batchIndex: number, message: string): void {
  if (errors.length < MAX_RECORD_ERRORS) errors.push({ batchIndex, message });
}

function timestampProblem(timestamp: number, { earliestTimestamp, latestTimestamp }: RecordRules): string {
  return `Timestamp ${timestamp} of message is out of range: it should be within [${earliestTimestamp}, ${latestTimestamp}].`;
}

function refusal(kind: 'INVALID_RECORD' | 'INVALID_TIMESTAMP', errors: readonly RecordError[]): StorageError {
  const count = errors.length === MAX_RECORD_ERRORS ? `${MAX_RECORD_ERRORS} or more` : errors.length.toString();
  return new StorageError(kind, `${count} of the batch's records were refused: ${errors[0]!.message}`, errors);
}

/**
 * Whether the records of an uncompressed magic 2 batch are what nearly all are: well-formed, in order, as the rules want
 * them, and without numbers that take more than three bytes. Every produced batch passes here, so nothing is kept, and
 * nothing but the positions depends on what was read before.
 *
 *     length │ attributes  timestamp  offset  key length, key  value length, value  header count, headers │ length …
 *            └─ body                                                                                      └─ next
 *
 * @returns their largest timestamp; NaN when they want a closer look
 */
function glanceAtRecords(buffer: Buffer, at: number, rules: RecordRules): number {
  const { keyRequired } = rules;
  const end = at + batch.batchSizeInBytes(buffer, at);
  const count = batch.recordCount(buffer, at);
  const baseTimestamp = batch.baseTimestamp(buffer, at);
  const saysAppendTime = batch.timestampType(buffer, at) === batch.LOG_APPEND_TIME;
  let least = 0x7fff_ffff;
  let most = -0x8000_0000;
  let position = at + HEADER_SIZE;
  for (let index = 0; index < count; index++) {
    const length = zigzagAt(buffer, position);
    const body = position + sizeOf(length);
    const next = body + (length >> 1);
    if (length & 1 || next > end) return NaN;
    let field = body + 1;
    const timestampDelta = zigzagAt(buffer, field);
    if (timestampDelta === UNUSUAL) return NaN;
    field += sizeOf(timestampDelta);
    const offsetDelta = zigzagAt(buffer, field);
    field += sizeOf(offsetDelta);
    if (offsetDelta !== index << 1) return NaN;
    const keyLength = zigzagAt(buffer, field);
    field += sizeOf(keyLength);
    if ((keyLength & 1) === 0) field += keyLength >> 1;
    else if (keyLength !== MINUS_ONE || keyRequired) return NaN;
    const valueLength = zigzagAt(buffer, field);
    field += sizeOf(valueLength);
    if ((valueLength & 1) === 0) field += valueLength >> 1;
    else if (valueLength !== MINUS_ONE) return NaN;
    field = buffer[field] === 0 ? field + 1 : behindHeaders(buffer, field, next);
    if (field !== next) return NaN;
    const delta = (timestampDelta >> 1) ^ -(timestampDelta & 1);
    if (delta < least) least = delta;
    if (delta > most) most = delta;
    position = next;
  }
  if (position !== end || saysAppendTime || baseTimestamp + least < rules.earliestTimestamp) return NaN;
  return baseTimestamp + most <= rules.latestTimestamp ? Math.max(NO_TIMESTAMP, baseTimestamp + most) : NaN;
}

/** What stands for a varint that takes more than three bytes, or more than it needs. It looks like a negative length. */
const UNUSUAL = -1;
/** The zig-zag of -1. */
const MINUS_ONE = 1;

/** The varint at `at` as it stands, zig-zag; else UNUSUAL. */
function zigzagAt(bytes: Buffer, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return first;
  const second = bytes[at + 1]!;
  if (second < 0x80) return second === 0 ? UNUSUAL : (first & 0x7f) | (second << 7);
  const third = bytes[at + 2]!;
  return third > 0 && third < 0x80 ? (first & 0x7f) | ((second & 0x7f) << 7) | (third << 14) : UNUSUAL;
}

/** The bytes of a zig-zag that is not UNUSUAL. */
function sizeOf(zigzag: number): number {
  if (zigzag < 0x80) return 1;
  return zigzag < 0x4000 ? 2 : 3;
}

/** Where the headers end whose count is at `at`; -1 when they want a closer look. */
function behindHeaders(bytes: Buffer, at: number, end: number): number {
  const count = zigzagAt(bytes, at);
  if (count & 1) return -1;
  let position = at + sizeOf(count);
  for (let left = count >> 1; left > 0; left--) {
    const keyLength = zigzagAt(bytes, position);
    position += sizeOf(keyLength) + (keyLength >> 1);
    const valueLength = zigzagAt(bytes, position);
    position += sizeOf(valueLength);
    if ((valueLength & 1) === 0) position += valueLength >> 1;
    if (keyLength & 1 || (valueLength & 1 && valueLength !== MINUS_ONE) || position > end) return -1;
  }
  return position;
}
