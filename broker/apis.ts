import type { Logger } from '../shared/runtime/logger.ts';
import { alterConfigsHandler } from './api/alter-configs.ts';
import { allocateProducerIdsHandler } from './api/allocate-producer-ids.ts';
import { alterPartitionHandler } from './api/alter-partition.ts';
import { alterPartitionReassignmentsHandler } from './api/alter-partition-reassignments.ts';
import { alterReplicaLogDirsHandler } from './api/alter-replica-log-dirs.ts';
import { apiVersionsHandler } from './api/api-versions.ts';
import { controlledShutdownHandler } from './api/controlled-shutdown.ts';
import { createPartitionsHandler } from './api/create-partitions.ts';
import { createTopicsHandler } from './api/create-topics.ts';
import { deleteRecordsHandler } from './api/delete-records.ts';
import { deleteTopicsHandler } from './api/delete-topics.ts';
import { describeClusterHandler } from './api/describe-cluster.ts';
import { describeConfigsHandler } from './api/describe-configs.ts';
import { describeLogDirsHandler } from './api/describe-log-dirs.ts';
import { describeProducersHandler } from './api/describe-producers.ts';
import { DownConverter } from './api/down-conversion.ts';
import { electLeadersHandler } from './api/elect-leaders.ts';
import { fetchHandler } from './api/fetch.ts';
import { incrementalAlterConfigsHandler } from './api/incremental-alter-configs.ts';
import { initProducerIdHandler } from './api/init-producer-id.ts';
import { leaderAndIsrHandler } from './api/leader-and-isr.ts';
import { LeaderHints } from './api/leader-hints.ts';
import { listOffsetsHandler } from './api/list-offsets.ts';
import { listPartitionReassignmentsHandler } from './api/list-partition-reassignments.ts';
import { metadataHandler } from './api/metadata.ts';
import { offsetForLeaderEpochHandler } from './api/offset-for-leader-epoch.ts';
import { produceHandler } from './api/produce.ts';
import { ApiRegistry } from './api/registry.ts';
import { stopReplicaHandler } from './api/stop-replica.ts';
import { updateMetadataHandler } from './api/update-metadata.ts';
import type { BrokerRooms } from './rooms.ts';
import { AutoTopicCreation } from './metadata/auto-topic-creation.ts';
import { ConfigAlteration } from './metadata/config-alteration.ts';
import { LoggerLevels } from './metadata/logger-levels.ts';
import { MetadataWaits } from './metadata/metadata-waits.ts';
import { PartitionAddition } from './metadata/partition-addition.ts';
import { TopicCreation } from './metadata/topic-creation.ts';

/** Registers every API that this broker serves: what is not here is not advertised. */
export function buildRegistry(rooms: BrokerRooms, logger: Logger): ApiRegistry {
  const { brokerId, clusterId, config, store, metadata, topicConfigs, metrics, replicas, controller, timers, random } =
    rooms;
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
  registry.add(initProducerIdHandler(rooms.producerIds));
  registry.add(describeProducersHandler(replicas, metadata));

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
