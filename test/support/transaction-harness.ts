import { ConnectionError } from '../../shared/connection/connection.ts';
import {
  TransactionCoordinator,
  type InitResult,
  type TransactionalProducer,
} from '../../broker/transaction/coordinator.ts';
import { decodeRecord, transactionKey, transactionValue } from '../../broker/transaction/log-records.ts';
import { partitionsOf } from '../../broker/transaction/partition-sets.ts';
import type {
  CoordinatedLog,
  MarkerAnswer,
  MarkerEntry,
  MarkerSender,
  TransactionSettings,
} from '../../broker/transaction/ports.ts';
import type { TransactionState } from '../../broker/transaction/states.ts';
import type { TransactionContent } from '../../broker/transaction/transaction.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { BatchBuilder } from '../../shared/records/batch-builder.ts';
import { silentLogger } from '../../shared/runtime/logger.ts';
import { partitionKey } from '../../shared/topics/topic-partition.ts';
import { ManualTime } from './manual-time.ts';
import { MemoryLog } from './memory-log.ts';

export const PARTITION_COUNT = 3;

/** A marker as one partition has got it. */
export interface WrittenMarker {
  readonly partition: string;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly isCommit: boolean;
  readonly coordinatorEpoch: number;
}

/** The brokers that partitions of transactions are on: they take markers, unless they are told otherwise. */
export class MemoryMarkers implements MarkerSender {
  readonly written: WrittenMarker[] = [];
  /** By the text form of a partition; broker 1 leads what is not in here. */
  readonly leaders = new Map<string, number | 'deleted' | null>();
  /** Codes that a partition answers with instead of taking the marker, one after the other. */
  readonly refusals = new Map<string, ErrorCode[]>();
  /** Brokers that cannot be reached. */
  readonly dead = new Set<number>();
  /** Requests taken whose answers are lost. */
  lostAnswers = 0;
  requests = 0;
  #held: (() => void)[] | null = null;

  leaderOf(topic: string, partition: number): number | 'deleted' | null {
    const leader = this.leaders.get(partitionKey(topic, partition));
    return leader === undefined ? 1 : leader;
  }

  async send(brokerId: number, markers: readonly MarkerEntry[]): Promise<MarkerAnswer[]> {
    this.requests += 1;
    if (this.dead.has(brokerId)) throw new ConnectionError('REFUSED', 'it is dead');
    const held = this.#held;
    if (held !== null) await new Promise<void>(resolve => held.push(resolve));
    const answers = markers.map(marker => this.#take(marker));
    if (this.lostAnswers === 0) return answers;
    this.lostAnswers -= 1;
    throw new ConnectionError('CLOSED', 'it has been lost');
  }

  #take({ producerId, producerEpoch, transactionResult, topics, coordinatorEpoch }: MarkerEntry): MarkerAnswer {
    const write = (name: string, partitionIndex: number) => {
      const partition = partitionKey(name, partitionIndex);
      const errorCode = this.refusals.get(partition)?.shift() ?? ErrorCode.NONE;
      const marker = { partition, producerId, producerEpoch, isCommit: transactionResult, coordinatorEpoch };
      if (errorCode === ErrorCode.NONE) this.written.push(marker);
      return { partitionIndex, errorCode };
    };
    return {
      producerId,
      topics: topics.map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map(index => write(name, index)),
      })),
    };
  }

  /** Until `release`, requests are neither taken nor answered. */
  hold(): void {
    this.#held = [];
  }

  release(): void {
    for (const go of this.#held ?? []) go();
    this.#held = null;
  }

  close(): void {}

  /** What has been told, in words. */
  told(): string[] {
    return this.written.map(({ partition, isCommit }) => `${partition} ${isCommit ? 'commit' : 'abort'}`).sort();
  }
}

/** A coordinator on manual time, which leads all partitions, over a log that may be handed on to the next one. */
export class TransactionHarness {
  readonly time: ManualTime;
  readonly log: MemoryLog;
  readonly markers: MemoryMarkers;
  readonly coordinator: TransactionCoordinator;
  readonly settings: { -readonly [K in keyof TransactionSettings]: TransactionSettings[K] };
  readonly epoch: number;
  /** The offset up to which all replicas have the partitions of the log. */
  committedEnd = Infinity;
  readonly #ids: { next: number };

