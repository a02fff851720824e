import type { RequestOf, ResponseInput } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { AddPartitionsToTxn } from '../../shared/protocol/messages/add-partitions-to-txn.ts';
import { isInternalTopic } from '../../shared/topics/names.ts';
import { byTopic, type TopicPartition } from '../../shared/topics/topic-partition.ts';
import type { MetadataCache } from '../metadata/metadata-cache.ts';
import type { ApiHandler } from '../request/handler.ts';
import type { TransactionCoordinator } from '../transaction/coordinator.ts';
import { fencingCode, FIRST_WITH_FENCED } from './transaction-codes.ts';

type Request = RequestOf<typeof AddPartitionsToTxn>;
type Wish = Request['transactions'][number];
type Response = ResponseInput<typeof AddPartitionsToTxn>;
type TopicResults = NonNullable<Response['resultsByTopicV3AndBelow']>;

/** From this version on it comes from brokers, which may ask about any topic, for several transactions at once. */
const FIRST_BATCHED_VERSION = 4;
/** From this version on the asking broker knows TRANSACTION_ABORTABLE. */
const FIRST_WITH_ABORTABLE = 5;

export interface AddPartitionsToTxnParts {
  readonly transactions: Pick<TransactionCoordinator, 'addPartitions' | 'verifyPartitions'>;
  readonly metadata: MetadataCache;
}

/** Takes partitions into transactions, or tells whether they are (Kafka: `KafkaApis.handleAddPartitionsToTxnRequest`). */
export function addPartitionsToTxnHandler(parts: AddPartitionsToTxnParts): ApiHandler<typeof AddPartitionsToTxn> {
  return {
    api: AddPartitionsToTxn,
    versions: AddPartitionsToTxn.versions,
    async handle(request, context) {
      const { apiVersion } = context;
      const isBatched = apiVersion >= FIRST_BATCHED_VERSION;
      const wishes = isBatched ? request.transactions : [singleWish(request)];
      const results = Promise.all(wishes.map(wish => resultsOf(parts, wish, apiVersion)));
      context.park();
      const all = await results;
      if (!isBatched) return { throttleTimeMs: 0, resultsByTopicV3AndBelow: all[0]! };
      const resultsByTransaction = wishes.map(({ transactionalId }, index) => ({
        transactionalId,
        topicResults: all[index]!,
      }));
      return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, resultsByTransaction };
    },
  };
}

function singleWish(request: Request): Wish {
  return {
    transactionalId: request.v3AndBelowTransactionalId,
    producerId: request.v3AndBelowProducerId,
    producerEpoch: request.v3AndBelowProducerEpoch,
    verifyOnly: false,
    topics: request.v3AndBelowTopics,
  };
}

async function resultsOf(parts: AddPartitionsToTxnParts, wish: Wish, apiVersion: number): Promise<TopicResults> {
  const partitions = wish.topics.flatMap(({ name, partitions }) =>
    partitions.map(partition => ({ topic: name, partition })),
  );
  const codes = await codesOf(parts, wish, partitions, apiVersion);
  const results = partitions.map((partition, index) => ({ ...partition, code: replaced(codes[index]!, apiVersion) }));
  return Array.from(byTopic(results), ([name, ofTopic]) => ({
    name,
    resultsByPartition: ofTopic.map(({ partition, code }) => ({ partitionIndex: partition, partitionErrorCode: code })),
  }));
}

/** One partition that cannot take part keeps all others out. */
async function codesOf(
  { transactions, metadata }: AddPartitionsToTxnParts,
  wish: Wish,
  partitions: readonly TopicPartition[],
  apiVersion: number,
): Promise<ErrorCode[]> {
  const refusals = partitions.map(({ topic, partition }) => {
    if (apiVersion < FIRST_BATCHED_VERSION && isInternalTopic(topic)) return ErrorCode.TOPIC_AUTHORIZATION_FAILED;
    return metadata.partition(topic, partition) === null ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.NONE;
  });
  if (refusals.some(code => code !== ErrorCode.NONE))
    return refusals.map(code => (code === ErrorCode.NONE ? ErrorCode.OPERATION_NOT_ATTEMPTED : code));
  if (wish.verifyOnly) return transactions.verifyPartitions(wish, partitions);
  const errorCode = await transactions.addPartitions(wish, partitions);
  return partitions.map(() => errorCode);
}

function replaced(errorCode: ErrorCode, apiVersion: number): ErrorCode {
  if (errorCode === ErrorCode.TRANSACTION_ABORTABLE && apiVersion < FIRST_WITH_ABORTABLE)
    return ErrorCode.INVALID_TXN_STATE;
  return fencingCode(errorCode, apiVersion >= FIRST_WITH_FENCED);
}
