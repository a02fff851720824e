import type { BrokerRooms } from './rooms.ts';

/** Lets the metrics page read what the rooms know. */
export function exposeGauges({ metrics, replicas, controller, logs }: BrokerRooms): void {
  metrics.expose('underReplicatedPartitions', () => replicas.stats().underReplicated);
  metrics.expose('underMinIsrPartitions', () => replicas.stats().underMinIsr);
  metrics.expose('atMinIsrPartitions', () => replicas.stats().atMinIsr);
  metrics.expose('partitions', () => replicas.stats().partitions);
  metrics.expose('leaders', () => replicas.stats().leaders);
  metrics.expose('offlineReplicas', () => replicas.stats().offline);
  metrics.expose('offlineLogDirectories', () => logs.offlineDirectories.length);
  metrics.expose('activeController', () => controller.snapshot().activeControllerCount);
  metrics.expose('offlinePartitions', () => controller.snapshot().offlinePartitionsCount);
  metrics.expose('preferredReplicaImbalance', () => controller.snapshot().preferredReplicaImbalanceCount);
  metrics.expose('activeBrokers', () => controller.snapshot().activeBrokerCount);
  metrics.expose('globalTopics', () => controller.snapshot().globalTopicCount);
  metrics.expose('globalPartitions', () => controller.snapshot().globalPartitionCount);
  metrics.expose('controllerEventQueue', () => controller.snapshot().eventQueueSize);
}
