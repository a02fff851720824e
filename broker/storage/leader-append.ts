import * as batch from '../../shared/records/batch.ts';
import { BatchCursor } from '../../shared/records/batch-cursor.ts';
import { type CodecId, CODECS, type CodecName } from '../../shared/records/compression.ts';
import { recompress, upConvert } from '../../shared/records/conversion.ts';
import { RecordsError } from '../../shared/records/errors.ts';
import type { TopicConfigValues } from '../../shared/topics/topic-config.ts';
import { StorageError } from './errors.ts';
import { inspectRecords, type RecordRules } from './record-inspection.ts';
import type { VerificationGuard } from './verification-guards.ts';

export interface LeaderAppendOptions {
  /** Who wrote the records; coordinators may write control batches and more than one batch. Default: a client. */
  readonly origin?: 'client' | 'coordinator';
  /** 2: refuse the older formats (Produce from version 3 on). Without it they are converted. */
  readonly requiredMagic?: 2;
  /**
   * What shows that the coordinator knows of the transaction that the batch may begin, from `beginVerification`;
   * 'not begun': there was nothing to verify, because the transaction was open. Without it, that is taken on trust.
   */
  readonly verification?: VerificationGuard | 'not begun';
}

/** Where and when the records are to be appended. */
export interface LeaderAppendContext {
  readonly config: TopicConfigValues;
  readonly leaderEpoch: number;
  /** The offset of the first record. */
  readonly nextOffset: number;
  /** Wall-clock time in milliseconds. */
  readonly now: number;
}

/** Records ready to be written. */
export interface PreparedRecords {
  readonly bytes: Buffer;
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly maxTimestamp: number;
  /** The time given to the records, or -1 when they keep their own. */
  readonly logAppendTime: number;
  readonly recordCount: number;
}

const HIGHEST_CODEC = 4;

/**
 * Checks what a client or coordinator wants appended and makes it fit for the log, in place where possible: offsets
 * from `nextOffset` on, the leader epoch, and what the topic's configuration asks for. Compressed records are read only
 * if that makes it necessary (keys, timestamp bounds, another codec); otherwise header and checksum are looked at.
 * @throws StorageError saying what is wrong; none of the bytes may be appended then
 */
export function prepareLeaderAppend(
  records: Buffer,
  options: LeaderAppendOptions,
  context: LeaderAppendContext,
): PreparedRecords {
  try {
    const bytes = toCurrentFormat(records, options, context.config);
    const positions = batchPositions(bytes, options);
    for (const at of positions) checkBatch(bytes, at, options, context);
    return assign(recompressed(bytes, positions, context.config), context);
  } catch (error) {
    throw error instanceof RecordsError ? translate(error) : error;
  }
}

function translate(error: RecordsError): StorageError {
  const kinds = {
    CORRUPT: 'CORRUPT_MESSAGE',
    INVALID: 'INVALID_RECORD',
    UNSUPPORTED_COMPRESSION: 'UNSUPPORTED_COMPRESSION_TYPE',
    TOO_LARGE: 'MESSAGE_TOO_LARGE',
  } as const;
  return new StorageError(kinds[error.kind], error.message, [], { cause: error });
}

function invalid(message: string): StorageError {
  return new StorageError('INVALID_RECORD', message);
}

/** Message sets of the older formats as one batch, batches as they are. */
function toCurrentFormat(records: Buffer, options: LeaderAppendOptions, config: TopicConfigValues): Buffer {
  const cursor = new BatchCursor().reset(records);
  if (!cursor.next()) throw invalid('There is no whole record batch.');
  if (batch.magic(records, 0) === 2) return records;
  if (options.requiredMagic === 2) throw invalid('Only record batches of format v2 are allowed in this version.');
  let entries = 0;
  let isCompressed = false;
  do {
    requireSize(cursor.size, config);
    isCompressed ||= batch.compressionCodec(records, cursor.position) !== 0;
    entries++;
  } while (cursor.next());
  if (isCompressed && entries > 1) throw invalid('A compressed message set must be one message.');
  return upConvert(records.subarray(0, cursor.position), targetCodec(config));
}

