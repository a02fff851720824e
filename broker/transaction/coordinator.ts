import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { Clock, Timer, Timers } from '../../shared/runtime/clock.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import { RecentSamples } from '../../shared/runtime/recent-samples.ts';
import { coordinatorPartition } from '../../shared/topics/coordinator-partition.ts';
import type { TopicPartition } from '../../shared/topics/topic-partition.ts';
import {
  decideAdd,
  decideEnd,
  decideInit,
  hasTimedOut,
  newContent,
  verifyPartition,
  type InitVerdict,
  type ProducerIdentity,
  type Verdict,
} from './decisions.ts';
import { Ender } from './ender.ts';
import { removeExpired } from './expiry.ts';
import { TransactionLoader } from './loader.ts';
import { matches, type ListedTransactions, type TransactionFilter } from './listing.ts';
import type { LogReader, LogWriter, MarkerSender, TransactionSettings } from './ports.ts';
import { notFound, TransactionRegistry, type Found, type OwnedPartition } from './registry.ts';
import { isPrepared } from './states.ts';
import { NONE, Transaction, type TransactionContent } from './transaction.ts';
import { TransactionLog } from './transaction-log.ts';
import { Writer } from './writer.ts';

export interface TransactionCoordinatorParts {
  /** Partitions of `__transaction_state`; never changes. */
  readonly partitionCount: number;
  readonly settings: () => TransactionSettings;
  /** Unused producer ids; null when there is none to be had just now. */
  readonly producerIds: { generate(): Promise<number | null> };
  readonly writer: LogWriter;
  readonly reader: LogReader;
  readonly markers: MarkerSender;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
}

/**
 * How long partitions of the next transaction wait for the former one to be complete, milliseconds (as long as Kafka's
 * brokers of 4.1 do by `add.partitions.to.txn.retry.backoff.max.ms`).
 */
const COMPLETION_WAIT_MS = 100;

/** Milliseconds between looks at whether what was loaded is committed. */
const COMMIT_CHECK_MS = 10;

export interface InitProducerRequest {
  readonly transactionalId: string;
  /** How long each of its transactions may stay open, milliseconds. */
  readonly timeoutMs: number;
  /** What the producer has, if it goes on after an error (KIP-360). */
  readonly expected: ProducerIdentity | null;
}

/** What a producer is told to be; -1 with an error. */
export interface InitResult extends ProducerIdentity {
  readonly errorCode: ErrorCode;
}

/** A transactional id as a request names it, with the producer that uses it. */
export interface TransactionalProducer extends ProducerIdentity {
  readonly transactionalId: string;
}

/** A transaction as an administrator sees it; null with an error. */
export interface DescribedTransaction {
  readonly errorCode: ErrorCode;
  readonly content: TransactionContent | null;
}

/**
 * Coordinates the transactions of those partitions of `__transaction_state` that this broker leads (Kafka:
 * `TransactionCoordinator`). What to do in which state is decided in `decisions.ts`; here it is done: written, and when it
 * is replicated, told.
 */
export class TransactionCoordinator {
  /** Milliseconds from each election until the transactions were loaded. */
  readonly loadTimes: RecentSamples;
  readonly #parts: TransactionCoordinatorParts;
  readonly #registry: TransactionRegistry;
  readonly #log: TransactionLog;
  readonly #writer: Writer;
  readonly #ender: Ender;
  #sweeps: Timer[] = [];
  #isActive = false;
  /** One partition is read after the other. */
  #reading: Promise<unknown> = Promise.resolve();

  constructor(parts: TransactionCoordinatorParts) {
    const { writer, markers: sender, clock, timers, logger } = parts;
    this.#parts = parts;
    this.loadTimes = new RecentSamples(clock);
    this.#registry = new TransactionRegistry(id => this.partitionOf(id));
    this.#log = new TransactionLog(writer, clock);
    this.#writer = new Writer(this.#log, this.#registry);
    this.#ender = new Ender({ writer: this.#writer, registry: this.#registry, sender, clock, timers, logger });
  }

