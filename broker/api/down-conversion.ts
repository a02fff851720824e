import { BatchCursor } from '../../shared/records/batch-cursor.ts';
import { downConvert } from '../../shared/records/conversion.ts';
import { RecordsError } from '../../shared/records/errors.ts';
import type { LegacyMagic } from '../../shared/records/message-set.ts';
import type { Timers } from '../../shared/runtime/clock.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { fetchError, type FetchedPartition } from '../replication/fetch-target.ts';

/** Bytes that are converted before the loop gets to do other things. */
const BYTES_PER_TURN = 128 << 10;

/**
 * The beginning of a message that no answer can hold: where nothing fits what the client asked for, it must not take the
 * answer for the end of the log, but ask for more or give up (Kafka: `LazyDownConversionRecordsSend`).
 */
const TOO_LARGE = Buffer.from('ffffffffffffffff7fffffff', 'hex');

/**
 * Converts fetched batches for clients that know only message sets. It costs time and memory, so the whole broker does
 * one partition at a time, some batches a turn, and no partition gets larger by it than one batch (Kafka:
 * `LazyDownConversionRecords`, KIP-283).
 */
export class DownConverter {
  readonly #timers: Timers;
  #last: Promise<unknown> = Promise.resolve();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** What was found, in the older format; an error when not even its first batch can be converted. */
  convert(found: FetchedPartition, magic: LegacyMagic): Promise<FetchedPartition> {
    const converted = this.#last.then(() => this.#convert(found, magic));
    this.#last = converted.catch(() => {});
    return converted;
  }

  async #convert(found: FetchedPartition, magic: LegacyMagic): Promise<FetchedPartition> {
    const parts: Buffer[] = [];
    let size = 0;
    let sinceYield = 0;
    for (const piece of found.records) {
      const cursor = new BatchCursor().reset(piece);
      while (cursor.next()) {
        const entry = piece.subarray(cursor.position, cursor.position + cursor.size);
        const part = convertOrRefuse(entry, magic, found.target.fetchOffset);
        if (typeof part === 'number')
          return size === 0 ? fetchError(found.target, part) : withRecords(found, parts, size);
        if (size > 0 && size + part.length > found.sizeInBytes) return withRecords(found, parts, size);
        if (part.length > 0) parts.push(part);
        size += part.length;
        sinceYield += entry.length + part.length;
        if (sinceYield < BYTES_PER_TURN) continue;
        sinceYield = 0;
        await new Promise<void>(resolve => this.#timers.endOfTurn(resolve));
      }
    }
    return size === 0 && found.sizeInBytes > 0
      ? withRecords(found, [TOO_LARGE], TOO_LARGE.length)
      : withRecords(found, parts, size);
  }
}

function convertOrRefuse(entry: Buffer, magic: LegacyMagic, fetchOffset: number): Buffer | ErrorCode {
  try {
    return downConvert(entry, magic, fetchOffset);
  } catch (error) {
    if (!(error instanceof RecordsError)) throw error;
    const isUnsupported = error.kind === 'UNSUPPORTED_COMPRESSION';
    return isUnsupported ? ErrorCode.UNSUPPORTED_COMPRESSION_TYPE : ErrorCode.CORRUPT_MESSAGE;
  }
}

function withRecords(found: FetchedPartition, records: readonly Buffer[], sizeInBytes: number): FetchedPartition {
  return { ...found, records, sizeInBytes };
}
