import { ConnectionError } from '../../shared/connection/connection.ts';
import type { ResponseOf } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { Produce } from '../../shared/protocol/messages/produce.ts';
import type { Timer } from '../../shared/runtime/clock.ts';
import { backoffMs } from '../backoff.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { KafkaError, timedOut } from '../errors.ts';
import type { Accumulator, PartitionQueue } from './accumulator.ts';
import type { BatchCompression, ProducerBatch } from './batch.ts';

export interface SenderOptions {
  readonly acks: -1 | 0 | 1;
  readonly retries: number;
  readonly requestTimeoutMs: number;
  readonly deliveryTimeoutMs: number;
  readonly retryBackoffMs: number;
  readonly retryBackoffMaxMs: number;
  readonly maxInFlight: number;
  readonly maxRequestSize: number;
  readonly compression: BatchCompression;
}

/** Who keeps account of the batches. */
export interface SenderListener {
  /** The batch's fate is settled; its callbacks come next. */
  onDone(batch: ProducerBatch): void;
  /** Two smaller batches stand in for one that was too large. */
  onSplit(batch: ProducerBatch, parts: readonly ProducerBatch[]): void;
}

type PartitionResponse = ResponseOf<typeof Produce>['responses'][number]['partitionResponses'][number];

/**
 * Sends what is ready, to the leaders, and settles each batch's fate (compare Kafka's Sender). One batch of a partition
 * is with a broker at a time: a retry can then never overtake or be overtaken, and order holds without idempotence.
 *
 *   accumulator queue ──ready──▶ in flight ──ok──▶ done
 *          ▲                        │
 *          └── retriable, in time ──┘──otherwise──▶ failed
 */
export class Sender {
  readonly #cluster: Cluster;
  readonly #accumulator: Accumulator;
  readonly #options: SenderOptions;
  readonly #listener: SenderListener;
  readonly #inFlight = new Map<number, number>();
  #urgent = () => false;
  #pumpScheduled = false;
  #wakeUp: Timer | null = null;
  #refreshing = false;
  #closed = false;

  constructor(cluster: Cluster, accumulator: Accumulator, options: SenderOptions, listener: SenderListener) {
    this.#cluster = cluster;
    this.#accumulator = accumulator;
    this.#options = options;
    this.#listener = listener;
  }

  /** `isUrgent` is asked at each pass: while it holds, linger is skipped. */
  setUrgency(isUrgent: () => boolean): void {
    this.#urgent = isUrgent;
  }

