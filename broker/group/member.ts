import type { Timer } from '../../shared/runtime/clock.ts';
import { NOTHING, type JoinResult, type SyncResult } from './results.ts';

/** A protocol (an assignor, for consumers) that a member can do, with what it has to say for it. */
export interface MemberProtocol {
  readonly name: string;
  readonly metadata: Buffer;
}

/** What a member tells of itself when it joins. */
export interface MemberDescription {
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  /** As Kafka writes addresses: `/10.0.0.7`. */
  readonly clientHost: string;
  readonly rebalanceTimeoutMs: number;
  readonly sessionTimeoutMs: number;
  /** The one it likes best first. */
  readonly protocols: readonly MemberProtocol[];
}

/** A member of a group (Kafka: `MemberMetadata`). Changed by its `Group` and by those who run the group's timers. */
export class Member {
  memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  rebalanceTimeoutMs: number;
  sessionTimeoutMs: number;
  protocols: readonly MemberProtocol[];
  assignment: Buffer = NOTHING;
  /** It has not been told of a generation yet: its session is not running, only a limit to how long it waits. */
  isNew = false;
  /** Ends the session, or the wait, of a member from which nothing is heard. */
  session: Timer | null = null;
  /** Answers the JoinGroup that waits for the next generation. */
  join: ((result: JoinResult) => void) | null = null;
  /** Answers the SyncGroup that waits for the leader's. */
  sync: ((result: SyncResult) => void) | null = null;

  constructor(memberId: string, description: MemberDescription) {
    this.memberId = memberId;
    this.groupInstanceId = description.groupInstanceId;
    this.clientId = description.clientId;
    this.clientHost = description.clientHost;
    this.rebalanceTimeoutMs = description.rebalanceTimeoutMs;
    this.sessionTimeoutMs = description.sessionTimeoutMs;
    this.protocols = description.protocols;
  }

  get isStatic(): boolean {
    return this.groupInstanceId !== null;
  }

  /** Whether something of it waits here, so that its silence means nothing. */
  get isWaiting(): boolean {
    return !this.isNew && (this.join !== null || this.sync !== null);
  }

  /** Whether it would say the same again. */
  matches(protocols: readonly MemberProtocol[]): boolean {
    return (
      protocols.length === this.protocols.length &&
      protocols.every(({ name, metadata }, index) => {
        const own = this.protocols[index]!;
        return own.name === name && own.metadata.equals(metadata);
      })
    );
  }

  /** What it says for a protocol, which must be one of its own. */
  metadata(protocolName: string | null): Buffer {
    return this.protocols.find(({ name }) => name === protocolName)?.metadata ?? NOTHING;
  }
}
