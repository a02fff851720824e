import { beforeEach, describe, expect, test } from 'vitest';
import { addOffsetsToTxnHandler } from '../../../../broker/api/add-offsets-to-txn.ts';
import { addPartitionsToTxnHandler } from '../../../../broker/api/add-partitions-to-txn.ts';
import { describeTransactionsHandler } from '../../../../broker/api/describe-transactions.ts';
import { endTxnHandler } from '../../../../broker/api/end-txn.ts';
import { findCoordinatorHandler } from '../../../../broker/api/find-coordinator.ts';
import { initProducerIdHandler } from '../../../../broker/api/init-producer-id.ts';
import { listTransactionsHandler } from '../../../../broker/api/list-transactions.ts';
import { ApiRegistry } from '../../../../broker/api/registry.ts';
import type { AutoTopicCreation } from '../../../../broker/metadata/auto-topic-creation.ts';
import type { RequestContext } from '../../../../broker/request/context.ts';
import type { ProducerIdentity } from '../../../../broker/transaction/decisions.ts';
import type { ProducerIds } from '../../../../broker/transaction/producer-ids.ts';
import type { Api, RequestInput, ResponseOf } from '../../../../shared/protocol/api.ts';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import { AddOffsetsToTxn } from '../../../../shared/protocol/messages/add-offsets-to-txn.ts';
import { AddPartitionsToTxn } from '../../../../shared/protocol/messages/add-partitions-to-txn.ts';
import { DescribeTransactions } from '../../../../shared/protocol/messages/describe-transactions.ts';
import { EndTxn } from '../../../../shared/protocol/messages/end-txn.ts';
import { FindCoordinator } from '../../../../shared/protocol/messages/find-coordinator.ts';
import { InitProducerId } from '../../../../shared/protocol/messages/init-producer-id.ts';
import { ListTransactions } from '../../../../shared/protocol/messages/list-transactions.ts';
import { silentLogger } from '../../../../shared/runtime/logger.ts';
import { knownCluster } from '../../../support/known-cluster.ts';
import { PARTITION_COUNT, TransactionHarness } from '../../../support/transaction-harness.ts';

/** The transaction APIs as clients meet them: requests and responses encoded, in all their versions. */

let transactions: TransactionHarness;
let registry: ApiRegistry;
let topicsMade: string[];

const ORDERS = [0, 1].map(partition => ({ topic: 'orders', partition, leader: 1, replicas: [1] }));
const OFFSETS = [{ topic: '__consumer_offsets', partition: 0, leader: 1, replicas: [1] }];
const STATE = Array.from({ length: PARTITION_COUNT }, (_, partition) => ({
  topic: '__transaction_state',
  partition,
  leader: 1,
  replicas: [1],
}));

beforeEach(async () => {
  transactions = await TransactionHarness.start();
  topicsMade = [];
  registry = build([...ORDERS, ...OFFSETS, ...STATE]);
});

function build(partitions: readonly (typeof ORDERS)[number][]): ApiRegistry {
  const { coordinator } = transactions;
  const metadata = knownCluster([1], partitions);
  const groups = { partitionOf: () => 0 };
  const requestCoordinatorTopic = (topic: string) => {
    topicsMade.push(topic);
    return Promise.resolve();
  };
  const autoCreation = { requestCoordinatorTopic } as unknown as AutoTopicCreation;
  const made = new ApiRegistry(silentLogger);
  made.add(findCoordinatorHandler({ groups, transactions: coordinator, metadata, autoCreation }));
  made.add(initProducerIdHandler({} as ProducerIds, coordinator));
  made.add(addPartitionsToTxnHandler({ transactions: coordinator, metadata }));
  made.add(addOffsetsToTxnHandler(coordinator, groups));
  made.add(endTxnHandler(coordinator));
  made.add(describeTransactionsHandler(coordinator));
  made.add(listTransactionsHandler(coordinator));
  return made;
}

async function call<A extends Api>(api: A, version: number, request: RequestInput<A>): Promise<ResponseOf<A>> {
  const context = {
    apiKey: api.key,
    apiVersion: version,
    connection: { listenerName: 'PLAINTEXT' },
    park: () => {},
  } as unknown as RequestContext;
  const body = Buffer.concat(api.request.encode(request, version));
  const answer = await registry.dispatch(body, context);
  return api.response.decode(Buffer.concat(answer!), version) as ResponseOf<A>;
}

function versions({ versions: { min, max } }: Api): number[] {
  return Array.from({ length: max - min + 1 }, (_, i) => min + i);
}

function init(version: number, known: Partial<ProducerIdentity> = {}) {
  const { producerId = -1, producerEpoch = -1 } = known;
  const identity = version >= 3 ? { producerId, producerEpoch } : {};
  return call(InitProducerId, version, { transactionalId: 'tx', transactionTimeoutMs: 60_000, ...identity });
}

