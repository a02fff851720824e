import { ErrorCode } from '../../../shared/protocol/errors.ts';
import type { GroupMetadata } from '../../consumer/group/consumer-group.ts';
import { KafkaError } from '../../errors.ts';
import type { OffsetToCommit } from '../../groups/committed-offsets.ts';
import type { Bytes, ProducerRecord, RecordMetadata } from '../record.ts';
import { TransactionError } from './error-rules.ts';

/** What a transaction is made of; a transactional producer is that. */
export interface TransactionSteps<K, V> {
  readonly isInitialized: boolean;
  initTransactions(): Promise<void>;
  beginTransaction(): void;
  send(record: ProducerRecord<K, V>): Promise<RecordMetadata>;
  sendOffsetsToTransaction(offsets: readonly OffsetToCommit[], group: GroupMetadata): Promise<void>;
  commitTransaction(): Promise<void>;
  abortTransaction(): Promise<void>;
}

/** A transaction that closes by itself. Its methods may be used until the work it was made for is done. */
export class Transaction<K = Bytes, V = Bytes> {
  readonly #steps: TransactionSteps<K, V>;
  #isOver = false;

  private constructor(steps: TransactionSteps<K, V>) {
    this.#steps = steps;
  }

  /** See `Producer.transaction`. */
  static async run<K, V, T>(
    steps: TransactionSteps<K, V>,
    work: (transaction: Transaction<K, V>) => T | Promise<T>,
  ): Promise<T> {
    if (!steps.isInitialized) await untilKnown(() => steps.initTransactions());
    steps.beginTransaction();
    const transaction = new Transaction(steps);
    try {
      const result = await work(transaction);
      transaction.#isOver = true;
      await untilKnown(() => steps.commitTransaction());
      return result;
    } catch (error) {
      transaction.#isOver = true;
      await abortAfter(steps, error);
      throw error;
    }
  }

  /** Sends a record as part of the transaction; nobody has to look at the outcome. */
  send(record: ProducerRecord<K, V>): Promise<RecordMetadata> {
    if (!this.#isOver) return this.#steps.send(record);
    const refused = Promise.reject<RecordMetadata>(isOver());
    refused.catch(() => {});
    return refused;
  }

  /** Commits positions of a consumer's group together with the records. */
  async sendOffsets(offsets: readonly OffsetToCommit[], group: GroupMetadata): Promise<void> {
    if (this.#isOver) throw isOver();
    await this.#steps.sendOffsetsToTransaction(offsets, group);
  }
}

function isOver(): Error {
  return new Error('the transaction is over: everything in it has to be sent before its work is done');
}

/** How it ends must be known before anything else begins: a time-out only says that it takes long. */
async function untilKnown(step: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await step();
      return;
    } catch (error) {
      const isLate = error instanceof KafkaError && error.code === ErrorCode.REQUEST_TIMED_OUT;
      if (!isLate || error instanceof TransactionError) throw error;
    }
  }
}

/** What went wrong first is what the caller hears; if aborting fails too, the producer's next step says so. */
async function abortAfter<K, V>(steps: TransactionSteps<K, V>, error: unknown): Promise<void> {
  if (error instanceof TransactionError && error.isFatal) return;
  await untilKnown(() => steps.abortTransaction()).catch(() => {});
}
