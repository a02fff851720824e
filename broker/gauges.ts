import type { Timers } from '../shared/runtime/clock.ts';
import type { BrokerRooms } from './rooms.ts';

/** Lets the metrics page read what the rooms know. */
export function exposeGauges(rooms: BrokerRooms): void {
  const { metrics, metadata, controller, logs } = rooms;
  exposeReplication(rooms);
  exposeCompaction(rooms);
  exposeGroups(rooms);
  exposeTransactions(rooms);
  metadata.onChange(({ removed }) => {
    for (const { topic } of removed) if (!metadata.hasTopic(topic)) metrics.removeTopic(topic);
  });
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

function exposeReplication({ metrics, replicas, timers }: BrokerRooms): void {
  const statistics = oncePerTurn(timers, () => replicas.statistics());
  metrics.mirror('isrShrinks', () => statistics().isrShrinks);
  metrics.mirror('isrExpands', () => statistics().isrExpands);
  metrics.mirror('failedIsrUpdates', () => statistics().failedIsrUpdates);
  metrics.expose('underReplicatedPartitions', () => statistics().underReplicatedPartitions);
  metrics.expose('underMinIsrPartitions', () => statistics().underMinIsrPartitionCount);
  metrics.expose('atMinIsrPartitions', () => statistics().atMinIsrPartitionCount);
  metrics.expose('reassigningPartitions', () => statistics().reassigningPartitions);
  metrics.expose('lateTransactionPartitions', () => statistics().partitionsWithLateTransactions);
  metrics.expose('partitions', () => statistics().partitionCount);
  metrics.expose('leaders', () => statistics().leaderCount);
  metrics.expose('offlineReplicas', () => statistics().offlineReplicaCount);
  metrics.expose('failedFollowedPartitions', () => statistics().failedPartitions);
  metrics.expose('fetchSessions', () => statistics().fetchSessions);
}

/** All gauges of a page are read in one turn of the loop: what walks over all partitions does so once for them. */
function oncePerTurn<T>(timers: Timers, read: () => T): () => T {
  let found: { readonly value: T } | null = null;
  return () => {
    if (found === null) {
      found = { value: read() };
      timers.endOfTurn(() => (found = null));
    }
    return found.value;
  };
}

function exposeGroups({ metrics, groups }: BrokerRooms): void {
  metrics.expose('groups', () => groups.groupCount());
  metrics.expose('groupsPreparingRebalance', () => groups.groupCount('PreparingRebalance'));
  metrics.expose('groupsCompletingRebalance', () => groups.groupCount('CompletingRebalance'));
  metrics.expose('groupsStable', () => groups.groupCount('Stable'));
  metrics.expose('groupsEmpty', () => groups.groupCount('Empty'));
  metrics.expose('groupsDead', () => groups.groupCount('Dead'));
  metrics.expose('groupOffsets', () => groups.offsetCount);
  metrics.expose('groupLoadTimeMax', () => groups.loadTimes.max);
  metrics.expose('groupLoadTimeAverage', () => groups.loadTimes.average);
}

function exposeTransactions({ metrics, transactions }: BrokerRooms): void {
  metrics.expose('markersWithoutLeader', () => transactions.unknownDestinations);
  metrics.expose('completionsToRetry', () => transactions.completionsToRetry);
  metrics.expose('transactionLoadTimeMax', () => transactions.loadTimes.max);
  metrics.expose('transactionLoadTimeAverage', () => transactions.loadTimes.average);
}

function exposeCompaction({ metrics, logs: { cleaner }, clock }: BrokerRooms): void {
  if (cleaner === null) return;
  const { statistics } = cleaner;
  metrics.expose('cleanerMaxDirtyPercent', () => statistics.maxDirtyPercent);
  metrics.expose('uncleanablePartitions', () => cleaner.uncleanable.length);
  metrics.expose('uncleanableBytes', () => cleaner.uncleanable.reduce((sum, { size }) => sum + size, 0));
  metrics.expose('cleanerTimeSinceLastRun', () => clock.now() - (statistics.lastRunMs ?? clock.now()));
  metrics.expose('cleanerRecopyPercent', () => statistics.recopyPercent);
  metrics.expose('cleanerMaxCleanTime', () => statistics.cleanSeconds);
  metrics.expose('cleanerMaxBufferUtilization', () => statistics.bufferUtilizationPercent);
  metrics.expose('cleanerMaxCompactionDelay', () => statistics.maxCompactionDelaySeconds);
  metrics.expose('cleanerDeadThreads', () => cleaner.deadThreads);
}
