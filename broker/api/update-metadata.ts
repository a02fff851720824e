import type { RequestOf } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { ZERO_UUID } from '../../shared/protocol/schema.ts';
import { UpdateMetadata } from '../../shared/protocol/messages/update-metadata.ts';
import {
  LEADER_DURING_DELETE,
  type MetadataCache,
  type MetadataUpdate,
  type PartitionMetadata,
} from '../metadata/metadata-cache.ts';
import type { TopicConfigs } from '../metadata/topic-configs.ts';
import type { ControllerEpochs } from '../replication/controller-epochs.ts';
import type { ApiHandler } from '../request/handler.ts';

type Request = RequestOf<typeof UpdateMetadata>;
type State = Request['topicStates'][number]['partitionStates'][number];
type Endpoint = Request['liveBrokers'][number]['endpoints'][number];

/** Security protocols on the wire, by code (Kafka's SecurityProtocol). */
const PROTOCOLS = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const;

/** Type of an update that lists all partitions: sent to a broker that starts, which may have missed deletions. */
const FULL = 2;

export interface UpdateMetadataParts {
  readonly cache: MetadataCache;
  readonly epochs: ControllerEpochs;
  readonly topicConfigs: TopicConfigs;
  /** Reads the settings of topics that are new here. */
  readonly loadNewTopics: (topics: Iterable<string>) => Promise<void>;
}

/** The controller tells this broker what the cluster looks like. */
export function updateMetadataHandler(parts: UpdateMetadataParts): ApiHandler<typeof UpdateMetadata> {
  const { cache, epochs, topicConfigs, loadNewTopics } = parts;
  return {
    api: UpdateMetadata,
    versions: UpdateMetadata.versions,
    interBroker: true,
    async handle(request, context) {
      const update = updateOf(request, context.apiVersion);
      await loadNewTopics(update.topics.filter(isAlive).map(({ topic }) => topic));
      const errorCode = epochs.check(request);
      if (errorCode !== ErrorCode.NONE) return { errorCode };
      const { removed } = cache.apply(update);
      for (const { topic } of removed) if (!cache.hasTopic(topic)) topicConfigs.forget(topic);
      return { errorCode };
    },
  };
}

function isAlive({ partitions }: MetadataUpdate['topics'][number]): boolean {
  return partitions.some(({ leader }) => leader !== LEADER_DURING_DELETE);
}

function updateOf(request: Request, version: number): MetadataUpdate {
  return {
    controllerId: request.controllerId,
    isFull: request.type === FULL,
    brokers: request.liveBrokers.map(broker => ({
      id: broker.id,
      rack: broker.rack,
      endpoints:
        version === 0
          ? [{ listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: broker.v0Host, port: broker.v0Port }]
          : broker.endpoints.map(endpoint => endpointOf(endpoint, version)),
    })),
    topics: version < 5 ? ungrouped(request.ungroupedPartitionStates) : grouped(request.topicStates),
  };
}

/** Before version 3, listeners were named like their protocols. */
function endpointOf({ listener, host, port, securityProtocol }: Endpoint, version: number) {
  const protocol = PROTOCOLS[securityProtocol] ?? 'PLAINTEXT';
  return { listenerName: version < 3 ? protocol : listener, securityProtocol: protocol, host, port };
}

function grouped(topics: Request['topicStates']): MetadataUpdate['topics'] {
  return topics.map(({ topicName, topicId, partitionStates }) => ({
    topic: topicName,
    topicId: topicId === ZERO_UUID ? null : topicId,
    partitions: partitionStates.map(state => partitionOf(topicName, state)),
  }));
}

function ungrouped(states: Request['ungroupedPartitionStates']): MetadataUpdate['topics'] {
  return states.map(state => ({
    topic: state.topicName,
    topicId: null,
    partitions: [partitionOf(state.topicName, state)],
  }));
}

function partitionOf(topic: string, state: State): PartitionMetadata {
  return {
    topic,
    partition: state.partitionIndex,
    controllerEpoch: state.controllerEpoch,
    leader: state.leader,
    leaderEpoch: state.leaderEpoch,
    isr: state.isr,
    partitionEpoch: state.zkVersion,
    replicas: state.replicas,
    offlineReplicas: state.offlineReplicas,
  };
}
