import { StorageError } from './errors.ts';
import { NONE, type ProducerEntry, type TransactionEnd } from './producer-entry.ts';

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
  const isOpen = entry.currentTxnFirstOffset !== NONE;
  if (isOpen && !batch.isTransactional) {
    throw new StorageError(
      'INVALID_TXN_STATE',
      `Producer ${entry.producerId} has an open transaction, but the batch belongs to none.`,
    );
  }
  // Nobody has told that the partition belongs to a transaction of the producer (KIP-890).
  if (batch.isTransactional && !(isOpen && entry.epoch === batch.epoch)) {
    throw new StorageError(
      'INVALID_TXN_STATE',
      `The batch of producer ${entry.producerId} is part of no ongoing transaction.`,
    );
  }
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
