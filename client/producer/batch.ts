import type { CodecId } from '../../shared/records/compression.ts';
import { setProducer } from '../../shared/records/batch.ts';
import { BatchBuilder } from '../../shared/records/batch-builder.ts';
import { RecordCursor } from '../../shared/records/record-cursor.ts';
import type { Header, RecordMetadata, SendCallback } from './record.ts';
import { toBytes } from './record.ts';

/** Codec of a producer's batches; `level` as that codec counts, undefined for its default. */
export interface BatchCompression {
  readonly codec: CodecId;
  readonly level: number | undefined;
}

/** By what a broker knows an idempotent producer's batch again. */
export interface ProducerStamp {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
}

/** Records of one partition on their way to the broker together. Fates are told in the order of sending. */
export class ProducerBatch {
  readonly topic: string;
  readonly partition: number;
  /** Monotonic time of the first append: linger and delivery time-out count from here. */
  readonly createdAt: number;
  readonly builder: BatchBuilder;
  /** Bytes of buffer.memory that this batch holds. */
  reservedBytes = 0;
  attempts = 0;
  /** How many of the attempts ended before anything was sent. */
  neverSent = 0;
  /** Monotonic time of the last failure that said the leader may have moved. */
  lookAgainSince = -Infinity;
  /** Monotonic time before which it is not sent again. */
  notBefore = 0;
  /** Its place among the batches sent; Infinity before it was first sent. */
  ordinal = Infinity;
  /** How many batches of its partition were numbered before it. */
  place = 0;
  /** null before it was first sent, and for producers that are not idempotent. */
  stamp: ProducerStamp | null = null;
  #encoded: Buffer | null = null;
  #encodedStamp: ProducerStamp | null = null;
  readonly #callbacks: (SendCallback | null)[] = [];
  readonly #timestamps: number[] = [];

  constructor(topic: string, partition: number, createdAt: number) {
    this.topic = topic;
    this.partition = partition;
    this.createdAt = createdAt;
    this.builder = new BatchBuilder();
  }

  get count(): number {
    return this.#callbacks.length;
  }

  append(
    timestamp: number,
    key: Buffer | null,
    value: Buffer | null,
    headers: readonly Header[] | undefined,
    callback: SendCallback | null,
  ): void {
    this.builder.append(
      timestamp,
      key,
      value,
      headers?.map(h => ({ key: h.key, value: toBytes(h.value) })),
    );
    this.#callbacks.push(callback);
    this.#timestamps.push(timestamp);
  }

  /** The batch as it goes over the wire, encoded once: a retry sends the same bytes. Nothing may be appended afterwards. */
  encode(compression: BatchCompression, isTransactional: boolean): Buffer {
    if (this.#encoded === null) this.#encoded = this.builder.build({ ...compression, ...this.stamp, isTransactional });
    else if (this.#encodedStamp !== this.stamp) this.#encoded = stamped(this.#encoded, this.stamp!);
    this.#encodedStamp = this.stamp;
    return this.#encoded;
  }

  /**
   * The same records in two batches of about half the size, for when the broker found one too large (KIP-126). Needs two
   * records or more, and an encoded batch.
   */
  split(): [ProducerBatch, ProducerBatch] {
    const halves: [ProducerBatch, ProducerBatch] = [this.#part(), this.#part()];
    const half = this.builder.sizeInBytes / 2;
    const records = new RecordCursor().reset(this.#encoded!);
    for (let index = 0; records.next(); index++) {
      const isFirst = index === 0 || (index < this.count - 1 && halves[0].builder.sizeInBytes < half);
      const headers = records.headerCount === 0 ? undefined : (records.headers() as Header[]);
      const callback = this.#callbacks[index]!;
      halves[isFirst ? 0 : 1].append(this.#timestamps[index]!, records.key(), records.value(), headers, callback);
    }
    halves[0].reservedBytes = Math.ceil(this.reservedBytes / 2);
    halves[1].reservedBytes = this.reservedBytes - halves[0].reservedBytes;
    for (const half of halves) half.ordinal = this.ordinal;
    return halves;
  }

  #part(): ProducerBatch {
    return new ProducerBatch(this.topic, this.partition, this.createdAt);
  }

  /** @param baseOffset offset of the first record, -1 when the broker does not say @param logAppendTimeMs -1 on CreateTime topics */
  succeed(baseOffset: number, logAppendTimeMs: number): void {
    this.#callbacks.forEach((callback, index) => {
      if (callback === null) return;
      const metadata: RecordMetadata = {
        topic: this.topic,
        partition: this.partition,
        offset: baseOffset < 0 ? -1 : baseOffset + index,
        timestamp: logAppendTimeMs >= 0 ? logAppendTimeMs : this.#timestamps[index]!,
      };
      callback(null, metadata);
    });
  }

  /** `errors` holds those of single records by index; the others get `error`. */
  fail(error: Error, errors?: ReadonlyMap<number, Error>): void {
    this.#callbacks.forEach((callback, index) => callback?.(errors?.get(index) ?? error, null));
  }
}

/** A copy with other numbers: the former bytes may still be on their way out. */
function stamped(encoded: Buffer, { producerId, producerEpoch, baseSequence }: ProducerStamp): Buffer {
  const copy = Buffer.from(encoded);
  setProducer(copy, 0, producerId, producerEpoch, baseSequence);
  return copy;
}
