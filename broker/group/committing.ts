import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { OffsetOf } from './offset.ts';
import type { GroupLog } from './group-log.ts';
import type { Group } from './group.ts';
import type { CommittingTransaction, GroupSettings } from './ports.ts';
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
  const refusal = refuse(group, request);
  if (refusal !== ErrorCode.NONE) return request.offsets.map(() => refusal);
  const member = group.member(request.memberId);
  if (member !== null) parts.rebalancer.keepAlive(group, member);
  return storeThatFit(request, parts, async offsets => {
    group.offsets.prepare(offsets);
    const { errorCode, baseOffset } = await parts.log.storeOffsets(group.groupId, offsets);
    if (errorCode === ErrorCode.NONE) group.offsets.complete(offsets, baseOffset);
    else group.offsets.fail(offsets);
    return errorCode;
  });
}

/**
 * Commits offsets within a transaction, likewise (Kafka: `GroupCoordinator.doTxnCommitOffsets`). They can be seen once
 * that is committed. It does not tell that the member is alive: the producer that sends it is somebody else.
 */
export async function commitInTransaction(
  group: Group,
  request: CommitRequest,
  transaction: CommittingTransaction,
  parts: CommitParts,
): Promise<ErrorCode[]> {
  const refusal = refuseInTransaction(group, request);
  if (refusal !== ErrorCode.NONE) return request.offsets.map(() => refusal);
  const { transactional } = group.offsets;
  const { producerId } = transaction;
  return storeThatFit(request, parts, async offsets => {
    transactional.prepare(producerId, offsets);
    const { errorCode, baseOffset } = await parts.log.storeOffsets(group.groupId, offsets, transaction);
    if (errorCode === ErrorCode.NONE) transactional.complete(producerId, offsets, baseOffset);
    else transactional.fail(producerId, offsets);
    return errorCode;
  });
}

/** @param store stores some, at least one, together */
async function storeThatFit(
  { offsets }: CommitRequest,
  parts: CommitParts,
  store: (offsets: readonly OffsetOf[]) => Promise<ErrorCode>,
): Promise<ErrorCode[]> {
  const { maxMetadataLength } = parts.settings();
  const fits = ({ metadata }: OffsetOf) => metadata.length <= maxMetadataLength;
  const fitting = offsets.filter(fits);
  const errorCode = fitting.length === 0 ? ErrorCode.NONE : await store(fitting);
  return offsets.map(offset => (fits(offset) ? errorCode : ErrorCode.OFFSET_METADATA_TOO_LARGE));
}

/** A group without members belongs to whoever commits to it; one with members, to those of its generation. */
function refuse(group: Group, request: CommitRequest): ErrorCode {
  if (group.is('Dead')) return ErrorCode.COORDINATOR_NOT_AVAILABLE;
  if (request.generationId < 0 && group.is('Empty')) return ErrorCode.NONE;
  if (isAnonymous(request)) return ErrorCode.UNKNOWN_MEMBER_ID;
  const errorCode = checkGeneration(group, request, request.generationId);
  if (errorCode !== ErrorCode.NONE) return errorCode;
  return group.is('CompletingRebalance') ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE;
}

/** Producers of before KIP-447 do not know for which member they commit. */
function refuseInTransaction(group: Group, request: CommitRequest): ErrorCode {
  if (group.is('Dead')) return ErrorCode.COORDINATOR_NOT_AVAILABLE;
  if (isAnonymous(request) || (request.generationId < 0 && group.is('Empty'))) return ErrorCode.NONE;
  return checkGeneration(group, request, request.generationId);
}

function isAnonymous({ generationId, memberId, groupInstanceId }: CommitRequest): boolean {
  return generationId < 0 && memberId === NO_MEMBER_ID && groupInstanceId === null;
}
