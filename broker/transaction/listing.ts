import type { ErrorCode } from '../../shared/protocol/errors.ts';
import type { TransactionState } from './states.ts';
import type { Transaction, TransactionContent } from './transaction.ts';

/** Which transactional ids somebody wants to see; null: all. */
export interface TransactionFilter {
  readonly states: readonly TransactionState[] | null;
  readonly producerIds: readonly number[] | null;
  /** Only those that began longer ago than this, milliseconds. */
  readonly longerThanMs: number | null;
}

export interface ListedTransactions {
  readonly errorCode: ErrorCode;
  readonly transactions: readonly Transaction[];
}

/** Kafka: `TransactionStateManager.listTransactionStates`. An id that has not begun anything has begun long ago, as there. */
export function matches(content: TransactionContent, filter: TransactionFilter, nowMs: number): boolean {
  const { states, producerIds, longerThanMs } = filter;
  if (producerIds !== null && !producerIds.includes(content.producerId)) return false;
  if (states !== null && !states.includes(content.state)) return false;
  return longerThanMs === null || nowMs - content.startMs > longerThanMs;
}
