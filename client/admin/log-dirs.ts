import type { Connection } from '../../shared/connection/connection.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { AlterReplicaLogDirs } from '../../shared/protocol/messages/alter-replica-log-dirs.ts';
import { DescribeLogDirs } from '../../shared/protocol/messages/describe-log-dirs.ts';
import { byTopic, partitionKey, type TopicPartition } from '../../shared/topics/topic-partition.ts';
import { KafkaError, throwIfError } from '../errors.ts';

/** A replica's log in a log directory. Sizes in bytes. */
export interface ReplicaLog extends TopicPartition {
  readonly size: number;
  /** Records that a future log is behind the current one, or the current one behind the high watermark; -1 = not known. */
  readonly offsetLag: number;
  /** Being filled, to take the place of the current log in another directory. */
  readonly isFuture: boolean;
}

/** A log directory of a broker. */
export interface LogDir {
  readonly path: string;
  /** Why nothing is known of it; null when it works. */
  readonly error: KafkaError | null;
  readonly replicas: readonly ReplicaLog[];
  /** Of the volume, in bytes; -1 = not known. */
  readonly totalBytes: number;
  readonly usableBytes: number;
}

/** Where a replica is to be. */
export interface ReplicaPlacement extends TopicPartition {
  readonly broker: number;
  /** Absolute path of one of the broker's log directories. */
  readonly directory: string;
}

/** @throws KafkaError when the broker refuses as a whole */
export async function describeLogDirs(connection: Connection): Promise<LogDir[]> {
  const response = (await connection.call(DescribeLogDirs, { topics: null }))!;
  throwIfError(response.errorCode);
  return response.results.map(({ errorCode, logDir, topics, totalBytes, usableBytes }) => ({
    path: logDir,
    error: errorCode === ErrorCode.NONE ? null : new KafkaError(errorCode),
    replicas: topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, partitionSize, offsetLag, isFutureKey }) => ({
        topic: name,
        partition: partitionIndex,
        size: partitionSize,
        offsetLag,
        isFuture: isFutureKey,
      })),
    ),
    totalBytes,
    usableBytes,
  }));
}

/** Orders moves on one broker. @returns error codes by `topic-partition` */
export async function alterReplicaLogDirs(
  connection: Connection,
  placements: readonly ReplicaPlacement[],
): Promise<Map<string, number>> {
  const paths = [...new Set(placements.map(({ directory }) => directory))];
  const dirs = paths.map(path => ({
    path,
    topics: Array.from(byTopic(placements.filter(({ directory }) => directory === path)), ([name, ofTopic]) => ({
      name,
      partitions: ofTopic.map(({ partition }) => partition),
    })),
  }));
  const response = (await connection.call(AlterReplicaLogDirs, { dirs }))!;
  return new Map(
    response.results.flatMap(({ topicName, partitions }) =>
      partitions.map(({ partitionIndex, errorCode }) => [partitionKey(topicName, partitionIndex), errorCode] as const),
    ),
  );
}
