import { message } from '../message.ts';
import { array, bytes, int32, int64, string } from '../schema.ts';

/*
 * Keys and values of `__consumer_offsets`. Each begins with its version (`versioned.ts`); the version of a key also tells
 * what it is about: 0 and 1 an offset, 2 a group. Higher ones belong to the consumer protocol of KIP-848.
 */

export const OffsetCommitKey = message(
  { name: 'OffsetCommitKey', versions: { min: 0, max: 1 }, flexibleSince: null },
  { group: string(), topic: string(), partition: int32() },
);

/** Version 1 is written where a client names an expiry (OffsetCommit 2 to 4), else 3; version 4 is only read. */
export const OffsetCommitValue = message(
  { name: 'OffsetCommitValue', versions: { min: 0, max: 4 }, flexibleSince: 4 },
  {
    offset: int64(),
    leaderEpoch: int32({ since: 3, default: -1, ignorable: true }),
    metadata: string(),
    commitTimestamp: int64(),
    expireTimestamp: int64({ since: 1, until: 1, default: -1, ignorable: true }),
  },
);

export const GroupMetadataKey = message(
  { name: 'GroupMetadataKey', versions: { min: 2, max: 2 }, flexibleSince: null },
  { group: string() },
);

/** Version 3 is written; version 4 is only read. */
export const GroupMetadataValue = message(
  { name: 'GroupMetadataValue', versions: { min: 0, max: 4 }, flexibleSince: 4 },
  {
    protocolType: string(),
    generation: int32(),
    protocol: string({ nullable: 0 }),
    leader: string({ nullable: 0 }),
    currentStateTimestamp: int64({ since: 2, default: -1, ignorable: true }),
    members: array({
      memberId: string(),
      groupInstanceId: string({ since: 3, nullable: 3, default: null, ignorable: true }),
      clientId: string(),
      clientHost: string(),
      rebalanceTimeout: int32({ since: 1, default: -1, ignorable: true }),
      sessionTimeout: int32(),
      subscription: bytes(),
      assignment: bytes(),
    }),
  },
);
