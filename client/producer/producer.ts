import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { TopicInfo } from '../cluster/cluster-view.ts';
import type { GroupMetadata } from '../consumer/group/consumer-group.ts';
import { KafkaError, timedOut } from '../errors.ts';
import type { OffsetToCommit } from '../groups/committed-offsets.ts';
import { within } from '../within.ts';
import { Accumulator, recordSizeBound } from './accumulator.ts';
import type { ProducerBatch } from './batch.ts';
import { BufferMemory } from './buffer-memory.ts';
import type { Partitioner } from './partitioner.ts';
import type { Preparation } from './preparation.ts';
import { toBytes, type Bytes, type ProducerRecord, type RecordMetadata, type SendCallback } from './record.ts';
import { Sender, type SenderOptions } from './sender.ts';
import { Transaction } from './transactions/transaction.ts';
import type { Transactions } from './transactions/transactions.ts';

export interface ProducerOptions extends SenderOptions {
  readonly batchSize: number;
  readonly lingerMs: number;
  readonly bufferMemory: number;
  readonly maxBlockMs: number;
  readonly partitioner: Partitioner;
  readonly transactions: Transactions | null;
}

/** A record that cannot be appended yet: its topic's metadata, or memory, is being waited for. */
interface Blocked {
  readonly record: ProducerRecord;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly bytes: number;
  /** Monotonic time after which it fails. */
  readonly deadline: number;
  readonly callback: SendCallback | null;
}

/**
 * Sends records, batched by partition (compare Kafka's KafkaProducer). `send` never throws and never makes an
 * unhandled rejection: a caller who does not look at the outcome is not killed by it.
 */
export class Producer<K = Bytes, V = Bytes> {
  readonly #cluster: Cluster;
  /** Null when records are sent as they are. */
  readonly #preparation: Preparation<K, V> | null;
  readonly #options: ProducerOptions;
  readonly #accumulator: Accumulator;
  readonly #memory: BufferMemory;
  readonly #sender: Sender;
  readonly #incomplete = new Set<ProducerBatch>();
  /** By topic, in the order of sending: later records of a topic queue up behind one that has to wait. */
  readonly #blocked = new Map<string, Blocked[]>();
  #blockedBytes = 0;
  #waitingFlushes: { readonly batches: Set<ProducerBatch>; readonly resolve: () => void }[] = [];
  #drainWaiters: (() => void)[] = [];
  #closed = false;

