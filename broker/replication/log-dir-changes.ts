import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import { partitionKey, type TopicPartition } from '../../shared/topics/topic-partition.ts';
import type { DirectoryDescription } from '../storage/directory-descriptions.ts';
import { mayMove } from '../storage/file-names.ts';
import type { LogManager } from '../storage/log-manager.ts';
import type { PartitionLog } from '../storage/partition-log.ts';
import type { DirectoryMoves, Move } from './directory-moves.ts';
import { clientError, ReplicationError } from './errors.ts';
import type { FetcherManager } from './fetcher-manager.ts';
import type { HostedPartitions } from './hosted-partitions.ts';
import type { Partition } from './partition.ts';

/** The order that a partition's log is to be in a log directory of this broker. */
export interface DirectoryOrder extends TopicPartition {
  /** Absolute path of one of `log.dirs`. */
  readonly directory: string;
}

export interface DirectoryOutcome extends TopicPartition {
  readonly errorCode: ErrorCode;
}

/** A log in a log directory. Sizes in bytes. */
export interface DescribedLog extends TopicPartition {
  readonly size: number;
  /** Records that a future log is behind the current one, or the current one behind the high watermark; -1 = not known. */
  readonly offsetLag: number;
  readonly isFuture: boolean;
}

export interface DescribedDirectory extends Omit<DirectoryDescription, 'logs'> {
  readonly logs: readonly DescribedLog[];
}

export interface LogDirChangesOptions {
  readonly partitions: HostedPartitions;
  readonly logs: LogManager;
  readonly moves: DirectoryMoves;
  readonly fetchers: FetcherManager;
  /** Runs an action when no role is being changed, nor another such action is under way. */
  readonly inOrder: <T>(action: () => Promise<T>) => Promise<T>;
  readonly logger: Logger;
}

/** How far behind a future log may be for the current one to be stopped while it gets the rest. */
const LAST_COPY_RECORDS = 10_000;
const LAST_COPY_BYTES = 1 << 20;

/** Where replicas are among this broker's log directories (Kafka: `ReplicaManager.alterReplicaLogDirs`, KIP-113). */
export class LogDirChanges {
  readonly #options: LogDirChangesOptions;

  constructor(options: LogDirChangesOptions) {
    this.#options = options;
  }

  /** Orders moves; they go on after the answer. */
  alter(orders: readonly DirectoryOrder[]): Promise<DirectoryOutcome[]> {
    return this.#options.inOrder(async () => {
      const outcomes: DirectoryOutcome[] = [];
      for (const order of orders) {
        const { topic, partition } = order;
        outcomes.push({ topic, partition, errorCode: await this.#attempt(order) });
      }
      return outcomes;
    });
  }

  async #attempt(order: DirectoryOrder): Promise<ErrorCode> {
    try {
      await this.#alter(order);
      return ErrorCode.NONE;
    } catch (error) {
      const known = clientError(error);
      if (known === null) this.#options.logger.error({ err: error, ...order }, 'a log directory could not be changed');
      if (known?.code === ErrorCode.NOT_LEADER_OR_FOLLOWER) return ErrorCode.REPLICA_NOT_AVAILABLE;
      return known?.code ?? ErrorCode.UNKNOWN_SERVER_ERROR;
    }
  }

  /** @throws ReplicationError, StorageError */
  async #alter({ topic, partition, directory }: DirectoryOrder): Promise<void> {
    const { partitions, logs, moves } = this.#options;
    if (!mayMove(topic, partition)) {
      throw new ReplicationError(ErrorCode.INVALID_TOPIC_EXCEPTION, `The topic name ${topic} is too long for a move.`);
    }
    logs.checkDirectory(directory);
    const hosted = partitions.get(topic, partition);
    if (hosted?.isOffline === true) {
      throw new ReplicationError(ErrorCode.KAFKA_STORAGE_ERROR, `The log directory of ${hosted.key} is offline.`);
    }
    const future = logs.getFutureLog(topic, partition);
    if (future !== undefined && future.directory !== directory) {
      await moves.cancel([partitionKey(topic, partition)]);
      await logs.deleteFutureLog(topic, partition);
    }
    if (hosted === undefined || hosted.log === null) {
      logs.wishDirectory(topic, partition, directory);
      const found = partitions.find(topic, partition);
      const code = typeof found === 'number' ? found : ErrorCode.NOT_LEADER_OR_FOLLOWER;
      throw new ReplicationError(code, `There is no replica of ${topic}-${partition} here.`);
    }
    if (hosted.log.directory === directory) return;
    moves.start(hosted, hosted.log, future ?? logs.createFutureLog(hosted.log, directory));
  }

  /** Goes on with moves of hosted partitions that the last run of the broker, or a failure, has left. */
  resume(): void {
    const { partitions, logs, moves } = this.#options;
    for (const future of logs.futureLogs()) {
      const hosted = partitions.get(future.topic, future.partition);
      if (hosted !== undefined && hosted.log !== null) moves.start(hosted, hosted.log, future);
    }
  }

  /**
   * Puts a future log that has caught up in the place of the current one: nothing may be appended meanwhile, so the role
   * must not change, fetching stops, and producers' appends are held back.
   * @returns false when it has fallen behind too far again
   */
  finish(move: Move): Promise<boolean> {
    return this.#options.inOrder(async () => {
      const { partition, copy } = move;
      if (move.isCancelled || partition.log !== copy.current) return true;
      const { fetchers } = this.#options;
      const isFollowed = fetchers.follows(partition);
      if (isFollowed) await fetchers.remove([partition]);
      await partition.holdAppends();
      try {
        return await this.#swap(move);
      } finally {
        partition.releaseAppends();
        if (isFollowed) this.#followAgain(partition);
      }
    });
  }

  #followAgain(partition: Partition): void {
    const { log, leader, leaderEpoch } = partition;
    if (log !== null) this.#options.fetchers.add([{ partition, log, leader, leaderEpoch }]);
  }

  async #swap({ partition, copy }: Move): Promise<boolean> {
    const { logs } = this.#options;
    if (copy.missing > LAST_COPY_RECORDS) return false;
    while ((await copy.step(LAST_COPY_BYTES)) > 0);
    // The directory of the current log may have failed meanwhile.
    if (partition.log !== copy.current) return true;
    try {
      partition.replaceLog(copy.current, logs.swapInFutureLog(partition.topic, partition.partition));
    } catch (error) {
      // The current log is gone by now, and the future one is in a directory that has failed.
      partition.goOffline();
      throw error;
    }
    return true;
  }

  /** All log directories; of their logs those that `isWanted`. */
  async describe(isWanted: (tp: TopicPartition) => boolean): Promise<DescribedDirectory[]> {
    const directories = await this.#options.logs.describeDirectories();
    return directories.map(directory => ({
      ...directory,
      logs: directory.logs.filter(isWanted).map(log => this.#describeLog(log)),
    }));
  }

  #describeLog(log: PartitionLog): DescribedLog {
    const { topic, partition, size, isFuture } = log;
    return {
      topic,
      partition,
      size,
      isFuture,
      offsetLag: this.#lag(log, this.#options.partitions.get(topic, partition)),
    };
  }

  #lag({ logEndOffset, isFuture }: PartitionLog, hosted: Partition | undefined): number {
    const current = hosted?.log ?? null;
    if (current === null) return -1;
    return isFuture ? current.logEndOffset - logEndOffset : Math.max(0, current.highWatermark - logEndOffset);
  }
}
