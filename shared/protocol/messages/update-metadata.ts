import { api } from '../api.ts';
import { array, bool, exact64, int16, int32, int8, string, uuid } from '../schema.ts';

const partitionState = {
  topicName: string({ until: 4, ignorable: true }),
  partitionIndex: int32(),
  controllerEpoch: int32(),
  leader: int32(),
  leaderEpoch: int32(),
  isr: array(int32()),
  zkVersion: int32(),
  replicas: array(int32()),
  offlineReplicas: array(int32(), { since: 4, ignorable: true }),
} as const;

/** The controller tells a broker what the cluster looks like: all live brokers, and the partitions that changed. */
export const UpdateMetadata = api({
  key: 6,
  name: 'UpdateMetadata',
  versions: [0, 8],
  flexibleSince: 6,
  request: {
    controllerId: int32(),
    isKRaftController: bool({ since: 8, default: false }),
    type: int8({ since: 8, tag: 0, default: 0 }),
    controllerEpoch: int32(),
    brokerEpoch: exact64({ since: 5, default: -1n, ignorable: true }),
    ungroupedPartitionStates: array(partitionState, { until: 4 }),
    topicStates: array(
      { topicName: string(), topicId: uuid({ since: 7, ignorable: true }), partitionStates: array(partitionState) },
      { since: 5 },
    ),
    liveBrokers: array({
      id: int32(),
      v0Host: string({ until: 0, ignorable: true }),
      v0Port: int32({ until: 0, ignorable: true }),
      endpoints: array(
        { port: int32(), host: string(), listener: string({ since: 3, ignorable: true }), securityProtocol: int16() },
        { since: 1, ignorable: true },
      ),
      rack: string({ since: 2, nullable: 0, default: null, ignorable: true }),
    }),
  },
  response: { errorCode: int16() },
});
