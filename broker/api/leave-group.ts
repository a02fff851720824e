import { ErrorCode } from '../../shared/protocol/errors.ts';
import { LeaveGroup } from '../../shared/protocol/messages/leave-group.ts';
import type { GroupCoordinator } from '../group/coordinator.ts';
import type { ApiHandler } from '../request/handler.ts';

const FIRST_BATCHED_VERSION = 3;

/** Members leave. The versions that know of one member only have its error on top. */
export function leaveGroupHandler(groups: GroupCoordinator): ApiHandler<typeof LeaveGroup> {
  return {
    api: LeaveGroup,
    versions: LeaveGroup.versions,
    handle(request, { apiVersion }) {
      const isBatched = apiVersion >= FIRST_BATCHED_VERSION;
      const leaving = isBatched
        ? request.members
        : [{ memberId: request.memberId, groupInstanceId: null, reason: null }];
      const { errorCode, members } = groups.leave(
        request.groupId,
        leaving.map(member => ({ ...member, reason: member.reason ?? '' })),
      );
      if (isBatched) return { throttleTimeMs: 0, errorCode, members: [...members] };
      const failed = errorCode === ErrorCode.NONE ? (members[0]?.errorCode ?? errorCode) : errorCode;
      return { throttleTimeMs: 0, errorCode: failed };
    },
  };
}
