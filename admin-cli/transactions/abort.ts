import type { Admin, TransactionToAbort } from '../../client/index.ts';
import { partitionKey } from '../../shared/topics/topic-partition.ts';
import { ToolFailure } from '../support/tool.ts';
import { neededPartition, type TransactionsOptions } from './options.ts';

/** Ends a transaction in one partition; it is named by where it begins, or by whose it is. */
export async function abort(admin: Admin, options: TransactionsOptions): Promise<string> {
  const partition = neededPartition(options);
  const transaction =
    options.startOffset === undefined
      ? { ...partition, ...named(options) }
      : await beginningAt(admin, partition, options.startOffset);
  await admin.abortTransaction(transaction);
  return '';
}

/** @throws ToolFailure */
function named({ producerId, producerEpoch, coordinatorEpoch }: TransactionsOptions) {
  if (producerId === undefined)
    throw new ToolFailure(
      'The transaction to abort must be identified either with --start-offset (for brokers on 3.0 or above) or with --producer-id, --producer-epoch, and --coordinator-epoch (for older brokers)',
    );
  return {
    producerId,
    producerEpoch: required(producerEpoch, 'producer-epoch'),
    coordinatorEpoch: atLeastZero(required(coordinatorEpoch, 'coordinator-epoch')),
  };
}

async function beginningAt(
  admin: Admin,
  partition: { topic: string; partition: number },
  startOffset: number,
): Promise<TransactionToAbort> {
  const producers = await admin.describeProducers(partition);
  const found = producers.find(({ transactionStartOffset }) => transactionStartOffset === startOffset);
  if (found === undefined) {
    const where = partitionKey(partition.topic, partition.partition);
    throw new ToolFailure(
      `Could not find any open transactions starting at offset ${startOffset} on partition ${where}`,
    );
  }
  const { producerId, producerEpoch, coordinatorEpoch } = found;
  return { ...partition, producerId, producerEpoch, coordinatorEpoch: atLeastZero(coordinatorEpoch ?? -1) };
}

function required<T>(value: T | undefined, option: string): T {
  if (value === undefined) throw new ToolFailure(`Missing required argument --${option}`);
  return value;
}

/** Where no transaction has ended yet, no coordinator is known: the lowest epoch there is fences nobody. */
function atLeastZero(coordinatorEpoch: number): number {
  return Math.max(0, coordinatorEpoch);
}
