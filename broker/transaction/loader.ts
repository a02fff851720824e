import * as batch from '../../shared/records/batch.ts';
import { walkLog, type ReadableLog } from '../../shared/records/log-walk.ts';
import { RecordCursor } from '../../shared/records/record-cursor.ts';
import type { Timers } from '../../shared/runtime/clock.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import { decodeRecord } from './log-records.ts';
import { Transaction } from './transaction.ts';

export interface LoaderParts {
  readonly timers: Timers;
  readonly logger: Logger;
}

/** Reads a partition of `__transaction_state` from its start to its end: of each id the last record holds. One use. */
export class TransactionLoader {
  /** What has been read so far. */
  readonly transactions = new Map<string, Transaction>();
  readonly #parts: LoaderParts;
  readonly #records = new RecordCursor();

  constructor(parts: LoaderParts) {
    this.#parts = parts;
  }

  /**
   * @param maxBytes read at a time
   * @param isCancelled asked now and then; then what was read is worthless
   * @throws ProtocolError, RecordsError or StorageError
   */
  async load(log: ReadableLog, maxBytes: number, isCancelled: () => boolean): Promise<void> {
    const onBatch = (bytes: Buffer, at: number) => {
      if (!batch.isControl(bytes, at)) this.#readRecords(bytes, at);
    };
    await walkLog(log, { maxBytes, timers: this.#parts.timers, isCancelled, onBatch });
  }

  #readRecords(buffer: Buffer, position: number): void {
    for (const records = this.#records.reset(buffer, position); records.next();) {
      const key = records.key();
      if (key === null)
        this.#parts.logger.warn({ offset: records.offset }, 'a record of __transaction_state has no key');
      else this.#apply(key, records.value());
    }
  }

  #apply(key: Buffer, value: Buffer | null): void {
    const record = decodeRecord(key, value);
    if (record.kind === 'unknown') {
      this.#parts.logger.warn({ version: record.keyVersion }, 'a record of __transaction_state is of an unknown kind');
      return;
    }
    const { transactionalId, content } = record;
    if (content === null) this.transactions.delete(transactionalId);
    else this.transactions.set(transactionalId, new Transaction(transactionalId, content));
  }
}
