import type { RequestOf } from '../../shared/protocol/api.ts';
import { OffsetCommit } from '../../shared/protocol/messages/offset-commit.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { OffsetOf } from '../group/offset.ts';
import type { GroupCoordinator } from '../group/coordinator.ts';
import type { MetadataCache } from '../metadata/metadata-cache.ts';
import type { ApiHandler } from '../request/handler.ts';
import { commitAnswer, ofExisting } from './commit-answer.ts';
import type { OldOffsets } from './old-offsets.ts';

type Request = RequestOf<typeof OffsetCommit>;

export interface OffsetCommitParts {
  readonly groups: GroupCoordinator;
  readonly metadata: MetadataCache;
  readonly oldOffsets: OldOffsets;
  readonly clock: Clock;
}

/** Nothing given: times, and how long to keep an offset. */
const NONE_GIVEN = -1;

/** Commits offsets of partitions that exist: from version 1 on to the group, before that to ZooKeeper. */
export function offsetCommitHandler(parts: OffsetCommitParts): ApiHandler<typeof OffsetCommit> {
  return {
    api: OffsetCommit,
    versions: OffsetCommit.versions,
    async handle(request, context) {
      const offsets = offsetsOf(request, parts.clock.now());
      const known = ofExisting(offsets, parts.metadata);
      const committed =
        context.apiVersion === 0
          ? parts.oldOffsets.commit(request.groupId, known)
          : parts.groups.commit({
              groupId: request.groupId,
              generationId: request.generationIdOrMemberEpoch,
              memberId: request.memberId,
              groupInstanceId: request.groupInstanceId,
              offsets: known,
            });
      context.park();
      return commitAnswer(offsets, known, await committed);
    },
  };
}

function offsetsOf({ topics, retentionTimeMs }: Request, now: number): OffsetOf[] {
  return topics.flatMap(({ name, partitions }) =>
    partitions.map(partition => ({
      topic: name,
      partition: partition.partitionIndex,
      offset: partition.committedOffset,
      leaderEpoch: partition.committedLeaderEpoch,
      metadata: partition.committedMetadata ?? '',
      commitTimestamp: partition.commitTimestamp === NONE_GIVEN ? now : partition.commitTimestamp,
      expireTimestamp: retentionTimeMs === NONE_GIVEN ? null : Math.min(now + retentionTimeMs, Number.MAX_SAFE_INTEGER),
    })),
  );
}
