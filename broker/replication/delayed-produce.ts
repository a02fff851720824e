import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { Completion, DelayedOperation } from '../delayed/delayed-operations.ts';
import type { Partition } from './partition.ts';

/** One partition of an acks=all produce whose records have been appended. */
export interface AwaitedAppend {
  readonly partition: Partition;
  /** The high watermark that has to be reached: the offset behind the last record. */
  readonly requiredOffset: number;
  /** The epoch under which the records were appended. */
  readonly leaderEpoch: number;
  /** Called exactly once. */
  finish(errorCode: ErrorCode): void;
}

/**
 * An acks=all produce that waits for its records to be on all in-sync replicas (Kafka: `DelayedProduce`). Each partition
 * is finished by itself; only those that are pending at the time limit get REQUEST_TIMED_OUT.
 */
export class DelayedProduce implements DelayedOperation {
  /** Those that still wait, by partition key. A request names a partition once. */
  readonly #pending: Map<string, AwaitedAppend>;
  readonly #done: () => void;

  /** @param done called once all are finished */
  constructor(appends: readonly AwaitedAppend[], done: () => void) {
    this.#pending = new Map(appends.map(append => [append.partition.key, append]));
    this.#done = done;
  }

  /** A change of one partition concerns that one only, so that a produce to many costs no more than one to few. */
  isReady(key?: string): boolean {
    if (key === undefined) for (const append of this.#pending.values()) this.#check(append);
    else this.#check(this.#pending.get(key));
    return this.#pending.size === 0;
  }

  #check(append: AwaitedAppend | undefined): void {
    const outcome = append?.partition.produceOutcome(append.requiredOffset, append.leaderEpoch) ?? null;
    if (append === undefined || outcome === null) return;
    this.#pending.delete(append.partition.key);
    append.finish(outcome);
  }

  complete(how: Completion): void {
    const errorCode = how === 'cancelled' ? ErrorCode.NOT_LEADER_OR_FOLLOWER : ErrorCode.REQUEST_TIMED_OUT;
    for (const append of this.#pending.values()) append.finish(errorCode);
    this.#pending.clear();
    this.#done();
  }
}
