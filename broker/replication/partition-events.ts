import type { Partition } from './partition.ts';

/** Who keeps a partition's readers informed without being asked: fetch sessions. */
export interface PartitionWatcher {
  /** What a fetch of the partition would be answered may have changed. */
  partitionChanged(): void;
}

/** What a partition tells its broker; called synchronously, after the change. */
export interface PartitionEvents {
  /** What a fetch of the partition would be answered may have changed: records, high watermark, log start, leader, epoch. */
  readable(partition: Partition): void;
  /** An acks=all produce may be complete: the high watermark moved, or the partition is no longer led or hosted here. */
  committed(partition: Partition): void;
  /** A proposed ISR was committed, or refused for good. */
  isrChange(partition: Partition, what: 'shrunk' | 'expanded' | 'failed'): void;
}

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
  readonly topicId: string;
  readonly partition: number;
  readonly leaderEpoch: number;
  /** The version of the state on which the proposal is based (the state znode's version). */
  readonly partitionEpoch: number;
  readonly isr: readonly number[];
  /** Called exactly once, with the controller's answer for this partition. */
  settled(outcome: IsrOutcome): void;
}

/** Where leaders take their proposals; whatever happens, each is tried until the controller has answered it. */
export interface IsrProposals {
  submit(proposal: IsrProposal): void;
}
