import { compare, emptyAssignment, inMemberOrder, NO_RACKS, wantedTopics, type Assignor } from './assignor.ts';
import { giveNear } from './range-racks.ts';
import { RangeShare, type Give } from './range-share.ts';

/**
 * Topic by topic, each member gets a stretch of the partitions; the first members one more where they do not come out even
 * (Kafka: `RangeAssignor`). So equal partitions of topics with equally many go to the same member. Where racks differ, who is
 * near to a partition comes first.
 */
export const rangeAssignor: Assignor = {
  name: 'range',
  isCooperative: false,
  assign(counts, members, racks = NO_RACKS) {
    const assignment = emptyAssignment(members);
    const give: Give = (memberId, partitions) => assignment.get(memberId)!.push(...partitions);
    const ordered = inMemberOrder(members);
    const shares = wantedTopics(counts, members).map(topic => {
      const takers = ordered.filter(({ topics }) => topics.includes(topic));
      return new RangeShare(topic, counts.get(topic)!, takers, racks.get(topic) ?? []);
    });
    const racksMatter = shares.some(({ needsRacks }) => needsRacks);
    if (racksMatter) giveNear(shares, give);
    for (const share of shares) share.giveRanges(() => true, give);
    if (racksMatter)
      for (const given of assignment.values())
        given.sort((a, b) => compare(a.topic, b.topic) || a.partition - b.partition);
    return assignment;
  },
};
