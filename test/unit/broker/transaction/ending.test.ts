import { beforeEach, describe, expect, test } from 'vitest';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import type { InitResult } from '../../../../broker/transaction/coordinator.ts';
import { TransactionHarness } from '../../../support/transaction-harness.ts';

let transactions: TransactionHarness;
let producer: InitResult;

beforeEach(async () => {
  transactions = await TransactionHarness.start();
  producer = await transactions.init();
});

describe('partitions', () => {
  test('open a transaction, and come to it', async () => {
    expect(await transactions.add(producer, 'orders-0')).toBe(ErrorCode.NONE);
    await transactions.time.advance(50);
    expect(await transactions.add(producer, 'orders-1', 'bills-0')).toBe(ErrorCode.NONE);
    expect(transactions.partitions()).toEqual(['orders-0', 'orders-1', 'bills-0']);
    const { content } = transactions.coordinator.describe('tx');
    expect(content).toMatchObject({ state: 'Ongoing', timeoutMs: 60_000 });
    expect(content!.lastUpdateMs - content!.startMs).toBe(50);
  });

  test('that are there already are not written again', async () => {
    await transactions.add(producer, 'orders-0', 'orders-1');
    expect(await transactions.add(producer, 'orders-1')).toBe(ErrorCode.NONE);
    expect(transactions.written()).toEqual(['Empty', 'Ongoing']);
  });

  test('of who is not the producer are refused', async () => {
    const { producerId, producerEpoch } = producer;
    const add = (by: object) => transactions.add({ ...producer, ...by }, 'orders-0');
    expect(await add({ transactionalId: 'unknown' })).toBe(ErrorCode.INVALID_PRODUCER_ID_MAPPING);
    expect(await add({ transactionalId: '' })).toBe(ErrorCode.INVALID_REQUEST);
    expect(await add({ producerId: producerId + 1 })).toBe(ErrorCode.INVALID_PRODUCER_ID_MAPPING);
    expect(await add({ producerEpoch: producerEpoch + 1 })).toBe(ErrorCode.PRODUCER_FENCED);
    expect(await add({ producerEpoch: producerEpoch - 1 })).toBe(ErrorCode.PRODUCER_FENCED);
  });

  describe.each([true, false])('that come while a transaction ends (commit: %s)', isCommit => {
    beforeEach(async () => {
      await transactions.add(producer, 'orders-0');
      transactions.markers.hold();
      await transactions.end(producer, isCommit);
    });

    test('are taken when it is complete', async () => {
      const both = [transactions.add(producer, 'orders-1'), transactions.add(producer, 'orders-2')];
      await transactions.time.advance(99);
      transactions.markers.release();
      // The second one comes while the first one is being written: it has to ask again.
      expect(await Promise.all(both)).toEqual([ErrorCode.NONE, ErrorCode.CONCURRENT_TRANSACTIONS]);
      expect([transactions.state(), transactions.partitions()]).toEqual(['Ongoing', ['orders-1']]);
    });

    test('have to come again when that takes too long', async () => {
      const added = transactions.add(producer, 'orders-1');
      await transactions.time.advance(100);
      expect(await added).toBe(ErrorCode.CONCURRENT_TRANSACTIONS);
      transactions.markers.release();
      await transactions.time.advance(1);
      expect([transactions.written().at(-1), transactions.partitions()]).toEqual([
        isCommit ? 'CompleteCommit' : 'CompleteAbort',
        [],
      ]);
    });

    test('are refused at once when they are not the producer’s', async () => {
      const other = { ...producer, producerEpoch: producer.producerEpoch + 1 };
      expect(await transactions.add(other, 'orders-1')).toBe(ErrorCode.PRODUCER_FENCED);
    });

    test('have to look for the coordinator when it is another one by then', async () => {
      const added = transactions.add(producer, 'orders-1');
      await transactions.time.advance(50);
      await transactions.failOver();
      await transactions.time.advance(50);
      expect(await added).toBe(ErrorCode.NOT_COORDINATOR);
    });
  });

  test('have to wait for those before', async () => {
    transactions.log.hold();
    const first = transactions.add(producer, 'orders-0');
    expect(await transactions.add(producer, 'orders-1')).toBe(ErrorCode.CONCURRENT_TRANSACTIONS);
    expect(transactions.partitions()).toEqual([]);
    await transactions.log.release();
    expect(await first).toBe(ErrorCode.NONE);
    expect(transactions.partitions()).toEqual(['orders-0']);
  });

  test('that could not be written are not there', async () => {
    transactions.log.failure = ErrorCode.NOT_ENOUGH_REPLICAS;
    expect(await transactions.add(producer, 'orders-0')).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    expect([transactions.state(), transactions.partitions()]).toEqual(['Empty', []]);
  });

  test('are verified one by one', async () => {
    await transactions.add(producer, 'orders-0');
    const verify = (by: object) =>
      transactions.coordinator.verifyPartitions({ transactionalId: 'tx', ...producer, ...by }, [
        { topic: 'orders', partition: 0 },
        { topic: 'orders', partition: 1 },
      ]);
    const both = (errorCode: ErrorCode) => [errorCode, errorCode];
    expect(verify({})).toEqual([ErrorCode.NONE, ErrorCode.TRANSACTION_ABORTABLE]);
    expect(verify({ transactionalId: 'unknown' })).toEqual(both(ErrorCode.INVALID_PRODUCER_ID_MAPPING));
    expect(verify({ producerId: 1 })).toEqual(both(ErrorCode.INVALID_PRODUCER_ID_MAPPING));
    expect(verify({ producerEpoch: 1 })).toEqual(both(ErrorCode.PRODUCER_FENCED));
    transactions.markers.hold();
    await transactions.end(producer, true);
    expect(verify({})).toEqual(both(ErrorCode.CONCURRENT_TRANSACTIONS));
  });
});

