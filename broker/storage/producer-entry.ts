/** No epoch, sequence, offset or timestamp is known. */
export const NONE = -1;

/** How many batches of a producer are remembered (Kafka: `ProducerStateEntry.NUM_BATCHES_TO_RETAIN`). */
const BATCHES_KEPT = 5;
/** Numbers a batch: last sequence, last offset, offset delta, timestamp. */
const FIELDS = 4;
/** Sequences go from 0 to this one, and then from 0 again. */
const SEQUENCE_MASK = 0x7fff_ffff;

/** A data batch of a producer, as far as its state keeps it. */
export interface ProducerBatch {
  readonly epoch: number;
  readonly lastSequence: number;
  readonly lastOffset: number;
  /** Last offset minus first; the sequences are as far apart. */
  readonly offsetDelta: number;
  /** Largest timestamp of the records, milliseconds. */
  readonly timestamp: number;
  readonly isTransactional: boolean;
}

/** Where a batch that came a second time has been since the first. Offsets are inclusive. */
export interface WrittenBatch {
  readonly firstOffset: number;
  readonly lastOffset: number;
  /** Milliseconds; as the batch was appended then. */
  readonly timestamp: number;
}

/** What a transaction's end says of its producer. */
export interface TransactionEnd {
  readonly epoch: number;
  readonly coordinatorEpoch: number;
  /** Of the marker, milliseconds. */
  readonly timestamp: number;
}

/**
 * What a log knows of one idempotent producer (Kafka: `ProducerStateEntry`): its epoch, its last five batches in that
 * epoch, and where its open transaction began.
 *
 *     batches   seq 0-2   seq 3-3   seq 4-9    ──► next: 10; any of the three may come again
 *     offsets   17-19     24-24     30-35
 *
 * The numbers of the batches lie flat in one array: there may be very many producers.
 */
export class ProducerEntry {
  readonly producerId: number;
  /** -1 when nothing was ever seen of it. */
  epoch = NONE;
  /** Of the last transaction marker, -1 for none. */
  coordinatorEpoch = NONE;
  /** Of the last batch or marker, milliseconds: unused producers are forgotten by it. */
  lastTimestamp = NONE;
  /** -1 while no transaction is open. */
  currentTxnFirstOffset = NONE;
  #batches: number[] = [];

  constructor(producerId: number) {
    this.producerId = producerId;
  }

  /** Sequence of the last record, -1 when no batch of the epoch is known (only a marker was seen, perhaps). */
  get lastSequence(): number {
    return this.#lastBatch(0);
  }

  /** Offset of the last record, likewise. */
  get lastOffset(): number {
    return this.#lastBatch(1);
  }

  /** Last offset minus first offset of the last batch; 0 without one. */
  get lastOffsetDelta(): number {
    return Math.max(0, this.#lastBatch(2));
  }

  /** Timestamp of the last batch, -1 without one. */
  get lastBatchTimestamp(): number {
    return this.#lastBatch(3);
  }

  #lastBatch(field: number): number {
    const batches = this.#batches;
    return batches.length === 0 ? NONE : batches[batches.length - FIELDS + field]!;
  }

  /** The batch with exactly these sequences, if it is one of the last five in this epoch. */
  find(epoch: number, firstSequence: number, lastSequence: number): WrittenBatch | null {
    if (epoch !== this.epoch) return null;
    const batches = this.#batches;
    for (let i = 0; i < batches.length; i += FIELDS) {
      if (batches[i] !== lastSequence || firstSequenceOf(lastSequence, batches[i + 2]!) !== firstSequence) continue;
      const lastOffset = batches[i + 1]!;
      return { firstOffset: lastOffset - batches[i + 2]!, lastOffset, timestamp: batches[i + 3]! };
    }
    return null;
  }

  /** Whether a batch that begins with `sequence` is the next one in the same epoch. */
  isNext(sequence: number): boolean {
    const last = this.lastSequence;
    return sequence === (last === SEQUENCE_MASK ? 0 : last + 1);
  }

  /** Takes a data batch in; nothing is checked. */
  append({ epoch, lastSequence, lastOffset, offsetDelta, timestamp, isTransactional }: ProducerBatch): void {
    this.#enter(epoch);
    this.#remember(lastSequence, lastOffset, offsetDelta, timestamp);
    this.lastTimestamp = timestamp;
    if (isTransactional && this.currentTxnFirstOffset === NONE) this.currentTxnFirstOffset = lastOffset - offsetDelta;
  }

  /** Takes a transaction marker in; nothing is checked. */
  endTransaction({ epoch, coordinatorEpoch, timestamp }: TransactionEnd): void {
    this.#enter(epoch);
    this.coordinatorEpoch = coordinatorEpoch;
    this.currentTxnFirstOffset = NONE;
    this.lastTimestamp = timestamp;
  }

  /** Sequences begin anew with each epoch: batches of the one before mean nothing any more. */
  #enter(epoch: number): void {
    if (epoch === this.epoch) return;
    this.epoch = epoch;
    this.#batches.length = 0;
  }

  #remember(lastSequence: number, lastOffset: number, offsetDelta: number, timestamp: number): void {
    const batches = this.#batches;
    if (batches.length === BATCHES_KEPT * FIELDS) {
      batches.copyWithin(0, FIELDS);
      batches.length -= FIELDS;
    }
    batches.push(lastSequence, lastOffset, offsetDelta, timestamp);
  }

  /** Takes over the batches of the same producer read elsewhere, if they end with the last one known here. */
  adoptBatches(other: ProducerEntry): void {
    const isSame =
      other.epoch === this.epoch && other.lastSequence === this.lastSequence && other.lastOffset === this.lastOffset;
    if (isSame && this.lastOffset !== NONE) this.#batches = other.#batches;
  }

  copy(): ProducerEntry {
    const copy = new ProducerEntry(this.producerId);
    copy.epoch = this.epoch;
    copy.coordinatorEpoch = this.coordinatorEpoch;
    copy.lastTimestamp = this.lastTimestamp;
    copy.currentTxnFirstOffset = this.currentTxnFirstOffset;
    copy.#batches = this.#batches.slice();
    return copy;
  }
}

function firstSequenceOf(lastSequence: number, offsetDelta: number): number {
  return (lastSequence - offsetDelta) & SEQUENCE_MASK;
}
