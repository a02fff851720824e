import type { RequestOf, ResponseInput } from '../../shared/protocol/api.ts';
import { errorByCode, ErrorCode } from '../../shared/protocol/errors.ts';
import { FindCoordinator } from '../../shared/protocol/messages/find-coordinator.ts';
import { CONSUMER_OFFSETS_TOPIC, TRANSACTION_STATE_TOPIC } from '../../shared/topics/names.ts';
import type { GroupCoordinator } from '../group/coordinator.ts';
import type { AutoTopicCreation } from '../metadata/auto-topic-creation.ts';
import type { MetadataCache } from '../metadata/metadata-cache.ts';
import type { ApiHandler } from '../request/handler.ts';
import type { TransactionCoordinator } from '../transaction/coordinator.ts';

type Request = RequestOf<typeof FindCoordinator>;
type Response = ResponseInput<typeof FindCoordinator>;

/** Where a coordinator's partitions are, by the key type of the request: 0 a group, 1 a transactional id. */
const TOPICS: readonly (string | undefined)[] = [CONSUMER_OFFSETS_TOPIC, TRANSACTION_STATE_TOPIC];

const FIRST_BATCHED_VERSION = 4;

export interface FindCoordinatorParts {
  readonly groups: Pick<GroupCoordinator, 'partitionOf'>;
  readonly transactions: Pick<TransactionCoordinator, 'partitionOf'>;
  readonly metadata: MetadataCache;
  readonly autoCreation: AutoTopicCreation;
}

interface Found {
  readonly errorCode: ErrorCode;
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
}

/** Tells who coordinates a group or a transactional id, in the addresses of the client's listener. */
export function findCoordinatorHandler(parts: FindCoordinatorParts): ApiHandler<typeof FindCoordinator> {
  return {
    api: FindCoordinator,
    versions: FindCoordinator.versions,
    async handle(request, context) {
      const { apiVersion, connection } = context;
      const keys = apiVersion < FIRST_BATCHED_VERSION ? [request.key] : request.coordinatorKeys;
      const topic = TOPICS[request.keyType];
      if (topic !== undefined && !parts.metadata.hasTopic(topic)) {
        context.park();
        await parts.autoCreation.requestCoordinatorTopic(topic);
      }
      const found = keys.map(key => find(parts, request, key, connection.listenerName));
      return apiVersion < FIRST_BATCHED_VERSION ? answerOne(found[0]!) : answerAll(keys, found);
    },
  };
}

function find(parts: FindCoordinatorParts, { keyType }: Request, key: string, listener: string): Found {
  const { metadata } = parts;
  const topic = TOPICS[keyType];
  if (topic === undefined) return nobody(ErrorCode.INVALID_REQUEST);
  const coordinator = topic === CONSUMER_OFFSETS_TOPIC ? parts.groups : parts.transactions;
  const leader = metadata.partition(topic, coordinator.partitionOf(key))?.leader ?? -1;
  const endpoint = metadata.endpoint(leader, listener);
  if (endpoint === null) return nobody(ErrorCode.COORDINATOR_NOT_AVAILABLE);
  return { errorCode: ErrorCode.NONE, nodeId: leader, host: endpoint.host, port: endpoint.port };
}

function nobody(errorCode: ErrorCode): Found {
  return { errorCode, nodeId: -1, host: '', port: -1 };
}

function answerOne(found: Found): Response {
  const { name, text } = errorByCode(found.errorCode);
  const errorMessage = found.errorCode === ErrorCode.NONE ? name : text;
  return { throttleTimeMs: 0, ...found, errorMessage };
}

function answerAll(keys: readonly string[], found: readonly Found[]): Response {
  return { throttleTimeMs: 0, coordinators: keys.map((key, index) => ({ key, ...found[index]! })) };
}
