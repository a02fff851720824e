import type { BrokerRooms } from './rooms.ts';

/** Lets the metrics page read what the rooms know. */
export function exposeGauges({ metrics, metadata, replicas, controller, logs }: BrokerRooms): void {
  metrics.mirror('isrShrinks', () => replicas.statistics().isrShrinks);
  metrics.mirror('isrExpands', () => replicas.statistics().isrExpands);
  metrics.mirror('failedIsrUpdates', () => replicas.statistics().failedIsrUpdates);
  metadata.onChange(({ removed }) => {
    for (const { topic } of removed) if (!metadata.hasTopic(topic)) metrics.removeTopic(topic);
  });
  metrics.expose('underReplicatedPartitions', () => replicas.statistics().underReplicatedPartitions);
  metrics.expose('underMinIsrPartitions', () => replicas.statistics().underMinIsrPartitionCount);
  metrics.expose('atMinIsrPartitions', () => replicas.statistics().atMinIsrPartitionCount);
  metrics.expose('reassigningPartitions', () => replicas.statistics().reassigningPartitions);
  metrics.expose('partitions', () => replicas.statistics().partitionCount);
  metrics.expose('leaders', () => replicas.statistics().leaderCount);
  metrics.expose('offlineReplicas', () => replicas.statistics().offlineReplicaCount);
  metrics.expose('producerIds', () => logs.producerCount);
  metrics.expose('offlineLogDirectories', () => logs.offlineDirectories.length);
  metrics.expose('activeController', () => controller.snapshot().activeControllerCount);
  metrics.expose('offlinePartitions', () => controller.snapshot().offlinePartitionsCount);
  metrics.expose('preferredReplicaImbalance', () => controller.snapshot().preferredReplicaImbalanceCount);
  metrics.expose('activeBrokers', () => controller.snapshot().activeBrokerCount);
  metrics.expose('globalTopics', () => controller.snapshot().globalTopicCount);
  metrics.expose('globalPartitions', () => controller.snapshot().globalPartitionCount);
  metrics.expose('controllerEventQueue', () => controller.snapshot().eventQueueSize);
}
