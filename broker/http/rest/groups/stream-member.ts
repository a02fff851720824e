import type { Consumer, ConsumerRecord } from '../../../../client/index.ts';
import type { Clock } from '../../../../shared/runtime/clock.ts';
import { partitionKey, type TopicPartition } from '../../../../shared/topics/topic-partition.ts';
import type { StreamOptions } from './stream-options.ts';
import type { StreamEvent } from './stream-output.ts';

/** How long a poll waits; it is woken when the membership changes or the stream ends. */
const POLL_MS = 1_000;
/** A topic that another broker has just created may take a moment to be known here; longer, and it does not exist. */
const UNKNOWN_TOPIC_PATIENCE_MS = 2_000;

/** What is to be written next. */
export interface Piece {
  readonly events: readonly StreamEvent[];
  readonly records: readonly ConsumerRecord[];
}

/**
 * A stream's place in its group: one consumer, whose polls alternate with the writing of what they brought. So whatever a
 * poll commits, or gives up, has been taken by the stream's connection:
 *
 *     next() ─ poll: rebalance, commit what was delivered, fetch ─▶ piece ─▶ written ──▶ next() …
 *                                                                   └─ not written ──▶ undo(piece), leave()
 */
export class StreamMember {
  readonly #consumer: Consumer;
  readonly #options: StreamOptions;
  readonly #clock: Clock;
  #events: StreamEvent[] = [];
  #left: number;
  #isStopped = false;

  constructor(consumer: Consumer, options: StreamOptions, clock: Clock) {
    this.#consumer = consumer;
    this.#options = options;
    this.#clock = clock;
    this.#left = options.limit;
  }

  /** Joins; the first piece tells of it. @throws KafkaError for a topic that does not exist, or when the group takes no such member */
  async join(patienceMs: number): Promise<Piece> {
    for (const topic of this.#options.topics) await this.#consumer.partitionsFor(topic, UNKNOWN_TOPIC_PATIENCE_MS);
    this.#consumer.subscribe(this.#options.topics, {
      onPartitionsAssigned: () => this.#tell('assigned', this.#consumer.assignment()),
      onPartitionsRevoked: partitions => this.#tell('revoked', partitions),
      onPartitionsLost: partitions => this.#tell('lost', partitions),
    });
    return this.next(patienceMs);
  }

  /** Resolves when there is something to write, or after `patienceMs` with nothing, or when the member is stopped. */
  async next(patienceMs: number): Promise<Piece> {
    const deadline = this.#clock.monotonic() + patienceMs;
    for (;;) {
      const wait = Math.min(POLL_MS, deadline - this.#clock.monotonic());
      const polled = await this.#consumer.poll(Math.max(0, wait));
      const records = polled.slice(0, this.#left);
      this.undo(polled.slice(records.length));
      this.#left -= records.length;
      const events = this.#events;
      this.#events = [];
      if (records.length > 0 || events.length > 0 || wait <= 0 || this.#isStopped) return { events, records };
    }
  }

  get isDone(): boolean {
    return this.#left === 0 || this.#isStopped;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** These have not been delivered: whoever reads on begins with them. */
  undo(records: readonly ConsumerRecord[]): void {
    const assigned = new Set(this.#consumer.assignment().map(tp => partitionKey(tp.topic, tp.partition)));
    for (const { topic, partition, offset } of [...records].reverse()) {
      if (assigned.has(partitionKey(topic, partition))) this.#consumer.seek(topic, partition, offset);
    }
  }

  /** Ends what waits; nothing more is read. */
  stop(): void {
    this.#isStopped = true;
    this.#consumer.wakeup();
  }

  /** Leaves the group, after a last commit if that is automatic. */
  leave(): Promise<void> {
    return this.#consumer.close();
  }

  #tell(event: string, partitions: readonly TopicPartition[]): void {
    const { groupId: group, memberId: member, generationId: generation } = this.#consumer.groupMetadata();
    this.#events.push({ event, group, member, generation, partitions });
    this.#consumer.wakeup();
  }
}
