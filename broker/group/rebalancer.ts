import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { Timers } from '../../shared/runtime/clock.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import { DelayedOperations } from '../delayed/delayed-operations.ts';
import type { GroupLog } from './group-log.ts';
import type { Group } from './group.ts';
import type { Member } from './member.ts';
import type { GroupSettings } from './ports.ts';
import { joinError, NOTHING, syncError } from './results.ts';

export interface RebalancerParts {
  readonly timers: Timers;
  readonly settings: () => GroupSettings;
  readonly log: GroupLog;
  readonly logger: Logger;
}

/** How long the JoinGroup of a new member may wait: it has no session yet, and its client may be gone. */
const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60_000;

/**
 * Runs the rebalances and sessions of groups: whatever happens by time, and what follows from members' coming and going.
 *
 *     prepare ──→ joins wait ──(all have joined, or time is up)──→ next generation, joins answered
 *        ↑                                                              │
 *        └──(not all have synced in time; members change)──← syncs wait ┘
 */
export class Rebalancer {
  readonly #parts: RebalancerParts;
  /** Groups that wait for members to join, or to sync, by group id. */
  readonly #joins: DelayedOperations;
  readonly #syncs: DelayedOperations;

  constructor(parts: RebalancerParts) {
    this.#parts = parts;
    this.#joins = new DelayedOperations(parts.timers);
    this.#syncs = new DelayedOperations(parts.timers);
  }

  // --- sessions ----------------------------------------------------------------------------------------------------

  /** Something was heard of the member: its session begins anew. */
  keepAlive(group: Group, member: Member): void {
    this.#expireAfter(group, member, member.sessionTimeoutMs);
  }

  /** The member has just been added, and waits for the generation in which it will hear of its id. */
  welcome(group: Group, member: Member): void {
    member.isNew = true;
    this.#expireAfter(group, member, NEW_MEMBER_JOIN_TIMEOUT_MS);
  }

