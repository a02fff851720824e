import { ErrorCode } from '../../../shared/protocol/errors.ts';
import { Heartbeat } from '../../../shared/protocol/messages/heartbeat.ts';
import type { Timer } from '../../../shared/runtime/clock.ts';
import type { ClientRuntime } from '../../runtime.ts';
import type { CoordinatorLink } from '../../groups/coordinator-link.ts';
import type { Generation } from './generation.ts';

export interface HeartbeatSettings {
  readonly groupId: string;
  readonly instanceId: string | null;
  readonly heartbeatIntervalMs: number;
  readonly sessionTimeoutMs: number;
  /** Longest time between two polls before the group goes on without this member. */
  readonly maxPollIntervalMs: number;
}

/** What heartbeats are sent for, and who hears what comes of them. */
export interface HeartbeatOwner {
  readonly generation: Generation;
  /** The coordinator's answer to a heartbeat of the generation that still is the member's. */
  heard(code: number): void;
  /** The application has been at work on records for longer than max.poll.interval.ms. */
  pollIsOverdue(): void;
  /** After each heartbeat: a chance to look for other changes. */
  checkTopics(): Promise<void>;
}

/**
 * Tells the coordinator that a member lives, from the answer to its JoinGroup until it sends the next one; while a JoinGroup
 * is on its way the coordinator knows that it waits. A member that has heard of a rebalance goes on with them for as long as
 * its application is busy: it has until the rebalance timeout, which is longer than the session's.
 */
export class Heartbeats {
  readonly #runtime: ClientRuntime;
  readonly #link: CoordinatorLink;
  readonly #settings: HeartbeatSettings;
  readonly #owner: HeartbeatOwner;
  #timer: Timer | null = null;
  #isBeating = false;
  #lastAnswer = 0;
  #lastPoll = 0;
  #polls = 0;

  constructor(runtime: ClientRuntime, link: CoordinatorLink, settings: HeartbeatSettings, owner: HeartbeatOwner) {
    this.#runtime = runtime;
    this.#link = link;
    this.#settings = settings;
    this.#owner = owner;
  }

  /** The application is at a poll, and not at work on records. */
  enterPoll(): void {
    this.#polls++;
  }

  leavePoll(): void {
    this.#polls--;
    this.#lastPoll = this.#now();
  }

  start(): void {
    this.#lastAnswer = this.#now();
    this.#lastPoll = this.#now();
    this.#timer ??= this.#runtime.timers.every(this.#settings.heartbeatIntervalMs, () => void this.#beat());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  async #beat(): Promise<void> {
    if (this.#polls === 0 && this.#now() - this.#lastPoll > this.#settings.maxPollIntervalMs) {
      this.#owner.pollIsOverdue();
      return;
    }
    if (this.#isBeating) return;
    this.#isBeating = true;
    const { groupId, instanceId, sessionTimeoutMs } = this.#settings;
    const { id, memberId } = this.#owner.generation;
    try {
      const beat = { groupId, generationId: id, memberId, groupInstanceId: instanceId };
      const { errorCode } = await this.#link.call(Heartbeat, beat, { timeoutMs: sessionTimeoutMs });
      this.#link.note(errorCode);
      if (errorCode === ErrorCode.NONE) this.#lastAnswer = this.#now();
      if (this.#timer !== null && this.#owner.generation.id === id) this.#owner.heard(errorCode);
      await this.#owner.checkTopics();
    } catch (error) {
      // Another try comes with the next heartbeat; who coordinates the group is looked up for it.
      this.#runtime.logger.debug({ err: error, groupId }, 'a heartbeat was not answered');
      if (this.#now() - this.#lastAnswer > sessionTimeoutMs) this.#link.forget();
    } finally {
      this.#isBeating = false;
    }
  }

  #now(): number {
    return this.#runtime.clock.monotonic();
  }
}
