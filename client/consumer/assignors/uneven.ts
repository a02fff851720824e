import { partitionKey, type TopicPartition } from '../../../shared/topics/topic-partition.ts';
import { compare, emptyAssignment, wantedTopics, type AssignorMember, type PartitionCounts } from './assignor.ts';

interface Placed extends TopicPartition {
  readonly key: string;
  /** Who wants the topic, by member id. */
  readonly takers: readonly string[];
}

/**
 * Members that want different topics: everybody keeps what it has; what nobody has goes to whoever has the least; then
 * partitions move, one at a time, from members to others that have at least two fewer, until none can (Kafka:
 * `AbstractStickyAssignor.GeneralAssignmentBuilder`). If that has not evened things out, all stays as it was.
 */
export function assignUnevenly(
  counts: PartitionCounts,
  members: readonly AssignorMember[],
  owned: ReadonlyMap<string, readonly TopicPartition[]>,
): Map<string, TopicPartition[]> {
  const assignment = emptyAssignment(members);
  const owners = new Map<string, string>();
  const give = (placed: TopicPartition & { readonly key: string }, memberId: string) => {
    assignment.get(memberId)!.push({ topic: placed.topic, partition: placed.partition });
    owners.set(placed.key, memberId);
  };
  for (const [memberId, partitions] of owned) {
    for (const { topic, partition } of partitions)
      give({ topic, partition, key: partitionKey(topic, partition) }, memberId);
  }
  const hadSome = owners.size > 0;
  const all = hardestFirst(counts, members);
  const size = (memberId: string) => assignment.get(memberId)!.length;
  for (const placed of all) if (!owners.has(placed.key)) give(placed, leastOf(placed.takers, size));
  const before = copyOf(assignment);
  const moved = evenOut(all, assignment, owners, size);
  return moved && hadSome && imbalance(assignment) >= imbalance(before) ? before : assignment;
}

/** The fewest takers first, so that they are not left over for those who could have had others. */
function hardestFirst(counts: PartitionCounts, members: readonly AssignorMember[]): Placed[] {
  const all = wantedTopics(counts, members).flatMap(topic => {
    const takers = members.filter(({ topics }) => topics.includes(topic)).map(({ memberId }) => memberId);
    return Array.from({ length: counts.get(topic)! }, (_, partition) => ({
      topic,
      partition,
      key: partitionKey(topic, partition),
      takers: takers.sort(compare),
    }));
  });
  return all.sort((a, b) => a.takers.length - b.takers.length);
}

function leastOf(takers: readonly string[], size: (memberId: string) => number): string {
  return takers.reduce((least, memberId) => (size(memberId) < size(least) ? memberId : least));
}

/** Each move takes a partition to a member with at least two fewer, which cannot go on for ever. */
function evenOut(
  all: readonly Placed[],
  assignment: Map<string, TopicPartition[]>,
  owners: Map<string, string>,
  size: (memberId: string) => number,
): boolean {
  let hasMoved = false;
  for (let moves = -1; moves !== 0;) {
    moves = 0;
    for (const { key, topic, partition, takers } of all) {
      const owner = owners.get(key)!;
      const taker = leastOf(takers, size);
      if (size(owner) <= size(taker) + 1) continue;
      const has = assignment.get(owner)!;
      has.splice(
        has.findIndex(tp => tp.topic === topic && tp.partition === partition),
        1,
      );
      assignment.get(taker)!.push({ topic, partition });
      owners.set(key, taker);
      moves++;
    }
    hasMoved ||= moves > 0;
  }
  return hasMoved;
}

/** The sum of the differences between all pairs of members; 0: all have equally many. */
function imbalance(assignment: ReadonlyMap<string, readonly TopicPartition[]>): number {
  const sizes = [...assignment.values()].map(({ length }) => length);
  return sizes.reduce((sum, a, i) => sum + sizes.slice(i + 1).reduce((rest, b) => rest + Math.abs(a - b), 0), 0);
}

function copyOf(assignment: ReadonlyMap<string, readonly TopicPartition[]>): Map<string, TopicPartition[]> {
  return new Map([...assignment].map(([memberId, partitions]) => [memberId, [...partitions]]));
}
