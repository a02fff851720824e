import type { RequestOf, ResponseInput } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { CreatePartitions } from '../../shared/protocol/messages/create-partitions.ts';
import type { MetadataCache } from '../metadata/metadata-cache.ts';
import type { MetadataWaits } from '../metadata/metadata-waits.ts';
import type { PartitionAddition } from '../metadata/partition-addition.ts';
import type { ApiHandler } from '../request/handler.ts';
import { adminFailure, duplicates, notController, SUCCESS, type AdminFailure } from './admin-errors.ts';

type Request = RequestOf<typeof CreatePartitions>;
type Wanted = Request['topics'][number];
type Result = ResponseInput<typeof CreatePartitions>['results'][number];

export interface CreatePartitionsParts {
  readonly addition: PartitionAddition;
  readonly metadata: MetadataCache;
  readonly waits: MetadataWaits;
  readonly isController: () => boolean;
}

/** Raises partition counts on the active controller; answers when the new partitions have leaders, or at the timeout. */
export function createPartitionsHandler(parts: CreatePartitionsParts): ApiHandler<typeof CreatePartitions> {
  return {
    api: CreatePartitions,
    versions: CreatePartitions.versions,
    async handle(request, context) {
      context.park();
      const results = parts.isController()
        ? await addAll(parts, request)
        : request.topics.map(({ name }) => result(name, notController()));
      return { throttleTimeMs: 0, results };
    },
  };
}

async function addAll(parts: CreatePartitionsParts, request: Request): Promise<Result[]> {
  const repeated = duplicates(request.topics.map(topic => topic.name));
  const results: Result[] = [...repeated].map(name =>
    result(name, { code: ErrorCode.INVALID_REQUEST, message: `Topic '${name}' stands in the request more than once.` }),
  );
  const added: Wanted[] = [];
  for (const topic of request.topics) {
    if (repeated.has(topic.name)) continue;
    const outcome = await add(parts, topic, request.validateOnly);
    results.push(result(topic.name, outcome));
    if (outcome.code === ErrorCode.NONE) added.push(topic);
  }
  if (request.validateOnly) return results;
  await parts.waits.until(() => added.every(topic => isLed(parts.metadata, topic)), request.timeoutMs);
  for (const topic of added) {
    if (isLed(parts.metadata, topic)) continue;
    const outcome = results.find(r => r.name === topic.name)!;
    outcome.errorCode = ErrorCode.REQUEST_TIMED_OUT;
    outcome.errorMessage = `The new partitions of '${topic.name}' had no leaders within ${request.timeoutMs} ms.`;
  }
  return results;
}

function isLed(metadata: MetadataCache, topic: Wanted): boolean {
  const partitions = metadata.partitions(topic.name);
  return partitions.length >= topic.count && partitions.every(partition => partition.leader >= 0);
}

async function add(parts: CreatePartitionsParts, topic: Wanted, validateOnly: boolean): Promise<AdminFailure> {
  try {
    const manual = topic.assignments?.map(({ brokerIds }) => brokerIds) ?? null;
    await parts.addition.add(topic.name, topic.count, manual, validateOnly);
    return SUCCESS;
  } catch (error) {
    return adminFailure(error);
  }
}

function result(name: string, { code, message }: AdminFailure): Result {
  return { name, errorCode: code, errorMessage: message };
}