  /** Looks for ready batches at the end of this loop turn, so that the records of one turn travel together. */
  wake(): void {
    if (this.#pumpScheduled || this.#closed) return;
    this.#pumpScheduled = true;
    this.#cluster.runtime.timers.endOfTurn(() => {
      this.#pumpScheduled = false;
      this.#pump();
    });
  }

  close(): void {
    this.#closed = true;
    this.#wakeUp?.cancel();
  }

  #pump(): void {
    if (this.#closed) return;
    const now = this.#cluster.runtime.clock.monotonic();
    const urgent = this.#urgent();
    const byLeader = new Map<number, PartitionQueue[]>();
    let nextPass = Infinity;
    for (const queue of this.#accumulator.queues()) {
      nextPass = Math.min(nextPass, this.#expire(queue, now));
      const wait = this.#accumulator.readyIn(queue, now, urgent);
      if (wait > 0) {
        nextPass = Math.min(nextPass, wait);
        continue;
      }
      const leader = this.#cluster.partition(queue.topic, queue.partition)?.leader ?? -1;
      // A failed attempt says that the leader may have moved: look before trying again.
      if (leader < 0 || queue.batches[0]!.lookAgainSince > this.#cluster.refreshedAt) {
        this.#refreshMetadata(queue.topic);
        nextPass = Math.min(nextPass, this.#options.retryBackoffMs);
      } else if ((this.#inFlight.get(leader) ?? 0) < this.#options.maxInFlight) {
        const queues = byLeader.get(leader);
        if (queues === undefined) byLeader.set(leader, [queue]);
        else queues.push(queue);
      }
    }
    this.#accumulator.removeIdle();
    if (this.#cluster.isStale && byLeader.size > 0) this.#refreshMetadata();
    for (const [leader, queues] of byLeader) this.#sendTo(leader, queues);
    this.#schedule(nextPass);
  }

  /** Fails batches that waited longer than delivery.timeout.ms; returns when the next would. */
  #expire(queue: PartitionQueue, now: number): number {
    const { deliveryTimeoutMs } = this.#options;
    for (let first = queue.batches[0]; first !== undefined; first = queue.batches[0]) {
      const left = first.createdAt + deliveryTimeoutMs - now;
      if (left > 0) return left;
      queue.batches.shift();
      this.#fail(
        first,
        timedOut(
          `${first.count} records for ${queue.topic}-${queue.partition} were not sent within delivery.timeout.ms (${deliveryTimeoutMs} ms)`,
        ),
      );
    }
    return Infinity;
  }

  #schedule(delayMs: number): void {
    this.#wakeUp?.cancel();
    this.#wakeUp =
      delayMs === Infinity ? null : this.#cluster.runtime.timers.after(Math.ceil(delayMs), () => this.#pump());
  }

  #refreshMetadata(topic?: string): void {
    const { clock } = this.#cluster.runtime;
    // While a partition has no leader, metadata stays stale: asking in a loop would not bring one sooner.
    const sinceLast = clock.monotonic() - this.#cluster.refreshedAt;
    if (this.#refreshing || sinceLast < this.#options.retryBackoffMs / 2) return;
    this.#refreshing = true;
    const asked =
      topic === undefined
        ? this.#cluster.refresh()
        : this.#cluster.topic(topic, clock.monotonic() + this.#options.requestTimeoutMs);
    asked
      .catch(() => this.#cluster.invalidate())
      .finally(() => {
        this.#refreshing = false;
        this.wake();
      });
  }

  /** Takes one batch of each queue, as many as max.request.size lets go together. */
  #sendTo(leader: number, queues: readonly PartitionQueue[]): void {
    let request: [PartitionQueue, ProducerBatch][] = [];
    let bytes = 0;
    for (const queue of queues) {
      const batch = queue.batches[0]!;
      const size = batch.builder.sizeInBytes;
      if (request.length > 0 && bytes + size > this.#options.maxRequestSize) {
        this.#launch(leader, request);
        request = [];
        bytes = 0;
        if ((this.#inFlight.get(leader) ?? 0) >= this.#options.maxInFlight) return;
      }
      queue.batches.shift();
      queue.inFlight = batch;
      request.push([queue, batch]);
      bytes += size;
    }
    this.#launch(leader, request);
  }

  #launch(leader: number, request: readonly [PartitionQueue, ProducerBatch][]): void {
    this.#inFlight.set(leader, (this.#inFlight.get(leader) ?? 0) + 1);
    for (const [, batch] of request) batch.attempts++;
    this.#call(leader, request)
      .then(
        response => this.#settle(request, response),
        (error: unknown) => this.#settleAll(request, error),
      )
      .finally(() => {
        this.#inFlight.set(leader, this.#inFlight.get(leader)! - 1);
        this.wake();
      });
  }

  async #call(
    leader: number,
    request: readonly [PartitionQueue, ProducerBatch][],
  ): Promise<ResponseOf<typeof Produce> | undefined> {
    const { acks, requestTimeoutMs, compression } = this.#options;
    const topics = new Map<string, { index: number; records: Buffer }[]>();
    for (const [, batch] of request) {
      let partitions = topics.get(batch.topic);
      if (partitions === undefined) topics.set(batch.topic, (partitions = []));
      partitions.push({ index: batch.partition, records: batch.encode(compression) });
    }
    const connection = await this.#cluster.broker(leader);
    const body = {
      transactionalId: null,
      acks,
      timeoutMs: requestTimeoutMs,
      topicData: [...topics].map(([name, partitionData]) => ({ name, partitionData })),
    };
    return connection.call(Produce, body, { timeoutMs: requestTimeoutMs });
  }

  #settle(request: readonly [PartitionQueue, ProducerBatch][], response: ResponseOf<typeof Produce> | undefined): void {
    if (response === undefined) {
      for (const [queue, batch] of request) this.#succeed(queue, batch, -1, -1);
      return;
    }
    const answers = new Map<string, Map<number, PartitionResponse>>(
      response.responses.map(topic => [topic.name, new Map(topic.partitionResponses.map(p => [p.index, p]))]),
    );
    for (const [queue, batch] of request) {
      const answer = answers.get(batch.topic)?.get(batch.partition);
      if (answer === undefined)
        this.#retryOrFail(
          queue,
          batch,
          new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR, 'the broker left a partition out of its answer'),
        );
      else if (answer.errorCode === ErrorCode.NONE)
        this.#succeed(queue, batch, answer.baseOffset, answer.logAppendTimeMs);
      else if (answer.errorCode === ErrorCode.MESSAGE_TOO_LARGE && batch.count > 1) this.#split(queue, batch);
      else this.#retryOrFail(queue, batch, new KafkaError(answer.errorCode, answer.errorMessage), recordErrors(answer));
    }
  }

  #settleAll(request: readonly [PartitionQueue, ProducerBatch][], error: unknown): void {
    this.#cluster.invalidate();
    const cause =
      error instanceof ConnectionError ? new KafkaError(ErrorCode.NETWORK_EXCEPTION, error.message) : asError(error);
    // What never left is no attempt: as in Kafka, batches for a broker that is away wait, they do not use up their retries.
    const neverSent = error instanceof ConnectionError && error.code === 'REFUSED';
    for (const [queue, batch] of request) {
      if (neverSent) batch.neverSent++;
      this.#retryOrFail(queue, batch, cause);
    }
  }

  #succeed(queue: PartitionQueue, batch: ProducerBatch, baseOffset: number, logAppendTimeMs: number): void {
    queue.inFlight = null;
    this.#listener.onDone(batch);
    batch.succeed(baseOffset, logAppendTimeMs);
  }

  /** A topic may allow less than batch.size, which only its brokers know: halves of the batch take its place (KIP-126). */
  #split(queue: PartitionQueue, batch: ProducerBatch): void {
    const parts = batch.split();
    queue.inFlight = null;
    queue.batches.unshift(...parts);
    this.#listener.onSplit(batch, parts);
  }

  #retryOrFail(queue: PartitionQueue, batch: ProducerBatch, error: Error, errors?: ReadonlyMap<number, Error>): void {
    const { clock, random } = this.#cluster.runtime;
    const { retries, deliveryTimeoutMs, retryBackoffMs, retryBackoffMaxMs } = this.#options;
    const now = clock.monotonic();
    queue.inFlight = null;
    if (error instanceof KafkaError && error.refreshMetadata) this.#cluster.invalidate();
    const retriable = error instanceof KafkaError && error.retriable;
    if (
      retriable &&
      !this.#closed &&
      batch.attempts - batch.neverSent <= retries &&
      now < batch.createdAt + deliveryTimeoutMs
    ) {
      if (error.refreshMetadata) batch.lookAgainSince = now;
      batch.notBefore = now + backoffMs(batch.attempts, retryBackoffMs, retryBackoffMaxMs, random);
      queue.batches.unshift(batch);
    } else this.#fail(batch, error, errors);
  }

  #fail(batch: ProducerBatch, error: Error, errors?: ReadonlyMap<number, Error>): void {
    this.#listener.onDone(batch);
    batch.fail(error, errors);
  }
}

function recordErrors(answer: PartitionResponse): Map<number, Error> {
  return new Map(
    answer.recordErrors.map(({ batchIndex, batchIndexErrorMessage }) => [
      batchIndex,
      new KafkaError(ErrorCode.INVALID_RECORD, batchIndexErrorMessage),
    ]),
  );
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
