import type { TopicPartition } from '../../../shared/topics/topic-partition.ts';

/** A member of the group, as its leader hears of it. */
export interface AssignorMember {
  readonly memberId: string;
  /** `group.instance.id`; null for dynamic members. */
  readonly instanceId: string | null;
  readonly topics: readonly string[];
  /** What it says to have, and of which generation it has it; -1: it does not say. */
  readonly owned: readonly TopicPartition[];
  readonly generation: number;
  readonly userData: Buffer | null;
  /** Its `client.rack`; null: it does not tell. */
  readonly rackId: string | null;
}

/** The partition counts of the topics that the members want; topics that nobody knows are missing. */
export type PartitionCounts = ReadonlyMap<string, number>;

/** By topic and partition, the racks in which its replicas are; replicas on brokers without a rack do not count. */
export type PartitionRacks = ReadonlyMap<string, readonly ReadonlySet<string>[]>;

export const NO_RACKS: PartitionRacks = new Map();

/** Who gets what, by member id; members that get nothing are in it too. */
export type GroupAssignment = ReadonlyMap<string, readonly TopicPartition[]>;

/** Shares out partitions (Kafka: `ConsumerPartitionAssignor`). The results are those of Kafka's class of that name. */
export interface Assignor {
  /** By which members agree on it: `range`. */
  readonly name: string;
  /** Members keep what they have while they join again, and give up only what moves (KIP-429). */
  readonly isCooperative: boolean;
  assign(counts: PartitionCounts, members: readonly AssignorMember[], racks?: PartitionRacks): GroupAssignment;
  /** What this member tells the leader about itself, beside its subscription. */
  userData?(owned: readonly TopicPartition[], generation: number): Buffer;
}

/** Static members by instance id, then dynamic ones by member id (Kafka: `MemberInfo.compareTo`). */
export function inMemberOrder<M extends Pick<AssignorMember, 'memberId' | 'instanceId'>>(members: readonly M[]): M[] {
  return [...members].sort((a, b) => {
    if (a.instanceId !== null && b.instanceId !== null) return compare(a.instanceId, b.instanceId);
    if (a.instanceId !== null) return -1;
    if (b.instanceId !== null) return 1;
    return compare(a.memberId, b.memberId);
  });
}

/** By UTF-16 code units, as Java's strings compare. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Topics that somebody wants and that there are, sorted. */
export function wantedTopics(counts: PartitionCounts, members: readonly AssignorMember[]): string[] {
  return [...new Set(members.flatMap(({ topics }) => topics))].filter(topic => counts.has(topic)).sort(compare);
}

export function emptyAssignment(members: readonly AssignorMember[]): Map<string, TopicPartition[]> {
  return new Map(members.map(({ memberId }) => [memberId, []]));
}
