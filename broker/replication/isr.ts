import { ErrorCode } from '../../shared/protocol/errors.ts';

/**
 * A partition's in-sync replicas as its leader sees them (Kafka: `PartitionState`). The leader proposes, the controller
 * commits; while a proposal is under way no other is made.
 *
 *     committed ──propose──→ pendingExpand | pendingShrink ──answer──→ committed (new, or as before when refused)
 */
export type IsrState =
  | { readonly kind: 'committed'; readonly isr: ReadonlySet<number> }
  | { readonly kind: 'pendingExpand'; readonly isr: ReadonlySet<number>; readonly joining: number }
  | { readonly kind: 'pendingShrink'; readonly isr: ReadonlySet<number>; readonly leaving: ReadonlySet<number> };

export function committedIsr(isr: Iterable<number>): IsrState {
  return { kind: 'committed', isr: new Set(isr) };
}

/** The state of a proposal that adds `brokerId`. */
export function expandIsr({ isr }: IsrState, brokerId: number): IsrState {
  return { kind: 'pendingExpand', isr, joining: brokerId };
}

/** The state of a proposal that removes `brokerIds`. */
export function shrinkIsr({ isr }: IsrState, brokerIds: Iterable<number>): IsrState {
  return { kind: 'pendingShrink', isr, leaving: new Set(brokerIds) };
}

/** Whether `brokerId` is in the largest ISR that the controller may have committed. */
export function inMaximalIsr(state: IsrState, brokerId: number): boolean {
  return state.isr.has(brokerId) || (state.kind === 'pendingExpand' && state.joining === brokerId);
}

/** How many replicas that largest ISR has. */
export function maximalIsrSize(state: IsrState): number {
  return state.isr.size + (state.kind === 'pendingExpand' ? 1 : 0);
}

/** The ISR that the state proposes to the controller; the committed one when nothing is proposed. */
export function proposedIsr(state: IsrState): number[] {
  switch (state.kind) {
    case 'committed':
      return [...state.isr];
    case 'pendingExpand':
      return [...state.isr, state.joining];
    case 'pendingShrink':
      return [...state.isr].filter(brokerId => !state.leaving.has(brokerId));
  }
}

/**
 * The replicas that a partition with this configuration needs in sync: `min.insync.replicas`, but no more than there are.
 */
export function effectiveMinIsr(minInsyncReplicas: number, replicaCount: number): number {
  return Math.min(minInsyncReplicas, replicaCount);
}

/**
 * Whether a follower may be proposed for the ISR: it has all that is committed, and all from before the leader's own
 * epoch (else it might be ahead of the high watermark with records that this leader does not have).
 */
export function mayJoinIsr(followerLogEndOffset: number, highWatermark: number, epochStartOffset: number): boolean {
  return followerLogEndOffset >= highWatermark && followerLogEndOffset >= epochStartOffset;
}

/**
 * What becomes of a proposal that the controller refused (Kafka: `Partition.handleAlterPartitionError`).
 *
 * - `revert`: nothing was changed; back to what is committed.
 * - `await`: this leader's knowledge is out of date, and what is committed now is unknown to it. It keeps the pending
 *   state, whose maximal ISR is safe either way, until the controller tells it more by a LeaderAndIsr.
 * - `retry`: nothing is known about the outcome, so the same proposal is made again.
 */
export type IsrRefusal = 'revert' | 'await' | 'retry';

const REFUSALS: ReadonlyMap<number, IsrRefusal> = new Map([
  [ErrorCode.OPERATION_NOT_ATTEMPTED, 'revert'],
  [ErrorCode.INELIGIBLE_REPLICA, 'revert'],
  [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'await'],
  [ErrorCode.UNKNOWN_TOPIC_ID, 'await'],
  [ErrorCode.FENCED_LEADER_EPOCH, 'await'],
  [ErrorCode.INVALID_UPDATE_VERSION, 'await'],
  [ErrorCode.INVALID_REQUEST, 'await'],
  [ErrorCode.NEW_LEADER_ELECTED, 'await'],
]);

export function isrRefusal(errorCode: number): IsrRefusal {
  return REFUSALS.get(errorCode) ?? 'retry';
}
