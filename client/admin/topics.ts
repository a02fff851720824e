import type { RequestInput, ResponseOf } from '../../shared/protocol/api.ts';
import type { CreateTopics } from '../../shared/protocol/messages/create-topics.ts';
import { throwIfError } from '../errors.ts';
import { configSource } from './configs.ts';
import type { CreatedTopic, NewTopic } from './types.ts';

/** A topic to be created, as CreateTopics has it. */
export function wireTopic(topic: NewTopic): RequestInput<typeof CreateTopics>['topics'][number] {
  const assigned = topic.assignment !== undefined;
  return {
    name: topic.name,
    numPartitions: assigned ? -1 : (topic.partitions ?? -1),
    replicationFactor: assigned ? -1 : (topic.replicationFactor ?? -1),
    assignments: (topic.assignment ?? []).map((brokerIds, partitionIndex) => ({
      partitionIndex,
      brokerIds: [...brokerIds],
    })),
    configs: Object.entries(topic.configs ?? {}).map(([name, value]) => ({ name, value })),
  };
}

/** @throws KafkaError when it could not be created */
export function createdTopic(wire: ResponseOf<typeof CreateTopics>['topics'][number]): CreatedTopic {
  throwIfError(wire.errorCode, wire.errorMessage);
  return {
    name: wire.name,
    topicId: wire.topicId,
    partitions: wire.numPartitions,
    replicationFactor: wire.replicationFactor,
    configs: (wire.configs ?? []).map(entry => ({
      name: entry.name,
      value: entry.value,
      source: configSource(entry.configSource),
      isSensitive: entry.isSensitive,
      isReadOnly: entry.readOnly,
      synonyms: [],
    })),
  };
}
