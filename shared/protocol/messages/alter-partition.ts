import { api } from '../api.ts';
import { array, exact64, int16, int32, int8, string, uuid } from '../schema.ts';

/** A leader asks the controller to commit an ISR (KIP-497). */
export const AlterPartition = api({
  key: 56,
  name: 'AlterPartition',
  versions: [0, 3],
  flexibleSince: 0,
  request: {
    brokerId: int32(),
    brokerEpoch: exact64({ default: -1n }),
    topics: array({
      topicName: string({ until: 1, ignorable: true }),
      topicId: uuid({ since: 2, ignorable: true }),
      partitions: array({
        partitionIndex: int32(),
        leaderEpoch: int32(),
        newIsr: array(int32(), { until: 2 }),
        newIsrWithEpochs: array({ brokerId: int32(), brokerEpoch: exact64({ default: -1n }) }, { since: 3 }),
        leaderRecoveryState: int8({ since: 1, default: 0 }),
        partitionEpoch: int32(),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    topics: array({
      topicName: string({ until: 1, ignorable: true }),
      topicId: uuid({ since: 2, ignorable: true }),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        leaderId: int32(),
        leaderEpoch: int32(),
        isr: array(int32()),
        leaderRecoveryState: int8({ since: 1, default: 0, ignorable: true }),
        partitionEpoch: int32(),
      }),
    }),
  },
});
