import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { Completion, DelayedOperation } from '../delayed/delayed-operations.ts';
import type { Partition } from './partition.ts';

/** A deletion of records that the leader has done, and that the followers have to do as well. */
export interface AwaitedDeletion {
  readonly partition: Partition;
  /** The log start offset that all live replicas have to reach. */
  readonly requiredOffset: number;
  /** Called at least once; the last call counts. */
  finish(errorCode: ErrorCode, lowWatermark: number): void;
}

/** Deletions of one request that wait for the followers (Kafka: `DelayedDeleteRecords`). */
export class DelayedDeletion implements DelayedOperation {
  #pending: readonly AwaitedDeletion[];
  readonly #done: () => void;

  /** @param done called once, when all are finished */
  constructor(deletions: readonly AwaitedDeletion[], done: () => void) {
    this.#pending = deletions;
    this.#done = done;
  }

  isReady(key?: string): boolean {
    this.#pending = this.#pending.filter(deletion => {
      const { partition, requiredOffset } = deletion;
      if (key !== undefined && key !== partition.key) return true;
      const { errorCode, lowWatermark } = partition.deletionProgress();
      const isDone = errorCode !== ErrorCode.NONE || lowWatermark >= requiredOffset;
      if (isDone) deletion.finish(errorCode, lowWatermark);
      return !isDone;
    });
    return this.#pending.length === 0;
  }

  complete(how: Completion): void {
    for (const deletion of this.#pending) {
      const { lowWatermark } = deletion.partition.deletionProgress();
      deletion.finish(
        how === 'cancelled' ? ErrorCode.NOT_LEADER_OR_FOLLOWER : ErrorCode.REQUEST_TIMED_OUT,
        lowWatermark,
      );
    }
    this.#pending = [];
    this.#done();
  }
}
