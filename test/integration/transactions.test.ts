import kafkajs, { type Consumer, type Kafka as Client, type Producer } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KafkaConnector } from '../../shared/connection/kafka.ts';
import type { Api, RequestInput, ResponseOf } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { DescribeCluster } from '../../shared/protocol/messages/describe-cluster.ts';
import { DescribeTransactions } from '../../shared/protocol/messages/describe-transactions.ts';
import { FindCoordinator } from '../../shared/protocol/messages/find-coordinator.ts';
import { ListTransactions } from '../../shared/protocol/messages/list-transactions.ts';
import { TxnOffsetCommit } from '../../shared/protocol/messages/txn-offset-commit.ts';
import { systemTimers } from '../../shared/runtime/clock.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { waitFor } from '../support/wait.ts';

/** Transactions of a foreign client on three real brokers: commit, abort, zombies, timeouts, and the coordinator's death. */

// Node does not see the names that this package exports.
const { Kafka, logLevel } = kafkajs;

let cluster: Cluster;
let kafka: Client;
const connector = new KafkaConnector({
  clientId: 'test',
  requestTimeoutMs: 10_000,
  connectTimeoutMs: 5000,
  negotiate: true,
  timers: systemTimers,
});
const clients: { disconnect(): Promise<void> }[] = [];

beforeAll(async () => {
  cluster = await startCluster({
    properties: {
      'transaction.state.log.replication.factor': '3',
      'transaction.state.log.min.isr': '2',
      'transaction.state.log.num.partitions': '5',
      'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500',
      'offsets.topic.replication.factor': '3',
      'offsets.topic.num.partitions': '5',
      // The client gives a transaction up when its coordinator moves: that is to happen only where a test is about it.
      'auto.leader.rebalance.enable': 'false',
    },
  });
  kafka = new Kafka({
    brokers: cluster.bootstrap.split(','),
    logLevel: logLevel.NOTHING,
    retry: { retries: 200, initialRetryTime: 50, maxRetryTime: 300 },
  });
}, 60_000);

afterAll(async () => {
  await Promise.all(clients.map(client => client.disconnect().catch(() => {})));
  await cluster.stop();
});

async function transactional(transactionalId: string, transactionTimeout = 30_000): Promise<Producer> {
  const producer = kafka.producer({ transactionalId, transactionTimeout, idempotent: true, maxInFlightRequests: 1 });
  clients.push(producer);
  await producer.connect();
  return producer;
}

async function call<A extends Api>(broker: number, api: A, request: RequestInput<A>): Promise<ResponseOf<A>> {
  const connection = await connector.connect({ host: '127.0.0.1', port: cluster.brokers[broker]!.port });
  try {
    return (await connection.call(api, request))!;
  } finally {
    connection.close();
  }
}

/** The broker that coordinates an id, when there is one. */
async function coordinatorOf(key: string, keyType = 1): Promise<number> {
  let found = -1;
  await waitFor(`a coordinator of ${key}`, async () => {
    const asked = cluster.brokers.findIndex(({ running }) => running);
    const request = { keyType, coordinatorKeys: [key] };
    const { coordinators } = await call(asked, FindCoordinator, request);
    found = coordinators[0]!.nodeId;
    return found >= 0 && cluster.brokers[found]!.running;
  });
  return found;
}

async function describeTransaction(transactionalId: string) {
  const coordinator = await coordinatorOf(transactionalId);
  const { transactionStates } = await call(coordinator, DescribeTransactions, { transactionalIds: [transactionalId] });
  return transactionStates[0]!;
}

/** A producer that has its id and epoch; the client asks for them with its first transaction. */
async function bound(transactionalId: string, transactionTimeout?: number): Promise<Producer> {
  const producer = await transactional(transactionalId, transactionTimeout);
  const transaction = await producer.transaction();
  await transaction.abort();
  return producer;
}

async function createTopic(topic: string): Promise<void> {
  const admin = kafka.admin();
  clients.push(admin);
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 3, replicationFactor: 3 }], waitForLeaders: true });
}

/** One record to each of the three partitions. */
function records(value: string) {
  return [0, 1, 2].map(partition => ({ value, partition }));
}

