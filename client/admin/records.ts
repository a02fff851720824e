import { DeleteRecords } from '../../shared/protocol/messages/delete-records.ts';
import type { TopicPartition } from '../../shared/topics/topic-partition.ts';
import { askLeader } from '../cluster/ask-leader.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { throwIfError } from '../errors.ts';

export interface DeletedRecords {
  /** The least log start offset of all live replicas. */
  readonly lowWatermark: number;
}

/**
 * Has the partition's leader delete the records below `offset`; -1 means all that are committed.
 * @param timeoutMs how long the leader is to wait for the followers
 * @throws KafkaError
 */
export function deleteRecords(
  cluster: Cluster,
  tp: TopicPartition,
  offset: number,
  timeoutMs: number,
  deadline: number,
): Promise<DeletedRecords> {
  return askLeader(cluster, tp, deadline, 'no records were deleted of', async leader => {
    const partitions = [{ partitionIndex: tp.partition, offset }];
    const response = await leader.call(DeleteRecords, { topics: [{ name: tp.topic, partitions }], timeoutMs });
    const { errorCode, lowWatermark } = response!.topics[0]!.partitions[0]!;
    throwIfError(errorCode);
    return { lowWatermark };
  });
}
