/** One metric as Prometheus shows it. */
export interface MetricRow {
  readonly name: string;
  readonly help: string;
}

/**
 * Counted by topic and, without the label, over all topics. The names are those that the widely used rules of the
 * Prometheus JMX exporter give to Kafka's metrics, so that existing dashboards work.
 */
export const TOPIC_COUNTERS = {
  messagesIn: {
    name: 'kafka_server_brokertopicmetrics_messagesin_total',
    help: 'Records that producers wrote.',
  },
  bytesIn: {
    name: 'kafka_server_brokertopicmetrics_bytesin_total',
    help: 'Bytes of record batches that producers wrote.',
  },
  bytesOut: {
    name: 'kafka_server_brokertopicmetrics_bytesout_total',
    help: 'Bytes of record batches that consumers read.',
  },
  bytesRejected: {
    name: 'kafka_server_brokertopicmetrics_bytesrejected_total',
    help: 'Bytes of record batches that were refused.',
  },
  replicationBytesIn: {
    name: 'kafka_server_brokertopicmetrics_replicationbytesin_total',
    help: 'Bytes that this broker read from leaders as a follower.',
  },
  replicationBytesOut: {
    name: 'kafka_server_brokertopicmetrics_replicationbytesout_total',
    help: 'Bytes that followers read from this broker.',
  },
  reassignmentBytesIn: {
    name: 'kafka_server_brokertopicmetrics_reassignmentbytesin_total',
    help: 'Bytes that this broker read from leaders for replicas that a reassignment adds here.',
  },
  reassignmentBytesOut: {
    name: 'kafka_server_brokertopicmetrics_reassignmentbytesout_total',
    help: 'Bytes that followers which a reassignment adds read from this broker.',
  },
  produceRequests: {
    name: 'kafka_server_brokertopicmetrics_totalproducerequests_total',
    help: 'Partitions in produce requests.',
  },
  fetchRequests: {
    name: 'kafka_server_brokertopicmetrics_totalfetchrequests_total',
    help: 'Partitions in fetch requests.',
  },
  failedProduceRequests: {
    name: 'kafka_server_brokertopicmetrics_failedproducerequests_total',
    help: 'Partitions in produce requests that got an error.',
  },
  failedFetchRequests: {
    name: 'kafka_server_brokertopicmetrics_failedfetchrequests_total',
    help: 'Partitions in fetch requests that got an error.',
  },
} as const satisfies Record<string, MetricRow>;

/** Counted for the broker as a whole. */
export const COUNTERS = {
  isrShrinks: {
    name: 'kafka_server_replicamanager_isrshrinks_total',
    help: 'Times that a leader here took a replica out of the ISR.',
  },
  isrExpands: {
    name: 'kafka_server_replicamanager_isrexpands_total',
    help: 'Times that a leader here took a replica into the ISR.',
  },
  failedIsrUpdates: {
    name: 'kafka_server_replicamanager_failedisrupdates_total',
    help: 'ISR changes that the controller refused.',
  },
  uncleanLeaderElections: {
    name: 'kafka_controller_controllerstats_uncleanleaderelections_total',
    help: 'Leaders elected outside the ISR by this controller.',
  },
  zooKeeperExpires: {
    name: 'kafka_server_sessionexpirelistener_zookeeperexpires_total',
    help: 'ZooKeeper sessions of this broker that expired.',
  },
} as const satisfies Record<string, MetricRow>;