/** Reads a topic from its start on, as read_committed; the values come into the list. */
async function reading(topic: string, groupId: string, seen: string[]): Promise<Consumer> {
  const consumer = kafka.consumer({ groupId, readUncommitted: false, maxWaitTimeInMs: 200, sessionTimeout: 6000 });
  clients.push(consumer);
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: ({ message }) => {
      seen.push(message.value!.toString());
      return Promise.resolve();
    },
  });
  return consumer;
}

async function committedOffset(groupId: string, topic: string): Promise<number> {
  const admin = kafka.admin();
  await admin.connect();
  const [found] = await admin.fetchOffsets({ groupId, topics: [topic] });
  await admin.disconnect();
  return Number(found!.partitions.find(({ partition }) => partition === 0)!.offset);
}

describe('a transactional id', () => {
  test('is bound to a producer id, whose epoch grows with each producer that begins', async () => {
    await bound('bound');
    const first = await describeTransaction('bound');
    expect(first).toMatchObject({
      errorCode: ErrorCode.NONE,
      transactionState: 'Empty',
      transactionTimeoutMs: 30_000,
      producerEpoch: 0,
    });
    await bound('bound', 20_000);
    const second = await describeTransaction('bound');
    expect(second).toMatchObject({ producerId: first.producerId, producerEpoch: 1, transactionTimeoutMs: 20_000 });
  });

  test('survives the death of its coordinator', async () => {
    await bound('survivor');
    const before = await describeTransaction('survivor');
    const coordinator = await coordinatorOf('survivor');
    await cluster.brokers[coordinator]!.kill();
    await waitFor('another coordinator that knows it', async () => {
      if ((await coordinatorOf('survivor')) === coordinator) return false;
      const { errorCode, producerId } = await describeTransaction('survivor');
      return errorCode === ErrorCode.NONE && producerId === before.producerId;
    });
    await cluster.brokers[coordinator]!.start();
    // It may have been the controller, and the client does not wait for the next one.
    await waitFor('a controller that all brokers know', async () => {
      const answers = await Promise.all(
        cluster.brokers.map(({ id }) => call(id, DescribeCluster, { includeClusterAuthorizedOperations: false })),
      );
      return answers.every(({ controllerId }) => controllerId >= 0);
    });
    await bound('survivor');
    expect(await describeTransaction('survivor')).toMatchObject({ producerId: before.producerId, producerEpoch: 1 });
  });

  test('is listed by its coordinator', async () => {
    await bound('listed');
    const coordinator = await coordinatorOf('listed');
    const { errorCode, transactionStates } = await call(coordinator, ListTransactions, {
      stateFilters: ['Empty'],
      producerIdFilters: [],
    });
    expect(errorCode).toBe(ErrorCode.NONE);
    expect(transactionStates.map(({ transactionalId }) => transactionalId)).toContain('listed');
  });
});

