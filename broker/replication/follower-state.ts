/** Of a follower's offsets: the leader has not heard of them since it became leader. */
const UNKNOWN_OFFSET = -1;

/** When a fetch session was last used, whichever of its partitions the fetch was about. */
export interface Contact {
  /** Monotonic clock, milliseconds. */
  lastFetchMs: number;
}

/**
 * What a leader knows of one follower of a partition (Kafka: `Replica`, `ReplicaState`). Times are of the monotonic
 * clock, in milliseconds.
 *
 * A fetch of a session says of every partition it does not mention: nothing new, my end offset is as it was. To spare
 * the walk over a thousand idle partitions per fetch, that is only noted in the session's `Contact`. A follower at the
 * leader's end is attached to it, and stays so until there is something to fetch again:
 *
 *     fetch at the end ──→ attached ─ ─ ─ later fetches ─ ─ ─→ leader appends: settle() ──→ next fetch mentions it
 *                                   (only contact.lastFetchMs moves)
 */
export class FollowerState {
  readonly brokerId: number;
  #logEndOffset = UNKNOWN_OFFSET;
  #logStartOffset = UNKNOWN_OFFSET;
  #leaderEndAtFetch = UNKNOWN_OFFSET;
  #lastFetchMs = -Infinity;
  #lastCaughtUpMs = -Infinity;
  #contact: Contact | null = null;

  constructor(brokerId: number) {
    this.brokerId = brokerId;
  }

  /** The follower's log end offset: where its last fetch began. -1 = unknown. */
  get logEndOffset(): number {
    return this.#logEndOffset;
  }

  /** The follower's log start offset. -1 = unknown. */
  get logStartOffset(): number {
    return this.#logStartOffset;
  }

  /**
   * Begins a new leader epoch: members of the ISR get the full time to fetch, the others count as lagging.
   * @param isNewLeader whether this broker did not lead before: then the follower's offsets are unknown
   */
  reset(isNewLeader: boolean, isInSync: boolean, leaderEnd: number, nowMs: number): void {
    this.#contact = null;
    this.#lastCaughtUpMs = isInSync ? nowMs : -Infinity;
    this.#lastFetchMs = isInSync && !isNewLeader ? nowMs : -Infinity;
    this.#leaderEndAtFetch = isNewLeader ? UNKNOWN_OFFSET : leaderEnd;
    if (!isNewLeader) return;
    this.#logEndOffset = UNKNOWN_OFFSET;
    this.#logStartOffset = UNKNOWN_OFFSET;
  }

  /**
   * Notes a fetch from `fetchOffset` on, the leader's log ending at `leaderEnd`. A follower that has reached what was
   * the leader's end at its *previous* fetch was caught up at that time: so one that is always a fetch behind a busy
   * leader stays in sync.
   * @param contact of the fetch's session; null without one
   */
  noteFetch(
    fetchOffset: number,
    logStartOffset: number,
    leaderEnd: number,
    nowMs: number,
    contact: Contact | null,
  ): void {
    this.settle();
    if (fetchOffset >= leaderEnd) this.#caughtUpAt(nowMs);
    else if (fetchOffset >= this.#leaderEndAtFetch) this.#caughtUpAt(this.#lastFetchMs);
    this.#logEndOffset = fetchOffset;
    this.#logStartOffset = logStartOffset;
    this.#leaderEndAtFetch = Math.max(this.#leaderEndAtFetch, leaderEnd);
    this.#lastFetchMs = nowMs;
    this.#contact = fetchOffset >= leaderEnd ? contact : null;
  }

  /** The leader's log has grown, or the session forgets the partition: what later fetches say is no longer about this. */
  settle(): void {
    if (this.#contact === null) return;
    this.#lastFetchMs = Math.max(this.#lastFetchMs, this.#contact.lastFetchMs);
    this.#caughtUpAt(this.#contact.lastFetchMs);
    this.#contact = null;
  }

  #caughtUpAt(timeMs: number): void {
    this.#lastCaughtUpMs = Math.max(this.#lastCaughtUpMs, timeMs);
  }

  /** Milliseconds since the follower was last known to be at the leader's end; Infinity: never. */
  lagMs(nowMs: number): number {
    return nowMs - Math.max(this.#lastCaughtUpMs, this.#contact?.lastFetchMs ?? -Infinity);
  }

  /** At the leader's end, or has been there within the last `maxLagMs` milliseconds (`replica.lag.time.max.ms`). */
  isCaughtUp(leaderEnd: number, nowMs: number, maxLagMs: number): boolean {
    if (this.#logEndOffset === leaderEnd) return true;
    return this.lagMs(nowMs) <= maxLagMs;
  }
}
