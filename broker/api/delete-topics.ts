import type { RequestOf, ResponseInput } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { ZERO_UUID } from '../../shared/protocol/schema.ts';
import { DeleteTopics } from '../../shared/protocol/messages/delete-topics.ts';
import { isZooKeeperError } from '../../shared/zookeeper/zookeeper.ts';
import type { ZooKeeperStore } from '../../shared/zookeeper/store.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import type { MetadataCache } from '../metadata/metadata-cache.ts';
import type { MetadataWaits } from '../metadata/metadata-waits.ts';
import type { ApiHandler } from '../request/handler.ts';
import { adminFailure, notController, SUCCESS, type AdminFailure } from './admin-errors.ts';

type Request = RequestOf<typeof DeleteTopics>;
type Result = ResponseInput<typeof DeleteTopics>['responses'][number];

export interface DeleteTopicsParts {
  readonly store: ZooKeeperStore;
  readonly metadata: MetadataCache;
  readonly waits: MetadataWaits;
  readonly config: BrokerConfig;
  readonly isController: () => boolean;
}

/** A topic asked for by name (all versions) or by id (version 6 on). */
interface Wanted {
  readonly name: string | null;
  readonly topicId: string;
}

/** Marks topics for deletion; answers when this broker has heard that they are gone, or at the timeout. */
export function deleteTopicsHandler(parts: DeleteTopicsParts): ApiHandler<typeof DeleteTopics> {
  return {
    api: DeleteTopics,
    versions: DeleteTopics.versions,
    async handle(request, context) {
      context.park();
      if (request.topics.some(({ name, topicId }) => name !== null && topicId !== ZERO_UUID)) {
        const failure = {
          code: ErrorCode.INVALID_REQUEST,
          message: 'A topic is named by its name or by its id, not by both.',
        };
        return answer(request.topics.map(topic => result(topic, failure)));
      }
      const wanted = wantedTopics(parts.metadata, request, context.apiVersion);
      if (!parts.isController()) return answer(wanted.map(topic => result(topic, notController())));
      if (!parts.config.get('delete.topic.enable')) {
        const code = context.apiVersion >= 3 ? ErrorCode.TOPIC_DELETION_DISABLED : ErrorCode.INVALID_REQUEST;
        const message = 'Topic deletion is disabled (delete.topic.enable=false).';
        return answer(wanted.map(topic => result(topic, { code, message })));
      }
      return answer(await deleteAll(parts, wanted, request.timeoutMs));
    },
  };
}

function answer(responses: Result[]): ResponseInput<typeof DeleteTopics> {
  return { throttleTimeMs: 0, responses };
}

function wantedTopics(metadata: MetadataCache, request: Request, version: number): Wanted[] {
  if (version < 6) {
    return request.topicNames.map(name => ({ name, topicId: metadata.topicId(name) ?? ZERO_UUID }));
  }
  return request.topics.map(({ name, topicId }) =>
    name === null
      ? { name: metadata.topicName(topicId), topicId }
      : { name, topicId: metadata.topicId(name) ?? ZERO_UUID },
  );
}

async function deleteAll(parts: DeleteTopicsParts, wanted: readonly Wanted[], timeoutMs: number): Promise<Result[]> {
  const results: Result[] = [];
  for (const topic of wanted) results.push(result(topic, await mark(parts, topic)));
  const marked = results.filter(r => r.errorCode === ErrorCode.NONE).map(r => r.name!);
  await parts.waits.until(() => !marked.some(name => parts.metadata.hasTopic(name)), timeoutMs);
  for (const outcome of results) {
    if (outcome.errorCode !== ErrorCode.NONE || !parts.metadata.hasTopic(outcome.name!)) continue;
    outcome.errorCode = ErrorCode.REQUEST_TIMED_OUT;
    outcome.errorMessage = `Topic '${outcome.name!}' is marked for deletion, but was not gone within ${timeoutMs} ms.`;
  }
  return results;
}

async function mark({ store, metadata }: DeleteTopicsParts, { name, topicId }: Wanted): Promise<AdminFailure> {
  if (name === null) return { code: ErrorCode.UNKNOWN_TOPIC_ID, message: `No topic has the id ${topicId}.` };
  if (!metadata.hasTopic(name)) {
    return { code: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, message: 'This server does not host this topic-partition.' };
  }
  try {
    await store.deletions.mark(name);
    return SUCCESS;
  } catch (error) {
    return isZooKeeperError(error, 'NODE_EXISTS') ? SUCCESS : adminFailure(error);
  }
}

function result({ name, topicId }: Wanted, { code, message }: AdminFailure): Result {
  return { name, topicId, errorCode: code, errorMessage: message };
}
