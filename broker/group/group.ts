import type { Clock } from '../../shared/runtime/clock.ts';
import { CommittedOffsets } from './committed-offsets.ts';
import { Member, type MemberDescription } from './member.ts';
import { isCommonProtocol, selectProtocol } from './protocol-selection.ts';
import type { JoinedMember, JoinResult, SyncResult } from './results.ts';
import { mayFollow, type GroupState } from './states.ts';
import { CONSUMER, subscribedTopics } from './subscribed-topics.ts';

/** What the log says of a group. */
export interface LoadedGroup {
  readonly protocolType: string;
  readonly generation: number;
  readonly protocolName: string | null;
  readonly leaderId: string | null;
  /** -1: an old record, which does not say. */
  readonly stateTimestamp: number;
  readonly members: readonly Member[];
}

/**
 * A group: its state, members and offsets (Kafka: `GroupMetadata`). It decides nothing by itself and sets no timers;
 * it keeps what belongs together in step: who leads, who waits, who has which instance id.
 */
export class Group {
  readonly groupId: string;
  readonly offsets: CommittedOffsets;
  readonly #clock: Clock;
  #state: GroupState = 'Empty';
  #stateTimestamp: number | null;
  #protocolType: string | null = null;
  #protocolName: string | null = null;
  #generationId = 0;
  #leaderId: string | null = null;
  #subscribed: ReadonlySet<string> | null = null;
  /** In the order of their joining. */
  readonly #members = new Map<string, Member>();
  /** Member ids by instance id. */
  readonly #instances = new Map<string, string>();
  /** Ids that were given away and have not joined yet; what ends their wait. */
  readonly #pending = new Map<string, { cancel(): void }>();
  /** Members told of this generation that have not synced yet. */
  readonly #pendingSync = new Set<string>();
  #waitingJoins = 0;
  /** Somebody has joined since the first rebalance began, or was last prolonged. */
  hasNewMember = false;

  constructor(groupId: string, clock: Clock, offsets = new CommittedOffsets()) {
    this.groupId = groupId;
    this.#clock = clock;
    this.offsets = offsets;
    this.#stateTimestamp = clock.now();
  }

  /** Takes over what the log says; the members' timers are the caller's. */
  restore(loaded: LoadedGroup): void {
    this.#state = loaded.members.length === 0 ? 'Empty' : 'Stable';
    this.#stateTimestamp = loaded.stateTimestamp < 0 ? null : loaded.stateTimestamp;
    this.#protocolType = loaded.protocolType === '' ? null : loaded.protocolType;
    this.#protocolName = loaded.protocolName;
    this.#generationId = loaded.generation;
    for (const member of loaded.members) this.#enter(member);
    this.#leaderId = loaded.leaderId;
    this.#subscribed = subscribedTopics(this.#protocolType, this.#protocolName, this.members());
  }

  // --- state -------------------------------------------------------------------------------------------------------

  get state(): GroupState {
    return this.#state;
  }

