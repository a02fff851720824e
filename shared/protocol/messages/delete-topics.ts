import { api } from '../api.ts';
import { array, int16, int32, string, uuid } from '../schema.ts';

/** Deletes topics, by name or (version 6, KIP-516) by id. */
export const DeleteTopics = api({
  key: 20,
  name: 'DeleteTopics',
  versions: [0, 6],
  flexibleSince: 4,
  request: {
    topics: array({ name: string({ nullable: 6, default: null }), topicId: uuid() }, { since: 6 }),
    topicNames: array(string(), { until: 5, ignorable: true }),
    timeoutMs: int32(),
  },
  response: {
    throttleTimeMs: int32({ since: 1, ignorable: true }),
    responses: array({
      name: string({ nullable: 6 }),
      topicId: uuid({ since: 6, ignorable: true }),
      errorCode: int16(),
      errorMessage: string({ since: 5, nullable: 5, default: null, ignorable: true }),
    }),
  },
});
