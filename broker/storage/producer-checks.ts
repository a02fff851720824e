import { StorageError } from './errors.ts';
import { NONE, type ProducerEntry, type TransactionEnd } from './producer-entry.ts';
import type { VerificationGuard } from './verification-guards.ts';

/** A data batch that wants to be appended. */
export interface OfferedBatch {
  readonly epoch: number;
  readonly firstSequence: number;
  readonly isTransactional: boolean;
}

/**
 * Checks what a client wants to append against what is known of its producer; duplicates have been told apart before
 * (Kafka: `ProducerAppendInfo.maybeValidateDataBatch`). A producer of which nothing is known may begin with any
 * sequence: its state may have expired (KIP-360), which is why UNKNOWN_PRODUCER_ID is never answered.
 * @throws StorageError INVALID_PRODUCER_EPOCH, OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_TXN_STATE
 */
export function checkClientBatch(entry: ProducerEntry, batch: OfferedBatch): void {
  checkEpoch(entry, batch.epoch);
  checkSequence(entry, batch);
  if (entry.currentTxnFirstOffset !== NONE && !batch.isTransactional) {
    throw new StorageError(
      'INVALID_TXN_STATE',
      `Producer ${entry.producerId} has an open transaction, but the batch belongs to none.`,
    );
  }
}

/**
 * Checks that the coordinator knows of the transaction to which a batch belongs (KIP-890): it is open in the log, or has
 * just been verified.
 * @param guard that of the verification, if it is still valid
 * @throws StorageError INVALID_TXN_STATE, or OUT_OF_ORDER_SEQUENCE_NUMBER when an earlier batch waits to be verified
 */
export function checkVerified(entry: ProducerEntry, batch: OfferedBatch, guard: VerificationGuard | null): void {
  if (entry.currentTxnFirstOffset !== NONE && entry.epoch === batch.epoch) return;
  if (guard === null) {
    throw new StorageError(
      'INVALID_TXN_STATE',
      `The batch of producer ${entry.producerId} is part of no ongoing transaction.`,
    );
  }
  if (batch.firstSequence <= guard.lowestSequence || batch.epoch !== guard.epoch) return;
  throw new StorageError(
    'OUT_OF_ORDER_SEQUENCE_NUMBER',
    `Sequence ${batch.firstSequence} of producer ${entry.producerId} is out of order: the transaction begins with ` +
      `${guard.lowestSequence}.`,
  );
}

/** @throws StorageError INVALID_PRODUCER_EPOCH when a newer epoch of the producer was seen */
export function checkEpoch(entry: ProducerEntry, epoch: number): void {
  if (epoch >= entry.epoch) return;
  throw new StorageError(
    'INVALID_PRODUCER_EPOCH',
    `Producer ${entry.producerId} has been seen in epoch ${entry.epoch}; the batch is of epoch ${epoch}.`,
  );
}

/** @throws StorageError INVALID_PRODUCER_EPOCH, TRANSACTION_COORDINATOR_FENCED */
export function checkMarker(entry: ProducerEntry, { epoch, coordinatorEpoch }: TransactionEnd): void {
  checkEpoch(entry, epoch);
  if (coordinatorEpoch >= entry.coordinatorEpoch) return;
  throw new StorageError(
    'TRANSACTION_COORDINATOR_FENCED',
    `The marker for producer ${entry.producerId} comes from coordinator epoch ${coordinatorEpoch}, ` +
      `and one of ${entry.coordinatorEpoch} has been seen.`,
  );
}

function checkSequence(entry: ProducerEntry, { epoch, firstSequence }: OfferedBatch): void {
  if (entry.epoch === NONE) return;
  if (epoch === entry.epoch ? entry.isNext(firstSequence) : firstSequence === 0) return;
  const known =
    epoch === entry.epoch
      ? `the last one was ${entry.lastSequence}`
      : `epoch ${epoch} is new (it was ${entry.epoch}), so it must begin with 0`;
  throw new StorageError(
    'OUT_OF_ORDER_SEQUENCE_NUMBER',
    `Sequence ${firstSequence} of producer ${entry.producerId} is out of order: ${known}.`,
  );
}
