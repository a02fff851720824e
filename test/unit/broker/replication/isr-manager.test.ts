import { describe, expect, test } from 'vitest';
import type { IsrChannel } from '../../../../broker/replication/controller-link.ts';
import { IsrManager } from '../../../../broker/replication/isr-manager.ts';
import type { IsrOutcome, IsrProposal } from '../../../../broker/replication/isr-proposals.ts';
import { ConnectionError } from '../../../../shared/connection/connection.ts';
import type { RequestInput, ResponseOf } from '../../../../shared/protocol/api.ts';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import { AlterPartition } from '../../../../shared/protocol/messages/alter-partition.ts';
import { ZERO_UUID } from '../../../../shared/protocol/schema.ts';
import { silentLogger } from '../../../../shared/runtime/logger.ts';
import { VirtualTime } from '../../../support/virtual-time.ts';
import { recode, TOPIC_ID } from './support.ts';

type Request = RequestInput<typeof AlterPartition>;
type Response = ResponseOf<typeof AlterPartition>;

function setUp() {
  const time = new VirtualTime();
  const sent: { request: Request; version: number; answer: (response: Partial<Response> | Error) => void }[] = [];
  const channel: IsrChannel = {
    send: (request, version) =>
      new Promise((resolve, reject) => {
        // As the wire would see it: what a version cannot carry is an error here.
        recode(AlterPartition.request, request, version);
        const answer = (response: Partial<Response> | Error) => {
          if (response instanceof Error) reject(response);
          else resolve({ throttleTimeMs: 0, errorCode: ErrorCode.NONE, topics: [], ...response });
        };
        sent.push({ request, version, answer });
      }),
    close: () => {},
  };
  const manager = new IsrManager({ brokerId: 1, brokerEpoch: () => 9n, channel, timers: time, logger: silentLogger });
  const outcomes: [partition: number, outcome: IsrOutcome][] = [];
  const propose = (partition: number, changes: Partial<IsrProposal> = {}) =>
    manager.submit({
      topic: 'orders',
      topicId: TOPIC_ID,
      partition,
      leaderEpoch: 3,
      partitionEpoch: 5,
      isr: [1, 2],
      settled: outcome => outcomes.push([partition, outcome]),
      ...changes,
    });
  return { time, sent, manager, outcomes, propose };
}

/** What the controller answers for one partition. */
function answerFor(partitionIndex: number, errorCode: ErrorCode = ErrorCode.NONE) {
  return {
    partitionIndex,
    errorCode,
    leaderId: 1,
    leaderEpoch: 3,
    isr: [1, 2],
    leaderRecoveryState: 0,
    partitionEpoch: 6,
  };
}

const topicAnswer = (...partitions: ReturnType<typeof answerFor>[]) => [
  { topicName: '', topicId: TOPIC_ID, partitions },
];

