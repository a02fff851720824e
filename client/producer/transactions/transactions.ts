import { ErrorCode } from '../../../shared/protocol/errors.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import type { GroupMetadata } from '../../consumer/group/consumer-group.ts';
import { KafkaError, timedOut } from '../../errors.ts';
import type { OffsetToCommit } from '../../groups/committed-offsets.ts';
import { LATE, within } from '../../within.ts';
import type { ProducerBatch } from '../batch.ts';
import type { Idempotence } from '../idempotence.ts';
import type { ProducerIdentity } from '../sequences.ts';
import type { TransactionGate } from '../transaction-gate.ts';
import { AddedPartitions } from './added-partitions.ts';
import { CoordinatorRequests } from './coordinator-requests.ts';
import { codeOf, remedyFor, TransactionError, type Step } from './error-rules.ts';
import { checkTransition, type TransactionState } from './states.ts';

export interface TransactionOptions {
  readonly transactionalId: string;
  /** After which the coordinator aborts a transaction by itself. */
  readonly timeoutMs: number;
  /** How long a caller waits for one step. */
  readonly maxBlockMs: number;
}

/** What a transaction needs of its producer. */
export interface TransactionHost {
  /** Resolves when the fate of all records sent so far is settled. */
  flush(): Promise<void>;
  /** Something may go now that could not before, or has to fail. */
  wake(): void;
}

type Outcome = 'done' | typeof LATE | Error;

/** While the former transaction is being completed: soon. */
const CONCURRENT_PAUSE_MS = 20;

/**
 * The transactions of one producer (KIP-98; Kafka: `TransactionManager`), one after the other. Its requests to
 * coordinators go out one at a time, in order, and again until they are settled; whoever waits for one waits for
 * `max.block.ms`, and may ask again.
 *
 *     send ──► partition is new: AddPartitionsToTxn ──► its batches may leave
 *     commit ──► all records acknowledged ──► EndTxn
 *     an error ──► what has not left fails ──► abort: EndTxn, and a new epoch, under which numbers begin anew
 */
export class Transactions implements TransactionGate {
  readonly transactionalId: string;
  readonly #cluster: Cluster;
  readonly #options: TransactionOptions;
  readonly #requests: CoordinatorRequests;
  readonly #idempotence: Idempotence;
  readonly #partitions = new AddedPartitions();
  #host: TransactionHost | null = null;
  #state: TransactionState = 'uninitialized';
  #identity: ProducerIdentity | null = null;
  #failure: TransactionError | null = null;
  /** Whether the coordinator has heard of the open transaction. */
  #hasBegun = false;
  /** Whether numbers are in doubt: a batch was numbered and may or may not be in the log. */
  #needsNewEpoch = false;
  #isAdding = false;
  #closed = false;
  /** The last request, and all before it. */
  #last: Promise<unknown> = Promise.resolve();
  /** What a caller may still be waiting for, or wait for once more. */
  #underWay: { readonly what: string; readonly done: Promise<void> } | null = null;

