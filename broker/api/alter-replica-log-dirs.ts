import { AlterReplicaLogDirs } from '../../shared/protocol/messages/alter-replica-log-dirs.ts';
import { byTopic } from '../../shared/topics/topic-partition.ts';
import type { ReplicaManager } from '../replication/replica-manager.ts';
import type { ApiHandler } from '../request/handler.ts';

/** Orders this broker to move replicas between its log directories; answers when the moves have begun. */
export function alterReplicaLogDirsHandler(replicas: ReplicaManager): ApiHandler<typeof AlterReplicaLogDirs> {
  return {
    api: AlterReplicaLogDirs,
    versions: AlterReplicaLogDirs.versions,
    async handle(request, context) {
      context.park();
      const orders = request.dirs.flatMap(({ path, topics }) =>
        topics.flatMap(({ name, partitions }) =>
          partitions.map(partition => ({ topic: name, partition, directory: path })),
        ),
      );
      const outcomes = await replicas.alterLogDirs(orders);
      return {
        throttleTimeMs: 0,
        results: Array.from(byTopic(outcomes), ([topicName, ofTopic]) => ({
          topicName,
          partitions: ofTopic.map(({ partition, errorCode }) => ({ partitionIndex: partition, errorCode })),
        })),
      };
    },
  };
}
