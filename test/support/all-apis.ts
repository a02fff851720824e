import { AddOffsetsToTxn } from '../../shared/protocol/messages/add-offsets-to-txn.ts';
import { AddPartitionsToTxn } from '../../shared/protocol/messages/add-partitions-to-txn.ts';
import { AllocateProducerIds } from '../../shared/protocol/messages/allocate-producer-ids.ts';
import { AlterConfigs } from '../../shared/protocol/messages/alter-configs.ts';
import { AlterPartitionReassignments } from '../../shared/protocol/messages/alter-partition-reassignments.ts';
import { AlterPartition } from '../../shared/protocol/messages/alter-partition.ts';
import { AlterReplicaLogDirs } from '../../shared/protocol/messages/alter-replica-log-dirs.ts';
import { ApiVersions } from '../../shared/protocol/messages/api-versions.ts';
import { ControlledShutdown } from '../../shared/protocol/messages/controlled-shutdown.ts';
import { CreatePartitions } from '../../shared/protocol/messages/create-partitions.ts';
import { CreateTopics } from '../../shared/protocol/messages/create-topics.ts';
import { DeleteGroups } from '../../shared/protocol/messages/delete-groups.ts';
import { DeleteRecords } from '../../shared/protocol/messages/delete-records.ts';
import { DeleteTopics } from '../../shared/protocol/messages/delete-topics.ts';
import { DescribeCluster } from '../../shared/protocol/messages/describe-cluster.ts';
import { DescribeConfigs } from '../../shared/protocol/messages/describe-configs.ts';
import { DescribeGroups } from '../../shared/protocol/messages/describe-groups.ts';
import { DescribeLogDirs } from '../../shared/protocol/messages/describe-log-dirs.ts';
import { DescribeProducers } from '../../shared/protocol/messages/describe-producers.ts';
import { DescribeTransactions } from '../../shared/protocol/messages/describe-transactions.ts';
import { ElectLeaders } from '../../shared/protocol/messages/elect-leaders.ts';
import { EndTxn } from '../../shared/protocol/messages/end-txn.ts';
import { Fetch } from '../../shared/protocol/messages/fetch.ts';
import { FindCoordinator } from '../../shared/protocol/messages/find-coordinator.ts';
import { Heartbeat } from '../../shared/protocol/messages/heartbeat.ts';
import { IncrementalAlterConfigs } from '../../shared/protocol/messages/incremental-alter-configs.ts';
import { InitProducerId } from '../../shared/protocol/messages/init-producer-id.ts';
import { JoinGroup } from '../../shared/protocol/messages/join-group.ts';
import { LeaderAndIsr } from '../../shared/protocol/messages/leader-and-isr.ts';
import { LeaveGroup } from '../../shared/protocol/messages/leave-group.ts';
import { ListGroups } from '../../shared/protocol/messages/list-groups.ts';
import { ListOffsets } from '../../shared/protocol/messages/list-offsets.ts';
import { ListPartitionReassignments } from '../../shared/protocol/messages/list-partition-reassignments.ts';
import { ListTransactions } from '../../shared/protocol/messages/list-transactions.ts';
import { Metadata } from '../../shared/protocol/messages/metadata.ts';
import { OffsetCommit } from '../../shared/protocol/messages/offset-commit.ts';
import { OffsetDelete } from '../../shared/protocol/messages/offset-delete.ts';
import { OffsetFetch } from '../../shared/protocol/messages/offset-fetch.ts';
import { OffsetForLeaderEpoch } from '../../shared/protocol/messages/offset-for-leader-epoch.ts';
import { Produce } from '../../shared/protocol/messages/produce.ts';
import { StopReplica } from '../../shared/protocol/messages/stop-replica.ts';
import { SyncGroup } from '../../shared/protocol/messages/sync-group.ts';
import { TxnOffsetCommit } from '../../shared/protocol/messages/txn-offset-commit.ts';
import { UpdateMetadata } from '../../shared/protocol/messages/update-metadata.ts';
import { WriteTxnMarkers } from '../../shared/protocol/messages/write-txn-markers.ts';
import type { Api } from '../../shared/protocol/api.ts';

/** Every API that has tables. */
export const ALL_APIS: readonly Api[] = [
  Produce,
  Fetch,
  ListOffsets,
  Metadata,
  LeaderAndIsr,
  StopReplica,
  UpdateMetadata,
  ControlledShutdown,
  ApiVersions,
  CreateTopics,
  DeleteTopics,
  DeleteRecords,
  InitProducerId,
  OffsetForLeaderEpoch,
  DescribeConfigs,
  AlterConfigs,
  AlterReplicaLogDirs,
  DescribeLogDirs,
  CreatePartitions,
  ElectLeaders,
  IncrementalAlterConfigs,
  AlterPartition,
  DescribeCluster,
  DescribeProducers,
  AllocateProducerIds,
  AlterPartitionReassignments,
  ListPartitionReassignments,
  FindCoordinator,
  JoinGroup,
  SyncGroup,
  Heartbeat,
  LeaveGroup,
  OffsetCommit,
  OffsetFetch,
  OffsetDelete,
  DescribeGroups,
  ListGroups,
  DeleteGroups,
  AddPartitionsToTxn,
  AddOffsetsToTxn,
  EndTxn,
  WriteTxnMarkers,
  TxnOffsetCommit,
  DescribeTransactions,
  ListTransactions,
];
