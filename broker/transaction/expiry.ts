import { ErrorCode } from '../../shared/protocol/errors.ts';
import { hasExpired } from './decisions.ts';
import type { OwnedPartition, TransactionRegistry } from './registry.ts';
import type { Transaction } from './transaction.ts';
import type { TransactionLog } from './transaction-log.ts';

export interface ExpiryParts {
  readonly log: TransactionLog;
  readonly registry: TransactionRegistry;
  readonly nowMs: number;
  readonly idExpirationMs: number;
  readonly requestTimeoutMs: number;
}

/** Characters of ids forgotten in one batch: less than the least that a topic's `max.message.bytes` is set to. */
const MAX_BATCH_CHARACTERS = 16 << 10;

/**
 * Forgets the ids of a partition that have not been used for too long (Kafka: `TransactionStateManager`). While their
 * tombstones are being written they are not to be used; could those not be written, all is as before.
 */
export async function removeExpired(owner: OwnedPartition, parts: ExpiryParts): Promise<void> {
  const { nowMs, idExpirationMs } = parts;
  const expired = [...owner.transactions.values()].filter(one => hasExpired(one, nowMs, idExpirationMs));
  for (const batch of inBatches(expired)) {
    if (!parts.registry.isOwned(owner)) return;
    await forget(
      owner,
      batch.filter(one => hasExpired(one, nowMs, idExpirationMs)),
      parts,
    );
  }
}

async function forget(owner: OwnedPartition, expired: readonly Transaction[], parts: ExpiryParts): Promise<void> {
  if (expired.length === 0) return;
  for (const transaction of expired) transaction.prepare('Dead');
  const ids = expired.map(({ transactionalId }) => transactionalId);
  const errorCode = await parts.log.forget(owner.partition, ids, parts.requestTimeoutMs);
  for (const transaction of expired) {
    if (errorCode === ErrorCode.NONE) owner.transactions.delete(transaction.transactionalId);
    else transaction.fail();
  }
}

function* inBatches(transactions: readonly Transaction[]): Generator<Transaction[]> {
  let batch: Transaction[] = [];
  let characters = 0;
  for (const transaction of transactions) {
    characters += transaction.transactionalId.length;
    if (batch.length > 0 && characters > MAX_BATCH_CHARACTERS) {
      yield batch;
      batch = [];
      characters = transaction.transactionalId.length;
    }
    batch.push(transaction);
  }
  if (batch.length > 0) yield batch;
}
