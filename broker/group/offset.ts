/** An offset that a group has committed for a partition. */
export interface CommittedOffset {
  readonly offset: number;
  /** Of the last record consumed; -1 = not known. */
  readonly leaderEpoch: number;
  readonly metadata: string;
  /** Milliseconds since the epoch. */
  readonly commitTimestamp: number;
  /** When the client wants it forgotten (OffsetCommit 2 to 4); null: by `offsets.retention.minutes`. */
  readonly expireTimestamp: number | null;
}

export interface OffsetOf extends CommittedOffset {
  readonly topic: string;
  readonly partition: number;
}

/** A committed offset, and where its record lies in the log: what comes later holds. */
export interface LoggedOffset {
  readonly committed: CommittedOffset;
  readonly recordOffset: number;
}
