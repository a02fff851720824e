import { ownCopy } from '../../shared/memory/own-copy.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { SyncGroup } from '../../shared/protocol/messages/sync-group.ts';
import type { GroupCoordinator } from '../group/coordinator.ts';
import { syncError } from '../group/results.ts';
import type { ApiHandler } from '../request/handler.ts';

/** From this version on members say which protocol they take for chosen (KIP-559). */
const FIRST_WITH_PROTOCOL = 5;

/** A member asks for its assignment; the leader brings everybody's. */
export function syncGroupHandler(groups: GroupCoordinator): ApiHandler<typeof SyncGroup> {
  return {
    api: SyncGroup,
    versions: SyncGroup.versions,
    async handle(request, context) {
      const { protocolType, protocolName } = request;
      if (context.apiVersion >= FIRST_WITH_PROTOCOL && (protocolType === null || protocolName === null))
        return { throttleTimeMs: 0, ...syncError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL) };
      const { assignments, ...rest } = request;
      // Copied, because the request's memory is not the group's.
      const copies = new Map(assignments.map(({ memberId, assignment }) => [memberId, ownCopy(assignment)]));
      const synced = groups.sync({ ...rest, assignments: copies });
      context.park();
      return { throttleTimeMs: 0, ...(await synced) };
    },
  };
}
