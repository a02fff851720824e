import type { ProducerBatch } from './batch.ts';

/** What a producer's batches are numbered under. Every epoch numbers each partition from 0 on. */
export interface ProducerIdentity {
  readonly id: number;
  readonly epoch: number;
}

/** Sequences go from 0 to 2147483647, and then from 0 again. */
const SEQUENCE_MASK = 0x7fff_ffff;
const HALF_THE_CIRCLE = 0x4000_0000;

/** The sequence that is `count` behind `sequence`. */
export function sequenceAfter(sequence: number, count: number): number {
  return (sequence + count) & SEQUENCE_MASK;
}

/** Whether `a` is `b` or comes behind it, the shorter way around. */
function isAtOrBehind(a: number, b: number): boolean {
  return ((a - b) & SEQUENCE_MASK) < HALF_THE_CIRCLE;
}

/**
 * The numbers of one partition's batches (Kafka: `TxnPartitionEntry`).
 *
 *     numbered     [ 4-6 ] [ 7-7 ] [ 8-11 ]      sent at least once, fate open, in order
 *     expected 4: all before was acknowledged    next 12: the next new batch gets it
 */
export class PartitionSequences {
  identity: ProducerIdentity | null = null;
  /** Batches that have a number and are neither acknowledged nor failed: with a broker, or waiting to be sent again. */
  readonly numbered: ProducerBatch[] = [];
  /** How many of them are with a broker. */
  onTheWay = 0;
  /** There is, or will be, a gap that the broker does not get over: numbering has to begin anew under another epoch. */
  mustRestart = false;
  /** Whether anything was acknowledged under this identity. */
  hasBegun = false;
  /** The number behind the last batch that failed, while it is not clear what the broker makes of that; else null. */
  unresolved: number | null = null;
  #next = 0;
  #expected = 0;
  #placed = 0;

  /** Begins anew under an identity, with the batches whose fate is open. None may be on the way. */
  restart(identity: ProducerIdentity): void {
    this.identity = identity;
    this.mustRestart = false;
    this.hasBegun = false;
    this.unresolved = null;
    this.#next = this.#expected = this.#placed = 0;
    for (const batch of this.numbered) this.#stamp(batch, identity);
  }

  /** Numbers a new batch. */
  add(batch: ProducerBatch): void {
    this.#stamp(batch, this.identity!);
    this.numbered.push(batch);
  }

  #stamp(batch: ProducerBatch, { id, epoch }: ProducerIdentity): void {
    batch.stamp = { producerId: id, producerEpoch: epoch, baseSequence: this.#next };
    batch.place = this.#placed++;
    this.#next = sequenceAfter(this.#next, batch.count);
  }

  /** How many batches there are from the first one whose fate is open on, the acknowledged ones in between included. */
  get span(): number {
    return this.#placed - (this.numbered[0]?.place ?? this.#placed);
  }

  /** Whether the broker has acknowledged what comes behind this batch. */
  isPassed(batch: ProducerBatch): boolean {
    return isAtOrBehind(this.#expected, endOf(batch));
  }

  /** Whether the fate of all before it is settled: a number that the broker lacks there will never come. */
  isFirstOpen(batch: ProducerBatch): boolean {
    return this.numbered[0] === batch;
  }

  /** Whether everything that was numbered has been acknowledged, the failed batches in between apparently as well. */
  get isComplete(): boolean {
    return this.#expected === this.#next;
  }

  /** The broker has the batch, and so all before it. */
  acknowledged(batch: ProducerBatch): void {
    this.#remove(batch);
    this.hasBegun = true;
    const end = endOf(batch);
    if (isAtOrBehind(end, this.#expected)) this.#expected = end;
  }

  /** The batch has failed for good; perhaps the broker has it all the same. */
  failed(batch: ProducerBatch): void {
    this.#remove(batch);
    const end = endOf(batch);
    if (this.unresolved === null || isAtOrBehind(end, this.unresolved)) this.unresolved = end;
  }

  #remove(batch: ProducerBatch): void {
    this.numbered.splice(this.numbered.indexOf(batch), 1);
  }

  /** Others stand in for a batch, with the numbers it had. */
  replace(batch: ProducerBatch, parts: readonly ProducerBatch[]): void {
    let { baseSequence } = batch.stamp!;
    for (const part of parts) {
      part.place = batch.place;
      part.stamp = { ...batch.stamp!, baseSequence };
      baseSequence = sequenceAfter(baseSequence, part.count);
    }
    this.numbered.splice(this.numbered.indexOf(batch), 1, ...parts);
  }
}

function endOf(batch: ProducerBatch): number {
  return sequenceAfter(batch.stamp!.baseSequence, batch.count);
}
