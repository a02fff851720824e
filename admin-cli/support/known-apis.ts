import type { Api } from '../../shared/protocol/api.ts';
import { AlterConfigs } from '../../shared/protocol/messages/alter-configs.ts';
import { AlterPartition } from '../../shared/protocol/messages/alter-partition.ts';
import { AlterPartitionReassignments } from '../../shared/protocol/messages/alter-partition-reassignments.ts';
import { AlterReplicaLogDirs } from '../../shared/protocol/messages/alter-replica-log-dirs.ts';
import { ApiVersions } from '../../shared/protocol/messages/api-versions.ts';
import { ControlledShutdown } from '../../shared/protocol/messages/controlled-shutdown.ts';
import { CreatePartitions } from '../../shared/protocol/messages/create-partitions.ts';
import { CreateTopics } from '../../shared/protocol/messages/create-topics.ts';
import { DeleteRecords } from '../../shared/protocol/messages/delete-records.ts';
import { DeleteTopics } from '../../shared/protocol/messages/delete-topics.ts';
import { DescribeCluster } from '../../shared/protocol/messages/describe-cluster.ts';
import { DescribeConfigs } from '../../shared/protocol/messages/describe-configs.ts';
import { DescribeLogDirs } from '../../shared/protocol/messages/describe-log-dirs.ts';
import { ElectLeaders } from '../../shared/protocol/messages/elect-leaders.ts';
import { Fetch } from '../../shared/protocol/messages/fetch.ts';
import { IncrementalAlterConfigs } from '../../shared/protocol/messages/incremental-alter-configs.ts';
import { LeaderAndIsr } from '../../shared/protocol/messages/leader-and-isr.ts';
import { ListOffsets } from '../../shared/protocol/messages/list-offsets.ts';
import { ListPartitionReassignments } from '../../shared/protocol/messages/list-partition-reassignments.ts';
import { Metadata } from '../../shared/protocol/messages/metadata.ts';
import { OffsetForLeaderEpoch } from '../../shared/protocol/messages/offset-for-leader-epoch.ts';
import { Produce } from '../../shared/protocol/messages/produce.ts';
import { StopReplica } from '../../shared/protocol/messages/stop-replica.ts';
import { UpdateMetadata } from '../../shared/protocol/messages/update-metadata.ts';

/** The APIs whose requests can be made here, by key: what "usable" means to kafka-broker-api-versions. */
export const KNOWN_APIS: ReadonlyMap<number, Api> = new Map(
  [
    AlterConfigs,
    AlterPartition,
    AlterPartitionReassignments,
    AlterReplicaLogDirs,
    ApiVersions,
    ControlledShutdown,
    CreatePartitions,
    CreateTopics,
    DeleteRecords,
    DeleteTopics,
    DescribeCluster,
    DescribeConfigs,
    DescribeLogDirs,
    ElectLeaders,
    Fetch,
    IncrementalAlterConfigs,
    LeaderAndIsr,
    ListOffsets,
    ListPartitionReassignments,
    Metadata,
    OffsetForLeaderEpoch,
    Produce,
    StopReplica,
    UpdateMetadata,
  ].map(api => [api.key, api]),
);
