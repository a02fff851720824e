import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import { isInternalTopic } from '../../shared/topics/names.ts';
import type { TopicPartition } from '../../shared/topics/topic-partition.ts';
import type { DelayedOperations } from '../delayed/delayed-operations.ts';
import { DelayedDeletion, type AwaitedDeletion } from './delayed-deletion.ts';
import { clientError } from './errors.ts';
import type { HostedPartitions } from './hosted-partitions.ts';

/** The order to delete a partition's records below an offset. */
export interface DeletionEntry extends TopicPartition {
  /** -1: everything that is committed. */
  readonly offset: number;
}

export interface DeletionResult extends TopicPartition {
  readonly errorCode: ErrorCode;
  /** The least log start offset of all live replicas, as far as the leader knows; -1 with most errors. */
  readonly lowWatermark: number;
}

interface Deleting {
  result: DeletionResult;
  awaited: Omit<AwaitedDeletion, 'finish'> | null;
}

/** Deletes records of the partitions that this broker leads (Kafka: `ReplicaManager.deleteRecords`, KIP-107). */
export class RecordDeletion {
  readonly #partitions: HostedPartitions;
  readonly #delayed: DelayedOperations;
  readonly #logger: Logger;

  /** @param delayed where deletions wait; to be checked with a partition's key when its low watermark moves */
  constructor(partitions: HostedPartitions, delayed: DelayedOperations, logger: Logger) {
    this.#partitions = partitions;
    this.#delayed = delayed;
    this.#logger = logger;
  }

  /** Raises the log starts and waits until all live replicas have followed, at most `timeoutMs`. Never rejects. */
  async delete(entries: readonly DeletionEntry[], timeoutMs: number): Promise<DeletionResult[]> {
    const deletions = entries.map(entry => this.#deleteLocally(entry));
    const awaited = deletions.flatMap(deletion => {
      if (deletion.awaited === null) return [];
      const finish = (errorCode: ErrorCode, lowWatermark: number) =>
        (deletion.result = { ...deletion.result, errorCode, lowWatermark });
      return [{ ...deletion.awaited, finish }];
    });
    if (awaited.length > 0) {
      const keys = awaited.map(({ partition }) => partition.key);
      await new Promise<void>(resolve => {
        this.#delayed.tryCompleteElseWatch(new DelayedDeletion(awaited, resolve), keys, timeoutMs);
      });
    }
    return deletions.map(({ result }) => result);
  }

  #deleteLocally({ topic, partition, offset }: DeletionEntry): Deleting {
    const outcome = (errorCode: ErrorCode, lowWatermark = -1) => ({ topic, partition, errorCode, lowWatermark });
    if (isInternalTopic(topic)) return { result: outcome(ErrorCode.INVALID_TOPIC_EXCEPTION), awaited: null };
    const found = this.#partitions.find(topic, partition);
    if (typeof found === 'number') return { result: outcome(found), awaited: null };
    try {
      const requiredOffset = found.deleteRecords(offset);
      return { result: outcome(ErrorCode.NONE), awaited: { partition: found, requiredOffset } };
    } catch (error) {
      const known = clientError(error);
      if (known === null) this.#logger.error({ err: error, topic, partition }, 'records could not be deleted');
      return { result: outcome(known?.code ?? ErrorCode.UNKNOWN_SERVER_ERROR), awaited: null };
    }
  }
}
