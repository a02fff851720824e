import { partitionKey, type TopicPartition } from '../../../shared/topics/topic-partition.ts';
import { compare, emptyAssignment, wantedTopics, type AssignorMember, type PartitionCounts } from './assignor.ts';

/**
 * Members that all want the same topics: each keeps what it has up to its share, and the rest is dealt out in turn to
 * those that have too little, the smallest first (Kafka: `AbstractStickyAssignor.ConstrainedAssignmentBuilder`).
 *
 * With n partitions and m members, n mod m members get ⌈n/m⌉, the others ⌊n/m⌋.
 */
export function assignEqually(
  counts: PartitionCounts,
  members: readonly AssignorMember[],
  owned: ReadonlyMap<string, readonly TopicPartition[]>,
): Map<string, TopicPartition[]> {
  const assignment = emptyAssignment(members);
  const all = wantedTopics(counts, members).flatMap(topic =>
    Array.from({ length: counts.get(topic)! }, (_, partition) => ({ topic, partition })),
  );
  const least = Math.floor(all.length / members.length);
  const most = Math.ceil(all.length / members.length);
  let mayHaveMost = all.length % members.length;
  const kept = new Set<string>();
  const below: string[] = [];
  const atLeast: string[] = [];
  for (const memberId of [...owned.keys()].sort(compare)) {
    const had = owned.get(memberId)!;
    let keeps = Math.min(had.length, least);
    if (had.length < least) below.push(memberId);
    else if (had.length >= most && most > least && mayHaveMost > 0) {
      keeps = most;
      mayHaveMost--;
    } else atLeast.push(memberId);
    assignment.set(memberId, had.slice(0, keeps));
    for (const { topic, partition } of had.slice(0, keeps)) kept.add(partitionKey(topic, partition));
  }
  const rest = all.filter(({ topic, partition }) => !kept.has(partitionKey(topic, partition)));
  deal(rest, assignment, { below, atLeast, least });
  return assignment;
}

/** First rounds over those below the least share; who reaches it stands behind those that may get one more. */
function deal(
  rest: readonly TopicPartition[],
  assignment: Map<string, TopicPartition[]>,
  { below, atLeast, least }: { below: string[]; atLeast: string[]; least: number },
): void {
  let turn = 0;
  for (const partition of rest) {
    if (below.length > 0) {
      turn %= below.length;
      const memberId = below[turn]!;
      const has = assignment.get(memberId)!;
      has.push(partition);
      if (has.length < least) turn++;
      else {
        below.splice(turn, 1);
        atLeast.push(memberId);
      }
    } else assignment.get(atLeast.shift()!)!.push(partition);
  }
}
