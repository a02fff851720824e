import type { RequestOf, ResponseInput } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { ListOffsets } from '../../shared/protocol/messages/list-offsets.ts';
import { partitionKey } from '../../shared/topics/topic-partition.ts';
import type { ReplicaManager } from '../replication/replica-manager.ts';
import type { RequestContext } from '../request/context.ts';
import type { ApiHandler } from '../request/handler.ts';
import { duplicates } from './admin-errors.ts';

type Request = RequestOf<typeof ListOffsets>;
type Wanted = Request['topics'][number]['partitions'][number];
type Found = ResponseInput<typeof ListOffsets>['topics'][number]['partitions'][number];

/** Before, an answer has no place for the leader epoch. */
const FIRST_VERSION_WITH_EPOCHS = 4;

/** The isolation level: 0 is read_uncommitted. */
const READ_COMMITTED = 1;

/** Looks up offsets by timestamp at the leader. */
export function listOffsetsHandler(replicas: ReplicaManager): ApiHandler<typeof ListOffsets> {
  return {
    api: ListOffsets,
    versions: ListOffsets.versions,
    async handle(request, context) {
      context.park();
      const repeated = repeatedPartitions(request);
      const find = (topic: string, wanted: Wanted) =>
        context.apiVersion > 0 && repeated.has(partitionKey(topic, wanted.partitionIndex))
          ? Promise.resolve(notLookedUp(wanted, ErrorCode.INVALID_REQUEST))
          : lookUp(replicas, request, topic, wanted, context);
      const topics = await Promise.all(
        request.topics.map(async ({ name, partitions }) => ({
          name,
          partitions: await Promise.all(partitions.map(wanted => find(name, wanted))),
        })),
      );
      return { throttleTimeMs: 0, topics };
    },
  };
}

/** Partitions that stand in the request more than once: version 0 may ask so, later ones may not. */
function repeatedPartitions({ topics }: Request): Set<string> {
  return duplicates(
    topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex }) => partitionKey(name, partitionIndex)),
    ),
  );
}

function notLookedUp({ partitionIndex }: Wanted, errorCode: ErrorCode): Found {
  return { partitionIndex, errorCode, timestamp: -1, offset: -1 };
}

async function lookUp(
  replicas: ReplicaManager,
  request: Request,
  topic: string,
  wanted: Wanted,
  context: RequestContext,
): Promise<Found> {
  const { partitionIndex, timestamp, currentLeaderEpoch, maxNumOffsets } = wanted;
  const found = await replicas.listOffset(topic, partitionIndex, timestamp, {
    replicaId: request.replicaId,
    currentLeaderEpoch,
    readCommitted: request.isolationLevel === READ_COMMITTED,
    version: context.apiVersion,
  });
  if (context.apiVersion === 0) {
    const oldStyleOffsets =
      found.errorCode === ErrorCode.NONE && found.offset >= 0 && maxNumOffsets > 0 ? [found.offset] : [];
    return { partitionIndex, errorCode: found.errorCode, oldStyleOffsets };
  }
  const { errorCode, timestamp: foundTimestamp, offset, leaderEpoch } = found;
  const known = { partitionIndex, errorCode, timestamp: foundTimestamp, offset };
  return context.apiVersion >= FIRST_VERSION_WITH_EPOCHS ? { ...known, leaderEpoch } : known;
}
