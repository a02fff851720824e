import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { Random } from '../../shared/runtime/random.ts';
import type { GroupLog } from './group-log.ts';
import type { Group } from './group.ts';
import type { Member, MemberDescription } from './member.ts';
import { newMemberId } from './member-id.ts';
import type { GroupSettings } from './ports.ts';
import type { Rebalancer } from './rebalancer.ts';
import { joinError, syncError, type JoinResult } from './results.ts';
import { checkMember, NO_MEMBER_ID } from './validation.ts';

export interface JoinRequest extends MemberDescription {
  readonly groupId: string;
  /** Empty: it has none yet. */
  readonly memberId: string;
  readonly protocolType: string;
  /** Who has no id is to come back with the one it is given (KIP-394). */
  readonly requiresKnownMemberId: boolean;
  /** The client knows of `skipAssignment`. */
  readonly maySkipAssignment: boolean;
  /** In the client's words; empty if it gives none. */
  readonly reason: string;
}

export interface JoiningParts {
  readonly settings: () => GroupSettings;
  readonly random: Random;
  readonly rebalancer: Rebalancer;
  readonly log: GroupLog;
}

type Answer = (result: JoinResult) => void;

/** Decides what a JoinGroup comes to (Kafka: `GroupCoordinator.handleJoinGroup`). */
export class Joining {
  readonly #parts: JoiningParts;

  constructor(parts: JoiningParts) {
    this.#parts = parts;
  }

  /** Resolves when the member is told of a generation, or why there is none for it. */
  join(group: Group, request: JoinRequest): Promise<JoinResult> {
    return new Promise(resolve => {
      this.#join(group, request, resolve);
      if (group.is('PreparingRebalance')) this.#parts.rebalancer.checkJoins(group);
    });
  }

