import type { Logger } from '../shared/runtime/logger.ts';
import { addOffsetsToTxnHandler } from './api/add-offsets-to-txn.ts';
import { addPartitionsToTxnHandler } from './api/add-partitions-to-txn.ts';
import { alterConfigsHandler } from './api/alter-configs.ts';
import { allocateProducerIdsHandler } from './api/allocate-producer-ids.ts';
import { alterPartitionReassignmentsHandler } from './api/alter-partition-reassignments.ts';
import { alterPartitionHandler } from './api/alter-partition.ts';
import { alterReplicaLogDirsHandler } from './api/alter-replica-log-dirs.ts';
import { apiVersionsHandler } from './api/api-versions.ts';
import { controlledShutdownHandler } from './api/controlled-shutdown.ts';
import { createPartitionsHandler } from './api/create-partitions.ts';
import { createTopicsHandler } from './api/create-topics.ts';
import { deleteGroupsHandler } from './api/delete-groups.ts';
import { deleteRecordsHandler } from './api/delete-records.ts';
import { deleteTopicsHandler } from './api/delete-topics.ts';
import { describeClusterHandler } from './api/describe-cluster.ts';
import { describeConfigsHandler } from './api/describe-configs.ts';
import { describeGroupsHandler } from './api/describe-groups.ts';
import { describeLogDirsHandler } from './api/describe-log-dirs.ts';
import { describeProducersHandler } from './api/describe-producers.ts';
import { describeTransactionsHandler } from './api/describe-transactions.ts';
import { DownConverter } from './api/down-conversion.ts';
import { electLeadersHandler } from './api/elect-leaders.ts';
import { endTxnHandler } from './api/end-txn.ts';
import { fetchHandler } from './api/fetch.ts';
import { findCoordinatorHandler } from './api/find-coordinator.ts';
import { heartbeatHandler } from './api/heartbeat.ts';
import { incrementalAlterConfigsHandler } from './api/incremental-alter-configs.ts';
import { initProducerIdHandler } from './api/init-producer-id.ts';
import { joinGroupHandler } from './api/join-group.ts';
import { leaderAndIsrHandler } from './api/leader-and-isr.ts';
import { LeaderHints } from './api/leader-hints.ts';
import { leaveGroupHandler } from './api/leave-group.ts';
import { listGroupsHandler } from './api/list-groups.ts';
import { listOffsetsHandler } from './api/list-offsets.ts';
import { listPartitionReassignmentsHandler } from './api/list-partition-reassignments.ts';
import { listTransactionsHandler } from './api/list-transactions.ts';
import { metadataHandler } from './api/metadata.ts';
import { offsetCommitHandler } from './api/offset-commit.ts';
import { offsetDeleteHandler } from './api/offset-delete.ts';
import { offsetFetchHandler } from './api/offset-fetch.ts';
import { offsetForLeaderEpochHandler } from './api/offset-for-leader-epoch.ts';
import { OldOffsets } from './api/old-offsets.ts';
import { produceHandler } from './api/produce.ts';
import { ApiRegistry } from './api/registry.ts';
import { stopReplicaHandler } from './api/stop-replica.ts';
import { syncGroupHandler } from './api/sync-group.ts';
import { txnOffsetCommitHandler } from './api/txn-offset-commit.ts';
import { updateMetadataHandler } from './api/update-metadata.ts';
import { writeTxnMarkersHandler } from './api/write-txn-markers.ts';
import type { BrokerRooms } from './rooms.ts';
import { AutoTopicCreation } from './metadata/auto-topic-creation.ts';
import { ConfigAlteration } from './metadata/config-alteration.ts';
import { LoggerLevels } from './metadata/logger-levels.ts';
import { MetadataWaits } from './metadata/metadata-waits.ts';
import { PartitionAddition } from './metadata/partition-addition.ts';
import { TopicCreation } from './metadata/topic-creation.ts';

