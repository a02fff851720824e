/**
 * Where a transactional producer stands (Kafka: `TransactionManager.State`).
 *
 *     uninitialized ──► initializing ──► ready ──► open ──► committing ──► ready
 *                            ▲                      │            │
 *                            │                      ├──► abortable error
 *                            └── new epoch ── aborting ◄──┘
 */
export type TransactionState =
  | 'uninitialized'
  | 'initializing'
  | 'ready'
  | 'open'
  | 'committing'
  | 'aborting'
  /** Nothing of the transaction can be committed any more: it has to be aborted. */
  | 'abortable error'
  /** The producer is of no use any more: it has to be closed. */
  | 'fatal error';

const SUCCESSORS: Readonly<Record<TransactionState, readonly TransactionState[]>> = {
  uninitialized: ['initializing', 'fatal error'],
  initializing: ['ready', 'abortable error', 'fatal error'],
  ready: ['open', 'fatal error'],
  open: ['committing', 'aborting', 'abortable error', 'fatal error'],
  committing: ['ready', 'abortable error', 'fatal error'],
  aborting: ['initializing', 'ready', 'fatal error'],
  'abortable error': ['aborting', 'abortable error', 'fatal error'],
  'fatal error': ['fatal error'],
};

/** @throws Error for a transition that must not be: a fault of this client, not of its caller */
export function checkTransition(from: TransactionState, to: TransactionState): void {
  if (!SUCCESSORS[from].includes(to)) throw new Error(`a transactional producer cannot go from '${from}' to '${to}'`);
}
