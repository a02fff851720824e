import { api } from '../api.ts';
import { array, int16, int32, int64, string } from '../schema.ts';

/** Where a leader epoch ended in the leader's log: the question by which followers and consumers find divergence (KIP-101, KIP-320). */
export const OffsetForLeaderEpoch = api({
  key: 23,
  name: 'OffsetForLeaderEpoch',
  versions: [0, 4],
  flexibleSince: 4,
  request: {
    replicaId: int32({ since: 3, default: -2, ignorable: true }),
    topics: array({
      topic: string(),
      partitions: array({
        partition: int32(),
        currentLeaderEpoch: int32({ since: 2, default: -1, ignorable: true }),
        leaderEpoch: int32(),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32({ since: 2, ignorable: true }),
    topics: array({
      topic: string(),
      partitions: array({
        errorCode: int16(),
        partition: int32(),
        leaderEpoch: int32({ since: 1, default: -1, ignorable: true }),
        endOffset: int64({ default: -1 }),
      }),
    }),
  },
});
