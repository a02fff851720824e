import type { FetchedRecords } from './fetched-records.ts';

/** Where a seek wants to go: an offset, or an end of the log that has yet to be looked up. */
export type Position = number | 'earliest' | 'latest';

/** An assigned partition: where the application stands, and what was fetched ahead of it. */
export class PartitionState {
  readonly topic: string;
  readonly partition: number;
  /** Offset of the next record to hand out; null until it is known. */
  position: number | null = null;
  /** A lookup that has to happen before fetching. */
  reset: 'earliest' | 'latest' | null = null;
  paused = false;
  /** Records fetched and not handed out yet. */
  buffered: FetchedRecords | null = null;
  fetching = false;
  /** Bumped by each seek: an answer to an earlier fetch is then recognised and dropped. */
  generation = 0;
  /** Of the last record before the position, as far as it is known. */
  leaderEpoch = -1;
  /** The broker other than the leader that the leader wants us to read from, and until when (monotonic) it is believed. */
  nearReplica: { readonly brokerId: number; readonly until: number } | null = null;
  /** End of what may be read, as the last fetch told it: the high watermark, or the last stable offset. */
  endOffset = -1;
  logStartOffset = -1;
  /** An error that poll has to throw, at most once. */
  error: Error | null = null;
  /** Monotonic time before which nothing is asked again after an error. */
  notBefore = 0;
  attempts = 0;

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }

  seek(to: Position): void {
    this.generation++;
    this.buffered = null;
    this.error = null;
    this.leaderEpoch = -1;
    if (typeof to === 'number') {
      this.position = to;
      this.reset = null;
    } else {
      this.position = null;
      this.reset = to;
    }
  }

  isFetchable(now: number): boolean {
    return (
      !this.paused &&
      !this.fetching &&
      this.position !== null &&
      this.buffered === null &&
      this.error === null &&
      now >= this.notBefore
    );
  }
}
