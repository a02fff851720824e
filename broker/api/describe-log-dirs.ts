import type { RequestOf, ResponseInput } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { DescribeLogDirs } from '../../shared/protocol/messages/describe-log-dirs.ts';
import { byTopic, partitionKey, type TopicPartition } from '../../shared/topics/topic-partition.ts';
import type { DescribedDirectory } from '../replication/log-dir-changes.ts';
import type { ReplicaManager } from '../replication/replica-manager.ts';
import type { ApiHandler } from '../request/handler.ts';

type Request = RequestOf<typeof DescribeLogDirs>;
type Result = ResponseInput<typeof DescribeLogDirs>['results'][number];

/** Tells the log directories of this broker, current and future logs in them, and the room that is left. */
export function describeLogDirsHandler(replicas: ReplicaManager): ApiHandler<typeof DescribeLogDirs> {
  return {
    api: DescribeLogDirs,
    versions: DescribeLogDirs.versions,
    async handle(request, context) {
      context.park();
      const directories = await replicas.describeLogDirs(filter(request));
      return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, results: directories.map(describe) };
    },
  };
}

function filter({ topics }: Request): (tp: TopicPartition) => boolean {
  if (topics === null) return () => true;
  const wanted = new Set(topics.flatMap(({ topic, partitions }) => partitions.map(p => partitionKey(topic, p))));
  return ({ topic, partition }) => wanted.has(partitionKey(topic, partition));
}

function describe({ path, isOffline, logs, totalBytes, usableBytes }: DescribedDirectory): Result {
  return {
    errorCode: isOffline ? ErrorCode.KAFKA_STORAGE_ERROR : ErrorCode.NONE,
    logDir: path,
    topics: Array.from(byTopic(logs), ([name, described]) => ({
      name,
      partitions: described.map(({ partition, size, offsetLag, isFuture }) => ({
        partitionIndex: partition,
        partitionSize: size,
        offsetLag,
        isFutureKey: isFuture,
      })),
    })),
    totalBytes,
    usableBytes,
  };
}
