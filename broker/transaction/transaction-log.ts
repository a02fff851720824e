import { ErrorCode } from '../../shared/protocol/errors.ts';
import { BatchBuilder } from '../../shared/records/batch-builder.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import { transactionKey, transactionValue } from './log-records.ts';
import type { LogWriter } from './ports.ts';
import type { TransactionContent } from './transaction.ts';

/** Writes transactions into `__transaction_state` (Kafka: `TransactionStateManager`). */
export class TransactionLog {
  readonly #writer: LogWriter;
  readonly #clock: Clock;

  constructor(writer: LogWriter, clock: Clock) {
    this.#writer = writer;
    this.#clock = clock;
  }

  /** Writes what is known of an id; answers with the code that a client gets. */
  async store(partition: number, transactionalId: string, content: TransactionContent): Promise<ErrorCode> {
    const builder = new BatchBuilder();
    builder.append(content.lastUpdateMs, transactionKey(transactionalId), transactionValue(content));
    return clientError(await this.#writer.append(partition, builder.build(), content.timeoutMs));
  }

  /** Writes that ids are forgotten, all in one batch. */
  async forget(partition: number, transactionalIds: readonly string[], timeoutMs: number): Promise<ErrorCode> {
    const builder = new BatchBuilder();
    const now = this.#clock.now();
    for (const id of transactionalIds) builder.append(now, transactionKey(id), null);
    return clientError(await this.#writer.append(partition, builder.build(), timeoutMs));
  }
}

/** What an append's error is to clients (Kafka: `TransactionStateManager.appendTransactionToLog`). */
function clientError(errorCode: ErrorCode): ErrorCode {
  switch (errorCode) {
    case ErrorCode.NONE:
      return ErrorCode.NONE;
    case ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
    case ErrorCode.NOT_ENOUGH_REPLICAS:
    case ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    case ErrorCode.REQUEST_TIMED_OUT:
      return ErrorCode.COORDINATOR_NOT_AVAILABLE;
    case ErrorCode.NOT_LEADER_OR_FOLLOWER:
    case ErrorCode.KAFKA_STORAGE_ERROR:
      return ErrorCode.NOT_COORDINATOR;
    default:
      return ErrorCode.UNKNOWN_SERVER_ERROR;
  }
}
