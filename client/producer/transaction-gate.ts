import type { ProducerBatch } from './batch.ts';

/** What a transaction says to the sending of its records. */
export interface TransactionGate {
  readonly transactionalId: string;
  /** Not null: what has not been sent yet fails with this, and nothing is sent again. */
  readonly abandonment: Error | null;
  /** Whether the coordinator knows that the partition is part of the transaction. */
  mayLeave(topic: string, partition: number): boolean;
  /** A batch has failed for good. */
  batchFailed(batch: ProducerBatch, error: Error): void;
}