  /** The partition of `__transaction_state` in which a transactional id is kept. */
  partitionOf(transactionalId: string): number {
    return coordinatorPartition(transactionalId, this.#parts.partitionCount);
  }

  // --- life --------------------------------------------------------------------------------------------------------

  startup(): void {
    const { settings, timers } = this.#parts;
    const { timeoutCheckIntervalMs, expiryCheckIntervalMs } = settings();
    this.#sweeps = [
      timers.every(timeoutCheckIntervalMs, () => this.abortTimedOut()),
      timers.every(expiryCheckIntervalMs, () => void this.removeExpired()),
    ];
    this.#isActive = true;
  }

  shutdown(): void {
    this.#isActive = false;
    for (const sweep of this.#sweeps) sweep.cancel();
    for (const partition of this.#registry.ownedPartitions()) this.resign(partition);
    this.#ender.close();
  }

  /** This broker leads the partition now: reads what is in it, after those that were there before. */
  elect(partition: number): Promise<void> {
    const log = this.#parts.reader.open(partition);
    if (log === null) return Promise.resolve();
    const owner = this.#registry.own(partition, log.leaderEpoch);
    const begun = this.#parts.clock.monotonic();
    const read = this.#reading.then(() => this.#read(owner));
    this.#reading = read;
    return read.then(transactions => this.#serve(owner, transactions, begun));
  }

  /** This broker does not lead the partition any more. */
  resign(partition: number): void {
    const transactions = this.#registry.disown(partition);
    if (transactions > 0)
      this.#parts.logger.info({ partition, transactions }, 'transactions are coordinated elsewhere from now on');
  }

  async #read(owner: OwnedPartition): Promise<ReadonlyMap<string, Transaction>> {
    const { reader, settings, logger } = this.#parts;
    const { partition } = owner;
    const isCancelled = () => !this.#registry.isOwned(owner);
    const loader = new TransactionLoader(this.#parts);
    try {
      const log = isCancelled() ? null : reader.open(partition);
      if (log !== null) await loader.load(log, settings().loadBufferSize, isCancelled);
    } catch (error) {
      // As in Kafka the partition counts as loaded, with what could be read.
      logger.error({ err: error, partition }, 'a partition of __transaction_state could not be read');
    }
    return loader.transactions;
  }

  /**
   * Begins to answer for what has been read once all of it is committed. Some of it may lie on this broker alone: an answer
   * that builds on that, and needs no write of its own ("these partitions are in the transaction already"), would be
   * forgotten if this broker fails now and the next leader has never had the record; its markers would then leave
   * partitions out.
   */
  async #serve(owner: OwnedPartition, read: ReadonlyMap<string, Transaction>, begun: number): Promise<void> {
    const { reader, clock, timers, logger } = this.#parts;
    const { partition } = owner;
    const isOver = () => !this.#registry.isOwned(owner);
    const isCommitted = () => {
      const log = reader.open(partition);
      return log !== null && log.highWatermark >= log.logEndOffset;
    };
    while (!isOver() && !isCommitted()) await timers.sleep(COMMIT_CHECK_MS);
    if (isOver()) return;
    for (const [id, transaction] of read) owner.transactions.set(id, transaction);
    owner.isLoading = false;
    this.#resume(owner);
    const transactions = owner.transactions.size;
    const ms = Math.round(clock.monotonic() - begun);
    this.loadTimes.add(ms);
    if (transactions > 0) logger.info({ partition, transactions, ms }, 'transactions have been loaded');
  }

  /** What was decided under the former coordinator is told by this one, to all partitions: nobody knows which know it. */
  #resume(owner: OwnedPartition): void {
    for (const transaction of owner.transactions.values())
      if (isPrepared(transaction.state)) this.#ender.tell(owner, transaction);
  }

  // --- producers ---------------------------------------------------------------------------------------------------

  /** A producer that begins, or begins again, gets an id and an epoch, which fences whoever had the id before. */
  async initProducerId(request: InitProducerRequest): Promise<InitResult> {
    const { transactionalId, timeoutMs } = request;
    const { settings, producerIds, clock } = this.#parts;
    if (transactionalId === '') return initError(ErrorCode.INVALID_REQUEST);
    if (timeoutMs <= 0 || timeoutMs > settings().maxTimeoutMs) return initError(ErrorCode.INVALID_TRANSACTION_TIMEOUT);
    for (let freshId: number | null = null; ;) {
      const found = this.#find(transactionalId);
      if (found.owner === null) return initError(found.errorCode);
      const transaction: Transaction | null = found.transaction ?? this.#create(found.owner, request, freshId);
      const verdict: InitVerdict =
        transaction === null ? { kind: 'needsProducerId' } : decideInit(transaction, request, clock.now(), freshId);
      if (verdict.kind !== 'needsProducerId') return this.#init(found.owner, transaction!, verdict);
      freshId = await producerIds.generate();
      if (freshId === null) return initError(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
    }
  }

  /** A transactional id that is new here; null while there is no producer id for it. */
  #create(
    owner: OwnedPartition,
    { transactionalId, timeoutMs }: InitProducerRequest,
    freshId: number | null,
  ): Transaction | null {
    if (freshId === null) return null;
    const content = newContent(freshId, timeoutMs, this.#parts.clock.now());
    const transaction = new Transaction(transactionalId, content);
    owner.transactions.set(transactionalId, transaction);
    return transaction;
  }

  async #init(
    owner: OwnedPartition,
    transaction: Transaction,
    verdict: Exclude<InitVerdict, { kind: 'needsProducerId' }>,
  ): Promise<InitResult> {
    if (verdict.kind === 'answer') return initError(verdict.errorCode);
    if (verdict.kind === 'fence') {
      const errorCode = await this.#ender.abortAndFence(owner, transaction);
      // The producer asks until the transaction is aborted, and gets the epoch after the one that fenced.
      return initError(errorCode === ErrorCode.NONE ? ErrorCode.CONCURRENT_TRANSACTIONS : errorCode);
    }
    const errorCode = await this.#writer.write(owner, transaction, verdict.next);
    const { producerId, producerEpoch } = verdict.next;
    return errorCode === ErrorCode.NONE ? { errorCode, producerId, producerEpoch } : initError(errorCode);
  }

  /**
   * Takes partitions into the producer's transaction, all or none. A producer that has heard of its commit asks for the
   * next transaction while the partitions of the former one are being told, which takes a millisecond or two; refused, it
   * would ask again after 20 ms. So it is not refused at once:
   *
   *     EndTxn ─→ Prepare… ─→ answer        markers ─→ Complete…
   *                             └ AddPartitionsToTxn ┈┈┈┈┈┈┈┈┈└─→ Ongoing ─→ answer
   */
  async addPartitions(producer: TransactionalProducer, partitions: readonly TopicPartition[]): Promise<ErrorCode> {
    const errorCode = await this.#addNow(producer, partitions);
    const { transaction } = this.#find(producer.transactionalId);
    const isEnding = transaction !== null && transaction.isPending && isPrepared(transaction.state);
    if (errorCode !== ErrorCode.CONCURRENT_TRANSACTIONS || !isEnding) return errorCode;
    await this.#settled(transaction);
    return this.#addNow(producer, partitions);
  }

  #addNow(producer: TransactionalProducer, partitions: readonly TopicPartition[]): Promise<ErrorCode> {
    return this.#change(
      producer,
      transaction => decideAdd(transaction, producer, partitions, this.#parts.clock.now()),
      (owner, transaction, next) => this.#writer.write(owner, transaction, next),
    );
  }

