import { api } from '../api.ts';
import { array, bool, int16, int32, string } from '../schema.ts';

/** Raises the partition count of topics (KIP-195). */
export const CreatePartitions = api({
  key: 37,
  name: 'CreatePartitions',
  versions: [0, 3],
  flexibleSince: 2,
  request: {
    topics: array({
      name: string(),
      count: int32(),
      assignments: array({ brokerIds: array(int32()) }, { nullable: 0 }),
    }),
    timeoutMs: int32(),
    validateOnly: bool(),
  },
  response: {
    throttleTimeMs: int32(),
    results: array({ name: string(), errorCode: int16(), errorMessage: string({ nullable: 0, default: null }) }),
  },
});
