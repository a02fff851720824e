import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { OwnedPartition, TransactionRegistry } from './registry.ts';
import type { Transaction, TransactionContent } from './transaction.ts';
import type { TransactionLog } from './transaction-log.ts';

/** Writes transitions: what a transaction is becomes what its record says when that is on all in-sync replicas. */
export class Writer {
  readonly #log: TransactionLog;
  readonly #registry: TransactionRegistry;

  constructor(log: TransactionLog, registry: TransactionRegistry) {
    this.#log = log;
    this.#registry = registry;
  }

  /** Makes a transition that nothing has prepared yet; after an error the transaction is as before. */
  async write(owner: OwnedPartition, transaction: Transaction, next: TransactionContent): Promise<ErrorCode> {
    transaction.prepare(next.state);
    const errorCode = await this.writePrepared(owner, transaction, next);
    if (errorCode !== ErrorCode.NONE) transaction.fail();
    return errorCode;
  }

  /**
   * Makes the transition that is pending, which it still is after an error. Who has lost the partition meanwhile says so,
   * whatever has become of the record: the next coordinator will read it, or not.
   */
  async writePrepared(owner: OwnedPartition, transaction: Transaction, next: TransactionContent): Promise<ErrorCode> {
    if (!this.#registry.isCurrent(owner, transaction)) return ErrorCode.NOT_COORDINATOR;
    const errorCode = await this.#log.store(owner.partition, transaction.transactionalId, next);
    if (!this.#registry.isCurrent(owner, transaction)) return ErrorCode.NOT_COORDINATOR;
    if (errorCode === ErrorCode.NONE) transaction.complete(next);
    return errorCode;
  }
}
