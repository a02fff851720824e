import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { OffsetOf } from './committed-offsets.ts';
import type { GroupLog } from './group-log.ts';
import type { Group } from './group.ts';
import type { GroupSettings } from './ports.ts';
import type { Rebalancer } from './rebalancer.ts';
import { checkGeneration, NO_MEMBER_ID, type MemberIdentity } from './validation.ts';

export interface CommitRequest extends MemberIdentity {
  readonly groupId: string;
  /** Negative: it comes from outside of the group's management. */
  readonly generationId: number;
  readonly offsets: readonly OffsetOf[];
}

export interface CommitParts {
  readonly settings: () => GroupSettings;
  readonly rebalancer: Rebalancer;
  readonly log: GroupLog;
}

/**
 * Commits offsets; resolves with a code for each of them, in order (Kafka: `GroupCoordinator.doCommitOffsets`). They can
 * be seen once they are replicated.
 */
export async function commit(group: Group, request: CommitRequest, parts: CommitParts): Promise<ErrorCode[]> {
  const { offsets } = request;
  const refusal = refuse(group, request);
  if (refusal !== ErrorCode.NONE) return offsets.map(() => refusal);
  const member = group.member(request.memberId);
  if (member !== null) parts.rebalancer.keepAlive(group, member);
  const { maxMetadataLength } = parts.settings();
  const fits = ({ metadata }: OffsetOf) => metadata.length <= maxMetadataLength;
  const errorCode = await store(group, offsets.filter(fits), parts.log);
  return offsets.map(offset => (fits(offset) ? errorCode : ErrorCode.OFFSET_METADATA_TOO_LARGE));
}

async function store(group: Group, offsets: readonly OffsetOf[], log: GroupLog): Promise<ErrorCode> {
  if (offsets.length === 0) return ErrorCode.NONE;
  group.offsets.prepare(offsets);
  const { errorCode, baseOffset } = await log.storeOffsets(group.groupId, offsets);
  if (errorCode === ErrorCode.NONE) group.offsets.complete(offsets, baseOffset);
  else group.offsets.fail(offsets);
  return errorCode;
}

/** A group without members belongs to whoever commits to it; one with members, to those of its generation. */
function refuse(group: Group, { generationId, memberId, groupInstanceId }: CommitRequest): ErrorCode {
  if (group.is('Dead')) return ErrorCode.COORDINATOR_NOT_AVAILABLE;
  if (generationId < 0 && group.is('Empty')) return ErrorCode.NONE;
  const isAnonymous = generationId < 0 && memberId === NO_MEMBER_ID && groupInstanceId === null;
  if (isAnonymous) return ErrorCode.UNKNOWN_MEMBER_ID;
  const errorCode = checkGeneration(group, { memberId, groupInstanceId }, generationId);
  if (errorCode !== ErrorCode.NONE) return errorCode;
  return group.is('CompletingRebalance') ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE;
}