  private constructor(former: TransactionHarness | null, settings: Partial<TransactionSettings>) {
    this.time = former?.time ?? new ManualTime();
    this.log = former?.log ?? new MemoryLog();
    this.markers = former?.markers ?? new MemoryMarkers();
    this.epoch = (former?.epoch ?? -1) + 1;
    this.#ids = former === null ? { next: 4000 } : former.#ids;
    this.settings = {
      maxTimeoutMs: 900_000,
      timeoutCheckIntervalMs: 10_000,
      idExpirationMs: 7 * 86_400_000,
      expiryCheckIntervalMs: 3_600_000,
      loadBufferSize: 1 << 20,
      requestTimeoutMs: 30_000,
      ...(former?.settings ?? settings),
    };
    this.coordinator = new TransactionCoordinator({
      partitionCount: PARTITION_COUNT,
      settings: () => this.settings,
      producerIds: { generate: () => Promise.resolve(this.#ids.next < 0 ? null : this.#ids.next++) },
      writer: { append: async (partition, batch) => (await this.log.append(partition, batch, -1)).errorCode },
      reader: { open: partition => this.#open(partition) },
      markers: this.markers,
      clock: this.time.clock,
      timers: this.time.timers,
      logger: silentLogger,
    });
    this.coordinator.startup();
  }

  #open(partition: number): CoordinatedLog {
    const log = this.log.open(partition);
    return { leaderEpoch: this.epoch, highWatermark: Math.min(this.committedEnd, log.logEndOffset), ...log };
  }

  static async start(settings: Partial<TransactionSettings> = {}): Promise<TransactionHarness> {
    return new TransactionHarness(null, settings).#elect();
  }

  async #elect(): Promise<this> {
    const elected = Array.from({ length: PARTITION_COUNT }, (_, partition) => this.coordinator.elect(partition));
    if (this.committedEnd === Infinity) await Promise.all(elected);
    return this;
  }

  /**
   * This coordinator loses all partitions, and another one takes over in the next epoch.
   * @param committedEnd see the field: what lies behind it is on the new one alone
   */
  async failOver(committedEnd = Infinity): Promise<TransactionHarness> {
    for (let partition = 0; partition < PARTITION_COUNT; partition++) this.coordinator.resign(partition);
    const next = new TransactionHarness(this, {});
    next.committedEnd = committedEnd;
    return next.#elect();
  }

  /** From now on the controller gives no producer ids. */
  exhaustIds(): void {
    this.#ids.next = -1;
  }

  init(expected: Partial<InitResult> | null = null, timeoutMs = 60_000, transactionalId = 'tx'): Promise<InitResult> {
    const identity = expected && { producerId: expected.producerId!, producerEpoch: expected.producerEpoch! };
    return this.coordinator.initProducerId({ transactionalId, timeoutMs, expected: identity });
  }

  /** Asks as clients do, until what was under way has ended. */
  async initInTheEnd(transactionalId = 'tx'): Promise<InitResult> {
    for (;;) {
      const result = await this.init(null, 60_000, transactionalId);
      if (result.errorCode !== ErrorCode.CONCURRENT_TRANSACTIONS) return result;
      await this.time.advance(20);
    }
  }

  /** Adds partitions, named as `orders-0`. */
  add(by: Partial<TransactionalProducer>, ...names: string[]): Promise<ErrorCode> {
    const partitions = names.map(name => {
      const at = name.lastIndexOf('-');
      return { topic: name.slice(0, at), partition: Number(name.slice(at + 1)) };
    });
    return this.coordinator.addPartitions(producer(by), partitions);
  }

  end(by: Partial<TransactionalProducer>, isCommit: boolean): Promise<ErrorCode> {
    return this.coordinator.endTransaction(producer(by), isCommit);
  }

  state(transactionalId = 'tx'): TransactionState | undefined {
    return this.coordinator.describe(transactionalId).content?.state;
  }

  partitions(transactionalId = 'tx'): string[] {
    const { content } = this.coordinator.describe(transactionalId);
    return Array.from(partitionsOf(content?.partitions ?? new Map()), tp => partitionKey(tp.topic, tp.partition));
  }

  /** Has a record of `tx` in the log that says something else than what is. */
  async write(changed: Partial<TransactionContent>): Promise<void> {
    const builder = new BatchBuilder();
    const content = { ...this.coordinator.describe('tx').content!, ...changed };
    builder.append(content.lastUpdateMs, transactionKey('tx'), transactionValue(content));
    await this.log.append(this.coordinator.partitionOf('tx'), builder.build(), -1);
  }

  /** The states that have been written, in order; '-' for a tombstone. */
  written(): string[] {
    return this.log.keysAndValues().map(([key, value]) => {
      const record = decodeRecord(key, value);
      return record.kind === 'transaction' ? (record.content?.state ?? '-') : '?';
    });
  }
}

function producer(by: Partial<TransactionalProducer>): TransactionalProducer {
  return { transactionalId: 'tx', producerId: -1, producerEpoch: -1, ...by };
}