describe('the end', () => {
  test.each([
    [true, 'PrepareCommit', 'CompleteCommit', 'commit'],
    [false, 'PrepareAbort', 'CompleteAbort', 'abort'],
  ])(
    'is decided, told to all partitions, and then complete (commit: %s)',
    async (isCommit, prepared, complete, told) => {
      await transactions.add(producer, 'orders-0', 'orders-1', 'bills-0');
      transactions.markers.hold();
      expect(await transactions.end(producer, isCommit)).toBe(ErrorCode.NONE);
      await transactions.time.advance(0);
      expect(transactions.state()).toBe(prepared);
      transactions.markers.release();
      await transactions.time.advance(0);
      expect(transactions.markers.told()).toEqual([`bills-0 ${told}`, `orders-0 ${told}`, `orders-1 ${told}`]);
      expect(transactions.written()).toEqual(['Empty', 'Ongoing', prepared, complete]);
      expect([transactions.state(), transactions.partitions()]).toEqual([complete, []]);
      expect(transactions.markers.requests).toBe(1);
    },
  );

  /** What each outcome is answered with in each state. */
  test.each([
    ['Empty', ErrorCode.INVALID_TXN_STATE, ErrorCode.INVALID_TXN_STATE],
    ['PrepareCommit', ErrorCode.CONCURRENT_TRANSACTIONS, ErrorCode.CONCURRENT_TRANSACTIONS],
    ['PrepareAbort', ErrorCode.CONCURRENT_TRANSACTIONS, ErrorCode.CONCURRENT_TRANSACTIONS],
    ['CompleteCommit', ErrorCode.NONE, ErrorCode.INVALID_TXN_STATE],
    ['CompleteAbort', ErrorCode.INVALID_TXN_STATE, ErrorCode.NONE],
  ] as const)('asked for in %s', async (state, commit, abort) => {
    if (state !== 'Empty') {
      await transactions.add(producer, 'orders-0');
      if (state.startsWith('Prepare')) transactions.markers.hold();
      await transactions.end(producer, state.endsWith('Commit'));
      await transactions.time.advance(0);
    }
    expect(transactions.state()).toBe(state);
    expect(await transactions.end(producer, true)).toBe(commit);
    expect(await transactions.end(producer, false)).toBe(abort);
    expect(transactions.state()).toBe(state);
  });

  test('by who is not the producer is refused', async () => {
    await transactions.add(producer, 'orders-0');
    const end = (by: object) => transactions.end({ ...producer, ...by }, true);
    expect(await end({ transactionalId: 'unknown' })).toBe(ErrorCode.INVALID_PRODUCER_ID_MAPPING);
    expect(await end({ producerId: 1 })).toBe(ErrorCode.INVALID_PRODUCER_ID_MAPPING);
    expect(await end({ producerEpoch: 1 })).toBe(ErrorCode.PRODUCER_FENCED);
    expect(transactions.state()).toBe('Ongoing');
  });

  test('that could not be written has not been decided', async () => {
    await transactions.add(producer, 'orders-0');
    transactions.log.failure = ErrorCode.REQUEST_TIMED_OUT;
    expect(await transactions.end(producer, true)).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    transactions.log.failure = ErrorCode.NONE;
    expect(transactions.markers.requests).toBe(0);
    expect(await transactions.end(producer, false)).toBe(ErrorCode.NONE);
    await transactions.time.advance(0);
    expect(transactions.markers.told()).toEqual(['orders-0 abort']);
  });

  test('whose completion cannot be written is tried until it can', async () => {
    await transactions.add(producer, 'orders-0');
    transactions.markers.hold();
    await transactions.end(producer, true);
    await transactions.time.advance(0);
    transactions.log.failure = ErrorCode.NOT_ENOUGH_REPLICAS;
    transactions.markers.release();
    await transactions.time.advance(1000);
    expect(transactions.state()).toBe('PrepareCommit');
    expect(transactions.coordinator.completionsToRetry).toBe(1);
    transactions.log.failure = ErrorCode.NONE;
    await transactions.time.advance(200);
    expect(transactions.state()).toBe('CompleteCommit');
    expect(transactions.coordinator.completionsToRetry).toBe(0);
    expect(transactions.markers.told()).toEqual(['orders-0 commit']);
  });

  test('is followed by another transaction of the same producer', async () => {
    await transactions.add(producer, 'orders-0');
    await transactions.end(producer, true);
    await transactions.time.advance(0);
    expect(await transactions.add(producer, 'bills-0')).toBe(ErrorCode.NONE);
    expect(transactions.partitions()).toEqual(['bills-0']);
    await transactions.end(producer, false);
    await transactions.time.advance(0);
    expect(transactions.markers.told()).toEqual(['bills-0 abort', 'orders-0 commit']);
  });
});

