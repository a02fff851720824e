import * as batch from '../../shared/records/batch.ts';
import { BatchCursor } from '../../shared/records/batch-cursor.ts';
import { RecordCursor } from '../../shared/records/record-cursor.ts';
import { readTransactionMarker } from '../../shared/records/transaction-marker.ts';

/** What a log says by itself, read from its beginning: nothing is asked of indexes or of a broker's memory. */
export interface CommittedRecords {
  /** Values that a reader of committed records sees, by offset, ascending. */
  readonly values: ReadonlyMap<number, string>;
  /** Producers whose transaction has no end. */
  readonly open: readonly number[];
}

/** A record of a transaction that has not ended yet. */
interface Pending {
  readonly offset: number;
  readonly value: string;
}

/** @param log whole magic 2 batches, one behind the other */
export function committedRecords(log: Buffer): CommittedRecords {
  const committed: Pending[] = [];
  const open = new Map<number, Pending[]>();
  for (const cursor = new BatchCursor().reset(log); cursor.next();) {
    const at = cursor.position;
    const producerId = batch.producerId(log, at);
    if (batch.isControl(log, at)) {
      if (readTransactionMarker(log, at)?.isCommit === true) committed.push(...(open.get(producerId) ?? []));
      open.delete(producerId);
    } else if (batch.isTransactional(log, at)) {
      open.set(producerId, [...(open.get(producerId) ?? []), ...recordsOf(log, at)]);
    } else committed.push(...recordsOf(log, at));
  }
  committed.sort((a, b) => a.offset - b.offset);
  return { values: new Map(committed.map(({ offset, value }) => [offset, value])), open: [...open.keys()] };
}

function recordsOf(log: Buffer, at: number): Pending[] {
  const records: Pending[] = [];
  for (const cursor = new RecordCursor().reset(log, at); cursor.next();)
    records.push({ offset: cursor.offset, value: String(cursor.value()) });
  return records;
}
