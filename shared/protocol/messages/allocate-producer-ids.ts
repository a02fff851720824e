import { api } from '../api.ts';
import { exact64, int16, int32, int64 } from '../schema.ts';

/** A broker asks the controller for a block of producer ids that nobody else gets (KIP-730). */
export const AllocateProducerIds = api({
  key: 67,
  name: 'AllocateProducerIds',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    brokerId: int32(),
    brokerEpoch: exact64({ default: -1n }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    producerIdStart: int64(),
    producerIdLen: int32(),
  },
});
