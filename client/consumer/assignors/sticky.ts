import { message } from '../../../shared/protocol/message.ts';
import { ProtocolError } from '../../../shared/protocol/errors.ts';
import { array, int32, string } from '../../../shared/protocol/schema.ts';
import { partitionKey, type TopicPartition } from '../../../shared/topics/topic-partition.ts';
import { byTopic, flatten } from '../group/topic-partitions.ts';
import type { Assignor, AssignorMember, GroupAssignment, PartitionCounts } from './assignor.ts';
import { assignEqually } from './balanced.ts';
import { validClaims, type Claim } from './claims.ts';
import { assignUnevenly } from './uneven.ts';

/** A member's last assignment, as members of the eager kind tell it (Kafka: `StickyAssignor`; the first version had no generation). */
const StickyUserData = message(
  { name: 'StickyAssignorUserData', versions: { min: 0, max: 1 }, flexibleSince: null },
  {
    previousAssignment: array({ topic: string(), partitions: array(int32()) }),
    generation: int32({ since: 1, default: -1 }),
  },
);
const STICKY_USER_DATA = 1;
const NO_CLAIM: Claim = { partitions: [], generation: -1 };

function assign(
  counts: PartitionCounts,
  members: readonly AssignorMember[],
  claimOf: (member: AssignorMember) => Claim,
): Map<string, TopicPartition[]> {
  const claims = validClaims(counts, members, claimOf);
  return wantTheSame(members) ? assignEqually(counts, members, claims) : assignUnevenly(counts, members, claims);
}

function wantTheSame(members: readonly AssignorMember[]): boolean {
  const [first, ...others] = members.map(({ topics }) => new Set(topics));
  return others.every(topics => topics.size === first!.size && [...topics].every(topic => first!.has(topic)));
}

/** Even, and with as few moves as possible; members give up everything before each rebalance (KIP-54). */
export const stickyAssignor: Assignor = {
  name: 'sticky',
  isCooperative: false,
  assign: (counts, members) => assign(counts, members, eagerClaim),
  userData: (owned, generation) =>
    Buffer.concat(StickyUserData.encode({ previousAssignment: byTopic(owned), generation }, STICKY_USER_DATA)),
};

/** Eager members have given everything up when they join; what they had stands in their user data. */
function eagerClaim({ userData }: AssignorMember): Claim {
  if (userData === null || userData.length === 0) return NO_CLAIM;
  try {
    const { previousAssignment, generation } = decodeUserData(userData);
    return { partitions: flatten(previousAssignment), generation };
  } catch (error) {
    if (error instanceof ProtocolError) return NO_CLAIM;
    throw error;
  }
}

function decodeUserData(bytes: Buffer) {
  try {
    return StickyUserData.decode(bytes, STICKY_USER_DATA, 0);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return StickyUserData.decode(bytes, 0, 0);
  }
}

/**
 * The same, and members keep what stays theirs while they join again (KIP-429). Nobody may get what another still has: it
 * is left out until its owner, which learns by this that it is to give it up, has done so and joins once more.
 */
export const cooperativeStickyAssignor: Assignor = {
  name: 'cooperative-sticky',
  isCooperative: true,
  assign(counts, members) {
    const target = assign(counts, members, ({ owned, generation }) => ({ partitions: owned, generation }));
    return withoutWhatOthersHave(target, members);
  },
  userData(_owned, generation) {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(generation);
    return bytes;
  },
};

function withoutWhatOthersHave(
  target: Map<string, TopicPartition[]>,
  members: readonly AssignorMember[],
): GroupAssignment {
  const owners = new Map<string, Set<string>>();
  for (const { memberId, owned } of members) {
    for (const { topic, partition } of owned) {
      const key = partitionKey(topic, partition);
      owners.set(key, (owners.get(key) ?? new Set()).add(memberId));
    }
  }
  const isFree = (memberId: string, { topic, partition }: TopicPartition) =>
    [...(owners.get(partitionKey(topic, partition)) ?? [])].every(owner => owner === memberId);
  return new Map([...target].map(([id, partitions]) => [id, partitions.filter(tp => isFree(id, tp))]));
}
