import { DeleteRecords } from '../../shared/protocol/messages/delete-records.ts';
import { byTopic } from '../../shared/topics/topic-partition.ts';
import type { DeletionEntry } from '../replication/record-deletion.ts';
import type { ReplicaManager } from '../replication/replica-manager.ts';
import type { ApiHandler } from '../request/handler.ts';

/** Deletes records below an offset at the leader; answers when all live replicas have done so, or at the timeout. */
export function deleteRecordsHandler(replicas: ReplicaManager): ApiHandler<typeof DeleteRecords> {
  return {
    api: DeleteRecords,
    versions: DeleteRecords.versions,
    async handle(request, context) {
      context.park();
      const entries: DeletionEntry[] = request.topics.flatMap(({ name, partitions }) =>
        partitions.map(({ partitionIndex, offset }) => ({ topic: name, partition: partitionIndex, offset })),
      );
      const results = await replicas.deleteRecords(entries, request.timeoutMs);
      return {
        throttleTimeMs: 0,
        topics: Array.from(byTopic(results), ([name, outcomes]) => ({
          name,
          partitions: outcomes.map(({ partition, lowWatermark, errorCode }) => ({
            partitionIndex: partition,
            lowWatermark,
            errorCode,
          })),
        })),
      };
    },
  };
}
