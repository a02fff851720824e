import { ErrorCode } from '../../../shared/protocol/errors.ts';
import { DeleteGroups } from '../../../shared/protocol/messages/delete-groups.ts';
import { LeaveGroup } from '../../../shared/protocol/messages/leave-group.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { KafkaError } from '../../errors.ts';
import { askCoordinators } from '../../groups/ask-coordinators.ts';
import { describeGroups } from './describe.ts';
import type { MemberToRemove, RemovedMember } from './types.ts';

/** Deletes groups without members, and their offsets; the outcomes in the order of the groups. */
export function deleteGroups(
  cluster: Cluster,
  groupIds: readonly string[],
  deadline: number,
): Promise<PromiseSettledResult<void>[]> {
  return askCoordinators<undefined>(
    cluster,
    groupIds,
    deadline,
    'groups were not deleted',
    async (coordinator, ids) => {
      const { results } = (await coordinator.call(DeleteGroups, { groupsNames: [...ids] }))!;
      return new Map(
        results.map(({ groupId, errorCode }) => [
          groupId,
          errorCode === ErrorCode.NONE ? undefined : new KafkaError(errorCode),
        ]),
      );
    },
  );
}

/**
 * Has members leave their group, with or without their consent.
 * @param members null: all that are in it now
 * @param reason for the coordinator's log
 * @throws KafkaError when the group as a whole could not be asked
 */
export async function removeMembers(
  cluster: Cluster,
  groupId: string,
  members: readonly MemberToRemove[] | null,
  reason: string,
  deadline: number,
): Promise<RemovedMember[]> {
  const leaving = members === null ? await allMembers(cluster, groupId, deadline) : members.map(identity);
  if (leaving.length === 0) return [];
  const request = { groupId, members: leaving.map(member => ({ ...member, reason })) };
  const what = 'the members were not removed';
  const [outcome] = await askCoordinators(cluster, [groupId], deadline, what, async coordinator => {
    const { errorCode, members: answers } = (await coordinator.call(LeaveGroup, request))!;
    return new Map([[groupId, errorCode === ErrorCode.NONE ? answers : new KafkaError(errorCode)]]);
  });
  if (outcome!.status === 'rejected') throw outcome!.reason;
  return outcome!.value.map(({ memberId, groupInstanceId, errorCode }) => ({
    memberId,
    instanceId: groupInstanceId,
    error: errorCode === ErrorCode.NONE ? null : new KafkaError(errorCode),
  }));
}

interface Identity {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
}

function identity(member: MemberToRemove): Identity {
  return 'memberId' in member
    ? { memberId: member.memberId, groupInstanceId: null }
    : { memberId: '', groupInstanceId: member.instanceId };
}

async function allMembers(cluster: Cluster, groupId: string, deadline: number): Promise<Identity[]> {
  const [group] = await describeGroups(cluster, [groupId], deadline);
  if (group!.status === 'rejected') throw group!.reason;
  return group!.value.members.map(({ memberId, instanceId }) =>
    identity(instanceId === null ? { memberId } : { instanceId }),
  );
}
