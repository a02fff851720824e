import { errorByCode, ErrorCode } from '../../shared/protocol/errors.ts';
import * as batch from '../../shared/records/batch.ts';
import { partitionKey } from '../../shared/topics/topic-partition.ts';
import type { VerificationGuard } from '../storage/verification-guards.ts';
import type { AppendEntry, AppendRequest, AppendTransaction } from './append-request.ts';
import { ReplicationError } from './errors.ts';
import type { HostedPartitions } from './hosted-partitions.ts';
import type { TxnVerifier } from './txn-verifier.ts';

/** What a verification came to, by entry; those that are in neither map had nothing to verify. */
export interface Verified {
  readonly guards: ReadonlyMap<AppendEntry, VerificationGuard>;
  readonly refusals: ReadonlyMap<AppendEntry, ReplicationError>;
}

/**
 * Sees to it that the first batch of a transaction in a partition led here is one that the coordinator knows of, and will
 * end (Kafka: `ReplicaManager.maybeStartTransactionVerificationForPartitions`). Otherwise a batch that comes late, behind
 * the marker that ended its transaction, would open another one that nobody ends.
 */
export class TransactionVerification {
  readonly #partitions: HostedPartitions;
  readonly #verifier: TxnVerifier;
  readonly #isEnabled: () => boolean;

  /** @param isEnabled `transaction.partition.verification.enable` */
  constructor(partitions: HostedPartitions, verifier: TxnVerifier, isEnabled: () => boolean) {
    this.#partitions = partitions;
    this.#verifier = verifier;
    this.#isEnabled = isEnabled;
  }

  /**
   * Begins the verification of a request.
   * @returns null when it belongs to no transaction, or transactions are not verified; a promise only where the
   *     coordinator has to be asked
   */
  begin({ transaction, entries }: AppendRequest): Verified | Promise<Verified> | null {
    if (transaction === undefined || !this.#isEnabled()) return null;
    const guards = new Map<AppendEntry, VerificationGuard>();
    for (const entry of entries) {
      const guard = batch.isTransactional(entry.records, 0) ? this.#beginOne(entry, transaction) : null;
      if (guard !== null) guards.set(entry, guard);
    }
    return guards.size === 0 ? { guards, refusals: new Map() } : this.#ask(transaction, guards);
  }

  /** null: the transaction is open there, or the append is going to say what is wrong. */
  #beginOne(
    { topic, partition, records }: AppendEntry,
    { producerId, producerEpoch }: AppendTransaction,
  ): VerificationGuard | null {
    const log = this.#partitions.get(topic, partition);
    if (log?.isLeader !== true || log.log === null) return null;
    return log.log.beginVerification(producerId, producerEpoch, batch.baseSequence(records, 0));
  }

  async #ask(transaction: AppendTransaction, guards: Map<AppendEntry, VerificationGuard>): Promise<Verified> {
    const { id, producerId, producerEpoch } = transaction;
    const codes = await this.#verifier.verify(id, producerId, producerEpoch, [...guards.keys()]);
    const refusals = new Map<AppendEntry, ReplicationError>();
    for (const entry of guards.keys()) {
      const code = codes.get(partitionKey(entry.topic, entry.partition)) ?? ErrorCode.UNKNOWN_SERVER_ERROR;
      if (code !== ErrorCode.NONE) refusals.set(entry, refusal(code, transaction.knowsAbortable));
    }
    return { guards, refusals };
  }
}

/** The coordinator could not say. */
const UNVERIFIED: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.CONCURRENT_TRANSACTIONS,
  ErrorCode.NETWORK_EXCEPTION,
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
]);

/**
 * What a producer is told. Where the coordinator could not say, NOT_ENOUGH_REPLICAS: producers of all times send again
 * then, without asking for new metadata (Kafka: `ReplicaManager.handleProduceAppend`, `AddPartitionsToTxnManager`).
 */
function refusal(code: ErrorCode, knowsAbortable: boolean): ReplicationError {
  if (UNVERIFIED.has(code)) {
    const message =
      'It could not be found out whether the partition has been added to the transaction: ' +
      `the coordinator's answer is ${errorByCode(code).name}.`;
    return new ReplicationError(ErrorCode.NOT_ENOUGH_REPLICAS, message);
  }
  if (code === ErrorCode.PRODUCER_FENCED) {
    const message = 'There is a producer with the same transactional id and a newer epoch.';
    return new ReplicationError(ErrorCode.INVALID_PRODUCER_EPOCH, message);
  }
  const isOutside = code === ErrorCode.TRANSACTION_ABORTABLE || code === ErrorCode.INVALID_TXN_STATE;
  if (!isOutside) return new ReplicationError(code, errorByCode(code).text);
  const told = knowsAbortable ? code : ErrorCode.INVALID_TXN_STATE;
  return new ReplicationError(told, 'The partition has not been added to the transaction.');
}
