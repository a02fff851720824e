/** A follower as the rule sees it. */
export interface FollowerOffset {
  /** Its log end offset as of its last fetch; -1 = unknown to this leader. */
  readonly logEndOffset: number;
  /** In the maximal ISR, or caught up and eligible to join: the high watermark must wait for it. */
  readonly counts: boolean;
}

/**
 * The leader's new high watermark: the least log end offset over itself and the followers that count, and never less
 * than before (Kafka: `Partition.maybeIncrementLeaderHW`).
 *
 * Counting every replica that *may* be in the ISR makes both directions of a change safe. While an expansion is under
 * way the controller may already have committed it and may elect the newcomer, so it must have everything below; while
 * a shrink is under way the controller may still elect the one that leaves. A follower that has caught up is waited for
 * even before it is proposed, or else a busy partition's high watermark could stay ahead of it for ever.
 *
 * Below the effective min ISR nothing moves (KIP-966): otherwise a record would be committed on fewer replicas than
 * `min.insync.replicas` promises.
 */
export function nextHighWatermark(
  current: number,
  leaderLogEndOffset: number,
  followers: Iterable<FollowerOffset>,
  isBelowMinIsr: boolean,
): number {
  if (isBelowMinIsr) return current;
  let next = leaderLogEndOffset;
  for (const { logEndOffset, counts } of followers) if (counts && logEndOffset < next) next = logEndOffset;
  return Math.max(current, next);
}
