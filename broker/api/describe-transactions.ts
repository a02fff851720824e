import type { ResponseInput } from '../../shared/protocol/api.ts';
import { DescribeTransactions } from '../../shared/protocol/messages/describe-transactions.ts';
import type { ApiHandler } from '../request/handler.ts';
import type { DescribedTransaction, TransactionCoordinator } from '../transaction/coordinator.ts';

type Described = ResponseInput<typeof DescribeTransactions>['transactionStates'][number];

/** Describes the transactions of ids that are coordinated here (KIP-664). */
export function describeTransactionsHandler(
  transactions: Pick<TransactionCoordinator, 'describe'>,
): ApiHandler<typeof DescribeTransactions> {
  return {
    api: DescribeTransactions,
    versions: DescribeTransactions.versions,
    handle: ({ transactionalIds }) => ({
      throttleTimeMs: 0,
      transactionStates: transactionalIds.map(id => describe(id, transactions.describe(id))),
    }),
  };
}

function describe(transactionalId: string, { errorCode, content }: DescribedTransaction): Described {
  return {
    errorCode,
    transactionalId,
    transactionState: content?.state ?? '',
    transactionTimeoutMs: content?.timeoutMs ?? 0,
    transactionStartTimeMs: content?.startMs ?? 0,
    producerId: content?.producerId ?? 0,
    producerEpoch: content?.producerEpoch ?? 0,
    topics: Array.from(content?.partitions ?? [], ([topic, partitions]) => ({ topic, partitions: [...partitions] })),
  };
}
