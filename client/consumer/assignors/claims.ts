import { partitionKey, type TopicPartition } from '../../../shared/topics/topic-partition.ts';
import type { AssignorMember, PartitionCounts } from './assignor.ts';

/** What a member says to have had, and in which generation. */
export interface Claim {
  readonly partitions: readonly TopicPartition[];
  readonly generation: number;
}

/**
 * What each member may be taken to have: partitions that there still are, of topics that it still wants, and that nobody
 * claims of a later generation. Two that claim one of the same generation have both lost it (Kafka:
 * `AbstractStickyAssignor.allSubscriptionsEqual`).
 */
export function validClaims(
  counts: PartitionCounts,
  members: readonly AssignorMember[],
  claimOf: (member: AssignorMember) => Claim,
): Map<string, TopicPartition[]> {
  const claims = members.map(member => ({ member, ...claimOf(member) }));
  /** Of the latest generation that claims it: whose it is; null: disputed. */
  const owners = new Map<string, { generation: number; memberId: string | null }>();
  for (const { member, partitions, generation } of claims) {
    for (const { topic, partition } of partitions) {
      const key = partitionKey(topic, partition);
      const known = owners.get(key);
      if (known === undefined || known.generation < generation)
        owners.set(key, { generation, memberId: member.memberId });
      else if (known.generation === generation) known.memberId = null;
    }
  }
  return new Map(
    claims.map(({ member, partitions }) => [
      member.memberId,
      partitions.filter(
        ({ topic, partition }) =>
          partition < (counts.get(topic) ?? 0) &&
          member.topics.includes(topic) &&
          owners.get(partitionKey(topic, partition))!.memberId === member.memberId,
      ),
    ]),
  );
}
