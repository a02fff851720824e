import { api } from '../api.ts';
import { array, bool, int16, int32, int8, string, uuid } from '../schema.ts';

/** Creates topics. Counts of -1 mean the cluster's defaults (version 4, KIP-464). */
export const CreateTopics = api({
  key: 19,
  name: 'CreateTopics',
  versions: [0, 7],
  flexibleSince: 5,
  request: {
    topics: array({
      name: string(),
      numPartitions: int32(),
      replicationFactor: int16(),
      assignments: array({ partitionIndex: int32(), brokerIds: array(int32()) }),
      configs: array({ name: string(), value: string({ nullable: 0 }) }),
    }),
    timeoutMs: int32({ default: 60_000 }),
    validateOnly: bool({ since: 1, default: false }),
  },
  response: {
    throttleTimeMs: int32({ since: 2, ignorable: true }),
    topics: array({
      name: string(),
      topicId: uuid({ since: 7, ignorable: true }),
      errorCode: int16(),
      errorMessage: string({ since: 1, nullable: 0, default: null, ignorable: true }),
      topicConfigErrorCode: int16({ since: 5, tag: 0, ignorable: true }),
      numPartitions: int32({ since: 5, default: -1, ignorable: true }),
      replicationFactor: int16({ since: 5, default: -1, ignorable: true }),
      configs: array(
        {
          name: string(),
          value: string({ nullable: 5 }),
          readOnly: bool(),
          configSource: int8({ default: -1, ignorable: true }),
          isSensitive: bool(),
        },
        { since: 5, nullable: 5, ignorable: true },
      ),
    }),
  },
});
