import type { RequestOf, ResponseInput } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { ZERO_UUID } from '../../shared/protocol/schema.ts';
import { CreateTopics } from '../../shared/protocol/messages/create-topics.ts';
import type { MetadataCache } from '../metadata/metadata-cache.ts';
import type { MetadataWaits } from '../metadata/metadata-waits.ts';
import type { CreatedTopic, TopicCreation, TopicWish } from '../metadata/topic-creation.ts';
import type { ApiHandler } from '../request/handler.ts';
import { adminFailure, duplicates, notController } from './admin-errors.ts';
import { CONFIG_SOURCES } from './config-codes.ts';
import type { TopicConfigs } from '../metadata/topic-configs.ts';

/** Where brokers without ZooKeeper keep their state. */
const CLUSTER_METADATA_TOPIC = '__cluster_metadata';

type Request = RequestOf<typeof CreateTopics>;
type WantedTopic = Request['topics'][number];
type Result = ResponseInput<typeof CreateTopics>['topics'][number];

export interface CreateTopicsParts {
  readonly creation: TopicCreation;
  readonly metadata: MetadataCache;
  readonly waits: MetadataWaits;
  readonly topicConfigs: TopicConfigs;
  readonly isController: () => boolean;
}

/** Creates topics on the active controller; answers when this broker sees a leader for every partition, or at the timeout. */
export function createTopicsHandler(parts: CreateTopicsParts): ApiHandler<typeof CreateTopics> {
  return {
    api: CreateTopics,
    versions: CreateTopics.versions,
    async handle(request, context) {
      context.park();
      const topics = parts.isController()
        ? await createAll(parts, request)
        : request.topics.map(({ name }) => result(name, notController()));
      return { throttleTimeMs: 0, topics };
    },
  };
}

async function createAll(parts: CreateTopicsParts, request: Request): Promise<Result[]> {
  const repeated = duplicates(request.topics.map(topic => topic.name));
  const results: Result[] = [];
  const started: string[] = [];
  for (const topic of request.topics) {
    const problem = refusal(topic.name, repeated);
    if (problem !== null) {
      results.push(result(topic.name, { code: ErrorCode.INVALID_REQUEST, message: problem }));
      continue;
    }
    const outcome = await create(parts, topic, request.validateOnly);
    results.push(outcome);
    if (outcome.errorCode === ErrorCode.NONE) started.push(topic.name);
  }
  if (request.validateOnly) return results;
  await parts.waits.until(() => started.every(name => isLed(parts.metadata, name, results)), request.timeoutMs);
  for (const outcome of results) {
    if (outcome.errorCode !== ErrorCode.NONE || isLed(parts.metadata, outcome.name, results)) continue;
    Object.assign(outcome, {
      errorCode: ErrorCode.REQUEST_TIMED_OUT,
      errorMessage: `Topic '${outcome.name}' is being created, but had no leaders within ${request.timeoutMs} ms.`,
    });
  }
  return results;
}

/** Why a topic is not even tried, each time that it is in the request. */
function refusal(name: string, repeated: ReadonlySet<string>): string | null {
  if (name === CLUSTER_METADATA_TOPIC)
    return `The topic ${name} is for brokers without ZooKeeper, and nobody may create it.`;
  return repeated.has(name) ? `Topic '${name}' stands in the request more than once.` : null;
}

/** Whether all partitions of a topic just made have a leader, as far as this broker has heard. */
function isLed(metadata: MetadataCache, name: string, results: readonly Result[]): boolean {
  const wanted = results.find(r => r.name === name)?.numPartitions ?? 0;
  const partitions = metadata.partitions(name);
  return partitions.length >= wanted && partitions.every(partition => partition.leader >= 0);
}

async function create(parts: CreateTopicsParts, topic: WantedTopic, validateOnly: boolean): Promise<Result> {
  try {
    const created = await parts.creation.create(wish(topic), validateOnly);
    return created_(parts, topic.name, created);
  } catch (error) {
    return result(topic.name, adminFailure(error));
  }
}

function wish(topic: WantedTopic): TopicWish {
  return {
    name: topic.name,
    partitions: topic.numPartitions,
    replicationFactor: topic.replicationFactor,
    assignment: new Map(topic.assignments.map(({ partitionIndex, brokerIds }) => [partitionIndex, brokerIds])),
    configs: Object.fromEntries(topic.configs.map(({ name, value }) => [name, value])),
  };
}

function created_(parts: CreateTopicsParts, name: string, topic: CreatedTopic): Result {
  return {
    name,
    topicId: topic.topicId,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    topicConfigErrorCode: ErrorCode.NONE,
    numPartitions: topic.partitions,
    replicationFactor: topic.replicationFactor,
    configs: parts.topicConfigs.describe(topic.configs).map(entry => ({
      name: entry.name,
      value: entry.value,
      readOnly: entry.readOnly,
      configSource: CONFIG_SOURCES[entry.source],
      isSensitive: entry.sensitive,
    })),
  };
}

function result(name: string, { code, message }: { code: ErrorCode; message: string | null }): Result {
  return {
    name,
    topicId: ZERO_UUID,
    errorCode: code,
    errorMessage: message,
    topicConfigErrorCode: ErrorCode.NONE,
    numPartitions: -1,
    replicationFactor: -1,
    configs: [],
  };
}
