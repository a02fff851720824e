import { ListTransactions } from '../../shared/protocol/messages/list-transactions.ts';
import type { ApiHandler } from '../request/handler.ts';
import type { TransactionCoordinator } from '../transaction/coordinator.ts';
import { TRANSACTION_STATES } from '../transaction/states.ts';

/** Lists the transactional ids that this broker coordinates (KIP-664, KIP-994). Empty filters take all. */
export function listTransactionsHandler(
  transactions: Pick<TransactionCoordinator, 'list'>,
): ApiHandler<typeof ListTransactions> {
  return {
    api: ListTransactions,
    versions: ListTransactions.versions,
    handle({ stateFilters, producerIdFilters, durationFilter }) {
      const { errorCode, transactions: listed } = transactions.list({
        states: stateFilters.length === 0 ? null : TRANSACTION_STATES.filter(state => stateFilters.includes(state)),
        producerIds: producerIdFilters.length === 0 ? null : producerIdFilters,
        longerThanMs: durationFilter < 0 ? null : durationFilter,
      });
      const names: readonly string[] = TRANSACTION_STATES;
      return {
        throttleTimeMs: 0,
        errorCode,
        unknownStateFilters: stateFilters.filter(name => !names.includes(name)),
        transactionStates: listed.map(({ transactionalId, content }) => ({
          transactionalId,
          producerId: content.producerId,
          transactionState: content.state,
        })),
      };
    },
  };
}
