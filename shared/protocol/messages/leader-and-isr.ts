import { api } from '../api.ts';
import { array, bool, exact64, int16, int32, int8, string, uuid } from '../schema.ts';

const partitionState = {
  topicName: string({ until: 1, ignorable: true }),
  partitionIndex: int32(),
  controllerEpoch: int32(),
  leader: int32(),
  leaderEpoch: int32(),
  isr: array(int32()),
  partitionEpoch: int32(),
  replicas: array(int32()),
  addingReplicas: array(int32(), { since: 3, ignorable: true }),
  removingReplicas: array(int32(), { since: 3, ignorable: true }),
  isNew: bool({ since: 1, default: false, ignorable: true }),
  leaderRecoveryState: int8({ since: 6, default: 0 }),
} as const;

const partitionError = {
  topicName: string({ until: 4, ignorable: true }),
  partitionIndex: int32(),
  errorCode: int16(),
} as const;

/** The controller tells a broker which partitions to lead and which to follow. */
export const LeaderAndIsr = api({
  key: 4,
  name: 'LeaderAndIsr',
  versions: [0, 7],
  flexibleSince: 4,
  request: {
    controllerId: int32(),
    isKRaftController: bool({ since: 7, default: false }),
    controllerEpoch: int32(),
    brokerEpoch: exact64({ since: 2, default: -1n, ignorable: true }),
    type: int8({ since: 5 }),
    ungroupedPartitionStates: array(partitionState, { until: 1 }),
    topicStates: array(
      { topicName: string(), topicId: uuid({ since: 5, ignorable: true }), partitionStates: array(partitionState) },
      { since: 2 },
    ),
    liveLeaders: array({ brokerId: int32(), hostName: string(), port: int32() }),
  },
  response: {
    errorCode: int16(),
    partitionErrors: array(partitionError, { until: 4 }),
    topics: array({ topicId: uuid(), partitionErrors: array(partitionError) }, { since: 5 }),
  },
});
