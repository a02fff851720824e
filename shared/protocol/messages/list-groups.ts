import { api } from '../api.ts';
import { array, int16, int32, string } from '../schema.ts';

/** The groups that a broker coordinates, filtered by state from version 4 (KIP-518) and by type from 5 (KIP-848). */
export const ListGroups = api({
  key: 16,
  name: 'ListGroups',
  versions: [0, 5],
  flexibleSince: 3,
  request: { statesFilter: array(string(), { since: 4 }), typesFilter: array(string(), { since: 5 }) },
  response: {
    throttleTimeMs: int32({ since: 1, ignorable: true }),
    errorCode: int16(),
    groups: array({
      groupId: string(),
      protocolType: string(),
      groupState: string({ since: 4, ignorable: true }),
      groupType: string({ since: 5, ignorable: true }),
    }),
  },
});