  /** Resolves when the transaction's pending transition is of the past, or has taken too long to wait for. */
  #settled(transaction: Transaction): Promise<void> {
    return new Promise(resolve => {
      const timer = this.#parts.timers.after(COMPLETION_WAIT_MS, () => {
        takeBack();
        resolve();
      });
      const takeBack = transaction.onSettled(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  /** Decides the transaction's outcome. When this resolves with NONE, that is final; the partitions are told after it. */
  endTransaction(producer: TransactionalProducer, isCommit: boolean): Promise<ErrorCode> {
    return this.#change(
      producer,
      transaction => decideEnd(transaction, producer, isCommit, this.#parts.clock.now()),
      (owner, transaction, next) => this.#ender.end(owner, transaction, next),
    );
  }

  async #change(
    { transactionalId }: TransactionalProducer,
    decide: (transaction: Transaction) => Verdict,
    write: (owner: OwnedPartition, transaction: Transaction, next: TransactionContent) => Promise<ErrorCode>,
  ): Promise<ErrorCode> {
    const { errorCode, owner, transaction } = this.#find(transactionalId);
    if (owner === null) return errorCode;
    if (transaction === null) return ErrorCode.INVALID_PRODUCER_ID_MAPPING;
    const verdict = decide(transaction);
    return verdict.kind === 'answer' ? verdict.errorCode : write(owner, transaction, verdict.next);
  }