describe('the time of a transaction', () => {
  test('when it is over, has it aborted and the producer fenced', async () => {
    await transactions.add(producer, 'orders-0');
    await transactions.time.advance(59_000);
    expect(transactions.state()).toBe('Ongoing');
    await transactions.time.advance(12_000);
    expect(transactions.state()).toBe('CompleteAbort');
    expect(transactions.markers.written).toMatchObject([{ partition: 'orders-0', producerEpoch: 1, isCommit: false }]);
    expect(await transactions.end(producer, true)).toBe(ErrorCode.PRODUCER_FENCED);
    expect(await transactions.add(producer, 'orders-0')).toBe(ErrorCode.PRODUCER_FENCED);
    expect(await transactions.init()).toMatchObject({ producerId: producer.producerId, producerEpoch: 2 });
  });

  test('counts from its first partition', async () => {
    await transactions.time.advance(3_600_000);
    await transactions.add(producer, 'orders-0');
    await transactions.time.advance(40_000);
    await transactions.add(producer, 'orders-1');
    await transactions.time.advance(15_000);
    expect(transactions.state()).toBe('Ongoing');
    await transactions.time.advance(15_000);
    expect(transactions.state()).toBe('CompleteAbort');
  });

  test('that is over while the log takes nothing takes one epoch, and the transaction ends later', async () => {
    await transactions.add(producer, 'orders-0');
    transactions.log.failure = ErrorCode.NOT_ENOUGH_REPLICAS;
    await transactions.time.advance(120_000);
    expect(transactions.state()).toBe('Ongoing');
    expect(await transactions.end(producer, true)).toBe(ErrorCode.PRODUCER_FENCED);
    transactions.log.failure = ErrorCode.NONE;
    await transactions.time.advance(10_000);
    expect(transactions.state()).toBe('CompleteAbort');
    expect(transactions.markers.written).toMatchObject([{ producerEpoch: 1, isCommit: false }]);
  });
});

