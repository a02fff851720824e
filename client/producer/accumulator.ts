import type { Clock } from '../../shared/runtime/clock.ts';
import { partitionKey } from '../../shared/topics/topic-partition.ts';
import { ProducerBatch } from './batch.ts';
import type { Header, SendCallback } from './record.ts';

export interface AccumulatorOptions {
  /** Bytes at which a batch is closed. */
  readonly batchSize: number;
  readonly lingerMs: number;
}

/** Batches of one partition that wait to be sent: those that were sent before in front, the open one last. */
export class PartitionQueue {
  readonly topic: string;
  readonly partition: number;
  readonly batches: ProducerBatch[] = [];
  /** How many are with a broker. */
  onTheWay = 0;

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }

  get isIdle(): boolean {
    return this.batches.length === 0 && this.onTheWay === 0;
  }

  /** Takes a batch that was sent, or what stands in for it, back to where it was in the order of sending. */
  putBack(ordinal: number, batches: readonly ProducerBatch[]): void {
    const index = this.batches.findIndex(waiting => waiting.ordinal >= ordinal);
    this.batches.splice(index < 0 ? this.batches.length : index, 0, ...batches);
  }
}

/** Worst case of a record's own framing: lengths, deltas and the header count as varints. */
const RECORD_OVERHEAD = 24;

/** Upper bound of a record's encoded size in bytes. */
export function recordSizeBound(key: Buffer | null, value: Buffer | null, headers?: readonly Header[]): number {
  let size = RECORD_OVERHEAD + (key?.length ?? 0) + (value?.length ?? 0);
  for (const header of headers ?? []) {
    const valueLength = typeof header.value === 'string' ? header.value.length * 3 : (header.value?.length ?? 0);
    size += 10 + header.key.length * 3 + valueLength;
  }
  return size;
}

/** Gathers records into batches by partition (compare Kafka's RecordAccumulator). Decides what is ready; sends nothing. */
export class Accumulator {
  readonly #options: AccumulatorOptions;
  readonly #clock: Clock;
  readonly #queues = new Map<string, PartitionQueue>();

  constructor(options: AccumulatorOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  queues(): Iterable<PartitionQueue> {
    return this.#queues.values();
  }

  queue(topic: string, partition: number): PartitionQueue {
    const key = partitionKey(topic, partition);
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      queue = new PartitionQueue(topic, partition);
      this.#queues.set(key, queue);
    }
    return queue;
  }

  /** The batch that a record of `bytes` would join; null if it needs a new one. */
  openBatch(queue: PartitionQueue, bytes: number): ProducerBatch | null {
    const last = queue.batches.at(-1);
    if (last === undefined || last.attempts > 0) return null;
    return last.builder.sizeInBytes + bytes <= this.#options.batchSize ? last : null;
  }

  /** Appends to `batch`, or to a new batch of the queue; returns the batch and whether it is new. */
  append(
    queue: PartitionQueue,
    batch: ProducerBatch | null,
    timestamp: number,
    key: Buffer | null,
    value: Buffer | null,
    headers: readonly Header[] | undefined,
    callback: SendCallback | null,
  ): ProducerBatch {
    const target = batch ?? new ProducerBatch(queue.topic, queue.partition, this.#clock.monotonic());
    if (batch === null) queue.batches.push(target);
    target.append(timestamp, key, value, headers, callback);
    return target;
  }

  /**
   * Milliseconds until the queue's first batch should go out: 0 = now, Infinity = there is none.
   * @param urgent a flush, a close, or exhausted memory: linger no longer
   */
  readyIn(queue: PartitionQueue, now: number, urgent: boolean): number {
    const first = queue.batches[0];
    if (first === undefined) return Infinity;
    const backoff = first.notBefore - now;
    if (backoff > 0) return backoff;
    const full = queue.batches.length > 1 || first.builder.sizeInBytes >= this.#options.batchSize;
    if (full || urgent || first.attempts > 0) return 0;
    return Math.max(0, first.createdAt + this.#options.lingerMs - now);
  }

  /** Drops queues that hold nothing, so that a producer of many short-lived topics does not grow. */
  removeIdle(): void {
    for (const [key, queue] of this.#queues) if (queue.isIdle) this.#queues.delete(key);
  }
}
