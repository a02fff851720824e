import { ErrorCode } from '../../shared/protocol/errors.ts';
import { isControl, lastOffsetDelta, setBaseOffset } from '../../shared/records/batch.ts';
import { RecordCursor } from '../../shared/records/record-cursor.ts';
import { settle } from './manual-time.ts';

interface StoredBatch {
  readonly baseOffset: number;
  readonly bytes: Buffer;
}

/** A coordinator's topic in memory: it outlives the coordinators that write to it. */
export class MemoryLog {
  readonly #partitions = new Map<number, StoredBatch[]>();
  /** What appends are answered with instead of being done. */
  failure: ErrorCode = ErrorCode.NONE;
  /** While not null, appends are written and not answered. */
  #held: (() => void)[] | null = null;
  /** Acks of all appends. */
  readonly acks: number[] = [];
  /** Transactions that appends belong to. */
  readonly transactions: object[] = [];

  async append(partition: number, bytes: Buffer, acks: number, transaction?: object) {
    this.acks.push(acks);
    if (transaction !== undefined) this.transactions.push(transaction);
    if (this.failure !== ErrorCode.NONE) return { errorCode: this.failure, baseOffset: -1 };
    const batches = this.#batches(partition);
    const baseOffset = this.end(partition);
    const copy = Buffer.from(bytes);
    setBaseOffset(copy, 0, baseOffset);
    batches.push({ baseOffset, bytes: copy });
    const held = this.#held;
    if (held !== null) await new Promise<void>(resolve => held.push(resolve));
    return { errorCode: ErrorCode.NONE, baseOffset };
  }

  #batches(partition: number): StoredBatch[] {
    let batches = this.#partitions.get(partition);
    if (batches === undefined) this.#partitions.set(partition, (batches = []));
    return batches;
  }

  end(partition: number): number {
    const last = this.#batches(partition).at(-1);
    return last === undefined ? 0 : last.baseOffset + lastOffsetDelta(last.bytes, 0) + 1;
  }

  hold(): void {
    this.#held = [];
  }

  async release(): Promise<void> {
    for (const answer of this.#held ?? []) answer();
    this.#held = null;
    await settle();
  }

  open(partition: number) {
    return {
      logStartOffset: 0,
      logEndOffset: this.end(partition),
      read: (offset: number) =>
        Promise.resolve(this.#batches(partition).flatMap(batch => (batch.baseOffset >= offset ? [batch.bytes] : []))),
    };
  }

  /** All batches written, by partition and in order. */
  batches(): Buffer[] {
    return [...this.#partitions.values()].flat().map(({ bytes }) => bytes);
  }

  /** All data records written, likewise. */
  keysAndValues(): [Buffer, Buffer | null][] {
    const records: [Buffer, Buffer | null][] = [];
    for (const bytes of this.batches().filter(batch => !isControl(batch, 0)))
      for (const cursor = new RecordCursor().reset(bytes); cursor.next();)
        records.push([cursor.key()!, cursor.value()]);
    return records;
  }
}
