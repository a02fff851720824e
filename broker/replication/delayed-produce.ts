import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { Completion, DelayedOperation } from '../delayed/delayed-operations.ts';
import type { Partition } from './partition.ts';

/** One entry of an acks=all produce whose records have been appended. */
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
  /** Those that still wait, by partition key; more than one where a request names a partition twice. */
  readonly #pending = new Map<string, AwaitedAppend[]>();
  readonly #done: () => void;

  /** @param done called once all are finished */
  constructor(appends: readonly AwaitedAppend[], done: () => void) {
    this.#done = done;
    for (const append of appends) {
      const { key } = append.partition;
      this.#pending.set(key, [...(this.#pending.get(key) ?? []), append]);
    }
  }

  /** A change of one partition concerns that one only, so that a produce to many costs no more than one to few. */
  isReady(key?: string): boolean {
    for (const changed of key === undefined ? [...this.#pending.keys()] : [key]) this.#check(changed);
    return this.#pending.size === 0;
  }

  #check(key: string): void {
    const waiting = this.#pending.get(key)?.filter(append => {
      const outcome = append.partition.produceOutcome(append.requiredOffset, append.leaderEpoch);
      if (outcome !== null) append.finish(outcome);
      return outcome === null;
    });
    if (waiting === undefined || waiting.length === 0) this.#pending.delete(key);
    else this.#pending.set(key, waiting);
  }

  complete(how: Completion): void {
    const errorCode = how === 'cancelled' ? ErrorCode.NOT_LEADER_OR_FOLLOWER : ErrorCode.REQUEST_TIMED_OUT;
    for (const append of [...this.#pending.values()].flat()) append.finish(errorCode);
    this.#pending.clear();
    this.#done();
  }
}
