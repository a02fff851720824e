import { emptyAssignment, inMemberOrder, wantedTopics, type Assignor } from './assignor.ts';

/** All partitions of all topics are dealt out in turn, past members that do not want the topic (Kafka: `RoundRobinAssignor`). */
export const roundRobinAssignor: Assignor = {
  name: 'roundrobin',
  isCooperative: false,
  assign(counts, members) {
    const assignment = emptyAssignment(members);
    const ordered = inMemberOrder(members);
    let turn = 0;
    for (const topic of wantedTopics(counts, members)) {
      for (let partition = 0; partition < counts.get(topic)!; partition++) {
        while (!ordered[turn % ordered.length]!.topics.includes(topic)) turn++;
        assignment.get(ordered[turn++ % ordered.length]!.memberId)!.push({ topic, partition });
      }
    }
    return assignment;
  },
};
