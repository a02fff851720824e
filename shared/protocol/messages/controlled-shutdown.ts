import { api } from '../api.ts';
import { array, exact64, int16, int32, string } from '../schema.ts';

/** A broker about to stop asks the controller to move its leaderships away. */
export const ControlledShutdown = api({
  key: 7,
  name: 'ControlledShutdown',
  versions: [0, 3],
  flexibleSince: 3,
  request: {
    brokerId: int32(),
    brokerEpoch: exact64({ since: 2, default: -1n, ignorable: true }),
  },
  response: {
    errorCode: int16(),
    remainingPartitions: array({ topicName: string(), partitionIndex: int32() }),
  },
});
