import { api } from '../api.ts';
import { array, bool, int16, int32, int64, string } from '../schema.ts';

const topics = { name: string(), partitions: array(int32()) };
const topicResults = {
  name: string(),
  resultsByPartition: array({ partitionIndex: int32(), partitionErrorCode: int16() }),
};

/**
 * Takes partitions into a transaction. From version 4 on (KIP-890) it comes from brokers alone, for several transactions
 * at once, most of all to ask whether a partition is in one; version 5 brings TRANSACTION_ABORTABLE.
 */
export const AddPartitionsToTxn = api({
  key: 24,
  name: 'AddPartitionsToTxn',
  versions: [0, 5],
  flexibleSince: 3,
  request: {
    transactions: array(
      {
        transactionalId: string(),
        producerId: int64(),
        producerEpoch: int16(),
        verifyOnly: bool({ default: false }),
        topics: array(topics),
      },
      { since: 4 },
    ),
    v3AndBelowTransactionalId: string({ until: 3 }),
    v3AndBelowProducerId: int64({ until: 3 }),
    v3AndBelowProducerEpoch: int16({ until: 3 }),
    v3AndBelowTopics: array(topics, { until: 3 }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16({ since: 4, ignorable: true }),
    resultsByTransaction: array({ transactionalId: string(), topicResults: array(topicResults) }, { since: 4 }),
    resultsByTopicV3AndBelow: array(topicResults, { until: 3 }),
  },
});