/** Registers every API that this broker serves: what is not here is not advertised. */
export function buildRegistry(rooms: BrokerRooms, logger: Logger): ApiRegistry {
  const { brokerId, clusterId, config, store, metadata, topicConfigs, metrics, replicas, controller } = rooms;
  const { groups, transactions, timers, random } = rooms;
  const registry = new ApiRegistry(logger.child({ component: 'api' }));
  const creation = new TopicCreation({ store, metadata, config, random });
  const waits = new MetadataWaits(metadata, timers);
  const hints = new LeaderHints(metadata);
  const isController = () => controller.isActive;

  registry.add(apiVersionsHandler(() => registry.handlers()));
  const autoCreation = new AutoTopicCreation(creation, config, logger.child({ component: 'topics' }));
  registry.add(metadataHandler({ cache: metadata, clusterId, autoCreation }));
  registry.add(describeClusterHandler(metadata, clusterId));

  registry.add(produceHandler({ replicas, metrics, hints }));
  const topicConfig = (topic: string) => topicConfigs.effective(topic);
  const downConverter = new DownConverter(timers);
  const sessions = replicas.fetchSessions;
  registry.add(fetchHandler({ replicas, sessions, config, metrics, hints, topicConfig, downConverter }));
  registry.add(listOffsetsHandler(replicas));
  registry.add(offsetForLeaderEpochHandler(replicas));
  registry.add(deleteRecordsHandler(replicas));
  registry.add(describeProducersHandler(replicas, metadata));
  registry.add(
    writeTxnMarkersHandler({
      replicas,
      clock: rooms.clock,
      logger: logger.child({ component: 'api' }),
      timeoutMs: () => config.get('request.timeout.ms'),
      completeOffsets: (partition, producerId, isCommit) => {
        groups.completeTransaction(partition, producerId, isCommit);
        return Promise.resolve();
      },
    }),
  );

  registry.add(findCoordinatorHandler({ groups, transactions, metadata, autoCreation }));
  addGroupApis(registry, rooms, logger.child({ component: 'group' }));
  addTransactionApis(registry, rooms);

  registry.add(createTopicsHandler({ creation, metadata, waits, topicConfigs, isController }));
  registry.add(deleteTopicsHandler({ store, metadata, waits, config, isController }));
  const addition = new PartitionAddition({ store, metadata, random });
  registry.add(createPartitionsHandler({ addition, metadata, waits, isController }));
  registry.add(electLeadersHandler({ controller, metadata, waits }));
  registry.add(alterPartitionReassignmentsHandler(controller));
  registry.add(listPartitionReassignmentsHandler(controller));
  const alteration = new ConfigAlteration({ brokerId, store, config, metadata });
  const loggers = new LoggerLevels(brokerId, logger.levels);
  registry.add(describeConfigsHandler({ brokerId, config, topicConfigs, metadata, loggers }));
  registry.add(incrementalAlterConfigsHandler(alteration, loggers));
  registry.add(alterConfigsHandler(alteration));
  registry.add(describeLogDirsHandler(replicas));
  registry.add(alterReplicaLogDirsHandler(replicas));

  registry.add(leaderAndIsrHandler(replicas, rooms.loadNewTopics));
  registry.add(stopReplicaHandler(replicas));
  registry.add(
    updateMetadataHandler({
      cache: metadata,
      epochs: replicas.epochs,
      topicConfigs,
      loadNewTopics: rooms.loadNewTopics,
    }),
  );
  registry.add(alterPartitionHandler(controller));
  registry.add(allocateProducerIdsHandler(controller));
  registry.add(controlledShutdownHandler(controller));
  return registry;
}

function addGroupApis(
  registry: ApiRegistry,
  { groups, metadata, config, store, clock }: BrokerRooms,
  logger: Logger,
): void {
  const oldOffsets = new OldOffsets(store, () => config.get('offset.metadata.max.bytes'), logger);
  registry.add(joinGroupHandler(groups));
  registry.add(syncGroupHandler(groups));
  registry.add(heartbeatHandler(groups));
  registry.add(leaveGroupHandler(groups));
  registry.add(offsetCommitHandler({ groups, metadata, oldOffsets, clock }));
  registry.add(offsetFetchHandler({ groups, metadata, oldOffsets }));
  registry.add(offsetDeleteHandler(groups, metadata));
  registry.add(describeGroupsHandler(groups));
  registry.add(listGroupsHandler(groups));
  registry.add(deleteGroupsHandler(groups));
}

function addTransactionApis(
  registry: ApiRegistry,
  { transactions, producerIds, groups, metadata, clock }: BrokerRooms,
): void {
  registry.add(initProducerIdHandler(producerIds, transactions));
  registry.add(addPartitionsToTxnHandler({ transactions, metadata }));
  registry.add(addOffsetsToTxnHandler(transactions, groups));
  registry.add(txnOffsetCommitHandler({ groups, metadata, clock }));
  registry.add(endTxnHandler(transactions));
  registry.add(describeTransactionsHandler(transactions));
  registry.add(listTransactionsHandler(transactions));
}
