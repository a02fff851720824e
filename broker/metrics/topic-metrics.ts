import { TOPIC_COUNTERS, type TopicCounter } from './table.ts';

export type TopicCounts = Record<TopicCounter, number>;

function zeroCounts(): TopicCounts {
  return Object.fromEntries(Object.keys(TOPIC_COUNTERS).map(counter => [counter, 0])) as TopicCounts;
}

/**
 * What happens to one topic, or to all of them. Hot paths keep the object and call it once per partition of a request:
 * a call is a few additions, and the metrics library sees the numbers only when somebody asks for them.
 */
export class TopicMetrics {
  /** Written here only. */
  readonly counts: TopicCounts = zeroCounts();
  readonly #total: TopicMetrics | null;

  /** @param total counts everything that this one counts, too */
  constructor(total: TopicMetrics | null = null) {
    this.#total = total;
  }

  /** A partition of a produce request was appended. */
  produced(messages: number, bytes: number): void {
    this.counts.produceRequests++;
    this.counts.messagesIn += messages;
    this.counts.bytesIn += bytes;
    this.#total?.produced(messages, bytes);
  }

  /** A partition of a produce request got an error. */
  produceFailed(bytes: number): void {
    this.counts.produceRequests++;
    this.counts.failedProduceRequests++;
    this.counts.bytesRejected += bytes;
    this.#total?.produceFailed(bytes);
  }

  /** A partition of a consumer's fetch was answered with `bytes` of records. */
  fetched(bytes: number): void {
    this.counts.fetchRequests++;
    this.counts.bytesOut += bytes;
    this.#total?.fetched(bytes);
  }

  /** A partition of a fetch, by whomever, got an error. */
  fetchFailed(): void {
    this.counts.fetchRequests++;
    this.counts.failedFetchRequests++;
    this.#total?.fetchFailed();
  }

  /** A follower was sent `bytes` of records; one that a reassignment adds counts in both ways, as in Kafka. */
  replicatedOut(bytes: number, isReassignment: boolean): void {
    this.counts.fetchRequests++;
    this.counts.replicationBytesOut += bytes;
    if (isReassignment) this.counts.reassignmentBytesOut += bytes;
    this.#total?.replicatedOut(bytes, isReassignment);
  }

  /** This broker, as a follower, appended `bytes` of records, perhaps as one that a reassignment adds. */
  replicatedIn(bytes: number, isReassignment: boolean): void {
    this.counts.replicationBytesIn += bytes;
    if (isReassignment) this.counts.reassignmentBytesIn += bytes;
    this.#total?.replicatedIn(bytes, isReassignment);
  }
}