function requireSize(size: number, config: TopicConfigValues): void {
  if (size <= config['max.message.bytes']) return;
  throw new StorageError(
    'MESSAGE_TOO_LARGE',
    `The record batch is ${size} bytes, more than the ${config['max.message.bytes']} of max.message.bytes.`,
  );
}

/** Where the batches begin: one from clients, one or more from coordinators, nothing else between or behind them. */
function batchPositions(bytes: Buffer, options: LeaderAppendOptions): number[] {
  const positions: number[] = [];
  const cursor = new BatchCursor().reset(bytes);
  while (cursor.next()) positions.push(cursor.position);
  if (cursor.tornBytes > 0) throw invalid('There are bytes behind the record batch that are no whole batch.');
  if (positions.length > 1 && options.origin !== 'coordinator') {
    throw invalid('Only one record batch for a partition is allowed in a produce request.');
  }
  return positions;
}

/** Kafka's `UnifiedLog.analyzeAndValidateRecords` and `LogValidator.validateBatch`, in that order. */
function checkBatch(bytes: Buffer, at: number, options: LeaderAppendOptions, context: LeaderAppendContext): void {
  const { config } = context;
  const isClient = options.origin !== 'coordinator';
  if (batch.magic(bytes, at) !== 2) throw invalid('The batches are of different formats.');
  if (isClient && batch.baseOffset(bytes, at) !== 0) {
    throw invalid(`The base offset of the record batch is ${batch.baseOffset(bytes, at)}, but it should be 0.`);
  }
  requireSize(batch.batchSizeInBytes(bytes, at), config);
  batch.ensureCrc(bytes, at);
  checkHeader(bytes, at, isClient);
  if (!batch.isControl(bytes, at)) checkRecords(bytes, at, context);
}

function checkHeader(bytes: Buffer, at: number, isClient: boolean): void {
  const count = batch.recordCount(bytes, at);
  if (count <= 0 || batch.lastOffsetDelta(bytes, at) !== count - 1) {
    throw invalid(
      `The batch says to have ${count} records, but its last offset delta is ${batch.lastOffsetDelta(bytes, at)}.`,
    );
  }
  if (batch.compressionCodec(bytes, at) > HIGHEST_CODEC) {
    throw new StorageError('UNSUPPORTED_COMPRESSION_TYPE', 'The batch is compressed with an unknown codec.');
  }
  if (isClient && batch.isControl(bytes, at)) throw invalid('Clients are not allowed to write control records.');
  if (isClient && batch.producerId(bytes, at) >= 0 && batch.baseSequence(bytes, at) < 0) {
    throw invalid(`The batch has a producer id, but the sequence number ${batch.baseSequence(bytes, at)}.`);
  }
}

function checkRecords(bytes: Buffer, at: number, context: LeaderAppendContext): void {
  const rules = recordRules(context);
  if (!mustRead(bytes, at, rules, context.config)) return;
  const found = inspectRecords(bytes, at, rules);
  if (rules.keepsTimestamps) keepTimestamps(bytes, at, found);
}

/** Has the header say what the records say: the time index goes by it. Beyond 2^53 it stays what it is. */
function keepTimestamps(bytes: Buffer, at: number, found: number): void {
  const isExact = Math.max(found, batch.baseTimestamp(bytes, at)) < Number.MAX_SAFE_INTEGER;
  const isTrue = found === batch.maxTimestamp(bytes, at) || !isExact;
  if (isTrue && batch.timestampType(bytes, at) === batch.CREATE_TIME) return;
  batch.setMaxTimestampAndType(bytes, at, batch.CREATE_TIME, isExact ? found : batch.maxTimestamp(bytes, at));
}

