import { api } from '../api.ts';
import { bool, int16, int32, int64, string } from '../schema.ts';

/** Commits or aborts the producer's open transaction. */
export const EndTxn = api({
  key: 26,
  name: 'EndTxn',
  versions: [0, 4],
  flexibleSince: 3,
  request: { transactionalId: string(), producerId: int64(), producerEpoch: int16(), committed: bool() },
  response: { throttleTimeMs: int32(), errorCode: int16() },
});
