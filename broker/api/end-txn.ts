import { EndTxn } from '../../shared/protocol/messages/end-txn.ts';
import type { ApiHandler } from '../request/handler.ts';
import type { TransactionCoordinator } from '../transaction/coordinator.ts';
import { fencingCode, FIRST_WITH_FENCED } from './transaction-codes.ts';

/** Commits or aborts a transaction. The answer says that this is decided; the partitions are told after it. */
export function endTxnHandler(transactions: Pick<TransactionCoordinator, 'endTransaction'>): ApiHandler<typeof EndTxn> {
  return {
    api: EndTxn,
    versions: EndTxn.versions,
    async handle(request, context) {
      const ended = transactions.endTransaction(request, request.committed);
      context.park();
      return { throttleTimeMs: 0, errorCode: fencingCode(await ended, context.apiVersion >= FIRST_WITH_FENCED) };
    },
  };
}
