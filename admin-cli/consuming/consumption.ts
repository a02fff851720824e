import type { ConsumerRecord } from '../../client/index.ts';
import { partitionKey } from '../../shared/topics/topic-partition.ts';

/** Of the record to be read next. */
export interface PartitionOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

interface Summary {
  readonly topic: string;
  readonly partition: number;
  count: number;
  readonly minOffset: number;
  maxOffset: number;
}

/** What kafka-verifiable-consumer has read, and what it says of it (Kafka: `VerifiableConsumer`). */
export class Consumption {
  readonly #limit: number;
  readonly #isVerbose: boolean;
  readonly #emit: (name: string, fields: object) => void;
  #count = 0;

  /** @param limit records to take at most; -1 for all */
  constructor(limit: number, isVerbose: boolean, emit: (name: string, fields: object) => void) {
    this.#limit = limit < 0 ? Infinity : limit;
    this.#isVerbose = isVerbose;
    this.#emit = emit;
  }

  get isFinished(): boolean {
    return this.#count >= this.#limit;
  }

  /** Tells of the records of a poll, as many as are wanted still. @returns the offsets to commit after them */
  take(records: readonly ConsumerRecord[]): PartitionOffset[] {
    const taken = records.slice(0, this.#limit - this.#count);
    if (taken.length === 0) return [];
    this.#count += taken.length;
    const summaries = new Map<string, Summary>();
    for (const { topic, partition, offset, key, value } of taken) {
      if (this.#isVerbose) this.#emit('record_data', { key: text(key), value: text(value), topic, partition, offset });
      const known = summaries.get(partitionKey(topic, partition));
      if (known === undefined) {
        summaries.set(partitionKey(topic, partition), {
          topic,
          partition,
          count: 1,
          minOffset: offset,
          maxOffset: offset,
        });
      } else {
        known.count++;
        known.maxOffset = offset;
      }
    }
    const partitions = [...summaries.values()];
    this.#emit('records_consumed', { count: taken.length, partitions });
    return partitions.map(({ topic, partition, maxOffset }) => ({ topic, partition, offset: maxOffset + 1 }));
  }
}

function text(bytes: Buffer | null): string | null {
  return bytes === null ? null : bytes.toString();
}
