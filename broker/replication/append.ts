import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import { isInternalTopic } from '../../shared/topics/names.ts';
import type { DelayedOperations } from '../delayed/delayed-operations.ts';
import type { RecordError } from '../storage/errors.ts';
import { DelayedProduce, type AwaitedAppend } from './delayed-produce.ts';
import type { AppendEntry, AppendRequest } from './append-request.ts';
import { clientError, ReplicationError } from './errors.ts';
import type { HostedPartitions } from './hosted-partitions.ts';
import type { LeaderAppend, Partition } from './partition.ts';
import type { TransactionVerification, Verified } from './transaction-verification.ts';

/** What became of one entry. Offsets and times are -1 with an error. */
export interface AppendResult {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: ErrorCode;
  readonly baseOffset: number;
  /** The time that the broker gave to the records, -1 when they keep their own. */
  readonly logAppendTimeMs: number;
  readonly logStartOffset: number;
  readonly recordErrors: readonly RecordError[];
  readonly errorMessage: string | null;
}

const ALL_REPLICAS = -1;

/** An entry on its way. */
interface Appending {
  readonly entry: AppendEntry;
  result: AppendResult;
  /** What an acks=all produce waits for; null when the append failed. */
  awaited: Omit<AwaitedAppend, 'finish'> | null;
}

/** Appends to the partitions that this broker leads (Kafka: `ReplicaManager.appendRecords`). */
export class Appender {
  readonly #partitions: HostedPartitions;
  readonly #delayed: DelayedOperations;
  readonly #verification: TransactionVerification | null;
  readonly #logger: Logger;

  /**
   * @param delayed where acks=all waits; to be checked with a partition's key when its high watermark moves
   * @param verification null: transactions are taken on trust
   */
  constructor(
    partitions: HostedPartitions,
    delayed: DelayedOperations,
    verification: TransactionVerification | null,
    logger: Logger,
  ) {
    this.#partitions = partitions;
    this.#delayed = delayed;
    this.#verification = verification;
    this.#logger = logger;
  }

