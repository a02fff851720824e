import * as batch from '../../shared/records/batch.ts';
import { codecName } from '../../shared/records/compression.ts';
import { CRC_AT, LEGACY_CRC_AT } from '../../shared/records/layout.ts';
import type { PrintedForm } from './deserializers.ts';

/** A record as the dump shows it, of any format. */
export interface RecordView {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly offsetDelta?: number;
  readonly headerKeys?: readonly string[];
}

/** The line of a batch that lies at `at` and begins at `position` of its file (Kafka: `DumpLogSegments.printBatchLevel`). */
export function batchLine(bytes: Buffer, at: number, position: number): string {
  const magic = batch.magic(bytes, at);
  const head = magic >= 2 ? currentHead(bytes, at) : `offset: ${batch.lastOffset(bytes, at)}`;
  return `${head} position: ${position} ${timestampTypeName(bytes, at)}: ${batch.maxTimestamp(bytes, at)} size: ${batch.batchSizeInBytes(bytes, at)} magic: ${magic} compresscodec: ${codec(bytes, at)} crc: ${crc(bytes, at)} isvalid: ${batch.crcIsValid(bytes, at)}`;
}

function currentHead(bytes: Buffer, at: number): string {
  const horizon = batch.hasDeleteHorizon(bytes, at) ? `[${batch.baseTimestamp(bytes, at)}]` : '.empty';
  return [
    `baseOffset: ${batch.baseOffset(bytes, at)}`,
    `lastOffset: ${batch.lastOffset(bytes, at)}`,
    `count: ${batch.recordCount(bytes, at)}`,
    `baseSequence: ${batch.baseSequence(bytes, at)}`,
    `lastSequence: ${batch.lastSequence(bytes, at)}`,
    `producerId: ${batch.producerId(bytes, at)}`,
    `producerEpoch: ${batch.producerEpoch(bytes, at)}`,
    `partitionLeaderEpoch: ${batch.partitionLeaderEpoch(bytes, at)}`,
    `isTransactional: ${batch.isTransactional(bytes, at)}`,
    `isControl: ${batch.isControl(bytes, at)}`,
    `deleteHorizonMs: OptionalLong${horizon}`,
  ].join(' ');
}

function timestampTypeName(bytes: Buffer, at: number): string {
  if (batch.magic(bytes, at) === 0) return 'NoTimestampType';
  return batch.timestampType(bytes, at) === batch.LOG_APPEND_TIME ? 'LogAppendTime' : 'CreateTime';
}

function codec(bytes: Buffer, at: number): string {
  try {
    return codecName(batch.compressionCodec(bytes, at));
  } catch {
    return `unknown(${batch.compressionCodec(bytes, at)})`;
  }
}

function crc(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at + (batch.magic(bytes, at) >= 2 ? CRC_AT : LEGACY_CRC_AT));
}

function common(bytes: Buffer, at: number, { offset, timestamp, key, value }: RecordView): string {
  return ` offset: ${offset} ${timestampTypeName(bytes, at)}: ${timestamp} keySize: ${key?.length ?? -1} valueSize: ${value?.length ?? -1}`;
}

/** A record of a magic 2 batch, from the blank behind the `|` on. */
export function recordText(bytes: Buffer, at: number, record: RecordView): string {
  const base = batch.baseSequence(bytes, at);
  const sequence = base < 0 ? -1 : (base + (record.offsetDelta ?? 0)) & 0x7fff_ffff;
  const text = `${common(bytes, at, record)} sequence: ${sequence} headerKeys: [${(record.headerKeys ?? []).join(',')}]`;
  return batch.isControl(bytes, at) ? text + markerText(record) : text;
}

/** A message of magic 0 or 1; the brace too many is Kafka's. */
export function legacyRecordText(bytes: Buffer, at: number, record: RecordView): string {
  return `${common(bytes, at, record)} isValid: ${batch.crcIsValid(bytes, at)} crc: ${crc(bytes, at)}}`;
}

/** Control record: key (int16 version, int16 type), value (int16 version, int32 coordinator epoch). */
function markerText({ key, value }: RecordView): string {
  const type = key !== null && key.length >= 4 ? key.readInt16BE(2) : -1;
  if (type !== 0 && type !== 1) return ` controlType: UNKNOWN(${type})`;
  const epoch = value !== null && value.length >= 6 ? value.readInt32BE(2) : -1;
  return ` endTxnMarker: ${type === 0 ? 'ABORT' : 'COMMIT'} coordinatorEpoch: ${epoch}`;
}

/** Shows key and value as text, each only if there is one. */
export function recordContents(keyForm: PrintedForm, valueForm: PrintedForm): (record: RecordView) => string {
  return ({ key, value }) => {
    const keyText = key === null ? '' : ` key: ${keyForm(key).toString()}`;
    return value === null ? keyText : `${keyText} payload: ${valueForm(value).toString()}`;
  };
}
