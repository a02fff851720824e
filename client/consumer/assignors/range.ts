import { emptyAssignment, inMemberOrder, wantedTopics, type Assignor } from './assignor.ts';

/**
 * Topic by topic, each member gets a stretch of the partitions; the first members one more where they do not come out even
 * (Kafka: `RangeAssignor`). So equal partitions of topics with equally many go to the same member.
 */
export const rangeAssignor: Assignor = {
  name: 'range',
  isCooperative: false,
  assign(counts, members) {
    const assignment = emptyAssignment(members);
    const ordered = inMemberOrder(members);
    for (const topic of wantedTopics(counts, members)) {
      const takers = ordered.filter(({ topics }) => topics.includes(topic));
      const count = counts.get(topic)!;
      const share = Math.floor(count / takers.length);
      const withOneMore = count % takers.length;
      let partition = 0;
      for (const [i, { memberId }] of takers.entries()) {
        const end = partition + share + (i < withOneMore ? 1 : 0);
        for (; partition < end; partition++) assignment.get(memberId)!.push({ topic, partition });
      }
    }
    return assignment;
  },
};
