import { message } from '../message.ts';
import { array, int16, int32, int64, int8, string } from '../schema.ts';

/*
 * Keys and values of `__transaction_state`. Each begins with its version (`versioned.ts`).
 */

export const TransactionLogKey = message(
  { name: 'TransactionLogKey', versions: { min: 0, max: 0 }, flexibleSince: null },
  { transactionalId: string() },
);

/** Version 0 is written; version 1 is only read. The partitions are null while none has been added. */
export const TransactionLogValue = message(
  { name: 'TransactionLogValue', versions: { min: 0, max: 1 }, flexibleSince: 1 },
  {
    producerId: int64(),
    producerEpoch: int16(),
    transactionTimeoutMs: int32(),
    transactionStatus: int8(),
    transactionPartitions: array({ topic: string(), partitionIds: array(int32()) }, { nullable: 0 }),
    transactionLastUpdateTimestampMs: int64(),
    transactionStartTimestampMs: int64(),
  },
);
