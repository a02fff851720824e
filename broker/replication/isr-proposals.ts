/** What the controller answered to a proposed ISR. */
export interface IsrOutcome {
  readonly errorCode: number;
  readonly leaderEpoch: number;
  readonly isr: readonly number[];
  readonly partitionEpoch: number;
}

/** An ISR that a leader proposes to the controller. */
export interface IsrProposal {
  readonly topic: string;
  /** ZERO_UUID for a topic without an id. */
  readonly topicId: string;
  readonly partition: number;
  readonly leaderEpoch: number;
  /** The version of the state on which the proposal is based (the state znode's version). */
  readonly partitionEpoch: number;
  readonly isr: readonly number[];
  /** Called at most once, with the controller's answer for this partition; never from within `submit`. */
  settled(outcome: IsrOutcome): void;
}

/**
 * Where leaders take their proposals. Each is sent until the controller has answered it, unless a newer one for the
 * same partition comes first.
 */
export interface IsrProposals {
  submit(proposal: IsrProposal): void;
}