describe('a transaction', () => {
  test('that is committed is complete when all its partitions have been told', async () => {
    await createTopic('committed');
    const producer = await transactional('committing');
    const transaction = await producer.transaction();
    await transaction.send({ topic: 'committed', messages: records('one') });
    expect(await describeTransaction('committing')).toMatchObject({
      transactionState: 'Ongoing',
      topics: [{ topic: 'committed', partitions: expect.toSatisfy((ids: number[]) => ids.length === 3) }],
    });
    await transaction.commit();
    await waitFor('the end of the transaction', async () => {
      const { transactionState } = await describeTransaction('committing');
      return transactionState === 'CompleteCommit';
    });
  });

  test('that was left open is aborted when its time is over, and its producer is fenced', async () => {
    await createTopic('forgotten');
    const producer = await transactional('forgetful', 1000);
    const transaction = await producer.transaction();
    await transaction.send({ topic: 'forgotten', messages: records('one') });
    await waitFor('the abort', async () => {
      const { transactionState, producerEpoch } = await describeTransaction('forgetful');
      return transactionState === 'CompleteAbort' && producerEpoch === 1;
    });
    await expect(transaction.commit()).rejects.toThrow();
  });

  test('of a zombie is aborted by its successor, and the zombie is fenced', async () => {
    await createTopic('haunted');
    const zombie = await (await transactional('haunting')).transaction();
    await zombie.send({ topic: 'haunted', messages: records('zombie') });
    const successor = await (await transactional('haunting')).transaction();
    await expect(zombie.commit()).rejects.toThrow();
    await successor.send({ topic: 'haunted', messages: records('successor') });
    await successor.commit();
    await waitFor('the end of the transaction', async () => {
      const { transactionState, producerEpoch } = await describeTransaction('haunting');
      return transactionState === 'CompleteCommit' && producerEpoch === 2;
    });
  });

  test('ends as it was decided, though the coordinator dies right after that', async () => {
    await createTopic('outlived');
    const producer = await transactional('outliving');
    const transaction = await producer.transaction();
    await transaction.send({ topic: 'outlived', messages: records('one') });
    await transaction.commit();
    const coordinator = await coordinatorOf('outliving');
    await cluster.brokers[coordinator]!.kill();
    await waitFor('the end of the transaction', async () => {
      const { transactionState } = await describeTransaction('outliving');
      return transactionState === 'CompleteCommit';
    });
    await cluster.brokers[coordinator]!.start();
  });

  test('is read when it is committed, and never when it is aborted', async () => {
    await createTopic('read');
    const seen: string[] = [];
    await reading('read', 'readers', seen);
    const producer = await transactional('writer');
    for (const [value, isCommit] of [
      ['a', true],
      ['b', false],
      ['c', true],
    ] as const) {
      const transaction = await producer.transaction();
      await transaction.send({ topic: 'read', messages: records(value) });
      await (isCommit ? transaction.commit() : transaction.abort());
    }
    await waitFor('what was committed', () => seen.length >= 6);
    expect(seen.sort()).toEqual(['a', 'a', 'a', 'c', 'c', 'c']);
  });

  test('is not read before its end', async () => {
    await createTopic('undecided');
    const seen: string[] = [];
    await reading('undecided', 'undecided', seen);
    const transaction = await (await transactional('undecided')).transaction();
    await transaction.send({ topic: 'undecided', messages: records('in') });
    const plain = kafka.producer();
    clients.push(plain);
    await plain.connect();
    // Behind the open transaction, in partition 0: nobody who reads committed records sees it before that has ended.
    await plain.send({ topic: 'undecided', messages: [{ value: 'behind', partition: 0 }] });
    await plain.send({ topic: 'read', messages: [{ value: 'd', partition: 0 }] });
    const others: string[] = [];
    await reading('read', 'others', others);
    await waitFor('the other topic', () => others.includes('d'));
    expect(seen).toEqual([]);
    await transaction.commit();
    await waitFor('the end', () => seen.length === 4);
    expect(seen.sort()).toEqual(['behind', 'in', 'in', 'in']);
  });

  test.each([true, false])('takes offsets of a group with it (commit: %s)', async isCommit => {
    const topic = `offsets-${isCommit}`;
    const groupId = `group-${isCommit}`;
    await createTopic(topic);
    const producer = await transactional(`sender-${isCommit}`);
    const offsets = (offset: string) => ({
      consumerGroupId: groupId,
      topics: [{ topic, partitions: [{ partition: 0, offset }] }],
    });
    const first = await producer.transaction();
    await first.sendOffsets(offsets('5'));
    expect(await committedOffset(groupId, topic)).toBe(-1);
    await first.commit();
    await waitFor('the first offset', async () => (await committedOffset(groupId, topic)) === 5);
    const second = await producer.transaction();
    await second.send({ topic, messages: records('x') });
    await second.sendOffsets(offsets('7'));
    await (isCommit ? second.commit() : second.abort());
    await waitFor('the end', async () =>
      (await describeTransaction(`sender-${isCommit}`)).transactionState.startsWith('Complete'),
    );
    expect(await committedOffset(groupId, topic)).toBe(isCommit ? 7 : 5);
  });

  test('takes no offsets of a group that has not been added to it', async () => {
    await createTopic('unverified');
    await bound('unverified');
    const { producerId, producerEpoch } = await describeTransaction('unverified');
    const coordinator = await coordinatorOf('unverified', 0);
    let code = -1;
    await waitFor('an answer', async () => {
      const partitions = [{ partitionIndex: 0, committedOffset: 5, committedMetadata: '' }];
      const { topics } = await call(coordinator, TxnOffsetCommit, {
        ...{ transactionalId: 'unverified', groupId: 'unverified', producerId, producerEpoch },
        topics: [{ name: 'unverified', partitions }],
      });
      code = topics[0]!.partitions[0]!.errorCode;
      return code !== ErrorCode.COORDINATOR_LOAD_IN_PROGRESS && code !== ErrorCode.COORDINATOR_NOT_AVAILABLE;
    });
    expect(code).toBe(ErrorCode.TRANSACTION_ABORTABLE);
  });
});
