import { ListGroups } from '../../shared/protocol/messages/list-groups.ts';
import type { GroupCoordinator } from '../group/coordinator.ts';
import type { ApiHandler } from '../request/handler.ts';

/** The one type of groups that there is, as KIP-848 names it. */
const TYPE = 'classic';

/** Lists the groups that this broker coordinates; filters are lists of names, in any case, and empty for all. */
export function listGroupsHandler(groups: GroupCoordinator): ApiHandler<typeof ListGroups> {
  return {
    api: ListGroups,
    versions: ListGroups.versions,
    handle({ statesFilter, typesFilter }) {
      const { errorCode, groups: all } = groups.list();
      const isWanted = (filter: readonly string[], name: string) =>
        filter.length === 0 || filter.some(wanted => wanted.toLowerCase() === name.toLowerCase());
      const listed = all.filter(({ state }) => isWanted(statesFilter, state) && isWanted(typesFilter, TYPE));
      return {
        throttleTimeMs: 0,
        errorCode,
        groups: listed.map(({ groupId, protocolType, state }) => ({
          groupId,
          protocolType: protocolType ?? '',
          groupState: state,
          groupType: TYPE,
        })),
      };
    },
  };
}
