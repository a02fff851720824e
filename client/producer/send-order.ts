import type { KafkaError } from '../errors.ts';
import type { PartitionQueue } from './accumulator.ts';
import type { ProducerBatch } from './batch.ts';

/** The broker has the batch; it has to be sent again; or the error says it. */
export type Verdict = 'done' | 'again' | 'as the error says';

/** Sees to it that a partition's records arrive in order: decides what may be on the way at a time, and is told what became of it. */
export interface SendOrder {
  /** Whether `first`, the first batch in the queue, may go now. */
  allows(queue: PartitionQueue, first: ProducerBatch): boolean;
  /** The batch goes. */
  leaves(queue: PartitionQueue, batch: ProducerBatch): void;
  /** The broker has it. */
  acknowledged(queue: PartitionQueue, batch: ProducerBatch): void;
  /** What an error that the broker answered means, if not what it means for everybody. */
  judge(queue: PartitionQueue, batch: ProducerBatch, error: KafkaError): Verdict;
  /** It is back, and will be sent again. */
  returned(queue: PartitionQueue, batch: ProducerBatch): void;
  /** It is back, and smaller ones go in its place. */
  split(queue: PartitionQueue, batch: ProducerBatch, parts: readonly ProducerBatch[]): void;
  /**
   * It has failed for good.
   * @param wasOnTheWay false: it waited to be sent
   */
  failed(queue: PartitionQueue, batch: ProducerBatch, wasOnTheWay: boolean): void;
}

/** One batch of a partition at a time: a retry can then neither overtake nor be overtaken. */
export const oneAtATime: SendOrder = {
  allows: queue => queue.onTheWay === 0,
  leaves: () => {},
  acknowledged: () => {},
  judge: () => 'as the error says',
  returned: () => {},
  split: () => {},
  failed: () => {},
};
