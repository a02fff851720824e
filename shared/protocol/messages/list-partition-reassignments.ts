import { api } from '../api.ts';
import { array, int16, int32, string } from '../schema.ts';

/** The reassignments under way, of all topics (null) or of some partitions (KIP-455). For the controller only. */
export const ListPartitionReassignments = api({
  key: 46,
  name: 'ListPartitionReassignments',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    timeoutMs: int32({ default: 60_000 }),
    topics: array({ name: string(), partitionIndexes: array(int32()) }, { nullable: 0, default: null }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullable: 0 }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        replicas: array(int32()),
        addingReplicas: array(int32()),
        removingReplicas: array(int32()),
      }),
    }),
  },
});
