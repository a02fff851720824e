import { api } from '../api.ts';
import { array, int16, int32, string } from '../schema.ts';

/** Orders partitions to other brokers; null replicas give a reassignment under way up (KIP-455). For the controller only. */
export const AlterPartitionReassignments = api({
  key: 45,
  name: 'AlterPartitionReassignments',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    timeoutMs: int32({ default: 60_000 }),
    topics: array({
      name: string(),
      partitions: array({ partitionIndex: int32(), replicas: array(int32(), { nullable: 0, default: null }) }),
    }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullable: 0 }),
    responses: array({
      name: string(),
      partitions: array({ partitionIndex: int32(), errorCode: int16(), errorMessage: string({ nullable: 0 }) }),
    }),
  },
});
