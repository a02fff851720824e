import type { Connection } from '../../shared/connection/connection.ts';
import type { ResponseOf } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { DescribeProducers } from '../../shared/protocol/messages/describe-producers.ts';
import { DescribeTransactions } from '../../shared/protocol/messages/describe-transactions.ts';
import { ListTransactions } from '../../shared/protocol/messages/list-transactions.ts';
import { WriteTxnMarkers } from '../../shared/protocol/messages/write-txn-markers.ts';
import { partitionKey, type TopicPartition } from '../../shared/topics/topic-partition.ts';
import { askLeader } from '../cluster/ask-leader.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { KafkaError, throwIfError } from '../errors.ts';
import { askCoordinators } from '../groups/ask-coordinators.ts';

/** Which transactional ids to list; what is not given stands for all. */
export interface TransactionFilter {
  readonly states?: readonly string[];
  readonly producerIds?: readonly number[];
  /** Milliseconds that a transaction has been open at least. */
  readonly runningLongerThanMs?: number;
}

export interface TransactionListing {
  readonly transactionalId: string;
  /** Broker id. */
  readonly coordinator: number;
  readonly producerId: number;
  readonly state: string;
}

export interface TransactionDescription {
  readonly transactionalId: string;
  /** Broker id. */
  readonly coordinator: number;
  readonly state: string;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly timeoutMs: number;
  /** Milliseconds since the epoch; null: none is open. */
  readonly startTimeMs: number | null;
  readonly partitions: readonly TopicPartition[];
}

/** What a replica knows of a producer that has written to its partition. */
export interface ActiveProducer {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly lastSequence: number;
  /** Milliseconds since the epoch. */
  readonly lastTimestamp: number;
  /** Of the coordinator that ended a transaction here last; null: none has. */
  readonly coordinatorEpoch: number | null;
  /** null: none is open. */
  readonly transactionStartOffset: number | null;
}

/** By whose marker a transaction is ended that nobody else ends. */
export interface TransactionToAbort extends TopicPartition {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly coordinatorEpoch: number;
}

/** The transactional ids of all brokers (KIP-664). @throws KafkaError, ConnectionError when one of them does not answer */
export async function listTransactions(
  cluster: Cluster,
  { states = [], producerIds = [], runningLongerThanMs = -1 }: TransactionFilter,
): Promise<TransactionListing[]> {
  await cluster.refresh();
  const request = {
    stateFilters: [...states],
    producerIdFilters: [...producerIds],
    durationFilter: runningLongerThanMs,
  };
  const lists = await Promise.all(
    cluster.brokers().map(async ({ id }) => {
      const { errorCode, transactionStates } = (await (await cluster.broker(id)).call(ListTransactions, request))!;
      throwIfError(errorCode);
      return transactionStates.map(({ transactionalId, producerId, transactionState }) => ({
        transactionalId,
        coordinator: id,
        producerId,
        state: transactionState,
      }));
    }),
  );
  return lists.flat();
}

export function describeTransactions(
  cluster: Cluster,
  transactionalIds: readonly string[],
  deadline: number,
): Promise<PromiseSettledResult<TransactionDescription>[]> {
  const what = 'transactions could not be described';
  return askCoordinators(cluster, transactionalIds, deadline, what, describeAt, 'transaction');
}

async function describeAt(
  connection: Connection,
  transactionalIds: readonly string[],
  coordinator: number,
): Promise<Map<string, TransactionDescription | KafkaError>> {
  const request = { transactionalIds: [...transactionalIds] };
  const { transactionStates } = (await connection.call(DescribeTransactions, request))!;
  return new Map(transactionStates.map(state => [state.transactionalId, described(state, coordinator)]));
}

type DescribedTransaction = ResponseOf<typeof DescribeTransactions>['transactionStates'][number];

function described(state: DescribedTransaction, coordinator: number): TransactionDescription | KafkaError {
  if (state.errorCode !== ErrorCode.NONE) return new KafkaError(state.errorCode);
  return {
    transactionalId: state.transactionalId,
    coordinator,
    state: state.transactionState,
    producerId: state.producerId,
    producerEpoch: state.producerEpoch,
    timeoutMs: state.transactionTimeoutMs,
    startTimeMs: state.transactionStartTimeMs < 0 ? null : state.transactionStartTimeMs,
    partitions: state.topics.flatMap(({ topic, partitions }) => partitions.map(partition => ({ topic, partition }))),
  };
}

/**
 * The producers of a partition, as one of its replicas knows them.
 * @param brokerId null: the leader
 * @throws KafkaError, ConnectionError
 */
export async function describeProducers(
  cluster: Cluster,
  tp: TopicPartition,
  brokerId: number | null,
  deadline: number,
): Promise<ActiveProducer[]> {
  const what = 'producers could not be described of';
  if (brokerId === null) return askLeader(cluster, tp, deadline, what, leader => producersAt(leader, tp));
  return producersAt(await cluster.brokerAskedFor(brokerId), tp);
}

async function producersAt(connection: Connection, { topic, partition }: TopicPartition): Promise<ActiveProducer[]> {
  const request = { topics: [{ name: topic, partitionIndexes: [partition] }] };
  const { topics } = (await connection.call(DescribeProducers, request))!;
  const { errorCode, errorMessage, activeProducers } = topics[0]!.partitions[0]!;
  throwIfError(errorCode, errorMessage);
  return activeProducers.map(({ currentTxnStartOffset, coordinatorEpoch, ...producer }) => ({
    ...producer,
    coordinatorEpoch: coordinatorEpoch < 0 ? null : coordinatorEpoch,
    transactionStartOffset: currentTxnStartOffset < 0 ? null : currentTxnStartOffset,
  }));
}

/** Has the partition's leader end a transaction there as aborted. @throws KafkaError, ConnectionError */
export function abortTransaction(cluster: Cluster, aborted: TransactionToAbort, deadline: number): Promise<void> {
  const { topic, partition, producerId, producerEpoch, coordinatorEpoch } = aborted;
  return askLeader(cluster, aborted, deadline, 'the transaction could not be aborted in', async leader => {
    const topics = [{ name: topic, partitionIndexes: [partition] }];
    const marker = { producerId, producerEpoch, transactionResult: false, topics, coordinatorEpoch };
    const { markers } = (await leader.call(WriteTxnMarkers, { markers: [marker] }))!;
    const answer = markers[0]?.topics[0]?.partitions[0];
    const missing = `the leader's answer leaves out ${partitionKey(topic, partition)}`;
    if (answer === undefined) throw new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR, missing);
    throwIfError(answer.errorCode);
  });
}