/** Read when the page is asked for. */
export const GAUGES = {
  underReplicatedPartitions: {
    name: 'kafka_server_replicamanager_underreplicatedpartitions',
    help: 'Partitions led here of which a replica is not in sync.',
  },
  underMinIsrPartitions: {
    name: 'kafka_server_replicamanager_underminisrpartitioncount',
    help: 'Partitions led here with fewer in-sync replicas than min.insync.replicas.',
  },
  atMinIsrPartitions: {
    name: 'kafka_server_replicamanager_atminisrpartitioncount',
    help: 'Partitions led here with exactly min.insync.replicas in-sync replicas.',
  },
  reassigningPartitions: {
    name: 'kafka_server_replicamanager_reassigningpartitions',
    help: 'Partitions led here whose replicas are being moved.',
  },
  lateTransactionPartitions: {
    name: 'kafka_server_replicamanager_partitionswithlatetransactionscount',
    help: 'Partitions led here with a transaction that is open five minutes longer than transaction.max.timeout.ms allows: see kafka-transactions find-hanging.',
  },
  partitions: {
    name: 'kafka_server_replicamanager_partitioncount',
    help: 'Partitions of which this broker has a replica.',
  },
  leaders: {
    name: 'kafka_server_replicamanager_leadercount',
    help: 'Partitions that this broker leads.',
  },
  offlineReplicas: {
    name: 'kafka_server_replicamanager_offlinereplicacount',
    help: 'Replicas here whose data directory failed.',
  },
  failedFollowedPartitions: {
    name: 'kafka_server_replicafetchermanager_failedpartitionscount',
    help: 'Replicas here that cannot follow their leaders until the controller says more.',
  },
  fetchSessions: {
    name: 'kafka_server_fetchsessioncache_numincrementalfetchsessions',
    help: 'Incremental fetch sessions of clients and followers.',
  },
  producerIds: {
    name: 'kafka_server_replicamanager_produceridcount',
    help: 'Idempotent producers remembered, one counted once for each partition it writes to.',
  },
  activeController: {
    name: 'kafka_controller_kafkacontroller_activecontrollercount',
    help: '1 when this broker is the controller, else 0. Over the cluster the sum must be 1.',
  },
  offlinePartitions: {
    name: 'kafka_controller_kafkacontroller_offlinepartitionscount',
    help: 'Partitions without a leader, as the controller sees it; 0 on other brokers.',
  },
  preferredReplicaImbalance: {
    name: 'kafka_controller_kafkacontroller_preferredreplicaimbalancecount',
    help: 'Partitions led by another than their preferred replica; 0 on brokers that are not the controller.',
  },
  activeBrokers: {
    name: 'kafka_controller_kafkacontroller_activebrokercount',
    help: 'Live brokers, as the controller sees it; 0 on other brokers.',
  },
  globalTopics: {
    name: 'kafka_controller_kafkacontroller_globaltopiccount',
    help: 'Topics of the cluster; 0 on brokers that are not the controller.',
  },
  globalPartitions: {
    name: 'kafka_controller_kafkacontroller_globalpartitioncount',
    help: 'Partitions of the cluster; 0 on brokers that are not the controller.',
  },
  controllerEventQueue: {
    name: 'kafka_controller_controllereventmanager_eventqueuesize',
    help: 'Events that wait for this controller.',
  },
  connections: {
    name: 'kafka_server_socketservermetrics_connection_count',
    help: 'Open connections.',
  },
  requestsInFlight: {
    name: 'kafka_network_requestchannel_requestqueuesize',
    help: 'Requests that were read and are not yet answered.',
  },
  requestBytesInFlight: {
    name: 'samsa_network_requests_in_flight_bytes',
    help: 'Bytes of those requests; reading pauses when queued.max.request.bytes is reached.',
  },
  offlineLogDirectories: {
    name: 'kafka_log_logmanager_offlinelogdirectorycount',
    help: 'Data directories that failed.',
  },
  cleanerMaxDirtyPercent: {
    name: 'kafka_log_logcleanermanager_max_dirty_percent',
    help: 'Part of the dirtiest compacted log that is not clean, in percent.',
  },
  uncleanablePartitions: {
    name: 'kafka_log_logcleanermanager_uncleanable_partitions_count',
    help: 'Compacted logs that are left alone until the next start, because cleaning them failed.',
  },
  uncleanableBytes: {
    name: 'kafka_log_logcleanermanager_uncleanable_bytes',
    help: 'Bytes of those logs.',
  },
  cleanerTimeSinceLastRun: {
    name: 'kafka_log_logcleanermanager_time_since_last_run_ms',
    help: 'Milliseconds since it was last looked for logs to compact.',
  },
  cleanerRecopyPercent: {
    name: 'kafka_log_logcleaner_cleaner_recopy_percent',
    help: 'What the last compaction left of the bytes it read, in percent.',
  },
  cleanerMaxCleanTime: {
    name: 'kafka_log_logcleaner_max_clean_time_secs',
    help: 'Seconds that the last compaction took.',
  },
  cleanerMaxBufferUtilization: {
    name: 'kafka_log_logcleaner_max_buffer_utilization_percent',
    help: 'How full the map of keys was in the last compaction, in percent.',
  },
  cleanerMaxCompactionDelay: {
    name: 'kafka_log_logcleaner_max_compaction_delay_secs',
    help: 'Seconds by which the latest compaction is behind max.compaction.lag.ms.',
  },
  cleanerDeadThreads: {
    name: 'kafka_log_logcleaner_deadthreadcount',
    help: 'Threads of compaction that broke down and have done nothing since.',
  },
  groups: {
    name: 'kafka_coordinator_group_groupmetadatamanager_numgroups',
    help: 'Groups that this broker coordinates.',
  },
  groupsPreparingRebalance: {
    name: 'kafka_coordinator_group_groupmetadatamanager_numgroupspreparingrebalance',
    help: 'Groups here whose members are joining.',
  },
  groupsCompletingRebalance: {
    name: 'kafka_coordinator_group_groupmetadatamanager_numgroupscompletingrebalance',
    help: 'Groups here whose leader is sharing out.',
  },
  groupsStable: {
    name: 'kafka_coordinator_group_groupmetadatamanager_numgroupsstable',
    help: 'Groups here whose members have their shares.',
  },
  groupsEmpty: {
    name: 'kafka_coordinator_group_groupmetadatamanager_numgroupsempty',
    help: 'Groups here without members.',
  },
  groupsDead: {
    name: 'kafka_coordinator_group_groupmetadatamanager_numgroupsdead',
    help: 'Groups here that are being forgotten.',
  },
  groupOffsets: {
    name: 'kafka_coordinator_group_groupmetadatamanager_numoffsets',
    help: 'Offsets that the groups here have committed.',
  },
  groupLoadTimeMax: {
    name: 'kafka_server_group_coordinator_metrics_partition_load_time_max',
    help: 'Longest time, in milliseconds, from this broker’s election until a partition of __consumer_offsets was loaded, in the last 30 to 60 seconds.',
  },
  groupLoadTimeAverage: {
    name: 'kafka_server_group_coordinator_metrics_partition_load_time_avg',
    help: 'Average time, in milliseconds, from this broker’s election until a partition of __consumer_offsets was loaded, in the last 30 to 60 seconds.',
  },
  transactionLoadTimeMax: {
    name: 'kafka_server_transaction_coordinator_metrics_partition_load_time_max',
    help: 'Longest time, in milliseconds, from this broker’s election until a partition of __transaction_state was loaded, in the last 30 to 60 seconds.',
  },
  transactionLoadTimeAverage: {
    name: 'kafka_server_transaction_coordinator_metrics_partition_load_time_avg',
    help: 'Average time, in milliseconds, from this broker’s election until a partition of __transaction_state was loaded, in the last 30 to 60 seconds.',
  },
  markersWithoutLeader: {
    name: 'kafka_coordinator_transaction_transactionmarkerchannelmanager_unknowndestinationqueuesize',
    help: 'Partitions to be told how a transaction ended whose leader is not known.',
  },
  completionsToRetry: {
    name: 'kafka_coordinator_transaction_transactionmarkerchannelmanager_logappendretryqueuesize',
    help: 'Transactions that have ended while writing that down is tried again.',
  },
} as const satisfies Record<string, MetricRow>;

export const REQUEST_TIME: MetricRow = {
  name: 'kafka_network_requestmetrics_totaltimems',
  help: 'Milliseconds from the arrival of a request to its answer, by API.',
};

export type TopicCounter = keyof typeof TOPIC_COUNTERS;
export type Counter = keyof typeof COUNTERS;
export type Gauge = keyof typeof GAUGES;
