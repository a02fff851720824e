import type { Admin, TransactionDescription } from '../../client/index.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { partitionKey, type TopicPartition } from '../../shared/topics/topic-partition.ts';
import { table } from '../format/table.ts';
import { required } from '../support/tool.ts';
import { orFail } from './failure.ts';
import { neededPartition, type TransactionsOptions } from './options.ts';

const NONE = 'None';

export async function list(admin: Admin, { durationFilter }: TransactionsOptions): Promise<string> {
  const filter = durationFilter === undefined ? {} : { runningLongerThanMs: durationFilter };
  const rows = (await admin.listTransactions(filter)).map(listed => [
    listed.transactionalId,
    listed.coordinator,
    listed.producerId,
    listed.state,
  ]);
  return table(['TransactionalId', 'Coordinator', 'ProducerId', 'TransactionState'], rows);
}

export async function describe(admin: Admin, options: TransactionsOptions, now: number): Promise<string> {
  const transactionalId = required(options.transactionalId, 'transactional-id');
  const { coordinator, producerId, producerEpoch, state, timeoutMs, startTimeMs, partitions } = await orFail(
    `Failed to describe transaction state of transactional-id \`${transactionalId}\``,
    described(admin, transactionalId),
    {
      [ErrorCode.TRANSACTIONAL_ID_NOT_FOUND]: `DescribeTransactions request for transactionalId \`${transactionalId}\` failed because the ID could not be found`,
    },
  );
  const headers = [
    'CoordinatorId',
    'TransactionalId',
    'ProducerId',
    'ProducerEpoch',
    'TransactionState',
    'TransactionTimeoutMs',
    'CurrentTransactionStartTimeMs',
    'TransactionDurationMs',
    'TopicPartitions',
  ];
  const row = [
    coordinator,
    transactionalId,
    producerId,
    producerEpoch,
    state,
    timeoutMs,
    startTimeMs ?? NONE,
    startTimeMs === null ? NONE : now - startTimeMs,
    partitions
      .toSorted(byTopicAndPartition)
      .map(({ topic, partition }) => partitionKey(topic, partition))
      .join(','),
  ];
  return table(headers, [row]);
}

function byTopicAndPartition(a: TopicPartition, b: TopicPartition): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1;
  return a.partition - b.partition;
}

async function described(admin: Admin, transactionalId: string): Promise<TransactionDescription> {
  const [outcome] = await admin.describeTransactions([transactionalId]);
  if (outcome!.status === 'rejected') throw outcome!.reason;
  return outcome!.value;
}

export async function describeProducers(admin: Admin, options: TransactionsOptions): Promise<string> {
  const partition = neededPartition(options);
  const { brokerId = null } = options;
  const name = partitionKey(partition.topic, partition.partition);
  const producers = await orFail(
    `Failed to describe producers for partition ${name} on ${brokerId === null ? 'leader' : `broker ${brokerId}`}`,
    admin.describeProducers(partition, brokerId),
    {
      [ErrorCode.NOT_LEADER_OR_FOLLOWER]: `Failed to describe active producers for partition ${name} on brokerId ${brokerId}`,
    },
  );
  const headers = [
    'ProducerId',
    'ProducerEpoch',
    'LatestCoordinatorEpoch',
    'LastSequence',
    'LastTimestamp',
    'CurrentTransactionStartOffset',
  ];
  const rows = producers.map(producer => [
    producer.producerId,
    producer.producerEpoch,
    producer.coordinatorEpoch ?? -1,
    producer.lastSequence,
    producer.lastTimestamp,
    producer.transactionStartOffset ?? NONE,
  ]);
  return table(headers, rows);
}
