import { api } from '../api.ts';
import { array, bool, exact64, int16, int32, string } from '../schema.ts';

/** The controller tells a broker to stop replicas, and perhaps to delete them. */
export const StopReplica = api({
  key: 5,
  name: 'StopReplica',
  versions: [0, 4],
  flexibleSince: 2,
  request: {
    controllerId: int32(),
    isKRaftController: bool({ since: 4, default: false }),
    controllerEpoch: int32(),
    brokerEpoch: exact64({ since: 1, default: -1n, ignorable: true }),
    deletePartitions: bool({ until: 2 }),
    ungroupedPartitions: array({ topicName: string(), partitionIndex: int32() }, { until: 0 }),
    topics: array({ name: string(), partitionIndexes: array(int32()) }, { since: 1, until: 2 }),
    topicStates: array(
      {
        topicName: string(),
        partitionStates: array({
          partitionIndex: int32(),
          leaderEpoch: int32({ default: -1 }),
          deletePartition: bool(),
        }),
      },
      { since: 3 },
    ),
  },
  response: {
    errorCode: int16(),
    partitionErrors: array({ topicName: string(), partitionIndex: int32(), errorCode: int16() }),
  },
});