  /** Whether the partitions are in the producer's transaction; a code for each, in order. */
  verifyPartitions(producer: TransactionalProducer, partitions: readonly TopicPartition[]): ErrorCode[] {
    const { errorCode, owner, transaction } = this.#find(producer.transactionalId);
    if (owner === null) return partitions.map(() => errorCode);
    if (transaction === null) return partitions.map(() => ErrorCode.INVALID_PRODUCER_ID_MAPPING);
    return partitions.map(partition => verifyPartition(transaction, producer, partition));
  }

  /** What an id is here, if a request about it may be answered here. */
  #find(transactionalId: string): Found {
    if (!this.#isActive) return notFound(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    if (transactionalId === '') return notFound(ErrorCode.INVALID_REQUEST);
    return this.#registry.find(transactionalId);
  }

  // --- sweeps ------------------------------------------------------------------------------------------------------

  /** Aborts transactions that have been open for too long; their producers are fenced. */
  abortTimedOut(): void {
    const { clock, logger } = this.#parts;
    const now = clock.now();
    for (const owner of this.#registry.owners()) {
      for (const transaction of owner.transactions.values()) {
        if (!hasTimedOut(transaction, now)) continue;
        const { transactionalId, content } = transaction;
        const { producerId, timeoutMs } = content;
        logger.info({ transactionalId, producerId, timeoutMs }, 'a transaction has timed out, and is aborted');
        void this.#ender.abortAndFence(owner, transaction);
      }
    }
  }

  /** Forgets ids that have not been used for too long. Resolves when that is written. */
  async removeExpired(): Promise<void> {
    const { settings, clock } = this.#parts;
    const { idExpirationMs, requestTimeoutMs } = settings();
    const parts = { log: this.#log, registry: this.#registry, nowMs: clock.now(), idExpirationMs, requestTimeoutMs };
    await Promise.all(this.#registry.owners().map(owner => removeExpired(owner, parts)));
  }

  // --- administration ----------------------------------------------------------------------------------------------

  describe(transactionalId: string): DescribedTransaction {
    const { errorCode, owner, transaction } = this.#find(transactionalId);
    if (owner === null) return { errorCode, content: null };
    if (transaction === null) return { errorCode: ErrorCode.TRANSACTIONAL_ID_NOT_FOUND, content: null };
    return { errorCode, content: transaction.content };
  }

  /** The ids that are here; with an error none, while some are being loaded. */
  list(filter: TransactionFilter): ListedTransactions {
    if (!this.#isActive) return { errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, transactions: [] };
    if (this.#registry.isLoading) return { errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, transactions: [] };
    const now = this.#parts.clock.now();
    const all = this.#registry.owners().flatMap(({ transactions }) => [...transactions.values()]);
    return { errorCode: ErrorCode.NONE, transactions: all.filter(({ content }) => matches(content, filter, now)) };
  }

  /** Partitions to be told of an outcome whose leader is not known. */
  get unknownDestinations(): number {
    return this.#ender.unknownDestinations;
  }

  /** Transactions whose partitions all know the outcome, while writing that down is tried again. */
  get completionsToRetry(): number {
    return this.#ender.completionsToRetry;
  }
}

function initError(errorCode: ErrorCode): InitResult {
  return { errorCode, producerId: NONE, producerEpoch: NONE };
}
