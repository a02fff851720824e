import { api } from '../api.ts';
import { array, int16, int32, int8, string } from '../schema.ts';

/** Elects preferred (0) or, at the price of data, unclean (1) leaders (KIP-183, KIP-460). */
export const ElectLeaders = api({
  key: 43,
  name: 'ElectLeaders',
  versions: [0, 2],
  flexibleSince: 2,
  request: {
    electionType: int8({ since: 1 }),
    topicPartitions: array({ topic: string(), partitions: array(int32()) }, { nullable: 0 }),
    timeoutMs: int32({ default: 60_000 }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16({ since: 1, ignorable: true }),
    replicaElectionResults: array({
      topic: string(),
      partitionResult: array({ partitionId: int32(), errorCode: int16(), errorMessage: string({ nullable: 0 }) }),
    }),
  },
});
