import { api } from '../api.ts';
import { array, int16, int32, int64, string } from '../schema.ts';

/** The transactional ids that a broker coordinates (KIP-664), by duration too from version 1 on (KIP-994). */
export const ListTransactions = api({
  key: 66,
  name: 'ListTransactions',
  versions: [0, 1],
  flexibleSince: 0,
  request: {
    stateFilters: array(string()),
    producerIdFilters: array(int64()),
    durationFilter: int64({ since: 1, default: -1 }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    unknownStateFilters: array(string()),
    transactionStates: array({ transactionalId: string(), producerId: int64(), transactionState: string() }),
  },
});
