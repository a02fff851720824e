/**
 * First flexible version of every client-facing and inter-broker API by key (KIP-482): needed to read a request's
 * header before anything is known of its body, also for APIs that this broker does not serve. null = no version is.
 */
export const FLEXIBLE_SINCE: ReadonlyMap<number, number | null> = new Map<number, number | null>([
  [0, 9], // Produce
  [1, 12], // Fetch
  [2, 6], // ListOffsets
  [3, 9], // Metadata
  [4, 4], // LeaderAndIsr
  [5, 2], // StopReplica
  [6, 6], // UpdateMetadata
  [7, 3], // ControlledShutdown
  [8, 8], // OffsetCommit
  [9, 6], // OffsetFetch
  [10, 3], // FindCoordinator
  [11, 6], // JoinGroup
  [12, 4], // Heartbeat
  [13, 4], // LeaveGroup
  [14, 4], // SyncGroup
  [15, 5], // DescribeGroups
  [16, 3], // ListGroups
  [17, null], // SaslHandshake
  [18, 3], // ApiVersions
  [19, 5], // CreateTopics
  [20, 4], // DeleteTopics
  [21, 2], // DeleteRecords
  [22, 2], // InitProducerId
  [23, 4], // OffsetForLeaderEpoch
  [24, 3], // AddPartitionsToTxn
  [25, 3], // AddOffsetsToTxn
  [26, 3], // EndTxn
  [27, 1], // WriteTxnMarkers
  [28, 3], // TxnOffsetCommit
  [29, 2], // DescribeAcls
  [30, 2], // CreateAcls
  [31, 2], // DeleteAcls
  [32, 4], // DescribeConfigs
  [33, 2], // AlterConfigs
  [34, 2], // AlterReplicaLogDirs
  [35, 2], // DescribeLogDirs
  [36, 2], // SaslAuthenticate
  [37, 2], // CreatePartitions
  [38, 2], // CreateDelegationToken
  [39, 2], // RenewDelegationToken
  [40, 2], // ExpireDelegationToken
  [41, 2], // DescribeDelegationToken
  [42, 2], // DeleteGroups
  [43, 2], // ElectLeaders
  [44, 1], // IncrementalAlterConfigs
  [45, 0], // AlterPartitionReassignments
  [46, 0], // ListPartitionReassignments
  [47, null], // OffsetDelete
  [48, 1], // DescribeClientQuotas
  [49, 1], // AlterClientQuotas
  [50, 0], // DescribeUserScramCredentials
  [51, 0], // AlterUserScramCredentials
  [56, 0], // AlterPartition
  [57, 0], // UpdateFeatures
  [58, 0], // Envelope
  [60, 0], // DescribeCluster
  [61, 0], // DescribeProducers
  [65, 0], // DescribeTransactions
  [66, 0], // ListTransactions
  [67, 0], // AllocateProducerIds
  [68, 0], // ConsumerGroupHeartbeat
  [69, 0], // ConsumerGroupDescribe
]);
