import type { Timer } from '../../shared/runtime/clock.ts';
import type { PartitionLog } from '../storage/partition-log.ts';
import type { Partition } from './partition.ts';

/** A partition to be followed, under one leader epoch. */
export interface Following {
  readonly partition: Partition;
  readonly log: PartitionLog;
  readonly leaderEpoch: number;
}

/**
 * A partition in a fetcher, under one leader epoch: what was fetched last, and what is being done to its log (Kafka:
 * `PartitionFetchState`).
 */
export class FollowedPartition {
  readonly partition: Partition;
  readonly log: PartitionLog;
  readonly leaderEpoch: number;
  /** Where the next fetch begins. */
  fetchOffset: number;
  /** The epoch of the last record that is there, -1 for none. */
  lastFetchedEpoch: number;
  /** Whether it had all that was committed when the leader answered last: then no throttle holds it back. */
  isCaughtUp = false;
  /** Errors in a row. */
  failures = 0;
  /** Not null while the partition is left alone after an error. */
  backOff: Timer | null = null;
  #isRemoved = false;
  #work: Promise<unknown> = Promise.resolve();

  constructor({ partition, log, leaderEpoch }: Following) {
    this.partition = partition;
    this.log = log;
    this.leaderEpoch = leaderEpoch;
    this.fetchOffset = log.logEndOffset;
    this.lastFetchedEpoch = log.latestEpoch;
  }

  get key(): string {
    return this.partition.key;
  }

  get topic(): string {
    return this.partition.topic;
  }

  /** Whether it was taken out of the fetcher: its log is somebody else's to change. */
  get isRemoved(): boolean {
    return this.#isRemoved;
  }

  /**
   * Changes the log, unless the partition has been removed meanwhile.
   * @returns whether the change was made
   * @throws whatever the change throws
   */
  async change(change: () => Promise<unknown>): Promise<boolean> {
    if (this.#isRemoved) return false;
    const work = change();
    this.#work = work.catch(() => {});
    await work;
    return true;
  }

  /** Goes on from the log's end, after an append or a truncation. */
  moveToEnd(): void {
    this.fetchOffset = this.log.logEndOffset;
    this.lastFetchedEpoch = this.log.latestEpoch;
  }

  /** Forbids further changes; resolves when the one under way is done. */
  async remove(): Promise<void> {
    this.#isRemoved = true;
    this.backOff?.cancel();
    await this.#work;
  }
}
