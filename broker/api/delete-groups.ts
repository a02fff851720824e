import { DeleteGroups } from '../../shared/protocol/messages/delete-groups.ts';
import type { GroupCoordinator } from '../group/coordinator.ts';
import type { ApiHandler } from '../request/handler.ts';

/** Forgets groups without members, each by itself. */
export function deleteGroupsHandler(groups: GroupCoordinator): ApiHandler<typeof DeleteGroups> {
  return {
    api: DeleteGroups,
    versions: DeleteGroups.versions,
    handle: ({ groupsNames }) => ({
      throttleTimeMs: 0,
      results: [...new Set(groupsNames)].map(groupId => ({ groupId, errorCode: groups.delete(groupId) })),
    }),
  };
}
