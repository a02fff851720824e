import type { ActiveProducer, Admin, TopicInfo, TransactionDescription } from '../../client/index.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { TopicPartition } from '../../shared/topics/topic-partition.ts';
import { table } from '../format/table.ts';
import { ToolFailure } from '../support/tool.ts';
import { orFail } from './failure.ts';
import type { TransactionsOptions } from './options.ts';

const MS_A_MINUTE = 60_000;

/** A transaction that is open in a partition. */
interface OpenTransaction extends TopicPartition {
  readonly producer: ActiveProducer;
}

/**
 * Transactions that are open in a partition and that no coordinator will ever end (KIP-664; Kafka:
 * `TransactionsCommand.FindHangingTransactionsCommand`).
 */
export async function findHanging(admin: Admin, options: TransactionsOptions, now: number): Promise<string> {
  const limitMs = options.maxTransactionTimeout * MS_A_MINUTE;
  const partitions = await partitionsOf(admin, options);
  const open = await openTransactions(admin, partitions, options.brokerId ?? null);
  const old = open.filter(({ producer }) => now - producer.lastTimestamp > limitMs);
  const hanging = old.length === 0 ? [] : await withoutCoordinator(admin, old);
  const headers = [
    'Topic',
    'Partition',
    'ProducerId',
    'ProducerEpoch',
    'CoordinatorEpoch',
    'StartOffset',
    'LastTimestamp',
    'Duration(min)',
  ];
  const rows = hanging.map(({ topic, partition, producer }) => [
    topic,
    partition,
    producer.producerId,
    producer.producerEpoch,
    producer.coordinatorEpoch ?? -1,
    producer.transactionStartOffset!,
    producer.lastTimestamp,
    Math.floor((now - producer.lastTimestamp) / MS_A_MINUTE),
  ]);
  return table(headers, rows);
}

/** @throws ToolFailure when it is not said where to look */
async function partitionsOf(
  admin: Admin,
  { topic, partition, brokerId }: TransactionsOptions,
): Promise<TopicPartition[]> {
  if (topic === undefined && brokerId === undefined)
    throw new ToolFailure(
      'The `find-hanging` command requires either --topic or --broker-id to limit the scope of the search',
    );
  if (topic === undefined && partition !== undefined)
    throw new ToolFailure('The --partition argument requires --topic to be provided');
  if (topic !== undefined && partition !== undefined) return [{ topic, partition }];
  const topics = topic === undefined ? await admin.listTopics() : [await found(admin, topic)];
  return topics
    .flatMap(({ partitions }) => partitions)
    .filter(({ replicas }) => brokerId === undefined || replicas.includes(brokerId))
    .map(found => ({ topic: found.topic, partition: found.partition }));
}

function found(admin: Admin, topic: string): Promise<TopicInfo> {
  return orFail('Failed to describe 1 topics', admin.describeTopic(topic), {
    [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]: 'This server does not host this topic-partition.',
  });
}

async function openTransactions(
  admin: Admin,
  partitions: readonly TopicPartition[],
  brokerId: number | null,
): Promise<OpenTransaction[]> {
  const found = await Promise.all(
    partitions.map(async partition => {
      const producers = await admin.describeProducers(partition, brokerId);
      return producers
        .filter(({ transactionStartOffset }) => transactionStartOffset !== null)
        .map(producer => ({ ...partition, producer }));
    }),
  );
  return found.flat();
}

/** Those of which the coordinators know nothing: they will never write a marker. */
async function withoutCoordinator(admin: Admin, open: readonly OpenTransaction[]): Promise<OpenTransaction[]> {
  const producerIds = [...new Set(open.map(({ producer }) => producer.producerId))];
  const listed = await admin.listTransactions({ producerIds });
  const outcomes = await admin.describeTransactions(listed.map(({ transactionalId }) => transactionalId));
  const known = new Map<number, TransactionDescription>();
  for (const outcome of outcomes)
    if (outcome.status === 'fulfilled') known.set(outcome.value.producerId, outcome.value);
  return open.filter(each => !isKnown(each, known.get(each.producer.producerId)));
}

function isKnown({ topic, partition }: TopicPartition, description: TransactionDescription | undefined): boolean {
  return description?.partitions.some(each => each.topic === topic && each.partition === partition) ?? false;
}