  #join(group: Group, request: JoinRequest, answer: Answer): void {
    const { memberId } = request;
    if (!this.#hasRoom(group, memberId)) {
      group.remove(memberId);
      answer(joinError(ErrorCode.GROUP_MAX_SIZE_REACHED, NO_MEMBER_ID));
    } else if (group.is('Dead')) {
      answer(joinError(ErrorCode.COORDINATOR_NOT_AVAILABLE, memberId));
    } else if (!group.supports(request.protocolType, request.protocols)) {
      answer(joinError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL, memberId));
    } else if (memberId === NO_MEMBER_ID) {
      this.#joinAnew(group, request, answer);
    } else {
      this.#joinAgain(group, request, answer);
    }
  }

  /**
   * Members that are there may stay, whatever the limit; while a group prepares, those that have joined count, so that
   * the last to come back to a group that is too large are turned away.
   */
  #hasRoom(group: Group, memberId: string): boolean {
    const { maxSize } = this.#parts.settings();
    const member = group.member(memberId);
    if (group.is('Empty', 'Dead')) return true;
    if (group.is('PreparingRebalance')) return Boolean(member?.join) || group.waitingJoins < maxSize;
    return member !== null || group.size < maxSize;
  }

  #joinAnew(group: Group, request: JoinRequest, answer: Answer): void {
    const { groupInstanceId, clientId } = request;
    const memberId = newMemberId(groupInstanceId ?? clientId, this.#parts.random);
    const former = groupInstanceId === null ? null : group.instance(groupInstanceId);
    if (groupInstanceId !== null && former !== null) {
      this.#takeOver(group, { oldId: former, newId: memberId, groupInstanceId }, request, answer);
    } else if (groupInstanceId === null && request.requiresKnownMemberId) {
      this.#parts.rebalancer.expectBack(group, memberId, request.sessionTimeoutMs);
      answer(joinError(ErrorCode.MEMBER_ID_REQUIRED, memberId));
    } else {
      this.#add(group, memberId, request, answer);
    }
  }

  #joinAgain(group: Group, request: JoinRequest, answer: Answer): void {
    const { memberId, protocols } = request;
    if (group.isPending(memberId)) {
      // Ids are given away to dynamic members only.
      if (request.groupInstanceId === null) this.#add(group, memberId, request, answer);
      else answer(joinError(ErrorCode.UNKNOWN_MEMBER_ID, memberId));
      return;
    }
    const errorCode = checkMember(group, request);
    if (errorCode !== ErrorCode.NONE) {
      answer(joinError(errorCode, memberId));
      return;
    }
    const member = group.member(memberId)!;
    // A leader that joins again has seen something that members' metadata do not tell, such as new partitions.
    const isNews = !member.matches(protocols) || (group.is('Stable') && group.isLeader(memberId));
    if (group.is('PreparingRebalance') || isNews) this.#update(group, member, request, answer);
    else answer(group.describeGeneration(memberId));
  }

  #add(group: Group, memberId: string, request: JoinRequest, answer: Answer): void {
    if (group.is('PreparingRebalance') && group.generationId === 0) group.hasNewMember = true;
    const member = group.add(memberId, request, request.protocolType);
    group.parkJoin(member, answer);
    this.#parts.rebalancer.welcome(group, member);
    this.#parts.rebalancer.maybePrepare(group, `member ${memberId} joins${because(request)}`);
  }

  #update(group: Group, member: Member, request: JoinRequest, answer: Answer): void {
    this.#adopt(group, member, request, answer);
    this.#parts.rebalancer.maybePrepare(group, `member ${member.memberId} joins again${because(request)}`);
  }

  /** A join that waits already is one whose client has given up on it. */
  #adopt(group: Group, member: Member, request: JoinRequest, answer: Answer): void {
    group.answerJoin(member, joinError(ErrorCode.REBALANCE_IN_PROGRESS, member.memberId));
    member.protocols = request.protocols;
    member.rebalanceTimeoutMs = request.rebalanceTimeoutMs;
    member.sessionTimeoutMs = request.sessionTimeoutMs;
    group.parkJoin(member, answer);
  }

  /**
   * A static member has been restarted: it takes the place of its former self, without a rebalance if the protocol
   * chosen stays the same (KIP-345).
   */
  #takeOver(group: Group, { oldId, newId, groupInstanceId }: Takeover, request: JoinRequest, answer: Answer): void {
    const { rebalancer } = this.#parts;
    const formerLeader = group.leaderId ?? '';
    const member = group.member(oldId)!;
    group.answerJoin(member, joinError(ErrorCode.FENCED_INSTANCE_ID, oldId));
    group.answerSync(member, syncError(ErrorCode.FENCED_INSTANCE_ID));
    group.replaceStatic(groupInstanceId, oldId, newId);
    rebalancer.keepAlive(group, member);
    const { protocols, rebalanceTimeoutMs, sessionTimeoutMs } = member;
    this.#adopt(group, member, request, answer);
    if (group.is('CompletingRebalance')) {
      // The leader may be assigning to the old id right now.
      rebalancer.prepare(group, `static member ${groupInstanceId} was restarted`);
    } else if (group.is('Stable')) {
      if (group.nextProtocol() !== group.protocolName) {
        rebalancer.maybePrepare(group, `static member ${groupInstanceId} was restarted, and changes the protocol`);
        return;
      }
      const undo = () => {
        Object.assign(member, { protocols, rebalanceTimeoutMs, sessionTimeoutMs });
        if (group.instance(groupInstanceId) === newId) group.replaceStatic(groupInstanceId, newId, oldId);
        rebalancer.keepAlive(group, member);
      };
      void this.#persistTakeover(group, member, { formerLeader, request, undo });
    }
  }

  /**
   * Kafka: `GroupCoordinator.updateStaticMemberAndRebalance`. Clients that cannot skip the assignment are told of the
   * former leader's id, so that they do not take themselves for it: what they assigned would be thrown away.
   */
  async #persistTakeover(
    group: Group,
    member: Member,
    { formerLeader, request, undo }: { formerLeader: string; request: JoinRequest; undo: () => void },
  ): Promise<void> {
    const assignments = new Map(group.members().map(({ memberId, assignment }) => [memberId, assignment]));
    const errorCode = await this.#parts.log.storeGroup(group, assignments);
    // A rebalance, or the end, has come in between: then the join is part of that.
    if (!group.is('Stable') || member.join === null) return;
    const current = group.describeGeneration(member.memberId);
    if (errorCode !== ErrorCode.NONE) {
      group.answerJoin(member, {
        ...current,
        errorCode,
        memberId: NO_MEMBER_ID,
        leaderId: formerLeader,
        members: [],
      });
      undo();
    } else if (request.maySkipAssignment) {
      group.answerJoin(member, { ...current, skipAssignment: group.isLeader(member.memberId) });
    } else {
      group.answerJoin(member, { ...current, leaderId: formerLeader, members: [] });
    }
  }
}

interface Takeover {
  readonly oldId: string;
  readonly newId: string;
  readonly groupInstanceId: string;
}

function because({ reason }: JoinRequest): string {
  return reason === '' ? '' : `: ${reason}`;
}
