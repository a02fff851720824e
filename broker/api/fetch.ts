import type { RequestOf } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { Fetch } from '../../shared/protocol/messages/fetch.ts';
import type { TopicConfigValues } from '../../shared/topics/topic-config.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import type { BrokerMetrics } from '../metrics/broker-metrics.ts';
import { fetchError, type FetchedPartition } from '../replication/fetch-target.ts';
import { fetcherOf, type FetchSessions } from '../replication/fetch-sessions.ts';
import type { ReplicaManager } from '../replication/replica-manager.ts';
import type { RequestContext } from '../request/context.ts';
import type { ApiHandler } from '../request/handler.ts';
import type { DownConverter } from './down-conversion.ts';
import type { LeaderHints } from './leader-hints.ts';

type Request = RequestOf<typeof Fetch>;

/** Versions before these know message sets only: magic 0 first, magic 1 later. */
const FIRST_VERSION_WITH_MAGIC_1 = 2;
const FIRST_VERSION_WITH_BATCHES = 4;
const FIRST_VERSION_WITH_ZSTD = 10;
const FIRST_VERSION_FROM_FOLLOWERS = 11;
const FIRST_VERSION_WITH_LEADER_HINTS = 16;

/** The isolation level: 0 is read_uncommitted. */
const READ_COMMITTED = 1;

export interface FetchParts {
  readonly replicas: ReplicaManager;
  readonly sessions: FetchSessions;
  readonly config: BrokerConfig;
  readonly metrics: BrokerMetrics;
  readonly hints: LeaderHints;
  readonly topicConfig: (topic: string) => TopicConfigValues;
  readonly downConverter: DownConverter;
}

/** Reads records for consumers and followers, waiting for some to come if they want it so. */
export function fetchHandler(parts: FetchParts): ApiHandler<typeof Fetch> {
  const { replicas, sessions, config, metrics, hints } = parts;
  return {
    api: Fetch,
    versions: Fetch.versions,
    async handle(request, context) {
      const version = context.apiVersion;
      const session = sessions.open(request, version);
      if (session.errorCode !== ErrorCode.NONE) return session.answer([]);
      const params = { ...paramsOf(request, context, config), closed: context.connection.closed };
      const fetched = await replicas.fetch(params, session.view, () => context.park());
      const readable = version >= FIRST_VERSION_WITH_ZSTD ? fetched : await adaptAll(parts, fetched, version);
      for (const found of readable) meter(metrics, found, params.replicaId >= 0);
      const response = session.answer(readable);
      return version < FIRST_VERSION_WITH_LEADER_HINTS
        ? response
        : withHints(response, readable, hints, context.connection.listenerName);
    },
  };
}

function paramsOf(request: Request, { apiVersion, answerMemory }: RequestContext, config: BrokerConfig) {
  const replicaId = fetcherOf(request);
  const limit = config.get('fetch.max.bytes');
  return {
    replicaId,
    maxWaitMs: request.maxWaitMs,
    minBytes: request.minBytes,
    // The limit protects this broker from consumers; followers are trusted with their own.
    maxBytes: replicaId >= 0 ? request.maxBytes : Math.min(request.maxBytes, limit),
    minOneMessage: apiVersion >= 3,
    readCommitted: request.isolationLevel === READ_COMMITTED,
    fromFollowers: apiVersion >= FIRST_VERSION_FROM_FOLLOWERS,
    clientRack: request.rackId,
    ...(answerMemory === undefined ? {} : { memory: answerMemory }),
  };
}

/**
 * What this version can digest of what was found (Kafka: `KafkaApis.maybeConvertFetchedData`). Where the topic does not
 * prescribe zstd, a batch that a producer compressed with it goes out as it is from the first version with batches on:
 * some clients read zstd without knowing the version that promises it.
 */
function adapt(
  parts: FetchParts,
  found: FetchedPartition,
  version: number,
): FetchedPartition | Promise<FetchedPartition> {
  const { errorCode, target, sizeInBytes } = found;
  if (errorCode === ErrorCode.KAFKA_STORAGE_ERROR && version <= 5)
    return fetchError(target, ErrorCode.NOT_LEADER_OR_FOLLOWER);
  if (errorCode !== ErrorCode.NONE || target.topic === null || version >= FIRST_VERSION_WITH_ZSTD) return found;
  const config = parts.topicConfig(target.topic);
  if (config['compression.type'] === 'zstd') return fetchError(target, ErrorCode.UNSUPPORTED_COMPRESSION_TYPE);
  if (version >= FIRST_VERSION_WITH_BATCHES) return found;
  if (!config['message.downconversion.enable']) return fetchError(target, ErrorCode.UNSUPPORTED_VERSION);
  if (sizeInBytes === 0) return found;
  return parts.downConverter.convert(found, version >= FIRST_VERSION_WITH_MAGIC_1 ? 1 : 0);
}

/** One partition after the other, so that no more than one is held in two formats. */
async function adaptAll(
  parts: FetchParts,
  fetched: readonly FetchedPartition[],
  version: number,
): Promise<FetchedPartition[]> {
  const adapted: FetchedPartition[] = [];
  for (const found of fetched) adapted.push(await adapt(parts, found, version));
  return adapted;
}

function meter(
  metrics: BrokerMetrics,
  { target, errorCode, sizeInBytes, isReassignment }: FetchedPartition,
  isFollower: boolean,
): void {
  if (target.topic === null || errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) metrics.allTopics.fetchFailed();
  else if (errorCode !== ErrorCode.NONE) metrics.topic(target.topic).fetchFailed();
  else if (isFollower) metrics.topic(target.topic).replicatedOut(sizeInBytes, isReassignment);
  else metrics.topic(target.topic).fetched(sizeInBytes);
}

type Response = ReturnType<ReturnType<FetchSessions['open']>['answer']>;

function withHints(
  response: Response,
  fetched: readonly FetchedPartition[],
  hints: LeaderHints,
  listenerName: string,
): Response {
  const moved = fetched.filter(
    ({ errorCode }) => errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER || errorCode === ErrorCode.FENCED_LEADER_EPOCH,
  );
  if (moved.length === 0) return response;
  const leaders = new Set<number>();
  const responses = response.responses.map(topic => ({
    ...topic,
    partitions: topic.partitions.map(partition => {
      const found = moved.find(
        ({ target }) => target.partition === partition.partitionIndex && target.topicId === topic.topicId,
      );
      const name = found?.target.topic ?? null;
      const leader = name === null ? null : hints.leader(name, partition.partitionIndex);
      if (leader === null) return partition;
      leaders.add(leader.leaderId);
      return { ...partition, currentLeader: leader };
    }),
  }));
  return { ...response, responses, nodeEndpoints: hints.endpoints(leaders, listenerName) };
}
