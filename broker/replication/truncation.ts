import type { EpochEndOffset } from '../storage/leader-epochs.ts';

/** The follower's log, as far as the decision needs it. */
export interface LocalLog {
  readonly logEndOffset: number;
  /** Where the next fetch would begin: the high watermark where nothing better is known. */
  readonly fetchOffset: number;
  endOffsetForEpoch(epoch: number): EpochEndOffset;
}

export interface Truncation {
  /** Everything from here on has to go. */
  readonly offset: number;
  /** false: only a step; the leader has to be asked again, with the epoch that is then the latest. */
  readonly isComplete: boolean;
}

/**
 * Where a follower has to cut its log, the leader having said that the follower's latest epoch (or the greatest one
 * below that it knows) ends at `leader.endOffset` (Kafka: `AbstractFetcherThread.getOffsetTruncationState`; KIP-101,
 * KIP-279).
 *
 *     leader    e1 e1 e3 e3 e5        asked for e4, answers (e3, 4)
 *     follower  e0 e0 e2 e2 e4        knows no e3: the greatest below is e2, which ends at 4 → cut to 4, ask for e2
 *
 * Cutting to where the greatest epoch ≤ the leader's ends locally is never too much, because the records behind it are
 * of epochs that the leader does not have at these offsets; but it may be too little, so the leader is asked again.
 */
export function truncationFor(leader: EpochEndOffset, local: LocalLog): Truncation {
  if (leader.endOffset === -1) return { offset: local.fetchOffset, isComplete: true };
  const leaderEnd = { offset: Math.min(leader.endOffset, local.logEndOffset), isComplete: true };
  if (leader.leaderEpoch === -1) return leaderEnd;
  const own = local.endOffsetForEpoch(leader.leaderEpoch);
  if (own.endOffset === -1) return leaderEnd;
  const ownEnd = Math.min(own.endOffset, local.logEndOffset);
  if (own.leaderEpoch !== leader.leaderEpoch) return { offset: ownEnd, isComplete: false };
  return { offset: Math.min(ownEnd, leader.endOffset), isComplete: true };
}
