import { describe, expect, test } from 'vitest';
import { describeProducersHandler } from '../../../../broker/api/describe-producers.ts';
import { initProducerIdHandler } from '../../../../broker/api/init-producer-id.ts';
import type { ReplicaManager } from '../../../../broker/replication/replica-manager.ts';
import type { RequestContext } from '../../../../broker/request/context.ts';
import { ProducerEntry } from '../../../../broker/storage/producer-entry.ts';
import { ProducerIds } from '../../../../broker/transaction/producer-ids.ts';
import type { RequestOf } from '../../../../shared/protocol/api.ts';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import type { InitProducerId } from '../../../../shared/protocol/messages/init-producer-id.ts';
import { silentLogger } from '../../../../shared/runtime/logger.ts';
import { systemClock } from '../../../../shared/runtime/clock.ts';
import { knownCluster } from '../../../support/known-cluster.ts';

const context = { apiVersion: 5, park: () => {} } as RequestContext;

type Request = RequestOf<typeof InitProducerId>;
const plain: Request = { transactionalId: null, transactionTimeoutMs: 60_000, producerId: -1, producerEpoch: -1 };

function initProducerId(request: Partial<Request>, count = 1000) {
  const allocate = () => (count > 0 ? Promise.resolve({ first: 7000, count }) : Promise.reject(new Error('nobody')));
  const ids = new ProducerIds({ allocate, close: () => {} }, systemClock, silentLogger);
  const transactions = {
    initProducerId: () => Promise.resolve({ errorCode: ErrorCode.PRODUCER_FENCED, producerId: -1, producerEpoch: -1 }),
  };
  return initProducerIdHandler(ids, transactions).handle({ ...plain, ...request }, context);
}

describe('InitProducerId', () => {
  test('without a transactional id gives a new id and epoch 0, whatever the producer had', async () => {
    const given = { throttleTimeMs: 0, errorCode: ErrorCode.NONE, producerId: 7000, producerEpoch: 0 };
    expect(await initProducerId({})).toEqual(given);
    expect(await initProducerId({ producerId: 5, producerEpoch: 3 })).toEqual(given);
    expect(await initProducerId({ transactionTimeoutMs: -1 })).toEqual(given);
  });

  test.each<[string, Partial<Request>, ErrorCode]>([
    ['an id without epoch', { producerId: 5 }, ErrorCode.INVALID_REQUEST],
    ['an epoch without id', { producerEpoch: 5 }, ErrorCode.INVALID_REQUEST],
    ['what the coordinator refuses', { transactionalId: 'tx' }, ErrorCode.PRODUCER_FENCED],
  ])('refuses %s', async (_what, request, errorCode) => {
    expect(await initProducerId(request)).toMatchObject({ errorCode, producerId: -1, producerEpoch: -1 });
  });

  test('without a controller asks to come again', async () => {
    expect(await initProducerId({}, 0)).toMatchObject({ errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS });
  });
});

describe('DescribeProducers', () => {
  test('tells what is known of each producer, and why nothing is', async () => {
    const entry = new ProducerEntry(4001);
    const batch = { epoch: 2, lastSequence: 11, lastOffset: 101, offsetDelta: 1, timestamp: 9, isTransactional: true };
    entry.append(batch);
    const metadata = knownCluster(
      [1],
      [0, 1].map(partition => ({ topic: 't', partition, leader: 1, replicas: [1] })),
    );
    const activeProducers = (_topic: string, partition: number) =>
      partition === 0 ? [entry] : ErrorCode.NOT_LEADER_OR_FOLLOWER;
    const handler = describeProducersHandler({ activeProducers } as unknown as ReplicaManager, metadata);
    const answer = await handler.handle({ topics: [{ name: 't', partitionIndexes: [0, 1, 2] }] }, context);
    expect(answer!.topics[0]!.partitions).toEqual([
      {
        partitionIndex: 0,
        errorCode: ErrorCode.NONE,
        activeProducers: [
          {
            producerId: 4001,
            producerEpoch: 2,
            lastSequence: 11,
            lastTimestamp: 9,
            coordinatorEpoch: -1,
            currentTxnStartOffset: 100,
          },
        ],
      },
      { partitionIndex: 1, errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER, activeProducers: [] },
      { partitionIndex: 2, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, activeProducers: [] },
    ]);
  });
});
