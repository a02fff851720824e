import { beforeEach, describe, expect, test } from 'vitest';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import { TransactionHarness } from '../../../support/transaction-harness.ts';

let transactions: TransactionHarness;

beforeEach(async () => {
  transactions = await TransactionHarness.start();
});

describe('a producer that begins', () => {
  test('gets an id with epoch 0, and the next epoch each time that it begins again', async () => {
    expect(await transactions.init()).toEqual({ errorCode: ErrorCode.NONE, producerId: 4000, producerEpoch: 0 });
    expect(await transactions.init()).toEqual({ errorCode: ErrorCode.NONE, producerId: 4000, producerEpoch: 1 });
    expect(transactions.written()).toEqual(['Empty', 'Empty']);
    expect((await transactions.init(null, 1000, 'other')).producerId).toBe(4001);
  });

  test('is told when its request makes no sense', async () => {
    expect((await transactions.init(null, 60_000, '')).errorCode).toBe(ErrorCode.INVALID_REQUEST);
    for (const timeoutMs of [0, -1, 900_001])
      expect((await transactions.init(null, timeoutMs)).errorCode).toBe(ErrorCode.INVALID_TRANSACTION_TIMEOUT);
  });

  test('fences the one before', async () => {
    const zombie = await transactions.init();
    await transactions.init();
    expect(await transactions.add(zombie, 'orders-0')).toBe(ErrorCode.PRODUCER_FENCED);
    expect(await transactions.end(zombie, true)).toBe(ErrorCode.PRODUCER_FENCED);
    expect((await transactions.init(zombie)).errorCode).toBe(ErrorCode.PRODUCER_FENCED);
  });

  test('has what its predecessor left open aborted first', async () => {
    const former = await transactions.init();
    await transactions.add(former, 'orders-0');
    expect((await transactions.init()).errorCode).toBe(ErrorCode.CONCURRENT_TRANSACTIONS);
    expect(await transactions.end(former, true)).toBe(ErrorCode.PRODUCER_FENCED);
    expect(await transactions.initInTheEnd()).toMatchObject({ producerId: 4000, producerEpoch: 2 });
    expect(transactions.markers.told()).toEqual(['orders-0 abort']);
    expect(transactions.markers.written[0]).toMatchObject({ producerId: 4000, producerEpoch: 1 });
  });

  test('while the log takes nothing loses no more than one epoch, however often it tries', async () => {
    const former = await transactions.init();
    await transactions.add(former, 'orders-0');
    transactions.log.failure = ErrorCode.NOT_ENOUGH_REPLICAS;
    for (let attempt = 0; attempt < 3; attempt++)
      expect((await transactions.init()).errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    transactions.log.failure = ErrorCode.NONE;
    expect((await transactions.initInTheEnd()).producerEpoch).toBe(2);
    expect(transactions.markers.told()).toEqual(['orders-0 abort']);
  });

  test('waits while the outcome of the last transaction is being told', async () => {
    const former = await transactions.init();
    await transactions.add(former, 'orders-0');
    transactions.markers.hold();
    await transactions.end(former, true);
    expect((await transactions.init()).errorCode).toBe(ErrorCode.CONCURRENT_TRANSACTIONS);
    transactions.markers.release();
    expect((await transactions.initInTheEnd()).producerEpoch).toBe(1);
    expect(transactions.markers.told()).toEqual(['orders-0 commit']);
  });

  test('while another one begins, too, has to come again', async () => {
    const both = await Promise.all([transactions.init(), transactions.init()]);
    expect(both.map(({ errorCode }) => errorCode)).toEqual([ErrorCode.NONE, ErrorCode.CONCURRENT_TRANSACTIONS]);
  });

  test('gets nothing while there are no producer ids', async () => {
    transactions.exhaustIds();
    expect((await transactions.init()).errorCode).toBe(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
  });

  test('gets nothing when the log takes nothing', async () => {
    const codes = [];
    for (const failure of [
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      ErrorCode.REQUEST_TIMED_OUT,
      ErrorCode.NOT_LEADER_OR_FOLLOWER,
      ErrorCode.MESSAGE_TOO_LARGE,
    ]) {
      transactions.log.failure = failure;
      codes.push((await transactions.init()).errorCode);
    }
    expect(codes).toEqual([
      ErrorCode.COORDINATOR_NOT_AVAILABLE,
      ErrorCode.COORDINATOR_NOT_AVAILABLE,
      ErrorCode.NOT_COORDINATOR,
      ErrorCode.UNKNOWN_SERVER_ERROR,
    ]);
    transactions.log.failure = ErrorCode.NONE;
    expect(await transactions.init()).toMatchObject({ errorCode: ErrorCode.NONE, producerEpoch: 0 });
  });
});

describe('a producer that goes on after an error', () => {
  test('gets the next epoch, and the same when it asks again', async () => {
    const first = await transactions.init();
    const second = await transactions.init(first);
    expect(second).toMatchObject({ errorCode: ErrorCode.NONE, producerEpoch: 1 });
    expect(await transactions.init(first)).toEqual(second);
    expect(await transactions.init(second)).toMatchObject({ producerEpoch: 2 });
    expect((await transactions.init(first)).errorCode).toBe(ErrorCode.PRODUCER_FENCED);
  });

  test('is fenced when another one has begun meanwhile, or its id is not this', async () => {
    const first = await transactions.init();
    await transactions.init();
    expect((await transactions.init(first)).errorCode).toBe(ErrorCode.PRODUCER_FENCED);
    expect((await transactions.init({ producerId: 1, producerEpoch: 1 })).errorCode).toBe(ErrorCode.PRODUCER_FENCED);
  });

  test('of an id that is not known any more gets a new one', async () => {
    expect(await transactions.init({ producerId: 77, producerEpoch: 7 })).toMatchObject({
      errorCode: ErrorCode.NONE,
      producerId: 4000,
      producerEpoch: 0,
    });
  });
});

describe('epochs that are used up', () => {
  /** A producer that has the last epoch that there is to be had. */
  async function exhausted() {
    await transactions.init();
    await transactions.write({ producerEpoch: 32_765 });
    transactions = await transactions.failOver();
    const producer = await transactions.init();
    expect(producer).toMatchObject({ producerId: 4000, producerEpoch: 32_766 });
    return producer;
  }

  test('are followed by another producer id', async () => {
    const last = await exhausted();
    const next = { errorCode: ErrorCode.NONE, producerId: 4001, producerEpoch: 0 };
    expect(await transactions.init(last)).toEqual(next);
    // Asked again, because the answer was lost.
    expect(await transactions.init(last)).toEqual(next);
    expect(await transactions.init(last)).toEqual(next);
    expect(await transactions.init()).toEqual({ ...next, producerEpoch: 1 });
    expect((await transactions.init(last)).errorCode).toBe(ErrorCode.PRODUCER_FENCED);
  });

  test('leave one to fence the last producer with', async () => {
    const last = await exhausted();
    await transactions.add(last, 'orders-0');
    transactions.log.failure = ErrorCode.NOT_ENOUGH_REPLICAS;
    for (let attempt = 0; attempt < 2; attempt++)
      expect((await transactions.init()).errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    transactions.log.failure = ErrorCode.NONE;
    expect(await transactions.initInTheEnd()).toMatchObject({ producerId: 4001, producerEpoch: 0 });
    expect(transactions.markers.written).toMatchObject([{ producerId: 4000, producerEpoch: 32_767 }]);
  });
});

describe('a coordinator that takes over', () => {
  test('answers for nothing that the next one may not have: all of its log has to be committed first', async () => {
    const mine = await transactions.init();
    await transactions.add(mine, 'orders-0');
    transactions = await transactions.failOver(1);
    await transactions.time.advance(5_000);
    expect(await transactions.add(mine, 'orders-0')).toBe(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
    transactions.committedEnd = 2;
    await transactions.time.advance(20);
    expect(await transactions.add(mine, 'orders-0')).toBe(ErrorCode.NONE);
    expect(transactions.written()).toEqual(['Empty', 'Ongoing']);
  });

  test('and loses its partitions before that, answers for none', async () => {
    const mine = await transactions.init();
    const next = await transactions.failOver(0);
    const last = await next.failOver();
    await next.time.advance(5_000);
    expect(await next.add(mine, 'orders-0')).toBe(ErrorCode.NOT_COORDINATOR);
    expect(await last.add(mine, 'orders-0')).toBe(ErrorCode.NONE);
  });
});
