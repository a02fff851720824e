import * as batch from '../../shared/records/batch.ts';
import { BatchCursor } from '../../shared/records/batch-cursor.ts';
import { RecordCursor } from '../../shared/records/record-cursor.ts';
import type { Clock, Timers } from '../../shared/runtime/clock.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import { Group } from './group.ts';
import { decodeRecord, type LogRecord } from './log-records.ts';
import type { ReadableLog } from './ports.ts';

export interface LoaderParts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** Decoded in one go, before others get their turn: a few milliseconds' worth. */
const BYTES_PER_TURN = 128 << 10;

/**
 * Reads a partition of `__consumer_offsets` from its start to its end: of each key the last value holds. One use.
 * The end is the log's, not the high watermark: what the former leader has not committed yet, this one will.
 */
export class GroupLoader {
  readonly #parts: LoaderParts;
  readonly #groups = new Map<string, Group>();
  readonly #batches = new BatchCursor();
  readonly #records = new RecordCursor();
  #sinceTurn = 0;

  constructor(parts: LoaderParts) {
    this.#parts = parts;
  }

  /**
   * @param maxBytes read at a time
   * @param isCancelled asked now and then; then what was read is worthless
   * @throws ProtocolError, RecordsError or StorageError
   */
  async load(log: ReadableLog, maxBytes: number, isCancelled: () => boolean): Promise<Group[]> {
    let offset = log.logStartOffset;
    while (offset < log.logEndOffset && !isCancelled()) {
      const chunk = await log.read(offset, maxBytes);
      let next = offset;
      for (const buffer of chunk) next = await this.#readBatches(buffer, next, isCancelled);
      if (next === offset) break;
      offset = next;
    }
    return [...this.#groups.values()].filter(
      group => group.generationId > 0 || group.size > 0 || !group.offsets.isEmpty,
    );
  }

  /** Returns the offset behind the last batch. */
  async #readBatches(buffer: Buffer, from: number, isCancelled: () => boolean): Promise<number> {
    const cursor = this.#batches.reset(buffer);
    let next = from;
    while (!isCancelled() && cursor.next()) {
      const { position, size } = cursor;
      next = batch.lastOffset(buffer, position) + 1;
      if (!batch.isControl(buffer, position)) this.#readRecords(buffer, position);
      this.#sinceTurn += size;
      if (this.#sinceTurn >= BYTES_PER_TURN) await this.#yield();
    }
    return next;
  }

  #yield(): Promise<void> {
    this.#sinceTurn = 0;
    return new Promise(resolve => this.#parts.timers.endOfTurn(resolve));
  }

  #readRecords(buffer: Buffer, position: number): void {
    const baseOffset = batch.baseOffset(buffer, position);
    for (const records = this.#records.reset(buffer, position); records.next();) {
      const key = records.key();
      if (key === null)
        this.#parts.logger.warn({ offset: records.offset }, 'a record of __consumer_offsets has no key');
      else this.#apply(decodeRecord(key, records.value()), baseOffset);
    }
  }

  #apply(record: LogRecord, baseOffset: number): void {
    switch (record.kind) {
      case 'offset': {
        const { groupId, topic, partition, committed } = record;
        this.#group(groupId).offsets.load(topic, partition, committed, baseOffset);
        return;
      }
      case 'group':
        this.#applyGroup(record);
        return;
      case 'unknown':
        this.#parts.logger.warn({ version: record.keyVersion }, 'a record of __consumer_offsets is of an unknown kind');
    }
  }

  /** A later record replaces all that an earlier one said, except the offsets, which have records of their own. */
  #applyGroup({ groupId, group: loaded }: LogRecord & { kind: 'group' }): void {
    const former = this.#group(groupId);
    const group = new Group(groupId, this.#parts.clock, former.offsets);
    if (loaded !== null) group.restore(loaded);
    this.#groups.set(groupId, group);
  }

  #group(groupId: string): Group {
    let group = this.#groups.get(groupId);
    if (group === undefined) this.#groups.set(groupId, (group = new Group(groupId, this.#parts.clock)));
    return group;
  }
}