  /**
   * Appends and, with acks=-1, waits for the replicas. Never rejects: every entry has its own outcome.
   * @param onParked called when the records have got their places in the logs: in this call, unless the coordinator of
   *     their transaction has to be asked first, during which the caller must hold back what is to come behind them
   */
  append(request: AppendRequest, onParked: () => void): Promise<AppendResult[]> {
    const { acks, entries } = request;
    if (acks !== 0 && acks !== 1 && acks !== ALL_REPLICAS) {
      const message = `The acks are ${acks}, and can only be -1, 0 or 1.`;
      const refusal = new ReplicationError(ErrorCode.INVALID_REQUIRED_ACKS, message);
      return Promise.resolve(entries.map(entry => this.#failure(entry, refusal)));
    }
    const verified = this.#verification?.begin(request) ?? null;
    return verified instanceof Promise
      ? verified.then(outcome => this.#appendAll(request, outcome, onParked))
      : this.#appendAll(request, verified, onParked);
  }

  #appendAll(request: AppendRequest, verified: Verified | null, onParked: () => void): Promise<AppendResult[]> {
    const appends = request.entries.map(entry => this.#appendLocally(entry, request, verified));
    onParked();
    return this.#conclude(request, appends);
  }

  async #conclude({ acks, timeoutMs }: AppendRequest, appends: Promise<Appending>[]): Promise<AppendResult[]> {
    const appended = await Promise.all(appends);
    if (acks === ALL_REPLICAS) await this.#awaitReplicas(appended, timeoutMs);
    return appended.map(({ result }) => result);
  }

  /** Hands the records to the log in this call. */
  #appendLocally(entry: AppendEntry, request: AppendRequest, verified: Verified | null): Promise<Appending> {
    const refused = (error: unknown): Appending => ({ entry, result: this.#failure(entry, error), awaited: null });
    const refusal = verified?.refusals.get(entry);
    if (refusal !== undefined) return Promise.resolve(refused(refusal));
    try {
      const partition = this.#find(entry, request);
      const options = {
        origin: request.origin === 'coordinator' ? ('coordinator' as const) : ('client' as const),
        ...(request.legacyMagicAllowed ? {} : { requiredMagic: 2 as const }),
        ...(verified === null ? {} : { verification: verified.guards.get(entry) ?? ('not begun' as const) }),
      };
      const append = partition.appendAsLeader(entry.records, options, request.acks === ALL_REPLICAS);
      return append.then(done => success(entry, partition, done), refused);
    } catch (error) {
      return Promise.resolve(refused(error));
    }
  }

  /** @throws ReplicationError */
  #find({ topic, partition }: AppendEntry, { origin }: AppendRequest): Partition {
    if (origin === 'client' && isInternalTopic(topic)) {
      throw new ReplicationError(
        ErrorCode.INVALID_TOPIC_EXCEPTION,
        `Clients may not write to the internal topic ${topic}.`,
      );
    }
    const found = this.#partitions.find(topic, partition);
    if (typeof found !== 'number') return found;
    const isElsewhere = found === ErrorCode.NOT_LEADER_OR_FOLLOWER;
    const message = isElsewhere ? 'This broker does not lead' : 'This broker does not know';
    throw new ReplicationError(found, `${message} ${topic}-${partition}.`);
  }

  #failure({ topic, partition }: AppendEntry, error: unknown): AppendResult {
    const known = clientError(error);
    if (known === null) this.#logger.error({ err: error, topic, partition }, 'an append failed unexpectedly');
    return {
      topic,
      partition,
      errorCode: known?.code ?? ErrorCode.UNKNOWN_SERVER_ERROR,
      baseOffset: -1,
      logAppendTimeMs: -1,
      logStartOffset: -1,
      recordErrors: known?.recordErrors ?? [],
      errorMessage: known?.message ?? null,
    };
  }

  #awaitReplicas(appended: readonly Appending[], timeoutMs: number): Promise<void> {
    const awaited = appended.flatMap(appending => {
      if (appending.awaited === null) return [];
      const finish = (errorCode: ErrorCode) => (appending.result = withOutcome(appending.result, errorCode));
      return [{ ...appending.awaited, finish }];
    });
    if (awaited.length === 0) return Promise.resolve();
    return new Promise(resolve => {
      const keys = awaited.map(({ partition }) => partition.key);
      this.#delayed.tryCompleteElseWatch(new DelayedProduce(awaited, resolve), keys, timeoutMs);
    });
  }
}

function success(entry: AppendEntry, partition: Partition, { info, leaderEpoch }: LeaderAppend): Appending {
  const result: AppendResult = {
    topic: entry.topic,
    partition: entry.partition,
    errorCode: ErrorCode.NONE,
    baseOffset: info.firstOffset,
    logAppendTimeMs: info.logAppendTime,
    logStartOffset: info.logStartOffset,
    recordErrors: [],
    errorMessage: null,
  };
  return { entry, result, awaited: { partition, requiredOffset: info.lastOffset + 1, leaderEpoch } };
}

const OUTCOME_MESSAGES: ReadonlyMap<ErrorCode, string> = new Map([
  [ErrorCode.REQUEST_TIMED_OUT, 'The records were appended, but not all in-sync replicas had them in time.'],
  [
    ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    'The records were appended, but fewer replicas are in sync than needed.',
  ],
  [ErrorCode.NOT_LEADER_OR_FOLLOWER, 'This broker no longer leads the partition.'],
  [ErrorCode.KAFKA_STORAGE_ERROR, 'The log directory went offline.'],
]);

/** As in Kafka, the offsets are told even when the replicas did not follow: the records may well be committed later. */
function withOutcome(result: AppendResult, errorCode: ErrorCode): AppendResult {
  return { ...result, errorCode, errorMessage: OUTCOME_MESSAGES.get(errorCode) ?? null };
}
