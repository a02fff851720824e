import type { RequestOf, ResponseInput } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { OffsetFetch } from '../../shared/protocol/messages/offset-fetch.ts';
import { byTopic } from '../../shared/topics/topic-partition.ts';
import type { CommittedOffset } from '../group/offset.ts';
import type { GroupCoordinator } from '../group/coordinator.ts';
import type { MetadataCache } from '../metadata/metadata-cache.ts';
import type { ApiHandler } from '../request/handler.ts';
import type { OldOffsets } from './old-offsets.ts';

type Request = RequestOf<typeof OffsetFetch>;
type Response = ResponseInput<typeof OffsetFetch>;
type Topics = Request['groups'][number]['topics'];
type GroupAnswer = NonNullable<Response['groups']>[number] & { readonly errorCode: ErrorCode };
type PartitionAnswer = GroupAnswer['topics'][number]['partitions'][number];

export interface OffsetFetchParts {
  readonly groups: GroupCoordinator;
  readonly metadata: MetadataCache;
  readonly oldOffsets: OldOffsets;
}

/** Up to this version an error of the group has no place of its own, and stands in every partition. */
const LAST_WITHOUT_GROUP_ERROR = 1;
const FIRST_BATCHED_VERSION = 8;

/** Tells committed offsets: from version 1 on those of the group, before that those in ZooKeeper. */
export function offsetFetchHandler(parts: OffsetFetchParts): ApiHandler<typeof OffsetFetch> {
  return {
    api: OffsetFetch,
    versions: OffsetFetch.versions,
    handle(request, context) {
      const { groups } = parts;
      const { requireStable } = request;
      if (context.apiVersion === 0) {
        context.park();
        return fetchOld(parts, request);
      }
      if (context.apiVersion >= FIRST_BATCHED_VERSION) {
        const answers = request.groups.map(({ groupId, topics }) => fetchGroup(groups, groupId, topics, requireStable));
        return { throttleTimeMs: 0, groups: answers };
      }
      const { topics, errorCode } = fetchGroup(groups, request.groupId, request.topics, requireStable);
      if (context.apiVersion > LAST_WITHOUT_GROUP_ERROR || errorCode === ErrorCode.NONE)
        return { throttleTimeMs: 0, topics, errorCode };
      return { throttleTimeMs: 0, topics: withError(request.topics ?? [], errorCode) };
    },
  };
}

/** @param requireStable partitions whose offset an open transaction may change are answered with an error (KIP-447) */
function fetchGroup(groups: GroupCoordinator, groupId: string, topics: Topics, requireStable: boolean): GroupAnswer {
  const { errorCode, group } = groups.fetchOffsets(groupId);
  if (errorCode !== ErrorCode.NONE) return { groupId, topics: [], errorCode };
  const answer = (topic: string, partition: number) => {
    const isUnstable = requireStable && group?.transactional.has(topic, partition) === true;
    return isUnstable ? unstable(partition) : partitionAnswer(partition, group?.get(topic, partition) ?? null);
  };
  if (topics === null) {
    const all = Array.from(byTopic(group?.all() ?? []), ([name, offsets]) => ({
      name,
      partitions: offsets.map(({ partition }) => answer(name, partition)),
    }));
    return { groupId, topics: all, errorCode };
  }
  const wanted = topics.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map(index => answer(name, index)),
  }));
  return { groupId, topics: wanted, errorCode };
}

function unstable(partition: number): PartitionAnswer {
  return { ...partitionAnswer(partition, null), errorCode: ErrorCode.UNSTABLE_OFFSET_COMMIT };
}

/** Where nothing is committed there is no error, but offset -1. */
function partitionAnswer(partitionIndex: number, committed: CommittedOffset | null): PartitionAnswer {
  return {
    partitionIndex,
    committedOffset: committed?.offset ?? -1,
    committedLeaderEpoch: committed?.leaderEpoch ?? -1,
    metadata: committed?.metadata ?? '',
    errorCode: ErrorCode.NONE,
  };
}

function withError(topics: NonNullable<Topics>, errorCode: ErrorCode): GroupAnswer['topics'] {
  return topics.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map(index => ({ ...partitionAnswer(index, null), errorCode })),
  }));
}

async function fetchOld({ metadata, oldOffsets }: OffsetFetchParts, request: Request): Promise<Response> {
  const fetchOne = async (topic: string, partition: number) => {
    const unknown = { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, offset: -1 };
    const exists = metadata.partition(topic, partition) !== null;
    const { errorCode, offset } = exists ? await oldOffsets.fetch(request.groupId, { topic, partition }) : unknown;
    return { ...partitionAnswer(partition, null), committedOffset: offset, errorCode };
  };
  const topics = await Promise.all(
    (request.topics ?? []).map(async ({ name, partitionIndexes }) => ({
      name,
      partitions: await Promise.all(partitionIndexes.map(index => fetchOne(name, index))),
    })),
  );
  return { throttleTimeMs: 0, topics };
}
