import type { Partition } from './partition.ts';

/** What a walk over the partitions counts; the names are those of Kafka's metrics. */
export interface PartitionStatistics {
  readonly partitionCount: number;
  readonly leaderCount: number;
  readonly offlineReplicaCount: number;
  readonly underReplicatedPartitions: number;
  readonly underMinIsrPartitionCount: number;
  readonly atMinIsrPartitionCount: number;
  readonly reassigningPartitions: number;
  readonly partitionsWithLateTransactions: number;
}

export interface ReplicationStatistics extends PartitionStatistics {
  /** Since the start, as all counts of changes. */
  readonly isrShrinks: number;
  readonly isrExpands: number;
  readonly failedIsrUpdates: number;
  /** Partitions that cannot be followed until the controller says more. */
  readonly failedPartitions: number;
  /** Connections to leaders. */
  readonly fetchers: number;
  readonly fetchSessions: number;
  readonly waitingProduces: number;
  readonly waitingFetches: number;
}

/** How long an open transaction may outlive its time before it counts as late (Kafka: `LATE_TRANSACTION_BUFFER_MS`). */
const LATE_TRANSACTION_MS = 5 * 60_000;

/** @param longestTransactionMs `transaction.max.timeout.ms` */
export function gatherStatistics(
  partitions: Iterable<Partition>,
  nowMs: number,
  longestTransactionMs: number,
): PartitionStatistics {
  const lateBeforeMs = nowMs - longestTransactionMs - LATE_TRANSACTION_MS;
  const counts = {
    partitionCount: 0,
    leaderCount: 0,
    offlineReplicaCount: 0,
    underReplicatedPartitions: 0,
    underMinIsrPartitionCount: 0,
    atMinIsrPartitionCount: 0,
    reassigningPartitions: 0,
    partitionsWithLateTransactions: 0,
  };
  for (const partition of partitions) {
    counts.partitionCount += 1;
    if (partition.isOffline) counts.offlineReplicaCount += 1;
    if (partition.leadership === null) continue;
    counts.leaderCount += 1;
    if (partition.isUnderReplicated) counts.underReplicatedPartitions += 1;
    if (partition.isBeingReassigned) counts.reassigningPartitions += 1;
    const spare = partition.leadership.spareIsr;
    if (spare < 0) counts.underMinIsrPartitionCount += 1;
    if (spare === 0) counts.atMinIsrPartitionCount += 1;
    if (partition.log?.hasTransactionIdleSince(lateBeforeMs) === true) counts.partitionsWithLateTransactions += 1;
  }
  return counts;
}
