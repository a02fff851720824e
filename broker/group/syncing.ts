import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { GroupLog } from './group-log.ts';
import type { Group } from './group.ts';
import type { Rebalancer } from './rebalancer.ts';
import { syncError, type SyncResult } from './results.ts';
import { checkGeneration, type MemberIdentity } from './validation.ts';

export interface SyncRequest extends MemberIdentity {
  readonly groupId: string;
  readonly generationId: number;
  /** null: the version does not tell. */
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  /** By member id; the leader's only. */
  readonly assignments: ReadonlyMap<string, Buffer>;
}

/** Decides what a SyncGroup comes to (Kafka: `GroupCoordinator.doSyncGroup`). */
export class Syncing {
  readonly #rebalancer: Rebalancer;
  readonly #log: GroupLog;

  constructor(rebalancer: Rebalancer, log: GroupLog) {
    this.#rebalancer = rebalancer;
    this.#log = log;
  }

  /** Resolves with the member's assignment when the leader has made it known, or with why there is none. */
  sync(group: Group, request: SyncRequest): Promise<SyncResult> {
    const errorCode = refuse(group, request);
    if (errorCode !== ErrorCode.NONE) return Promise.resolve(syncError(errorCode));
    const member = group.member(request.memberId)!;
    if (group.is('Stable')) {
      this.#rebalancer.noteSync(group, member);
      this.#rebalancer.keepAlive(group, member);
      const { protocolType, protocolName } = group;
      return Promise.resolve({ errorCode, protocolType, protocolName, assignment: member.assignment });
    }
    return new Promise(resolve => {
      // One that waits already is one whose client has given up on it.
      group.answerSync(member, syncError(ErrorCode.REBALANCE_IN_PROGRESS));
      member.sync = resolve;
      this.#rebalancer.noteSync(group, member);
      if (group.isLeader(member.memberId)) void this.#complete(group, request.assignments);
    });
  }

  /** While the assignments are written another rebalance may begin: then they are worth nothing. */
  async #complete(group: Group, assignments: ReadonlyMap<string, Buffer>): Promise<void> {
    const { generationId } = group;
    const errorCode = await this.#log.storeGroup(group, assignments);
    if (!group.is('CompletingRebalance') || group.generationId !== generationId) return;
    if (errorCode === ErrorCode.NONE) {
      this.#rebalancer.distribute(group, assignments);
    } else {
      this.#rebalancer.failSyncs(group, errorCode);
      this.#rebalancer.maybePrepare(group, `its assignments could not be written (error ${errorCode})`);
    }
  }
}

function refuse(group: Group, request: SyncRequest): ErrorCode {
  const errorCode = checkGeneration(group, request, request.generationId);
  if (errorCode !== ErrorCode.NONE) return errorCode;
  const { protocolType, protocolName } = request;
  if (protocolType !== null && protocolType !== group.protocolType) return ErrorCode.INCONSISTENT_GROUP_PROTOCOL;
  if (protocolName !== null && protocolName !== group.protocolName) return ErrorCode.INCONSISTENT_GROUP_PROTOCOL;
  if (group.is('Empty')) return ErrorCode.UNKNOWN_MEMBER_ID;
  return group.is('PreparingRebalance') ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE;
}
