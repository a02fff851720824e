import type { ErrorCode } from '../../shared/protocol/errors.ts';
import type { TopicPartition } from '../../shared/topics/topic-partition.ts';

/** Asks the coordinator of a transaction which partitions are in it (KIP-890). */
export interface TxnVerifier {
  /**
   * @returns the codes by partition key. NONE: it is in the ongoing transaction of that producer and epoch;
   *     TRANSACTION_ABORTABLE or INVALID_TXN_STATE: it is not; others: the coordinator could not say. Never rejects.
   */
  verify(
    transactionalId: string,
    producerId: number,
    producerEpoch: number,
    partitions: readonly TopicPartition[],
  ): Promise<ReadonlyMap<string, ErrorCode>>;
}
