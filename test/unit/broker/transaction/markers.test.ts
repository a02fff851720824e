import { beforeEach, describe, expect, test } from 'vitest';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import type { InitResult } from '../../../../broker/transaction/coordinator.ts';
import { TransactionHarness, type MemoryMarkers } from '../../../support/transaction-harness.ts';

let transactions: TransactionHarness;
let markers: MemoryMarkers;
let producer: InitResult;

beforeEach(async () => {
  transactions = await TransactionHarness.start();
  ({ markers } = transactions);
  producer = await transactions.init();
});

async function commit(...partitions: string[]): Promise<void> {
  await transactions.add(producer, ...partitions);
  await transactions.end(producer, true);
  await transactions.time.advance(0);
}

describe('markers', () => {
  test('go to the leaders, one request each', async () => {
    markers.leaders.set('orders-1', 2);
    await commit('orders-0', 'orders-1', 'orders-2');
    expect(markers.requests).toBe(2);
    expect(markers.told()).toEqual(['orders-0 commit', 'orders-1 commit', 'orders-2 commit']);
  });

  test('of transactions that end while a request is under way go with the next one', async () => {
    markers.hold();
    const producers = [];
    for (let i = 0; i < 5; i++) {
      const one = { ...(await transactions.init(null, 60_000, `tx-${i}`)), transactionalId: `tx-${i}` };
      await transactions.add(one, `orders-${i}`);
      producers.push(one);
    }
    for (const one of producers) {
      await transactions.end(one, true);
      await transactions.time.advance(0);
    }
    expect(markers.requests).toBe(1);
    markers.release();
    await transactions.time.advance(0);
    expect(markers.requests).toBe(2);
    expect(markers.told()).toHaveLength(5);
  });

  test.each([
    ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    ErrorCode.NOT_LEADER_OR_FOLLOWER,
    ErrorCode.NOT_ENOUGH_REPLICAS,
    ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    ErrorCode.REQUEST_TIMED_OUT,
    ErrorCode.KAFKA_STORAGE_ERROR,
    ErrorCode.UNKNOWN_SERVER_ERROR,
  ])('that are refused with %i are sent again, to whoever leads by then', async errorCode => {
    markers.refusals.set('orders-0', [errorCode, errorCode]);
    await commit('orders-0', 'orders-1');
    expect(markers.told()).toEqual(['orders-1 commit']);
    expect([transactions.state(), transactions.partitions()]).toEqual(['PrepareCommit', ['orders-0']]);
    markers.leaders.set('orders-0', 2);
    await transactions.time.advance(500);
    expect(markers.told()).toEqual(['orders-0 commit', 'orders-1 commit']);
    expect(transactions.state()).toBe('CompleteCommit');
  });

  test.each([ErrorCode.UNSUPPORTED_FOR_MESSAGE_FORMAT, ErrorCode.UNSUPPORTED_VERSION])(
    'that a partition can never take (%i) count as told',
    async errorCode => {
      markers.refusals.set('orders-0', [errorCode]);
      await commit('orders-0');
      expect(transactions.state()).toBe('CompleteCommit');
    },
  );

  test.each([ErrorCode.INVALID_PRODUCER_EPOCH, ErrorCode.TRANSACTION_COORDINATOR_FENCED])(
    'are given up when somebody newer is at work (%i)',
    async errorCode => {
      markers.refusals.set('orders-0', [errorCode]);
      await commit('orders-0', 'orders-1');
      await transactions.time.advance(60_000);
      expect(markers.requests).toBe(1);
      expect(transactions.state()).toBe('PrepareCommit');
    },
  );

  test('wait for a leader', async () => {
    markers.leaders.set('orders-0', null);
    await commit('orders-0', 'orders-1');
    await transactions.time.advance(10_000);
    expect(transactions.coordinator.unknownDestinations).toBe(1);
    expect([transactions.state(), markers.requests]).toEqual(['PrepareCommit', 1]);
    markers.leaders.set('orders-0', 2);
    await transactions.time.advance(200);
    expect([transactions.state(), markers.requests]).toEqual(['CompleteCommit', 2]);
    expect(transactions.coordinator.unknownDestinations).toBe(0);
  });

  test('follow the leader from a broker that is dead', async () => {
    markers.dead.add(1);
    await commit('orders-0');
    await transactions.time.advance(1000);
    expect(markers.told()).toEqual([]);
    markers.leaders.set('orders-0', 2);
    await transactions.time.advance(200);
    expect(markers.told()).toEqual(['orders-0 commit']);
    expect(transactions.state()).toBe('CompleteCommit');
  });

  test('whose answer is lost are sent again', async () => {
    markers.lostAnswers = 2;
    await commit('orders-0');
    await transactions.time.advance(500);
    expect(markers.told()).toEqual(['orders-0 commit', 'orders-0 commit', 'orders-0 commit']);
    expect(transactions.state()).toBe('CompleteCommit');
  });

  test('of partitions that are deleted are not needed', async () => {
    markers.leaders.set('orders-0', null).set('orders-1', 'deleted');
    await commit('orders-0', 'orders-1');
    expect(transactions.partitions()).toEqual(['orders-0']);
    markers.leaders.set('orders-0', 'deleted');
    await transactions.time.advance(200);
    expect([transactions.state(), markers.requests]).toEqual(['CompleteCommit', 0]);
  });

  test('name the coordinator’s epoch', async () => {
    transactions = await transactions.failOver();
    await commit('orders-0');
    expect(markers.written).toMatchObject([{ ...markers.written[0], producerId: 4000, coordinatorEpoch: 1 }]);
  });
});

