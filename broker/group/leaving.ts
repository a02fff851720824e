import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { Group } from './group.ts';
import type { Rebalancer } from './rebalancer.ts';
import { checkMember, NO_MEMBER_ID, type MemberIdentity } from './validation.ts';

/** A member that is to leave; without a member id, an operator removes the static member with that instance id. */
export interface LeavingMember extends MemberIdentity {
  readonly reason: string;
}

/** Removes one member, or an id that was given away (Kafka: `GroupCoordinator.handleLeaveGroup`). */
export function leave(group: Group, leaving: LeavingMember, rebalancer: Rebalancer): ErrorCode {
  const { memberId, groupInstanceId } = leaving;
  if (memberId === NO_MEMBER_ID) {
    const current = groupInstanceId === null ? null : group.instance(groupInstanceId);
    return current === null ? ErrorCode.UNKNOWN_MEMBER_ID : remove(group, current, leaving, rebalancer);
  }
  if (group.isPending(memberId)) {
    rebalancer.removePending(group, memberId);
    return ErrorCode.NONE;
  }
  const errorCode = checkMember(group, leaving);
  return errorCode === ErrorCode.NONE ? remove(group, memberId, leaving, rebalancer) : errorCode;
}

function remove(group: Group, memberId: string, { reason }: LeavingMember, rebalancer: Rebalancer): ErrorCode {
  rebalancer.removeMember(group, group.member(memberId)!, reason === '' ? 'it leaves' : reason);
  return ErrorCode.NONE;
}
