import type { ResponseInput } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { DescribeGroups } from '../../shared/protocol/messages/describe-groups.ts';
import type { GroupCoordinator } from '../group/coordinator.ts';
import type { Group } from '../group/group.ts';
import { NOTHING } from '../group/results.ts';
import { authorizedOperations } from '../request/authorized-operations.ts';
import type { ApiHandler } from '../request/handler.ts';

type Described = Omit<ResponseInput<typeof DescribeGroups>['groups'][number], 'groupId' | 'authorizedOperations'>;

/** Describes groups. One that nobody knows is described as dead, which is no error. */
export function describeGroupsHandler(groups: GroupCoordinator): ApiHandler<typeof DescribeGroups> {
  return {
    api: DescribeGroups,
    versions: DescribeGroups.versions,
    handle: request => ({
      throttleTimeMs: 0,
      groups: request.groups.map(groupId => ({
        groupId,
        ...describe(groups, groupId),
        authorizedOperations: authorizedOperations('group', request.includeAuthorizedOperations),
      })),
    }),
  };
}

function describe(groups: GroupCoordinator, groupId: string): Described {
  const { errorCode, group } = groups.describe(groupId);
  if (group !== null) return describeGroup(group);
  const groupState = errorCode === ErrorCode.NONE ? 'Dead' : '';
  return { errorCode, groupState, protocolType: '', protocolData: '', members: [] };
}

/** What members say and got is told of a stable group only: before that it is not settled. */
function describeGroup(group: Group): Described {
  const isStable = group.is('Stable');
  return {
    errorCode: ErrorCode.NONE,
    groupState: group.state,
    protocolType: group.protocolType ?? '',
    protocolData: isStable ? (group.protocolName ?? '') : '',
    members: group.members().map(member => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: isStable ? member.metadata(group.protocolName) : NOTHING,
      memberAssignment: isStable ? member.assignment : NOTHING,
    })),
  };
}
