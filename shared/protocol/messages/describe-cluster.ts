import { api } from '../api.ts';
import { array, bool, int16, int32, int8, string } from '../schema.ts';

/** Who is in the cluster (KIP-700). */
export const DescribeCluster = api({
  key: 60,
  name: 'DescribeCluster',
  versions: [0, 1],
  flexibleSince: 0,
  request: {
    includeClusterAuthorizedOperations: bool(),
    endpointType: int8({ since: 1, default: 1 }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullable: 0, default: null }),
    endpointType: int8({ since: 1, default: 1 }),
    clusterId: string(),
    controllerId: int32({ default: -1 }),
    brokers: array({ brokerId: int32(), host: string(), port: int32(), rack: string({ nullable: 0, default: null }) }),
    clusterAuthorizedOperations: int32({ default: -2147483648 }),
  },
});
