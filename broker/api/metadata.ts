import type { RequestOf, ResponseInput } from '../../shared/protocol/api.ts';
import { ZERO_UUID } from '../../shared/protocol/schema.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { Metadata } from '../../shared/protocol/messages/metadata.ts';
import { isInternalTopic, topicNameProblem } from '../../shared/topics/names.ts';
import type { AutoTopicCreation } from '../metadata/auto-topic-creation.ts';
import type { MetadataCache, PartitionMetadata } from '../metadata/metadata-cache.ts';
import { authorizedOperations } from '../request/authorized-operations.ts';
import type { RequestContext } from '../request/context.ts';
import type { ApiHandler } from '../request/handler.ts';

type Request = RequestOf<typeof Metadata>;
type Response = ResponseInput<typeof Metadata>;
type Topic = Response['topics'][number];
type Partition = Topic['partitions'][number];

export interface MetadataParts {
  readonly cache: MetadataCache;
  readonly clusterId: string;
  readonly autoCreation: AutoTopicCreation;
}

/** Answers who leads what, in the addresses of the listener by which the client came in. */
export function metadataHandler(parts: MetadataParts): ApiHandler<typeof Metadata> {
  const { cache, clusterId } = parts;
  return {
    api: Metadata,
    versions: Metadata.versions,
    async handle(request, context): Promise<Response> {
      const { listenerName } = context.connection;
      const topics = wantsAll(request, context.apiVersion)
        ? cache.topics().map(name => describeTopic(cache, request, name, context))
        : await Promise.all(request.topics!.map(topic => answerTopic(parts, request, topic, context)));
      const brokers = cache.aliveBrokers().flatMap(broker => {
        const endpoint = broker.endpoints.find(e => e.listenerName === listenerName);
        return endpoint === undefined
          ? []
          : [{ nodeId: broker.id, host: endpoint.host, port: endpoint.port, rack: broker.rack }];
      });
      return {
        throttleTimeMs: 0,
        brokers,
        clusterId,
        controllerId: cache.controllerId ?? -1,
        topics,
        clusterAuthorizedOperations: authorizedOperations('cluster', request.includeClusterAuthorizedOperations),
      };
    },
  };
}

/** Version 0 asks for all topics by an empty list, later versions by null. */
function wantsAll(request: Request, version: number): boolean {
  return request.topics === null || (version === 0 && request.topics.length === 0);
}

async function answerTopic(
  { cache, autoCreation }: MetadataParts,
  request: Request,
  { name, topicId }: NonNullable<Request['topics']>[number],
  context: RequestContext,
): Promise<Topic> {
  if (topicId !== ZERO_UUID) {
    const known = cache.topicName(topicId);
    if (known !== null) return describeTopic(cache, request, known, context);
    return topicError(ErrorCode.UNKNOWN_TOPIC_ID, null, topicId);
  }
  if (name === null) return topicError(ErrorCode.INVALID_REQUEST, null, topicId);
  if (cache.hasTopic(name)) return describeTopic(cache, request, name, context);
  if (topicNameProblem(name) !== null) return topicError(ErrorCode.INVALID_TOPIC_EXCEPTION, name, topicId);
  // Versions before 4 cannot say; they always want missing topics made.
  const mayCreate = context.apiVersion < 4 || request.allowAutoTopicCreation;
  const code = mayCreate ? await autoCreation.request(name) : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
  return topicError(code, name, topicId);
}

function topicError(errorCode: number, name: string | null, topicId: string): Topic {
  return {
    errorCode,
    name,
    topicId,
    isInternal: name !== null && isInternalTopic(name),
    partitions: [],
    topicAuthorizedOperations: authorizedOperations('topic', false),
  };
}

function describeTopic(cache: MetadataCache, request: Request, name: string, context: RequestContext): Topic {
  return {
    errorCode: ErrorCode.NONE,
    name,
    topicId: cache.topicId(name) ?? ZERO_UUID,
    isInternal: isInternalTopic(name),
    partitions: cache.partitions(name).map(partition => describePartition(cache, partition, context)),
    topicAuthorizedOperations: authorizedOperations('topic', request.includeTopicAuthorizedOperations),
  };
}

function describePartition(cache: MetadataCache, partition: PartitionMetadata, context: RequestContext): Partition {
  const { listenerName } = context.connection;
  const reachable = (id: number) => cache.endpoint(id, listenerName) !== null;
  // Version 0 clients cannot digest replicas without an address; later ones want the full list.
  const visible = (ids: readonly number[]) => (context.apiVersion === 0 ? ids.filter(reachable) : [...ids]);
  const leaderReachable = reachable(partition.leader);
  return {
    errorCode: partitionError(cache, partition, leaderReachable, context.apiVersion),
    partitionIndex: partition.partition,
    leaderId: leaderReachable ? partition.leader : -1,
    leaderEpoch: partition.leaderEpoch,
    replicaNodes: visible(partition.replicas),
    isrNodes: visible(partition.isr),
    offlineReplicas: partition.replicas.filter(id => !reachable(id) || partition.offlineReplicas.includes(id)),
  };
}

function partitionError(
  cache: MetadataCache,
  partition: PartitionMetadata,
  leaderReachable: boolean,
  version: number,
): number {
  if (leaderReachable) return ErrorCode.NONE;
  return cache.isAlive(partition.leader) && version >= 6
    ? ErrorCode.LISTENER_NOT_FOUND
    : ErrorCode.LEADER_NOT_AVAILABLE;
}
