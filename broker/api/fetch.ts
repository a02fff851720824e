import * as batch from '../../shared/records/batch.ts';
import { BatchCursor } from '../../shared/records/batch-cursor.ts';
import { CODECS } from '../../shared/records/compression.ts';
import { downConvert } from '../../shared/records/conversion.ts';
import type { RequestOf } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { recordsBuffer } from '../../shared/protocol/json.ts';
import { Fetch } from '../../shared/protocol/messages/fetch.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import type { BrokerMetrics } from '../metrics/broker-metrics.ts';
import { fetchError, type FetchedPartition } from '../replication/fetch-target.ts';
import { fetcherOf, type FetchSessions } from '../replication/fetch-sessions.ts';
import type { ReplicaManager } from '../replication/replica-manager.ts';
import type { RequestContext } from '../request/context.ts';
import type { ApiHandler } from '../request/handler.ts';
import type { LeaderHints } from './leader-hints.ts';

type Request = RequestOf<typeof Fetch>;

/** Versions before these know message sets only: magic 0 first, magic 1 later. */
const FIRST_VERSION_WITH_MAGIC_1 = 2;
const FIRST_VERSION_WITH_BATCHES = 4;
const FIRST_VERSION_WITH_ZSTD = 10;
const FIRST_VERSION_FROM_FOLLOWERS = 11;
const FIRST_VERSION_WITH_LEADER_HINTS = 16;

export interface FetchParts {
  readonly replicas: ReplicaManager;
  readonly sessions: FetchSessions;
  readonly config: BrokerConfig;
  readonly metrics: BrokerMetrics;
  readonly hints: LeaderHints;
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
      const readable = fetched.map(found => adapt(found, version));
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
    fromFollowers: apiVersion >= FIRST_VERSION_FROM_FOLLOWERS,
    ...(answerMemory === undefined ? {} : { memory: answerMemory }),
  };
}

/** What this version can digest of what was found. */
function adapt(found: FetchedPartition, version: number): FetchedPartition {
  if (found.errorCode === ErrorCode.KAFKA_STORAGE_ERROR && version <= 5)
    return fetchError(found.target, ErrorCode.NOT_LEADER_OR_FOLLOWER);
  if (found.sizeInBytes === 0 || version >= FIRST_VERSION_WITH_ZSTD) return found;
  if (usesZstd(found.records)) return fetchError(found.target, ErrorCode.UNSUPPORTED_COMPRESSION_TYPE);
  if (version >= FIRST_VERSION_WITH_BATCHES) return found;
  const magic = version >= FIRST_VERSION_WITH_MAGIC_1 ? 1 : 0;
  const converted = downConvert(recordsBuffer(found.records), magic, found.target.fetchOffset);
  return { ...found, records: [converted], sizeInBytes: converted.length };
}

function usesZstd(records: readonly Buffer[]): boolean {
  return records.some(piece => {
    const cursor = new BatchCursor().reset(piece);
    while (cursor.next()) {
      if (batch.magic(piece, cursor.position) === 2 && batch.compressionCodec(piece, cursor.position) === CODECS.zstd)
        return true;
    }
    return false;
  });
}

function meter(
  metrics: BrokerMetrics,
  { target, errorCode, sizeInBytes }: FetchedPartition,
  isFollower: boolean,
): void {
  if (target.topic === null || errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) metrics.allTopics.fetchFailed();
  else if (errorCode !== ErrorCode.NONE) metrics.topic(target.topic).fetchFailed();
  else if (isFollower) metrics.topic(target.topic).replicatedOut(sizeInBytes);
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
