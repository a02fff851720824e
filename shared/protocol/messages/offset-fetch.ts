import { api } from '../api.ts';
import { array, bool, int16, int32, int64, string } from '../schema.ts';

const topicsOf = { name: string(), partitionIndexes: array(int32()) };

/** Committed offsets: of one group up to version 7, of several after it (KIP-709). Null topics ask for all. */
export const OffsetFetch = api({
  key: 9,
  name: 'OffsetFetch',
  versions: [0, 9],
  flexibleSince: 6,
  request: {
    groupId: string({ until: 7 }),
    topics: array(topicsOf, { until: 7, nullable: 2 }),
    groups: array(
      {
        groupId: string(),
        memberId: string({ since: 9, nullable: 9, default: null, ignorable: true }),
        memberEpoch: int32({ since: 9, default: -1, ignorable: true }),
        topics: array(topicsOf, { nullable: 8 }),
      },
      { since: 8 },
    ),
    requireStable: bool({ since: 7, default: false }),
  },
  response: {
    throttleTimeMs: int32({ since: 3, ignorable: true }),
    topics: array(
      {
        name: string(),
        partitions: array({
          partitionIndex: int32(),
          committedOffset: int64(),
          committedLeaderEpoch: int32({ since: 5, default: -1, ignorable: true }),
          metadata: string({ nullable: 0 }),
          errorCode: int16(),
        }),
      },
      { until: 7 },
    ),
    errorCode: int16({ since: 2, until: 7, default: 0, ignorable: true }),
    groups: array(
      {
        groupId: string(),
        topics: array({
          name: string(),
          partitions: array({
            partitionIndex: int32(),
            committedOffset: int64(),
            committedLeaderEpoch: int32({ default: -1, ignorable: true }),
            metadata: string({ nullable: 8 }),
            errorCode: int16(),
          }),
        }),
        errorCode: int16({ default: 0 }),
      },
      { since: 8 },
    ),
  },
});
