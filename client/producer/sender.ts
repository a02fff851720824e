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
import type { Idempotence } from './idempotence.ts';
import { ProducerIdRequest } from './producer-id.ts';
import { oneAtATime, type SendOrder } from './send-order.ts';
import type { TransactionGate } from './transaction-gate.ts';

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
  /** null: one batch of a partition is on the way at a time, and a retry may duplicate it. */
  readonly idempotence: Idempotence | null;
  /** Not null: every record belongs to a transaction, whose coordinator gives the producer id. */
  readonly transactions: TransactionGate | null;
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
 * Sends what is ready, to the leaders, and settles each batch's fate (compare Kafka's Sender). How many batches of a
 * partition may be on the way, so that its order holds, is the `SendOrder`'s business.
 *
 *   accumulator queue ──ready──▶ on the way ──ok──▶ done
 *          ▲                        │
 *          └── retriable, in time ──┘──otherwise──▶ failed
 */
export class Sender {
  readonly #cluster: Cluster;
  readonly #accumulator: Accumulator;
  readonly #options: SenderOptions;
  readonly #listener: SenderListener;
  readonly #order: SendOrder;
  readonly #producerId: ProducerIdRequest;
  readonly #inFlight = new Map<number, number>();
  #batchesSent = 0;
  #fatal: Error | null = null;
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
    this.#order = options.idempotence ?? oneAtATime;
    this.#producerId = new ProducerIdRequest(cluster, options);
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
    let nextPass = this.#identify();
    // Each pass takes one batch of a queue; more may go as long as nothing holds them back.
    for (let passes = 0; ; passes++) {
      const ready = this.#readyByLeader();
      nextPass = Math.min(nextPass, ready.nextPass);
      if (passes === 0 && this.#cluster.isStale && ready.byLeader.size > 0) this.#refreshMetadata();
      for (const [leader, queues] of ready.byLeader) this.#sendTo(leader, queues);
      if (ready.byLeader.size === 0) break;
    }
    this.#accumulator.removeIdle();
    this.#schedule(nextPass);
  }