/** Codes by partition, of the client's form or of the brokers'. */
async function add(
  version: number,
  by: Partial<ProducerIdentity>,
  topics: Record<string, number[]>,
  verifyOnly = false,
) {
  const { producerId = -1, producerEpoch = -1 } = by;
  const wanted = Object.entries(topics).map(([name, partitions]) => ({ name, partitions }));
  const request =
    version < 4
      ? {
          v3AndBelowTransactionalId: 'tx',
          v3AndBelowProducerId: producerId,
          v3AndBelowProducerEpoch: producerEpoch,
          v3AndBelowTopics: wanted,
        }
      : { transactions: [{ transactionalId: 'tx', producerId, producerEpoch, verifyOnly, topics: wanted }] };
  const answer = await call(AddPartitionsToTxn, version, request as RequestInput<typeof AddPartitionsToTxn>);
  const results = version < 4 ? answer.resultsByTopicV3AndBelow : answer.resultsByTransaction[0]!.topicResults;
  return Object.fromEntries(
    results.flatMap(({ name, resultsByPartition }) =>
      resultsByPartition.map(({ partitionIndex, partitionErrorCode }) => [
        `${name}-${partitionIndex}`,
        partitionErrorCode,
      ]),
    ),
  );
}

const fencedAt = (version: number, first: number) =>
  version >= first ? ErrorCode.PRODUCER_FENCED : ErrorCode.INVALID_PRODUCER_EPOCH;

describe('FindCoordinator', () => {
  test.each(versions(FindCoordinator).slice(1))('v%i names the leader of the id’s partition', async version => {
    const answer =
      version >= 4
        ? (await call(FindCoordinator, version, { keyType: 1, coordinatorKeys: ['tx'] })).coordinators[0]
        : await call(FindCoordinator, version, { keyType: 1, key: 'tx' });
    expect(answer).toMatchObject({ errorCode: ErrorCode.NONE, nodeId: 1, host: 'h1' });
  });

  test('has the topic made that is not there yet', async () => {
    registry = build(ORDERS);
    const { coordinators } = await call(FindCoordinator, 4, { keyType: 1, coordinatorKeys: ['tx'] });
    expect(coordinators).toMatchObject([{ errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, nodeId: -1 }]);
    expect(topicsMade).toEqual(['__transaction_state']);
  });
});

describe('InitProducerId', () => {
  test.each(versions(InitProducerId))('v%i binds the id', async version => {
    expect(await init(version)).toMatchObject({ errorCode: ErrorCode.NONE, producerId: 4000, producerEpoch: 0 });
    expect(await init(version)).toMatchObject({ errorCode: ErrorCode.NONE, producerId: 4000, producerEpoch: 1 });
  });

  test.each([3, 4, 5])('v%i tells a zombie that it is one', async version => {
    const zombie = await init(version);
    await init(version);
    expect(await init(version, zombie)).toMatchObject({ errorCode: fencedAt(version, 4), producerId: -1 });
  });
});

describe('AddPartitionsToTxn', () => {
  test.each(versions(AddPartitionsToTxn))('v%i takes partitions in', async version => {
    const producer = await init(5);
    expect(await add(version, producer, { orders: [0, 1] })).toEqual({ 'orders-0': 0, 'orders-1': 0 });
    expect(transactions.partitions()).toEqual(['orders-0', 'orders-1']);
  });

  test.each(versions(AddPartitionsToTxn))('v%i takes all or none', async version => {
    const producer = await init(5);
    expect(await add(version, producer, { orders: [0, 7], bills: [0] })).toEqual({
      'orders-0': ErrorCode.OPERATION_NOT_ATTEMPTED,
      'orders-7': ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      'bills-0': ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    });
    expect(transactions.state()).toBe('Empty');
  });

  test.each(versions(AddPartitionsToTxn))('v%i tells a zombie that it is one', async version => {
    const zombie = await init(5);
    await init(5);
    expect(await add(version, zombie, { orders: [0] })).toEqual({ 'orders-0': fencedAt(version, 2) });
  });

  test('lets clients write to no topic of the cluster itself', async () => {
    const producer = await init(5);
    expect(await add(3, producer, { orders: [0], __consumer_offsets: [0] })).toEqual({
      'orders-0': ErrorCode.OPERATION_NOT_ATTEMPTED,
      '__consumer_offsets-0': ErrorCode.TOPIC_AUTHORIZATION_FAILED,
    });
  });

  test.each([
    [4, ErrorCode.INVALID_TXN_STATE],
    [5, ErrorCode.TRANSACTION_ABORTABLE],
  ])('v%i tells brokers which partitions are in a transaction', async (version, absent) => {
    const producer = await init(5);
    await add(3, producer, { orders: [0] });
    expect(await add(version, producer, { orders: [0, 1] }, true)).toEqual({ 'orders-0': 0, 'orders-1': absent });
    expect(transactions.partitions()).toEqual(['orders-0']);
  });

  test('answers for many transactions at once, each for itself', async () => {
    const { producerId, producerEpoch } = await init(5);
    const topics = [{ name: 'orders', partitions: [0] }];
    const one = { producerId, producerEpoch, verifyOnly: false, topics };
    const { errorCode, resultsByTransaction } = await call(AddPartitionsToTxn, 5, {
      transactions: [
        { ...one, transactionalId: 'tx' },
        { ...one, transactionalId: 'other' },
      ],
    });
    const codes = resultsByTransaction.map(({ transactionalId, topicResults }) => [
      transactionalId,
      topicResults[0]!.resultsByPartition[0]!.partitionErrorCode,
    ]);
    expect([errorCode, codes]).toEqual([
      ErrorCode.NONE,
      [
        ['tx', ErrorCode.NONE],
        ['other', ErrorCode.INVALID_PRODUCER_ID_MAPPING],
      ],
    ]);
  });
});

