import { ErrorCode } from '../../shared/protocol/errors.ts';
import * as batch from '../../shared/records/batch.ts';
import type { AppendEntry, AppendTransaction } from '../replication/append-request.ts';

/** From this version on clients know TRANSACTION_ABORTABLE (KIP-890). */
const FIRST_VERSION_WITH_ABORTABLE = 11;

/** Why none of a request's records may be appended. */
export interface TransactionRefusal {
  readonly code: ErrorCode;
  readonly message: string;
}

/**
 * The transaction to which batches of a produce request belong; null for most requests, which have none. A request is of
 * one transaction at most (Kafka: `KafkaApis.handleProduceRequest`, `ReplicaManager.handleProduceAppend`).
 * @param entries whole magic 2 batches
 */
export function transactionOf(
  entries: readonly AppendEntry[],
  transactionalId: string | null,
  version: number,
): AppendTransaction | TransactionRefusal | null {
  let first: Buffer | null = null;
  for (const { records } of entries) {
    if (!batch.isTransactional(records, 0)) continue;
    if (transactionalId === null) return unnamed();
    first ??= records;
    if (!isSameProducer(first, records)) return severalProducers(first, records);
  }
  if (first === null || transactionalId === null) return null;
  const [producerId, producerEpoch] = [batch.producerId(first, 0), batch.producerEpoch(first, 0)];
  return { id: transactionalId, producerId, producerEpoch, knowsAbortable: version >= FIRST_VERSION_WITH_ABORTABLE };
}

function isSameProducer(a: Buffer, b: Buffer): boolean {
  return batch.producerId(a, 0) === batch.producerId(b, 0) && batch.producerEpoch(a, 0) === batch.producerEpoch(b, 0);
}

function unnamed(): TransactionRefusal {
  const message = 'Batches of a transaction need the transactional id in their request.';
  return { code: ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, message };
}

function severalProducers(a: Buffer, b: Buffer): TransactionRefusal {
  const [one, other] = [a, b].map(bytes => `${batch.producerId(bytes, 0)} in epoch ${batch.producerEpoch(bytes, 0)}`);
  const message = `The transactional batches of a request must be of one producer, and these are of ${one} and ${other}.`;
  return { code: ErrorCode.INVALID_PRODUCER_ID_MAPPING, message };
}