  /** Sees to it that an idempotent producer has an id; returns when to look again, in milliseconds. */
  #identify(): number {
    const { idempotence, transactions } = this.#options;
    if (idempotence === null) return Infinity;
    idempotence.settle();
    if (!idempotence.needsIdentity || transactions !== null || this.#fatal !== null) return Infinity;
    return this.#producerId.ask((identity, fatal) => {
      if (identity !== null) idempotence.identify(identity);
      this.#fatal = fatal;
      this.wake();
    });
  }

  /** The queues whose first batch may go now, and in how many milliseconds another might. */
  #readyByLeader(): { byLeader: Map<number, PartitionQueue[]>; nextPass: number } {
    const now = this.#cluster.runtime.clock.monotonic();
    const urgent = this.#urgent();
    const byLeader = new Map<number, PartitionQueue[]>();
    let nextPass = Infinity;
    for (const queue of this.#accumulator.queues()) {
      nextPass = Math.min(nextPass, this.#expire(queue, now));
      const first = queue.batches[0];
      if (first === undefined || !this.#mayLeave(queue, first)) continue;
      const wait = this.#accumulator.readyIn(queue, now, urgent);
      if (wait > 0) {
        nextPass = Math.min(nextPass, wait);
        continue;
      }
      const leader = this.#cluster.partition(queue.topic, queue.partition)?.leader ?? -1;
      // A failed attempt says that the leader may have moved: look before trying again.
      if (leader < 0 || first.lookAgainSince > this.#cluster.refreshedAt) {
        this.#refreshMetadata(queue.topic);
        nextPass = Math.min(nextPass, this.#options.retryBackoffMs);
      } else if ((this.#inFlight.get(leader) ?? 0) < this.#options.maxInFlight) {
        const queues = byLeader.get(leader);
        if (queues === undefined) byLeader.set(leader, [queue]);
        else queues.push(queue);
      }
    }
    return { byLeader, nextPass };
  }

  #mayLeave(queue: PartitionQueue, first: ProducerBatch): boolean {
    const { transactions } = this.#options;
    if (transactions !== null && !transactions.mayLeave(queue.topic, queue.partition)) return false;
    return this.#order.allows(queue, first);
  }

  /** Why nothing is to be sent any more; null: it is. */
  get #abandonment(): Error | null {
    return this.#fatal ?? this.#options.transactions?.abandonment ?? null;
  }

  /** Fails batches that waited longer than delivery.timeout.ms, or for ever; returns when the next would. */
  #expire(queue: PartitionQueue, now: number): number {
    const { deliveryTimeoutMs } = this.#options;
    const abandonment = this.#abandonment;
    for (let first = queue.batches[0]; first !== undefined; first = queue.batches[0]) {
      const left = first.createdAt + deliveryTimeoutMs - now;
      if (left > 0 && abandonment === null) return left;
      queue.batches.shift();
      this.#order.failed(queue, first, false);
      this.#fail(
        first,
        abandonment ??
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
      queue.onTheWay++;
      if (batch.ordinal === Infinity) batch.ordinal = this.#batchesSent++;
      this.#order.leaves(queue, batch);
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
    const { acks, requestTimeoutMs, compression, transactions } = this.#options;
    const topics = new Map<string, { index: number; records: Buffer }[]>();
    for (const [, batch] of request) {
      let partitions = topics.get(batch.topic);
      if (partitions === undefined) topics.set(batch.topic, (partitions = []));
      partitions.push({ index: batch.partition, records: batch.encode(compression, transactions !== null) });
    }
    const connection = await this.#cluster.broker(leader);
    const body = {
      transactionalId: transactions?.transactionalId ?? null,
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
    queue.onTheWay--;
    this.#order.acknowledged(queue, batch);
    this.#listener.onDone(batch);
    batch.succeed(baseOffset, logAppendTimeMs);
  }

  /** A topic may allow less than batch.size, which only its brokers know: halves of the batch take its place (KIP-126). */
  #split(queue: PartitionQueue, batch: ProducerBatch): void {
    const parts = batch.split();
    queue.onTheWay--;
    this.#order.split(queue, batch, parts);
    queue.putBack(batch.ordinal, parts);
    this.#listener.onSplit(batch, parts);
  }

  #retryOrFail(queue: PartitionQueue, batch: ProducerBatch, error: Error, errors?: ReadonlyMap<number, Error>): void {
    const known = error instanceof KafkaError ? error : null;
    const verdict = known === null ? 'as the error says' : this.#order.judge(queue, batch, known);
    if (verdict === 'done') {
      this.#succeed(queue, batch, -1, -1);
      return;
    }
    queue.onTheWay--;
    if (known?.refreshMetadata) this.#cluster.invalidate();
    const mayPass = verdict === 'again' || known?.retriable === true;
    if (mayPass && this.#mayRetry(batch)) this.#putBack(queue, batch, known?.refreshMetadata === true);
    else {
      this.#order.failed(queue, batch, true);
      this.#fail(batch, error, errors);
    }
  }

  #mayRetry(batch: ProducerBatch): boolean {
    const { retries, deliveryTimeoutMs } = this.#options;
    const isInTime = this.#cluster.runtime.clock.monotonic() < batch.createdAt + deliveryTimeoutMs;
    return !this.#closed && this.#abandonment === null && batch.attempts - batch.neverSent <= retries && isInTime;
  }

  #putBack(queue: PartitionQueue, batch: ProducerBatch, lookAgain: boolean): void {
    const { clock, random } = this.#cluster.runtime;
    const { retryBackoffMs, retryBackoffMaxMs } = this.#options;
    const now = clock.monotonic();
    if (lookAgain) batch.lookAgainSince = now;
    batch.notBefore = now + backoffMs(batch.attempts, retryBackoffMs, retryBackoffMaxMs, random);
    this.#order.returned(queue, batch);
    queue.putBack(batch.ordinal, [batch]);
  }

  #fail(batch: ProducerBatch, error: Error, errors?: ReadonlyMap<number, Error>): void {
    this.#options.transactions?.batchFailed(batch, error);
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