describe('AddOffsetsToTxn', () => {
  test.each(versions(AddOffsetsToTxn))('v%i takes the group’s partition in', async version => {
    const { producerId, producerEpoch } = await init(5);
    const request = { transactionalId: 'tx', producerId, producerEpoch, groupId: 'group' };
    expect(await call(AddOffsetsToTxn, version, request)).toMatchObject({ errorCode: ErrorCode.NONE });
    expect(transactions.partitions()).toEqual(['__consumer_offsets-0']);
    await init(5);
    expect(await call(AddOffsetsToTxn, version, request)).toMatchObject({ errorCode: fencedAt(version, 2) });
  });
});

describe('EndTxn', () => {
  test.each(versions(EndTxn))('v%i commits or aborts', async version => {
    const { producerId, producerEpoch } = await init(5);
    const request = { transactionalId: 'tx', producerId, producerEpoch };
    for (const committed of [true, false]) {
      await add(3, request, { orders: [0] });
      expect((await call(EndTxn, version, { ...request, committed })).errorCode).toBe(ErrorCode.NONE);
      await transactions.time.advance(0);
      expect(transactions.state()).toBe(committed ? 'CompleteCommit' : 'CompleteAbort');
    }
    await init(5);
    expect((await call(EndTxn, version, { ...request, committed: true })).errorCode).toBe(fencedAt(version, 2));
  });
});

describe('DescribeTransactions', () => {
  test('tells what is known of each id, and why nothing is', async () => {
    const { producerId, producerEpoch } = await init(5);
    const now = transactions.time.clock.now();
    await add(3, { producerId, producerEpoch }, { orders: [0, 1] });
    const { transactionStates } = await call(DescribeTransactions, 0, { transactionalIds: ['tx', 'nobody', ''] });
    const nothing = { transactionState: '', transactionTimeoutMs: 0, transactionStartTimeMs: 0, producerId: 0 };
    expect(transactionStates).toEqual([
      {
        errorCode: ErrorCode.NONE,
        transactionalId: 'tx',
        transactionState: 'Ongoing',
        transactionTimeoutMs: 60_000,
        transactionStartTimeMs: now,
        producerId,
        producerEpoch,
        topics: [{ topic: 'orders', partitions: [0, 1] }],
      },
      {
        ...nothing,
        errorCode: ErrorCode.TRANSACTIONAL_ID_NOT_FOUND,
        transactionalId: 'nobody',
        producerEpoch: 0,
        topics: [],
      },
      { ...nothing, errorCode: ErrorCode.INVALID_REQUEST, transactionalId: '', producerEpoch: 0, topics: [] },
    ]);
  });
});

describe('ListTransactions', () => {
  /** An open transaction, a settled id and an empty one. */
  beforeEach(async () => {
    for (const transactionalId of ['empty', 'open', 'settled']) {
      const producer = { ...(await transactions.init(null, 60_000, transactionalId)), transactionalId };
      if (transactionalId !== 'empty') await transactions.add(producer, 'orders-0');
      if (transactionalId === 'settled') await transactions.end(producer, true);
    }
    await transactions.time.advance(5000);
  });

  async function list(request: Partial<RequestInput<typeof ListTransactions>>, version = 1) {
    const answer = await call(ListTransactions, version, { stateFilters: [], producerIdFilters: [], ...request });
    const listed = answer.transactionStates.map(({ transactionalId, transactionState }) => [
      transactionalId,
      transactionState,
    ]);
    return { ...answer, transactionStates: listed.map(pair => pair.join(' ')).sort() };
  }

  test.each(versions(ListTransactions))('v%i lists all', async version => {
    expect(await list({}, version)).toMatchObject({
      errorCode: ErrorCode.NONE,
      unknownStateFilters: [],
      transactionStates: ['empty Empty', 'open Ongoing', 'settled CompleteCommit'],
    });
  });

  test('lists those in some states, and says which states there are not', async () => {
    const answer = await list({ stateFilters: ['Ongoing', 'Empty', 'Happy'] });
    expect(answer.transactionStates).toEqual(['empty Empty', 'open Ongoing']);
    expect(answer.unknownStateFilters).toEqual(['Happy']);
    expect((await list({ stateFilters: ['Happy'] })).transactionStates).toEqual([]);
  });

  test('lists those of some producers, and those that began long ago', async () => {
    expect((await list({ producerIdFilters: [4001, 9] })).transactionStates).toEqual(['open Ongoing']);
    expect((await list({ stateFilters: ['Ongoing'], durationFilter: 4999 })).transactionStates).toHaveLength(1);
    expect((await list({ stateFilters: ['Ongoing'], durationFilter: 5000 })).transactionStates).toHaveLength(0);
  });
});