  #expireAfter(group: Group, member: Member, delayMs: number): void {
    member.session?.cancel();
    member.session = this.#parts.timers.after(delayMs, () => this.#expire(group, member));
  }

  /** The end of a rebalance starts the session of a member that waits here again. */
  #expire(group: Group, member: Member): void {
    if (group.is('Dead') || member.isWaiting || group.member(member.memberId) !== member) return;
    this.removeMember(group, member, 'nothing was heard of it within its session timeout');
  }

  /** An id was given away; who does not come back with it within the session timeout is not waited for. */
  expectBack(group: Group, memberId: string, sessionTimeoutMs: number): void {
    group.addPending(
      memberId,
      this.#parts.timers.after(sessionTimeoutMs, () => this.removePending(group, memberId)),
    );
  }

  // --- members -----------------------------------------------------------------------------------------------------

  /** Removes a member, answering what of it waits here. */
  removeMember(group: Group, member: Member, reason: string): void {
    group.answerJoin(member, joinError(ErrorCode.UNKNOWN_MEMBER_ID, ''));
    group.answerSync(member, syncError(ErrorCode.UNKNOWN_MEMBER_ID));
    group.remove(member.memberId);
    const { groupId, generationId } = group;
    this.#parts.logger.info({ groupId, generationId, memberId: member.memberId, reason }, 'a member is removed');
    if (group.is('PreparingRebalance')) this.checkJoins(group);
    else if (!group.is('Empty')) this.maybePrepare(group, `member ${member.memberId} was removed`);
    this.#syncs.check(group.groupId);
  }

  removePending(group: Group, memberId: string): void {
    group.forgetPending(memberId);
    this.checkJoins(group);
  }

  // --- joining -----------------------------------------------------------------------------------------------------

  /** Begins a rebalance unless one is being prepared, or there is nothing to rebalance any more. */
  maybePrepare(group: Group, reason: string): void {
    if (group.mayBecome('PreparingRebalance')) this.prepare(group, reason);
  }

  prepare(group: Group, reason: string): void {
    if (group.is('CompletingRebalance')) this.failSyncs(group, ErrorCode.REBALANCE_IN_PROGRESS);
    group.awaitNoSyncs();
    const isFirst = group.is('Empty');
    const { groupId, generationId } = group;
    group.become('PreparingRebalance');
    this.#syncs.check(groupId);
    this.#parts.logger.info({ groupId, generationId, reason }, 'a group prepares to rebalance');
    if (!isFirst) {
      this.#awaitJoins(group);
      return;
    }
    const delayMs = this.#parts.settings().initialRebalanceDelayMs;
    this.#awaitFirstJoins(group, delayMs, Math.max(group.rebalanceTimeoutMs - delayMs, 0));
  }

  /** Somebody has joined, or is not waited for any more. */
  checkJoins(group: Group): void {
    this.#joins.check(group.groupId);
  }

  #awaitJoins(group: Group): void {
    this.#joins.tryCompleteElseWatch(
      {
        isReady: () => group.is('Dead') || group.hasAllJoined,
        complete: () => this.#completeJoins(group),
      },
      [group.groupId],
      group.rebalanceTimeoutMs,
    );
  }

  /**
   * An empty group waits for more than its first member, so that a whole fleet that starts makes one rebalance and not
   * one each: `delayMs` milliseconds, as many again as long as somebody new joins meanwhile, and `remainingMs` in all.
   */
  #awaitFirstJoins(group: Group, delayMs: number, remainingMs: number): void {
    const complete = () => {
      if (!group.hasNewMember || remainingMs === 0 || group.is('Dead')) {
        this.#completeJoins(group);
        return;
      }
      group.hasNewMember = false;
      const next = Math.min(this.#parts.settings().initialRebalanceDelayMs, remainingMs);
      this.#awaitFirstJoins(group, next, Math.max(remainingMs - delayMs, 0));
    };
    this.#joins.tryCompleteElseWatch({ isReady: () => group.is('Dead'), complete }, [group.groupId], delayMs);
  }

  /**
   * Who has not joined again is no member any more, except static members: those have until the end of their session.
   * If nobody has but static members remain, the group waits once more.
   */
  #completeJoins(group: Group): void {
    if (!group.is('PreparingRebalance')) return;
    const missing = group.members().filter(({ join, isStatic }) => join === null && !isStatic);
    for (const { memberId } of missing) group.remove(memberId);
    if (group.size > 0 && !group.electJoinedLeader()) {
      this.#awaitJoins(group);
      return;
    }
    group.beginGeneration();
    const { groupId, generationId, size, protocolName } = group;
    this.#parts.logger.info({ groupId, generationId, members: size, protocolName }, 'a group has a new generation');
    if (group.is('Empty')) void this.#storeEmpty(group);
    else this.#announce(group);
  }

  /** Not a reason to do anything if it fails: members of the generation before are gone, whatever the log says. */
  async #storeEmpty(group: Group): Promise<void> {
    const errorCode = await this.#parts.log.storeGroup(group, new Map());
    if (errorCode === ErrorCode.NONE) return;
    this.#parts.logger.warn({ groupId: group.groupId, errorCode }, 'that a group is empty could not be written');
  }

  #announce(group: Group): void {
    for (const member of group.members()) {
      group.answerJoin(member, group.describeGeneration(member.memberId));
      member.isNew = false;
      this.keepAlive(group, member);
      group.awaitSync(member.memberId);
    }
    this.#awaitSyncs(group);
  }

  // --- syncing -----------------------------------------------------------------------------------------------------

  /** Members that do not sync within the rebalance timeout are removed (Kafka: `DelayedSync`). */
  #awaitSyncs(group: Group): void {
    const { generationId } = group;
    const isCurrent = () => group.generationId === generationId && group.is('CompletingRebalance', 'Stable');
    this.#syncs.tryCompleteElseWatch(
      {
        isReady: () => !isCurrent() || group.hasAllSynced,
        complete: how => {
          if (how === 'expired' && isCurrent()) this.#removeUnsynced(group);
        },
      },
      [group.groupId],
      group.rebalanceTimeoutMs,
    );
  }

  #removeUnsynced(group: Group): void {
    const memberIds = group.pendingSyncs;
    for (const memberId of memberIds) group.remove(memberId);
    this.maybePrepare(group, `members did not sync in time: ${memberIds.join(', ')}`);
  }

  /** The member has sent its SyncGroup. */
  noteSync(group: Group, member: Member): void {
    group.hasSynced(member.memberId);
    this.#syncs.check(group.groupId);
  }

  /** Everybody who waits gets an error instead of an assignment. */
  failSyncs(group: Group, errorCode: ErrorCode): void {
    for (const member of group.members()) member.assignment = NOTHING;
    for (const member of group.members()) {
      if (group.answerSync(member, syncError(errorCode))) this.keepAlive(group, member);
    }
  }

  /** The leader's assignments are written: everybody who waits gets its own. */
  distribute(group: Group, assignments: ReadonlyMap<string, Buffer>): void {
    const { protocolType, protocolName } = group;
    for (const member of group.members()) {
      member.assignment = assignments.get(member.memberId) ?? NOTHING;
      const result = { errorCode: ErrorCode.NONE, protocolType, protocolName, assignment: member.assignment };
      if (group.answerSync(member, result)) this.keepAlive(group, member);
    }
    group.become('Stable');
  }

  // --- the end -----------------------------------------------------------------------------------------------------

  /** This broker no longer coordinates the group: who waits is told to look for the one that does. */
  abandon(group: Group): void {
    group.become('Dead');
    for (const memberId of group.pendingIds()) group.forgetPending(memberId);
    for (const member of group.members()) {
      member.session?.cancel();
      group.answerJoin(member, joinError(ErrorCode.NOT_COORDINATOR, member.memberId));
      group.answerSync(member, syncError(ErrorCode.NOT_COORDINATOR));
    }
    this.#joins.check(group.groupId);
    this.#syncs.check(group.groupId);
  }
}
