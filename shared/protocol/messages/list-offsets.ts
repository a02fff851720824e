import { api } from '../api.ts';
import { array, int16, int32, int64, int8, string } from '../schema.ts';

/** Looks up offsets by timestamp; special timestamps: -1 latest, -2 earliest, -3 largest timestamp (version 7, KIP-734). */
export const ListOffsets = api({
  key: 2,
  name: 'ListOffsets',
  versions: [0, 9],
  flexibleSince: 6,
  request: {
    replicaId: int32(),
    isolationLevel: int8({ since: 2 }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        currentLeaderEpoch: int32({ since: 4, default: -1, ignorable: true }),
        timestamp: int64(),
        maxNumOffsets: int32({ until: 0, default: 1 }),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32({ since: 2, ignorable: true }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        oldStyleOffsets: array(int64(), { until: 0 }),
        timestamp: int64({ since: 1, default: -1 }),
        offset: int64({ since: 1, default: -1 }),
        leaderEpoch: int32({ since: 4, default: -1 }),
      }),
    }),
  },
});
