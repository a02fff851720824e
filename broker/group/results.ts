import { ErrorCode } from '../../shared/protocol/errors.ts';

/** A member as the leader is told of it. */
export interface JoinedMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  /** For the protocol that was chosen. */
  readonly metadata: Buffer;
}

/** What a JoinGroup comes to. */
export interface JoinResult {
  readonly errorCode: ErrorCode;
  readonly memberId: string;
  /** -1 with an error. */
  readonly generationId: number;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  /** Empty when there is none. */
  readonly leaderId: string;
  /** The leader is to go on with the assignment that is in force (KIP-814). */
  readonly skipAssignment: boolean;
  /** Everybody, for the leader; else none. */
  readonly members: readonly JoinedMember[];
}

/** What a SyncGroup comes to. */
export interface SyncResult {
  readonly errorCode: ErrorCode;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly assignment: Buffer;
}

export const NOTHING = Buffer.alloc(0);

export function joinError(errorCode: ErrorCode, memberId: string): JoinResult {
  return {
    errorCode,
    memberId,
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leaderId: '',
    skipAssignment: false,
    members: [],
  };
}

export function syncError(errorCode: ErrorCode): SyncResult {
  return { errorCode, protocolType: null, protocolName: null, assignment: NOTHING };
}