describe('another coordinator', () => {
  test.each([true, false])('tells what was decided to all partitions (commit: %s)', async isCommit => {
    await transactions.add(producer, 'orders-0', 'orders-1');
    markers.refusals.set('orders-1', [ErrorCode.NOT_LEADER_OR_FOLLOWER]);
    await transactions.end(producer, isCommit);
    await transactions.time.advance(0);
    transactions = await transactions.failOver();
    await transactions.time.advance(0);
    expect(transactions.state()).toBe(isCommit ? 'CompleteCommit' : 'CompleteAbort');
    const told = isCommit ? 'commit' : 'abort';
    expect(markers.told()).toEqual([`orders-0 ${told}`, `orders-0 ${told}`, `orders-1 ${told}`]);
    expect(markers.written.at(-1)!.coordinatorEpoch).toBe(1);
  });

  test('goes on with an open transaction', async () => {
    await transactions.add(producer, 'orders-0');
    transactions = await transactions.failOver();
    expect([transactions.state(), transactions.partitions()]).toEqual(['Ongoing', ['orders-0']]);
    expect(await transactions.add(producer, 'orders-1')).toBe(ErrorCode.NONE);
    expect(await transactions.end(producer, true)).toBe(ErrorCode.NONE);
    await transactions.time.advance(0);
    expect(markers.told()).toEqual(['orders-0 commit', 'orders-1 commit']);
  });

  test('is told nothing by the former one, which sends and writes nothing any more', async () => {
    const former = transactions;
    await former.add(producer, 'orders-0');
    markers.leaders.set('orders-0', null);
    await former.end(producer, true);
    await former.time.advance(0);
    transactions = await former.failOver();
    const written = transactions.written().length;
    markers.leaders.delete('orders-0');
    await transactions.time.advance(1000);
    expect(markers.written).toMatchObject([{ coordinatorEpoch: 1 }]);
    expect(transactions.written()).toHaveLength(written + 1);
    expect(former.state()).toBeUndefined();
    expect(await former.end(producer, true)).toBe(ErrorCode.NOT_COORDINATOR);
  });

  test('is asked by who waits for a write of the former one', async () => {
    transactions.log.hold();
    const ending = transactions.add(producer, 'orders-0');
    const former = transactions;
    transactions = await transactions.failOver();
    await former.log.release();
    expect(await ending).toBe(ErrorCode.NOT_COORDINATOR);
    expect(transactions.state()).toBe('Ongoing');
  });
});

describe('while a partition is loaded', () => {
  test('everybody has to come again', async () => {
    const { coordinator } = transactions;
    for (let partition = 0; partition < 3; partition++) coordinator.resign(partition);
    expect((await transactions.init()).errorCode).toBe(ErrorCode.NOT_COORDINATOR);
    const loading = [0, 1, 2].map(partition => coordinator.elect(partition));
    const code = ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
    expect((await transactions.init()).errorCode).toBe(code);
    expect(await transactions.add(producer, 'orders-0')).toBe(code);
    expect(await transactions.end(producer, true)).toBe(code);
    expect(coordinator.describe('tx')).toEqual({ errorCode: code, content: null });
    expect(coordinator.list({ states: null, producerIds: null, longerThanMs: null }).errorCode).toBe(code);
    await Promise.all(loading);
    expect(transactions.state()).toBe('Empty');
  });

  test('that is given up meanwhile, nothing comes of it', async () => {
    const { coordinator } = transactions;
    const partition = coordinator.partitionOf('tx');
    coordinator.resign(partition);
    const loading = coordinator.elect(partition);
    coordinator.resign(partition);
    await loading;
    expect((await transactions.init()).errorCode).toBe(ErrorCode.NOT_COORDINATOR);
  });
});

test('a coordinator that has been shut down answers nobody, and does nothing', async () => {
  await transactions.add(producer, 'orders-0');
  transactions.coordinator.shutdown();
  expect((await transactions.init()).errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
  expect(await transactions.end(producer, true)).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
  await transactions.time.advance(100_000);
  expect([transactions.written(), markers.requests]).toEqual([['Empty', 'Ongoing'], 0]);
});