  constructor(cluster: Cluster, options: ProducerOptions, preparation: Preparation<K, V> | null = null) {
    const { clock, timers } = cluster.runtime;
    this.#preparation = preparation;
    this.#cluster = cluster;
    this.#options = options;
    this.#accumulator = new Accumulator(options, clock);
    this.#memory = new BufferMemory(options.bufferMemory, timers);
    this.#sender = new Sender(cluster, this.#accumulator, options, {
      onDone: batch => this.#onDone(batch),
      onSplit: (batch, parts) => this.#onSplit(batch, parts),
    });
    options.transactions?.attach({ flush: () => this.flush(), wake: () => this.#sender.wake() });
    this.#sender.setUrgency(() => this.#waitingFlushes.length > 0 || this.#memory.hasWaiters || this.#closed);
  }

  /** Whether records now have to wait before they can be appended: a fast source should await `drained()`. */
  get needsDrain(): boolean {
    return this.#blockedBytes > 0;
  }

  /** Resolves as soon as nothing waits for memory or metadata. */
  drained(): Promise<void> {
    if (!this.needsDrain) return Promise.resolve();
    return new Promise(resolve => this.#drainWaiters.push(resolve));
  }

  /** Sends a record; resolves when it is acknowledged as `acks` asks. */
  send(record: ProducerRecord<K, V>): Promise<RecordMetadata>;
  /** The same without a promise: the cheapest way for very many records. */
  send(record: ProducerRecord<K, V>, callback: SendCallback | null): void;
  send(record: ProducerRecord<K, V>, callback?: SendCallback | null): Promise<RecordMetadata> | undefined {
    if (callback !== undefined) {
      this.#prepare(record, callback);
      return undefined;
    }
    const sent = new Promise<RecordMetadata>((resolve, reject) => {
      this.#prepare(record, (error, metadata) => {
        if (error === null) resolve(metadata!);
        else reject(error);
      });
    });
    sent.catch(() => {});
    return sent;
  }

  #prepare(record: ProducerRecord<K, V>, callback: SendCallback | null): void {
    // Without serializers K and V are bytes or text.
    if (this.#preparation === null) this.#send(record as ProducerRecord, callback);
    else {
      this.#preparation.send(record, callback, {
        send: (encoded, told) => this.#send(encoded, told),
        refuse: (error, told) => this.#refuse(error, told),
      });
    }
  }

  #send(record: ProducerRecord, callback: SendCallback | null): void {
    const key = toBytes(record.key);
    const value = toBytes(record.value);
    const bytes = recordSizeBound(key, value, record.headers);
    const refusal = this.#refusal(bytes);
    if (refusal !== null) {
      this.#refuse(refusal, callback);
      return;
    }
    const topic = this.#cluster.topicIfKnown(record.topic);
    if (topic !== null && !this.#blocked.has(record.topic) && this.#memory.tryTake(bytes)) {
      this.#append(record, key, value, bytes, topic, callback);
    } else {
      const deadline = this.#cluster.runtime.clock.monotonic() + this.#options.maxBlockMs;
      this.#block({ record, key, value, bytes, deadline, callback });
    }
  }

  /** A record cannot be sent. Where it was to be part of a transaction, that one cannot be committed without it. */
  #refuse(error: Error, callback: SendCallback | null): void {
    const { transactions } = this.#options;
    if (transactions?.refusal() === null) transactions.recordFailed(error);
    callback?.(error, null);
  }

  /** The same for a record that was taken, and perhaps waited: its transaction may be waiting for it to be committed. */
  #fail(error: Error, callback: SendCallback | null): void {
    this.#options.transactions?.recordFailed(error);
    callback?.(error, null);
  }

  #refusal(bytes: number): Error | null {
    if (this.#closed) return new Error('the producer is closed');
    const notInTransaction = this.#options.transactions?.refusal() ?? null;
    if (notInTransaction !== null) return notInTransaction;
    const limit = Math.min(this.#options.maxRequestSize, this.#options.bufferMemory);
    if (bytes <= limit) return null;
    return new KafkaError(
      ErrorCode.MESSAGE_TOO_LARGE,
      `the record takes ${bytes} bytes, more than the ${limit} that max.request.size and buffer.memory allow`,
    );
  }

  #append(
    record: ProducerRecord,
    key: Buffer | null,
    value: Buffer | null,
    bytes: number,
    topic: TopicInfo,
    callback: SendCallback | null,
  ): void {
    const partition = record.partition ?? this.#options.partitioner.partition(record.topic, key, topic.partitions);
    if (topic.partitions[partition] === undefined) {
      this.#memory.give(bytes);
      const message = `topic ${record.topic} has partitions 0 to ${topic.partitions.length - 1}, not ${partition}`;
      this.#fail(new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, message), callback);
      return;
    }
    const notInTransaction = this.#options.transactions?.join(record.topic, partition) ?? null;
    if (notInTransaction !== null) {
      this.#memory.give(bytes);
      callback?.(notInTransaction, null);
      return;
    }
    const queue = this.#accumulator.queue(record.topic, partition);
    const open = this.#accumulator.openBatch(queue, bytes);
    const timestamp = record.timestamp ?? this.#cluster.runtime.clock.now();
    const batch = this.#accumulator.append(queue, open, timestamp, key, value, record.headers, callback);
    batch.reservedBytes += bytes;
    if (open === null) {
      this.#incomplete.add(batch);
      // The batch before this one is full: keyless records may move on to another partition.
      if (queue.batches.length > 1 && record.partition === undefined)
        this.#options.partitioner.onNewBatch?.(record.topic);
      this.#sender.wake();
    }
  }

  #block(blocked: Blocked): void {
    if (this.#blockedBytes + blocked.bytes > this.#options.bufferMemory) {
      const message = `buffer.memory (${this.#options.bufferMemory} bytes) is exhausted, and as much again is waiting`;
      this.#fail(timedOut(message), blocked.callback);
      return;
    }
    this.#blockedBytes += blocked.bytes;
    const { topic } = blocked.record;
    const waiting = this.#blocked.get(topic);
    if (waiting !== undefined) {
      waiting.push(blocked);
      return;
    }
    this.#blocked.set(topic, [blocked]);
    void this.#unblock(topic);
  }

  /** Appends the waiting records of a topic one after the other, until none waits. */
  async #unblock(topic: string): Promise<void> {
    const waiting = this.#blocked.get(topic)!;
    // An idempotent producer can be given its id meanwhile.
    this.#sender.wake();
    const { clock } = this.#cluster.runtime;
    for (let index = 0; index < waiting.length; index++) {
      const { record, key, value, bytes, deadline, callback } = waiting[index]!;
      try {
        const info = this.#cluster.topicIfKnown(topic) ?? (await this.#cluster.topic(topic, deadline));
        if (!this.#memory.tryTake(bytes)) {
          this.#sender.wake();
          await this.#memory.take(bytes, Math.max(0, deadline - clock.monotonic()));
        }
        this.#append(record, key, value, bytes, info, callback);
      } catch (error) {
        this.#fail(error as Error, callback);
      }
      this.#blockedBytes -= bytes;
    }
    this.#blocked.delete(topic);
    if (this.#blockedBytes > 0) return;
    const waiters = this.#drainWaiters;
    this.#drainWaiters = [];
    for (const resolve of waiters) resolve();
  }

  #onDone(batch: ProducerBatch): void {
    this.#incomplete.delete(batch);
    this.#memory.give(batch.reservedBytes);
    for (const flush of this.#waitingFlushes) flush.batches.delete(batch);
    const finished = this.#waitingFlushes.filter(flush => flush.batches.size === 0);
    if (finished.length === 0) return;
    this.#waitingFlushes = this.#waitingFlushes.filter(flush => flush.batches.size > 0);
    // A turn later: the batch's own callbacks run first.
    for (const flush of finished) this.#cluster.runtime.timers.endOfTurn(flush.resolve);
  }

  #onSplit(batch: ProducerBatch, parts: readonly ProducerBatch[]): void {
    for (const set of [this.#incomplete, ...this.#waitingFlushes.map(flush => flush.batches)]) {
      if (set.delete(batch)) for (const part of parts) set.add(part);
    }
  }

  /** Sends everything without lingering; resolves when all that was sent before has been acknowledged or has failed. */
  async flush(): Promise<void> {
    await this.drained();
    const batches = new Set(this.#incomplete);
    if (batches.size === 0) return;
    const flushed = new Promise<void>(resolve => this.#waitingFlushes.push({ batches, resolve }));
    this.#sender.wake();
    await flushed;
  }

  // --- transactions: with `transactional.id` only --------------------------------------------------------------------

  /** Whether `initTransactions` has done its work. */
  get isInitialized(): boolean {
    return !['uninitialized', 'initializing'].includes(this.#needTransactions().state);
  }

  /**
   * To be called once, before the first transaction: aborts what a former producer with this transactional id has left
   * open, and fences it. @throws TransactionError; REQUEST_TIMED_OUT when it takes longer than max.block.ms: call again
   */
  initTransactions(): Promise<void> {
    return this.#needTransactions().init();
  }

  /** What is sent from here on belongs together. @throws Error when a transaction is open already */
  beginTransaction(): void {
    this.#needTransactions().begin();
  }

  /**
   * Commits positions of a consumer's group (`consumer.groupMetadata()`) with the transaction: they become visible when it
   * is committed. @throws as `commitTransaction`
   */
  async sendOffsetsToTransaction(offsets: readonly OffsetToCommit[], group: GroupMetadata): Promise<void> {
    await this.#needTransactions().sendOffsets(offsets, group);
  }

  /**
   * Resolves when all records of the transaction are acknowledged and it is decided that readers will see them.
   * @throws TransactionError whose `isFatal` says whether to abort, or to close the producer; REQUEST_TIMED_OUT when it
   *     takes longer than max.block.ms: call again
   */
  commitTransaction(): Promise<void> {
    return this.#needTransactions().commit();
  }

  /** Readers of committed records will see none of the transaction's. @throws as `commitTransaction` */
  abortTransaction(): Promise<void> {
    return this.#needTransactions().abort();
  }

  /**
   * Runs `work` within a transaction, which is committed when it resolves and aborted when it rejects: what `work` has
   * sent is waited for, and if anything of it fails, nothing of it is seen. Initializes transactions if that has not been
   * done.
   * @returns what `work` returned
   * @throws what `work` threw, or why the transaction could not be committed
   */
  transaction<T>(work: (transaction: Transaction<K, V>) => T | Promise<T>): Promise<T> {
    this.#needTransactions();
    return Transaction.run(this, work);
  }

  #needTransactions(): Transactions {
    const { transactions } = this.#options;
    if (transactions !== null) return transactions;
    throw new KafkaError(ErrorCode.INVALID_CONFIG, 'For transactions, a producer needs the setting transactional.id.');
  }

  /** Flushes, for at most `timeoutMs`, and releases everything; what is not acknowledged by then fails. */
  async close(timeoutMs = 30_000): Promise<void> {
    if (this.#closed) return;
    await within(this.flush(), timeoutMs, this.#cluster.runtime.timers);
    this.#closed = true;
    this.#options.transactions?.close();
    this.#sender.close();
    const error = new Error('the producer was closed before the record was acknowledged');
    this.#memory.failWaiters(error);
    for (const batch of [...this.#incomplete]) {
      this.#onDone(batch);
      batch.fail(error);
    }
    this.#preparation?.close();
    this.#cluster.close();
  }
}