/** Compressed records are only read for a reason (docs/decisions/0008-records-checked.md). */
function mustRead(bytes: Buffer, at: number, rules: RecordRules, config: TopicConfigValues): boolean {
  const codec = batch.compressionCodec(bytes, at);
  if (codec === 0 || rules.keyRequired || rules.earliestTimestamp > -Infinity) return true;
  if (batch.timestampType(bytes, at) === batch.LOG_APPEND_TIME) return true;
  return batch.maxTimestamp(bytes, at) > rules.latestTimestamp || codec !== (targetCodec(config) ?? codec);
}

function recordRules({ config, now }: LeaderAppendContext): RecordRules {
  const keepsTimestamps = config['message.timestamp.type'] === 'CreateTime';
  const bound = (key: 'message.timestamp.before.max.ms' | 'message.timestamp.after.max.ms') =>
    keepsTimestamps && config[key] < Number.MAX_SAFE_INTEGER ? config[key] : Infinity;
  return {
    keyRequired: config['cleanup.policy'].includes('compact'),
    keepsTimestamps,
    earliestTimestamp: now - bound('message.timestamp.before.max.ms'),
    latestTimestamp: now + bound('message.timestamp.after.max.ms'),
  };
}

/** The codec that the topic prescribes; undefined when that of the producer is kept. */
function targetCodec(config: TopicConfigValues): CodecId | undefined {
  const type = config['compression.type'];
  if (type === 'producer') return undefined;
  return type === 'uncompressed' ? CODECS.none : CODECS[type as CodecName];
}

function recompressed(bytes: Buffer, positions: readonly number[], config: TopicConfigValues): Buffer {
  const codec = targetCodec(config);
  const isFine = (at: number) => batch.compressionCodec(bytes, at) === codec || batch.isControl(bytes, at);
  if (codec === undefined || positions.every(isFine)) return bytes;
  return Buffer.concat(
    positions.map(at => {
      const whole = bytes.subarray(at, at + batch.batchSizeInBytes(bytes, at));
      if (isFine(at)) return whole;
      const level = compressionLevel(codec, config);
      const rebuilt = recompress(whole, 0, codec, level === undefined ? {} : { level });
      requireSize(rebuilt.length, config);
      return rebuilt;
    }),
  );
}

function compressionLevel(codec: CodecId, config: TopicConfigValues): number | undefined {
  if (codec === CODECS.gzip) return config['compression.gzip.level'];
  return codec === CODECS.zstd ? config['compression.zstd.level'] : undefined;
}

/** Patches offsets, epoch and, where the topic says so, the time: the bytes are the log's from here on. */
function assign(bytes: Buffer, { config, leaderEpoch, nextOffset, now }: LeaderAppendContext): PreparedRecords {
  if (bytes.length > config['segment.bytes']) {
    throw new StorageError(
      'RECORD_LIST_TOO_LARGE',
      `The record batches are ${bytes.length} bytes, more than the ${config['segment.bytes']} of segment.bytes.`,
    );
  }
  const setsTime = config['message.timestamp.type'] === 'LogAppendTime';
  let offset = nextOffset;
  let maxTimestamp = -1;
  for (let at = 0; at < bytes.length; at += batch.batchSizeInBytes(bytes, at)) {
    batch.setBaseOffset(bytes, at, offset);
    batch.setPartitionLeaderEpoch(bytes, at, leaderEpoch);
    if (setsTime) batch.setMaxTimestampAndType(bytes, at, batch.LOG_APPEND_TIME, now);
    maxTimestamp = Math.max(maxTimestamp, batch.maxTimestamp(bytes, at));
    offset = batch.lastOffset(bytes, at) + 1;
  }
  const logAppendTime = setsTime ? now : -1;
  const recordCount = offset - nextOffset;
  return { bytes, firstOffset: nextOffset, lastOffset: offset - 1, maxTimestamp, logAppendTime, recordCount };
}
