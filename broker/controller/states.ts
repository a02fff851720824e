/**
 * The states that the controller keeps of partitions and replicas, as tables of which state may follow which (Kafka:
 * `PartitionState.validPreviousStates`, `ReplicaState.validPreviousStates`). What a transition does is in
 * partition-states.ts and replica-states.ts.
 *
 *   partition   NonExistent ─► New ─► Online ◄─► Offline ─► NonExistent          (New ─► Offline as well)
 *
 *   replica     NonExistent ─► New ─► Online ◄─► Offline ─► DeletionStarted ─► DeletionSuccessful ─► NonExistent
 *                                       ▲          │ ▲             │
 *                                       │          ▼ │             │
 *                                       └─── DeletionIneligible ◄──┘
 */
export type PartitionState = 'NonExistentPartition' | 'NewPartition' | 'OnlinePartition' | 'OfflinePartition';

/** For each state, those from which it may be entered. */
export const PARTITION_STATE_SOURCES: Readonly<Record<PartitionState, readonly PartitionState[]>> = {
  NonExistentPartition: ['OfflinePartition'],
  NewPartition: ['NonExistentPartition'],
  OnlinePartition: ['NewPartition', 'OnlinePartition', 'OfflinePartition'],
  OfflinePartition: ['NewPartition', 'OnlinePartition', 'OfflinePartition'],
};

export type ReplicaState =
  | 'NewReplica'
  | 'OnlineReplica'
  | 'OfflineReplica'
  | 'ReplicaDeletionStarted'
  | 'ReplicaDeletionSuccessful'
  | 'ReplicaDeletionIneligible'
  | 'NonExistentReplica';

/** For each state, those from which it may be entered. */
export const REPLICA_STATE_SOURCES: Readonly<Record<ReplicaState, readonly ReplicaState[]>> = {
  NewReplica: ['NonExistentReplica'],
  OnlineReplica: ['NewReplica', 'OnlineReplica', 'OfflineReplica', 'ReplicaDeletionIneligible'],
  OfflineReplica: ['NewReplica', 'OnlineReplica', 'OfflineReplica', 'ReplicaDeletionIneligible'],
  ReplicaDeletionStarted: ['OfflineReplica'],
  ReplicaDeletionSuccessful: ['ReplicaDeletionStarted'],
  ReplicaDeletionIneligible: ['OfflineReplica', 'ReplicaDeletionStarted'],
  NonExistentReplica: ['ReplicaDeletionSuccessful'],
};
