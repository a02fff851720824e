import * as batch from '../../shared/records/batch.ts';
import { walkLog, type ReadableLog } from '../../shared/records/log-walk.ts';
import { RecordCursor } from '../../shared/records/record-cursor.ts';
import { readTransactionMarker } from '../../shared/records/transaction-marker.ts';
import type { Clock, Timers } from '../../shared/runtime/clock.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import { Group } from './group.ts';
import { decodeRecord, type LogRecord } from './log-records.ts';
import type { CommittedOffset } from './offset.ts';
import { OffsetRecord } from './offset-record.ts';

export interface LoaderParts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** Reads a partition of `__consumer_offsets` from its start to its end: of each key the last value holds. One use. */
export class GroupLoader {
  readonly #parts: LoaderParts;
  readonly #groups = new Map<string, Group>();
  /** Groups in which a producer's open transaction has committed something, by its id. */
  readonly #inTransactions = new Map<number, Set<string>>();
  readonly #records = new RecordCursor();
  readonly #offset = new OffsetRecord();
  /** The group that the last record was about. */
  #last: Group | null = null;

  constructor(parts: LoaderParts) {
    this.#parts = parts;
  }

  /**
   * @param maxBytes read at a time
   * @param isCancelled asked now and then; then what was read is worthless
   * @throws ProtocolError, RecordsError or StorageError
   */
  async load(log: ReadableLog, maxBytes: number, isCancelled: () => boolean): Promise<Group[]> {
    const onBatch = (bytes: Buffer, at: number) => this.#readBatch(bytes, at);
    await walkLog(log, { maxBytes, timers: this.#parts.timers, isCancelled, onBatch });
    return [...this.#groups.values()].filter(
      group => group.generationId > 0 || group.size > 0 || !group.offsets.isEmpty,
    );
  }

  #readBatch(buffer: Buffer, position: number): void {
    if (batch.isControl(buffer, position)) this.#endTransaction(buffer, position);
    else this.#readRecords(buffer, position);
  }

  #readRecords(buffer: Buffer, position: number): void {
    const baseOffset = batch.baseOffset(buffer, position);
    const isTransactional = batch.isTransactional(buffer, position);
    const producerId = isTransactional ? batch.producerId(buffer, position) : null;
    for (const records = this.#records.reset(buffer, position); records.next();) {
      if (this.#offset.read(records)) this.#applyOffset(this.#offset, baseOffset, producerId);
      else this.#readOther(records, baseOffset, producerId);
    }
  }

  #readOther(records: RecordCursor, baseOffset: number, producerId: number | null): void {
    const key = records.key();
    if (key === null) this.#parts.logger.warn({ offset: records.offset }, 'a record of __consumer_offsets has no key');
    else this.#apply(decodeRecord(key, records.value()), baseOffset, producerId);
  }

  /** @param producerId of the transaction that the record belongs to; null: of none */
  #apply(record: LogRecord, baseOffset: number, producerId: number | null): void {
    switch (record.kind) {
      case 'offset':
        this.#loadOffset(record, record.committed, baseOffset, producerId);
        return;
      case 'group':
        this.#applyGroup(record);
        return;
      case 'unknown':
        this.#parts.logger.warn({ version: record.keyVersion }, 'a record of __consumer_offsets is of an unknown kind');
    }
  }

  /** What is outside of transactions is copied into the group's table; what is in one is kept as it is. */
  #applyOffset(record: OffsetRecord, recordOffset: number, producerId: number | null): void {
    const isKept = producerId !== null;
    const committed = isKept ? record.committed() : record.isTombstone ? null : record;
    this.#loadOffset(record, committed, recordOffset, producerId);
  }

  #loadOffset(
    { groupId, topic, partition }: Pick<OffsetRecord, 'groupId' | 'topic' | 'partition'>,
    committed: CommittedOffset | null,
    recordOffset: number,
    producerId: number | null,
  ): void {
    const { offsets } = this.#group(groupId);
    if (producerId === null) offsets.load(topic, partition, committed, recordOffset);
    else {
      offsets.transactional.load(producerId, topic, partition, committed && { committed, recordOffset });
      this.#committedIn(producerId).add(groupId);
    }
  }

  /** What was committed in the transaction holds from here on, or never did. */
  #endTransaction(buffer: Buffer, position: number): void {
    const marker = readTransactionMarker(buffer, position);
    if (marker === null) return;
    const producerId = batch.producerId(buffer, position);
    for (const groupId of this.#committedIn(producerId))
      this.#group(groupId).offsets.endTransaction(producerId, marker.isCommit);
    this.#inTransactions.delete(producerId);
  }

  #committedIn(producerId: number): Set<string> {
    let groups = this.#inTransactions.get(producerId);
    if (groups === undefined) this.#inTransactions.set(producerId, (groups = new Set()));
    return groups;
  }

  /** A later record replaces all that an earlier one said, except the offsets, which have records of their own. */
  #applyGroup({ groupId, group: loaded }: LogRecord & { kind: 'group' }): void {
    const former = this.#group(groupId);
    const group = new Group(groupId, this.#parts.clock, former.offsets);
    if (loaded !== null) group.restore(loaded);
    this.#groups.set(groupId, group);
    this.#last = group;
  }

  #group(groupId: string): Group {
    if (this.#last?.groupId === groupId) return this.#last;
    let group = this.#groups.get(groupId);
    if (group === undefined) this.#groups.set(groupId, (group = new Group(groupId, this.#parts.clock)));
    this.#last = group;
    return group;
  }
}