  is(...states: readonly GroupState[]): boolean {
    return states.includes(this.#state);
  }

  mayBecome(state: GroupState): boolean {
    return mayFollow(this.#state, state);
  }

  become(state: GroupState): void {
    if (!this.mayBecome(state)) throw new Error(`group ${this.groupId} cannot go from ${this.#state} to ${state}`);
    this.#state = state;
    this.#stateTimestamp = this.#clock.now();
  }

  /** When it came into its state, milliseconds since the epoch; null if that is not known. */
  get stateTimestamp(): number | null {
    return this.#stateTimestamp;
  }

  get generationId(): number {
    return this.#generationId;
  }

  get protocolType(): string | null {
    return this.#protocolType;
  }

  get protocolName(): string | null {
    return this.#protocolName;
  }

  get isConsumerGroup(): boolean {
    return this.#protocolType === CONSUMER;
  }

  /** Topics that its members read; null where that cannot be known. */
  get subscribedTopics(): ReadonlySet<string> | null {
    return this.#subscribed;
  }

  // --- members -----------------------------------------------------------------------------------------------------

  members(): Member[] {
    return [...this.#members.values()];
  }

  get size(): number {
    return this.#members.size;
  }

  member(memberId: string): Member | null {
    return this.#members.get(memberId) ?? null;
  }

  /** The id of the member that has this instance id. */
  instance(groupInstanceId: string): string | null {
    return this.#instances.get(groupInstanceId) ?? null;
  }

  get leaderId(): string | null {
    return this.#leaderId;
  }

  isLeader(memberId: string): boolean {
    return this.#leaderId === memberId;
  }

  /** The longest that a member may take to join again, milliseconds. */
  get rebalanceTimeoutMs(): number {
    let longest = 0;
    for (const { rebalanceTimeoutMs } of this.#members.values()) longest = Math.max(longest, rebalanceTimeoutMs);
    return longest;
  }

  /** Adds a member; the first one leads. */
  add(memberId: string, description: MemberDescription, protocolType: string): Member {
    if (this.#members.size === 0) this.#protocolType = protocolType;
    const member = new Member(memberId, description);
    this.#enter(member);
    this.forgetPending(memberId);
    return member;
  }

  #enter(member: Member): void {
    this.#members.set(member.memberId, member);
    if (member.groupInstanceId !== null) this.#instances.set(member.groupInstanceId, member.memberId);
    this.#leaderId ??= member.memberId;
  }

  /** Forgets a member, or an id that was given away. What of it waits here is the caller's to answer before. */
  remove(memberId: string): void {
    const member = this.#members.get(memberId);
    if (member !== undefined) {
      this.#members.delete(memberId);
      if (member.join !== null) this.#waitingJoins -= 1;
      if (member.groupInstanceId !== null) this.#instances.delete(member.groupInstanceId);
      member.session?.cancel();
    }
    if (this.isLeader(memberId)) this.#leaderId = this.#members.keys().next().value ?? null;
    this.forgetPending(memberId);
    this.#pendingSync.delete(memberId);
  }

  /** A restarted static member gets a new id in the place of its old one. */
  replaceStatic(groupInstanceId: string, oldId: string, newId: string): Member {
    const member = this.#members.get(oldId)!;
    this.#members.delete(oldId);
    member.memberId = newId;
    this.#members.set(newId, member);
    if (this.isLeader(oldId)) this.#leaderId = newId;
    this.#instances.set(groupInstanceId, newId);
    this.#pendingSync.delete(oldId);
    return member;
  }

  /** If the leader has not joined again, somebody who has becomes it. False: nobody has. */
  electJoinedLeader(): boolean {
    if (this.#leaderId === null) return false;
    if (this.member(this.#leaderId)?.join) return true;
    const joined = this.members().find(({ join }) => join !== null);
    if (joined === undefined) return false;
    this.#leaderId = joined.memberId;
    return true;
  }

  // --- ids given away ----------------------------------------------------------------------------------------------

  isPending(memberId: string): boolean {
    return this.#pending.has(memberId);
  }

  /** An id was given away; `wait` ends by itself when nobody comes back with it. */
  addPending(memberId: string, wait: { cancel(): void }): void {
    this.#pending.set(memberId, wait);
  }

  forgetPending(memberId: string): void {
    this.#pending.get(memberId)?.cancel();
    this.#pending.delete(memberId);
  }

  pendingIds(): string[] {
    return [...this.#pending.keys()];
  }

  // --- joins and syncs that wait -----------------------------------------------------------------------------------

  get waitingJoins(): number {
    return this.#waitingJoins;
  }

  get hasAllJoined(): boolean {
    return this.#waitingJoins === this.#members.size && this.#pending.size === 0;
  }

  parkJoin(member: Member, answer: (result: JoinResult) => void): void {
    if (member.join === null) this.#waitingJoins += 1;
    member.join = answer;
  }

  /** Answers the join that waits, if there is one. */
  answerJoin(member: Member, result: JoinResult): void {
    const answer = member.join;
    if (answer === null) return;
    member.join = null;
    this.#waitingJoins -= 1;
    answer(result);
  }

  /** Answers the sync that waits; false if there is none. */
  answerSync(member: Member, result: SyncResult): boolean {
    const answer = member.sync;
    if (answer === null) return false;
    member.sync = null;
    answer(result);
    return true;
  }

  /** Everybody who has to sync in this generation has, or nobody has to any more. */
  get hasAllSynced(): boolean {
    return this.#pendingSync.size === 0;
  }

  get pendingSyncs(): string[] {
    return [...this.#pendingSync];
  }

  awaitSync(memberId: string): void {
    this.#pendingSync.add(memberId);
  }

  hasSynced(memberId: string): void {
    this.#pendingSync.delete(memberId);
  }

  awaitNoSyncs(): void {
    this.#pendingSync.clear();
  }

  // --- generations -------------------------------------------------------------------------------------------------

  /** Whether somebody with these protocols may be a member. */
  supports(protocolType: string, protocols: readonly { readonly name: string; readonly metadata: Buffer }[]): boolean {
    if (this.is('Empty')) return protocolType !== '' && protocols.length > 0;
    if (this.#protocolType !== protocolType) return false;
    return protocols.some(({ name }) => isCommonProtocol(name, this.#members.values()));
  }

  /** The protocol that the members as they are now would choose. */
  nextProtocol(): string | null {
    return selectProtocol(this.members());
  }

  /** The joining is over: the next generation begins, of whoever is a member now. */
  beginGeneration(): void {
    this.#generationId += 1;
    this.#protocolName = this.size === 0 ? null : this.nextProtocol();
    this.#subscribed = subscribedTopics(this.#protocolType, this.#protocolName, this.members());
    this.awaitNoSyncs();
    this.become(this.size === 0 ? 'Empty' : 'CompletingRebalance');
  }

  /** What a member is told of the generation in force. */
  describeGeneration(memberId: string): JoinResult {
    return {
      errorCode: 0,
      memberId,
      generationId: this.#generationId,
      protocolType: this.#protocolType,
      protocolName: this.#protocolName,
      leaderId: this.#leaderId ?? '',
      skipAssignment: false,
      members: this.isLeader(memberId) ? this.#describeMembers() : [],
    };
  }

  #describeMembers(): JoinedMember[] {
    return this.members().map(member => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      metadata: member.metadata(this.#protocolName),
    }));
  }
}
