import * as batch from '../../shared/records/batch.ts';
import { BatchCursor } from '../../shared/records/batch-cursor.ts';
import { readMessageSet } from '../../shared/records/message-set.ts';
import { RecordCursor } from '../../shared/records/record-cursor.ts';
import type { ConsumerRecord } from './record.ts';

export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

/** Type of a control record whose key is the bytes (version, type): the marker of an aborted transaction. */
const ABORT_MARKER = 0;

/**
 * The batches of one partition that a fetch brought, handed out record by record. Records before the position that was
 * asked for are skipped: a broker sends whole batches. A batch cut off at the end is left for the next fetch.
 */
export class FetchedRecords {
  readonly #topic: string;
  readonly #partition: number;
  readonly #bytes: Buffer;
  readonly #checkCrcs: boolean;
  readonly #batches: BatchCursor;
  readonly #records = new RecordCursor();
  /** Aborted transactions by first offset; those begun at or before the current batch move to `#aborting`. */
  readonly #aborted: AbortedTransaction[];
  readonly #aborting = new Set<number>();
  #inBatch = false;
  #nextOffset: number;
  #leaderEpoch = -1;
  #exhausted = false;

  constructor(
    topic: string,
    partition: number,
    bytes: Buffer,
    position: number,
    checkCrcs: boolean,
    aborted: readonly AbortedTransaction[],
  ) {
    this.#topic = topic;
    this.#partition = partition;
    this.#bytes = bytes;
    this.#checkCrcs = checkCrcs;
    this.#nextOffset = position;
    this.#batches = new BatchCursor().reset(bytes);
    this.#aborted = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset);
  }

  /** Where the next fetch has to begin once this is exhausted. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  /** Of the batch that was looked at last; -1 when there was none, or one of the old format. */
  get leaderEpoch(): number {
    return this.#leaderEpoch;
  }

  get isExhausted(): boolean {
    return this.#exhausted;
  }

  /** Appends up to `count` records to `into`. @throws RecordsError at a batch that is corrupt */
  take(count: number, into: ConsumerRecord[]): void {
    let left = count;
    while (left > 0 && (this.#inBatch || this.#nextBatch(into))) {
      if (!this.#records.next()) {
        this.#leaveBatch();
        continue;
      }
      if (this.#records.offset < this.#nextOffset) continue;
      into.push(this.#record());
      this.#nextOffset = this.#records.offset + 1;
      left--;
    }
  }

  /** Steps into the next batch that has records to hand out. Old message sets are small and handed out at once. */
  #nextBatch(into: ConsumerRecord[]): boolean {
    while (this.#batches.next()) {
      const at = this.#batches.position;
      if (batch.magic(this.#bytes, at) < 2) {
        this.#takeMessageSet(at, this.#batches.size, into);
        continue;
      }
      if (this.#checkCrcs) batch.ensureCrc(this.#bytes, at);
      this.#leaderEpoch = batch.partitionLeaderEpoch(this.#bytes, at);
      if (this.#isVisible(at)) {
        this.#records.reset(this.#bytes, at);
        this.#inBatch = true;
        return true;
      }
      this.#nextOffset = Math.max(this.#nextOffset, batch.lastOffset(this.#bytes, at) + 1);
    }
    this.#exhausted = true;
    return false;
  }

  /**
   * Control records are never handed out, nor are records of transactions that were aborted. Transactions are begun up to
   * markers, too: a fetch may begin with the one that ends a transaction.
   */
  #isVisible(at: number): boolean {
    this.#beginUpTo(batch.lastOffset(this.#bytes, at));
    const producerId = batch.producerId(this.#bytes, at);
    if (!batch.isControl(this.#bytes, at)) {
      return !(batch.isTransactional(this.#bytes, at) && this.#aborting.has(producerId));
    }
    if (this.#markerType(at) === ABORT_MARKER) this.#aborting.delete(producerId);
    return false;
  }

  #beginUpTo(offset: number): void {
    for (let next = this.#aborted[0]; next !== undefined && next.firstOffset <= offset; next = this.#aborted[0]) {
      this.#aborting.add(next.producerId);
      this.#aborted.shift();
    }
  }

  #markerType(at: number): number {
    this.#records.reset(this.#bytes, at);
    if (!this.#records.next()) return -1;
    const key = this.#records.key();
    return key === null || key.length < 4 ? -1 : key.readInt16BE(2);
  }

  #leaveBatch(): void {
    this.#inBatch = false;
    // Compaction leaves gaps: the batch's own last offset says where the next one begins, not its last record.
    this.#nextOffset = Math.max(this.#nextOffset, batch.lastOffset(this.#bytes, this.#batches.position) + 1);
  }

  #record(): ConsumerRecord {
    const records = this.#records;
    const at = this.#batches.position;
    return {
      topic: this.#topic,
      partition: this.#partition,
      offset: records.offset,
      timestamp: records.timestamp,
      timestampType: batch.timestampType(this.#bytes, at) === batch.LOG_APPEND_TIME ? 'LogAppendTime' : 'CreateTime',
      leaderEpoch: batch.partitionLeaderEpoch(this.#bytes, at),
      key: records.key(),
      value: records.value(),
      headers: records.headerCount === 0 ? NO_HEADERS : (records.headers() as ConsumerRecord['headers']),
    };
  }

  #takeMessageSet(at: number, size: number, into: ConsumerRecord[]): void {
    for (const message of readMessageSet(this.#bytes.subarray(at, at + size))) {
      if (message.offset < this.#nextOffset) continue;
      into.push({
        topic: this.#topic,
        partition: this.#partition,
        offset: message.offset,
        timestamp: message.timestamp,
        timestampType: message.timestamp < 0 ? 'NoTimestampType' : 'CreateTime',
        leaderEpoch: -1,
        key: message.key,
        value: message.value,
        headers: NO_HEADERS,
      });
      this.#nextOffset = message.offset + 1;
    }
  }
}

const NO_HEADERS: ConsumerRecord['headers'] = [];
