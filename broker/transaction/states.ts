/** What a transactional id is doing (Kafka: `TransactionState`); the names are those on the wire. */
export type TransactionState =
  | 'Empty'
  | 'Ongoing'
  | 'PrepareCommit'
  | 'PrepareAbort'
  | 'CompleteCommit'
  | 'CompleteAbort'
  | 'Dead'
  | 'PrepareEpochFence';

interface StateRow {
  /** The number that stands for it in `__transaction_state`. */
  readonly id: number;
  /** From which states it may be entered. */
  readonly after: readonly TransactionState[];
}

/**
 *     Empty ──→ Ongoing ─┬→ PrepareCommit ──→ CompleteCommit ─┐
 *       ↑         ↑      └→ PrepareAbort ───→ CompleteAbort ──┤──→ Dead
 *       │         │             ↑                             │
 *       │         │      PrepareEpochFence (from Ongoing)     │
 *       └─────────┴───────────────────────────────────────────┘
 *
 * Dead and PrepareEpochFence are never written: the one is a tombstone, the other a step on the way to PrepareAbort that
 * takes the epoch from the producer.
 */
const STATES: Readonly<Record<TransactionState, StateRow>> = {
  Empty: { id: 0, after: ['Empty', 'CompleteCommit', 'CompleteAbort'] },
  Ongoing: { id: 1, after: ['Ongoing', 'Empty', 'CompleteCommit', 'CompleteAbort'] },
  PrepareCommit: { id: 2, after: ['Ongoing'] },
  PrepareAbort: { id: 3, after: ['Ongoing', 'PrepareEpochFence'] },
  CompleteCommit: { id: 4, after: ['PrepareCommit'] },
  CompleteAbort: { id: 5, after: ['PrepareAbort'] },
  Dead: { id: 6, after: ['Empty', 'CompleteCommit', 'CompleteAbort'] },
  PrepareEpochFence: { id: 7, after: ['Ongoing'] },
};

export const TRANSACTION_STATES = Object.keys(STATES) as readonly TransactionState[];

export function mayFollow(state: TransactionState, next: TransactionState): boolean {
  return STATES[next].after.includes(state);
}

export function stateId(state: TransactionState): number {
  return STATES[state].id;
}

/** The state with this number in the log; undefined when there is none. */
export function stateOfId(id: number): TransactionState | undefined {
  return TRANSACTION_STATES.find(state => STATES[state].id === id);
}

/** Its outcome is decided, and the partitions are being told. */
export function isPrepared(state: TransactionState): state is 'PrepareCommit' | 'PrepareAbort' {
  return state === 'PrepareCommit' || state === 'PrepareAbort';
}

/** Nothing of it is open: it may begin anew, or be forgotten. */
export function isSettled(state: TransactionState): boolean {
  return state === 'Empty' || state === 'CompleteCommit' || state === 'CompleteAbort';
}