describe('an id that is not used', () => {
  const WEEK_MS = 7 * 86_400_000;

  test('is forgotten after a week', async () => {
    await transactions.time.advance(WEEK_MS - 1);
    expect(transactions.state()).toBe('Empty');
    await transactions.time.advance(3_600_001);
    expect(transactions.state()).toBeUndefined();
    expect(transactions.written()).toEqual(['Empty', '-']);
    expect(await transactions.add(producer, 'orders-0')).toBe(ErrorCode.INVALID_PRODUCER_ID_MAPPING);
    transactions = await transactions.failOver();
    expect(transactions.state()).toBeUndefined();
  });

  test.each([true, false])('after its last transaction, too (commit: %s)', async isCommit => {
    await transactions.add(producer, 'orders-0');
    await transactions.end(producer, isCommit);
    await transactions.time.advance(WEEK_MS + 3_600_001);
    expect(transactions.state()).toBeUndefined();
  });

  test('stays while its transaction is open, or is ending', async () => {
    const long = await transactions.init(null, 900_000);
    transactions.settings.idExpirationMs = 1000;
    transactions.settings.maxTimeoutMs = 900_000;
    await transactions.add(long, 'orders-0');
    await transactions.time.advance(5000);
    await transactions.coordinator.removeExpired();
    expect(transactions.state()).toBe('Ongoing');
    transactions.markers.hold();
    await transactions.end(long, true);
    await transactions.time.advance(5000);
    await transactions.coordinator.removeExpired();
    expect(transactions.state()).toBe('PrepareCommit');
  });

  test('stays when the log takes nothing, and may be used then', async () => {
    await transactions.time.advance(WEEK_MS - 3_600_000);
    transactions.log.failure = ErrorCode.NOT_ENOUGH_REPLICAS;
    await transactions.time.advance(2 * 3_600_000);
    transactions.log.failure = ErrorCode.NONE;
    expect(transactions.state()).toBe('Empty');
    expect(await transactions.add(producer, 'orders-0')).toBe(ErrorCode.NONE);
  });

  test('cannot be used while it is being forgotten', async () => {
    transactions.settings.idExpirationMs = 1;
    await transactions.time.advance(1);
    transactions.log.hold();
    const removal = transactions.coordinator.removeExpired();
    expect(await transactions.add(producer, 'orders-0')).toBe(ErrorCode.CONCURRENT_TRANSACTIONS);
    await transactions.log.release();
    await removal;
    expect(await transactions.init()).toMatchObject({ errorCode: ErrorCode.NONE, producerId: 4001, producerEpoch: 0 });
  });

  test('is forgotten with many others in batches', async () => {
    for (let i = 0; i < 100; i++) await transactions.init(null, 60_000, `${'x'.repeat(500)}${i}`);
    await transactions.time.advance(WEEK_MS + 3_600_001);
    expect(transactions.coordinator.list({ states: null, producerIds: null, longerThanMs: null }).transactions).toEqual(
      [],
    );
    expect(Math.max(...transactions.log.batches().map(({ length }) => length))).toBeLessThan(20_000);
    expect(transactions.written().filter(state => state === '-')).toHaveLength(101);
  });
});