  constructor(cluster: Cluster, options: TransactionOptions, idempotence: Idempotence) {
    this.transactionalId = options.transactionalId;
    this.#cluster = cluster;
    this.#options = options;
    this.#idempotence = idempotence;
    this.#requests = new CoordinatorRequests(cluster, options.transactionalId, options.timeoutMs);
    idempotence.onGap(() => this.#numbersAreBroken());
  }

  attach(host: TransactionHost): void {
    this.#host = host;
  }

  get state(): TransactionState {
    return this.#state;
  }

  // --- what the application does -------------------------------------------------------------------------------------

  /**
   * Gets the producer its epoch, which fences whoever had the transactional id before, and has the coordinator abort
   * what that one left open.
   */
  init(): Promise<void> {
    return this.#resume('initialize transactions', ['uninitialized'], () => {
      this.#move('initializing');
      return this.#inTurn(() => this.#getIdentity(null));
    });
  }

  /** @throws Error, TransactionError */
  begin(): void {
    this.#require('begin a transaction', ['ready']);
    this.#move('open');
  }

  /** Commits offsets of a consumer's group within the transaction. */
  async sendOffsets(offsets: readonly OffsetToCommit[], group: GroupMetadata): Promise<void> {
    this.#require('send offsets', ['open']);
    if (offsets.length === 0) return;
    const sent = this.#inTurn(async () => {
      if (this.#failure !== null) throw this.#failure;
      await this.#ask('AddOffsetsToTxn', identity => this.#requests.addOffsets(identity, group.groupId));
      this.#hasBegun = true;
      await this.#ask('TxnOffsetCommit', identity => this.#requests.commitOffsets(identity, offsets, group));
    });
    this.#tell(await this.#waitFor(sent), 'send offsets');
  }

  /** Commits when all records are acknowledged. @throws TransactionError when one was not: abort then */
  commit(): Promise<void> {
    return this.#resume('commit', ['open'], () => {
      this.#move('committing');
      return this.#end(true);
    });
  }

  /** Aborts; records that have not been sent yet fail. */
  abort(): Promise<void> {
    return this.#resume('abort', ['open', 'abortable error'], () => {
      this.#move('aborting');
      this.#host!.wake();
      return this.#end(false);
    });
  }

  close(): void {
    this.#closed = true;
  }

  // --- what becomes of the records ------------------------------------------------------------------------------------

  /** Why a record cannot be sent now; null: it can. */
  refusal(): Error | null {
    if (this.#state === 'open') return null;
    return this.#failure ?? new Error(`records are sent within a transaction, and none is open (${this.#state})`);
  }

  /** A record joins the transaction, which may begin with it. Returns why it cannot. */
  join(topic: string, partition: number): Error | null {
    // Records that waited for metadata still belong to the transaction that is being committed.
    if (!this.#isUnbroken) return this.abandonment ?? this.refusal();
    if (this.#partitions.want(topic, partition) && !this.#isAdding) void this.#addPartitions();
    return null;
  }

  mayLeave(topic: string, partition: number): boolean {
    return this.#partitions.has(topic, partition);
  }

  get abandonment(): Error | null {
    if (this.#failure !== null) return this.#failure;
    return this.#state === 'aborting' ? new Error('the transaction was aborted before the record was sent') : null;
  }

  batchFailed(batch: ProducerBatch, error: Error): void {
    if (batch.stamp !== null) this.#needsNewEpoch = true;
    this.recordFailed(error);
  }

  /** A record of the transaction will never be sent: without it, nothing of the transaction is to be seen. */
  recordFailed(error: Error): void {
    if (this.#isUnbroken) this.#fail('Produce', codeOf(error), error.message);
  }

  #numbersAreBroken(): void {
    if (!this.#isUnbroken) return;
    this.#fail('Produce', ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, 'there is a gap in the numbers of the records');
  }

  /** Whether there is a transaction that may still be committed. */
  get #isUnbroken(): boolean {
    return this.#state === 'open' || this.#state === 'committing';
  }

  // --- requests -------------------------------------------------------------------------------------------------------

  /** Of what was added in one turn of the loop, all at once. */
  async #addPartitions(): Promise<void> {
    this.#isAdding = true;
    await new Promise<void>(resolve => this.#cluster.runtime.timers.endOfTurn(resolve));
    await this.#inTurn(async () => {
      while (this.#partitions.hasUnknown && this.#isUnbroken) {
        const partitions = this.#partitions.takeUnknown();
        await this.#ask('AddPartitionsToTxn', identity => this.#requests.addPartitions(identity, partitions));
        this.#hasBegun = true;
        this.#partitions.add(partitions);
        this.#host!.wake();
      }
    }).catch(() => {
      // Known by the state.
    });
    this.#isAdding = false;
  }

  async #end(committed: boolean): Promise<void> {
    await this.#host!.flush();
    await this.#inTurn(async () => {
      if (this.#failure !== null && (committed || this.#failure.isFatal)) throw this.#failure;
      if (this.#hasBegun) await this.#tellTheEnd(committed);
      if (this.#needsNewEpoch) {
        this.#move('initializing');
        await this.#getIdentity(this.#identity);
      } else this.#move('ready');
      this.#partitions.clear();
      this.#failure = null;
      this.#hasBegun = this.#needsNewEpoch = false;
    });
  }

  async #tellTheEnd(committed: boolean): Promise<void> {
    // A coordinator that does not know the producer any more has nothing to abort.
    if (this.#failure?.code === ErrorCode.INVALID_PRODUCER_ID_MAPPING) return;
    const told = this.#ask('EndTxn', identity => this.#requests.endTransaction(identity, committed));
    await told.catch((error: unknown) => {
      const isAborted = !committed && error instanceof TransactionError && !error.isFatal;
      if (!isAborted) throw error;
    });
  }

  async #getIdentity(current: ProducerIdentity | null): Promise<void> {
    await this.#ask('InitProducerId', async () => {
      const answer = await this.#requests.initProducerId(current);
      if (typeof answer === 'number') return answer;
      this.#identity = answer;
      return ErrorCode.NONE;
    });
    this.#idempotence.identify(this.#identity!);
    this.#move('ready');
  }

  /** One after the other, whatever becomes of those before. */
  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#last.then(task);
    this.#last = done.catch(() => {});
    return done;
  }

  /**
   * Again and again, until it succeeds or is not worth it any more.
   * @throws TransactionError, then the state's too
   */
  async #ask(step: Step, attempt: (identity: ProducerIdentity) => Promise<ErrorCode>): Promise<void> {
    for (let failures = 1; ; failures++) {
      let cause: unknown = null;
      const code = await attempt(this.#identity!).catch((error: unknown) => {
        cause = error;
        return codeOf(error);
      });
      if (code === ErrorCode.NONE) return;
      const error = cause instanceof Error ? cause : new KafkaError(code);
      if (remedyFor(step, code) !== 'again') throw this.#fail(step, code, `${step}: ${error.message}`);
      await this.#pause(failures, code, error, step);
    }
  }

  async #pause(failures: number, code: ErrorCode, error: Error, step: Step): Promise<void> {
    if (this.#closed) throw new Error(`the producer was closed during ${step}`);
    if (code === ErrorCode.CONCURRENT_TRANSACTIONS) await this.#cluster.runtime.timers.sleep(CONCURRENT_PAUSE_MS);
    else await this.#cluster.pause(failures, Infinity, error, step);
  }

  // --- state ----------------------------------------------------------------------------------------------------------

  #move(to: TransactionState): void {
    checkTransition(this.#state, to);
    this.#state = to;
  }

  /** The transaction, or the producer, is at its end; what has not left yet fails. */
  #fail(step: Step, code: ErrorCode, message: string): TransactionError {
    const isFatal = remedyFor(step, code) === 'close';
    const failure = new TransactionError(code, message, isFatal);
    // Whatever went wrong, nobody has to prove that all numbers are accounted for.
    this.#needsNewEpoch = true;
    if (this.#state !== 'aborting' || isFatal) {
      this.#failure = failure;
      this.#move(isFatal ? 'fatal error' : 'abortable error');
    }
    this.#host!.wake();
    return failure;
  }

  /** @throws Error, TransactionError */
  #require(what: string, states: readonly TransactionState[]): void {
    if (states.includes(this.#state)) return;
    throw this.#failure ?? new Error(`cannot ${what}: the producer's transactions are ${this.#state}`);
  }

  /** Begins something; whoever calls again, because it took long, gets the outcome of what was begun. */
  async #resume(what: string, states: readonly TransactionState[], begin: () => Promise<void>): Promise<void> {
    if (this.#underWay?.what !== what) {
      this.#require(what, states);
      this.#underWay = { what, done: begin() };
    }
    const current = this.#underWay;
    const outcome = await this.#waitFor(current.done);
    // Kept, though it may end meanwhile, until somebody is told of its end.
    if (outcome !== LATE && this.#underWay === current) this.#underWay = null;
    this.#tell(outcome, what);
  }

  /** Resolves with how it ended, or with LATE when that takes longer than a caller waits. */
  #waitFor(done: Promise<void>): Promise<Outcome> {
    const end = done.then(
      (): Outcome => 'done',
      (error: unknown): Outcome => error as Error,
    );
    return within(end, this.#options.maxBlockMs, this.#cluster.runtime.timers);
  }

  /** @throws unless it is done */
  #tell(outcome: Outcome, what: string): void {
    if (outcome === 'done') return;
    if (outcome !== LATE) throw outcome;
    const limit = `max.block.ms (${this.#options.maxBlockMs} ms)`;
    throw timedOut(`To ${what} takes longer than ${limit}, and goes on: ask again for the outcome.`);
  }
}
