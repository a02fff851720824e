import { api } from '../api.ts';
import { int16, int32, int64, string } from '../schema.ts';

/** Takes the offsets of a group into a transaction: the partition of `__consumer_offsets` where that group's lie. */
export const AddOffsetsToTxn = api({
  key: 25,
  name: 'AddOffsetsToTxn',
  versions: [0, 4],
  flexibleSince: 3,
  request: { transactionalId: string(), producerId: int64(), producerEpoch: int16(), groupId: string() },
  response: { throttleTimeMs: int32(), errorCode: int16() },
});
