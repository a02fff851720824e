import { preferredReplica, replicasOf, replicaState, type ControllerContext } from './context.ts';
import { isHalted } from './topic-deletion.ts';

/** What a controller can be watched by; the names are those of Kafka's KafkaController metrics. */
export interface ControllerGauges {
  readonly activeBrokerCount: number;
  readonly globalTopicCount: number;
  readonly globalPartitionCount: number;
  readonly offlinePartitionsCount: number;
  readonly preferredReplicaImbalanceCount: number;
  readonly topicsToDeleteCount: number;
  readonly topicsIneligibleToDeleteCount: number;
  readonly replicasToDeleteCount: number;
  readonly replicasIneligibleToDeleteCount: number;
}

/** All zero: what a broker shows that is not the controller. */
export const NO_GAUGES: ControllerGauges = {
  activeBrokerCount: 0,
  globalTopicCount: 0,
  globalPartitionCount: 0,
  offlinePartitionsCount: 0,
  preferredReplicaImbalanceCount: 0,
  topicsToDeleteCount: 0,
  topicsIneligibleToDeleteCount: 0,
  replicasToDeleteCount: 0,
  replicasIneligibleToDeleteCount: 0,
};

/** Counts afresh: meant for a metrics page that is read every few seconds. */
export function countGauges(context: ControllerContext): ControllerGauges {
  const topics = context.topics();
  const partitions = context.allPartitions();
  const kept = partitions.filter(({ topic }) => !context.isQueuedForDeletion(topic));
  const doomed = topics.filter(topic => topic.queuedForDeletion);
  const doomedReplicas = doomed
    .flatMap(topic => replicasOf(topic.partitions.values()))
    .filter(replica => replicaState(replica) !== 'ReplicaDeletionSuccessful');
  return {
    activeBrokerCount: context.liveOrShuttingDownIds().filter(id => context.isLive(id)).length,
    globalTopicCount: topics.length,
    globalPartitionCount: partitions.length,
    offlinePartitionsCount: kept.filter(({ state }) => state === 'OfflinePartition' || state === 'NewPartition').length,
    preferredReplicaImbalanceCount: kept.filter(
      partition => partition.leadership !== null && partition.leadership.leader !== preferredReplica(partition),
    ).length,
    topicsToDeleteCount: doomed.length,
    topicsIneligibleToDeleteCount: doomed.filter(isHalted).length,
    replicasToDeleteCount: doomedReplicas.length,
    replicasIneligibleToDeleteCount: doomedReplicas.filter(
      replica => replicaState(replica) === 'ReplicaDeletionIneligible',
    ).length,
  };
}