describe('ISR proposals', () => {
  test('of one turn go in one request, with broker epoch and topic ids', async () => {
    const { time, sent, outcomes, propose } = setUp();
    propose(0);
    propose(1, { isr: [1] });
    await time.advance(0);
    expect(sent.length).toBe(1);
    expect(sent[0]!.version).toBe(3);
    expect(sent[0]!.request).toMatchObject({
      brokerId: 1,
      brokerEpoch: 9n,
      topics: [
        {
          topicId: TOPIC_ID,
          partitions: [
            {
              partitionIndex: 0,
              leaderEpoch: 3,
              partitionEpoch: 5,
              newIsrWithEpochs: [{ brokerId: 1 }, { brokerId: 2 }],
            },
            { partitionIndex: 1, newIsrWithEpochs: [{ brokerId: 1 }] },
          ],
        },
      ],
    });
    sent[0]!.answer({ topics: topicAnswer(answerFor(1), answerFor(0)) });
    await time.advance(0);
    expect(outcomes.map(([partition]) => partition)).toEqual([1, 0]);
  });

  test('for topics without an id go by name, in the version that knows names', async () => {
    const { time, sent, outcomes, propose } = setUp();
    propose(0, { topicId: ZERO_UUID });
    await time.advance(0);
    expect([sent[0]!.version, sent[0]!.request.topics[0]!.topicName]).toEqual([1, 'orders']);
    expect(sent[0]!.request.topics[0]!.partitions[0]!.newIsr).toEqual([1, 2]);
    sent[0]!.answer({ topics: [{ topicName: 'orders', topicId: ZERO_UUID, partitions: [answerFor(0)] }] });
    await time.advance(0);
    expect(outcomes.length).toBe(1);
  });

  test('wait while a request is in flight; then the newest of each partition goes', async () => {
    const { time, sent, outcomes, propose } = setUp();
    propose(0);
    await time.advance(0);
    propose(1, { isr: [1, 7] });
    propose(1, { isr: [1, 8] });
    await time.advance(1000);
    expect(sent.length).toBe(1);
    sent[0]!.answer({ topics: topicAnswer(answerFor(0)) });
    await time.advance(0);
    expect(sent.length).toBe(2);
    expect(sent[1]!.request.topics[0]!.partitions).toMatchObject([
      { partitionIndex: 1, newIsrWithEpochs: [{ brokerId: 1 }, { brokerId: 8 }] },
    ]);
    expect(outcomes.length).toBe(1);
  });

  test.each([
    ['a connection error', new ConnectionError('REFUSED', 'nobody there')],
    ['a stale broker epoch', { errorCode: ErrorCode.STALE_BROKER_EPOCH }],
    ['an answer that does not mention the partition', { topics: [] }],
  ])('after %s are sent again in 50 ms, for ever', async (_, failure) => {
    const { time, sent, outcomes, propose } = setUp();
    propose(0);
    for (let attempt = 1; attempt <= 5; attempt++) {
      await time.advance(0);
      expect(sent.length).toBe(attempt);
      sent.at(-1)!.answer(failure);
      await time.advance(49);
      expect(sent.length).toBe(attempt);
      await time.advance(1);
    }
    sent.at(-1)!.answer({ topics: topicAnswer(answerFor(0)) });
    await time.advance(0);
    expect(outcomes.map(([, { errorCode }]) => errorCode)).toEqual([ErrorCode.NONE]);
  });

  test('a newer proposal takes the place of one that is to be sent again', async () => {
    const { time, sent, propose } = setUp();
    propose(0);
    await time.advance(0);
    propose(0, { leaderEpoch: 4 });
    sent[0]!.answer(new ConnectionError('CLOSED', 'gone'));
    await time.advance(50);
    expect(sent[1]!.request.topics[0]!.partitions).toMatchObject([{ leaderEpoch: 4 }]);
  });

  test('a refused partition is answered with its error, and no storm of retries follows', async () => {
    const { time, sent, outcomes, manager } = setUp();
    const again = (): void =>
      manager.submit({
        topic: 'orders',
        topicId: TOPIC_ID,
        partition: 0,
        leaderEpoch: 3,
        partitionEpoch: 5,
        isr: [1],
        settled: outcome => {
          outcomes.push([0, outcome]);
          again();
        },
      });
    again();
    for (let elapsed = 0; elapsed < 1000; elapsed += 10) {
      await time.advance(10);
      for (const { answer } of sent) answer({ topics: topicAnswer(answerFor(0, ErrorCode.UNKNOWN_SERVER_ERROR)) });
    }
    expect(sent.length).toBeGreaterThan(5);
    expect(sent.length).toBeLessThan(25);
  });

  test('after a shutdown nothing is sent', async () => {
    const { time, sent, manager, propose } = setUp();
    propose(0);
    await time.advance(0);
    manager.shutdown();
    sent[0]!.answer(new ConnectionError('CLOSED', 'gone'));
    propose(1);
    await time.advance(1000);
    expect(sent.length).toBe(1);
  });
});
