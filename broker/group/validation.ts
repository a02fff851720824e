import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { Group } from './group.ts';

/** How a member names itself in a request. */
export interface MemberIdentity {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
}

/** What members without an id say. */
export const NO_MEMBER_ID = '';

/** Whether this is a member: its instance id, if it has one, must not have been taken over by another (KIP-345). */
export function checkMember(group: Group, { memberId, groupInstanceId }: MemberIdentity): ErrorCode {
  if (groupInstanceId !== null) {
    const current = group.instance(groupInstanceId);
    if (current === null) return ErrorCode.UNKNOWN_MEMBER_ID;
    if (current !== memberId) return ErrorCode.FENCED_INSTANCE_ID;
  }
  return group.member(memberId) === null ? ErrorCode.UNKNOWN_MEMBER_ID : ErrorCode.NONE;
}

/** Whether this is a member of the generation in force. */
export function checkGeneration(group: Group, identity: MemberIdentity, generationId: number): ErrorCode {
  if (group.is('Dead')) return ErrorCode.COORDINATOR_NOT_AVAILABLE;
  const errorCode = checkMember(group, identity);
  if (errorCode !== ErrorCode.NONE) return errorCode;
  return generationId === group.generationId ? ErrorCode.NONE : ErrorCode.ILLEGAL_GENERATION;
}
