import { beforeEach, expect, test } from 'vitest';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import { TransactionHarness } from '../../../support/transaction-harness.ts';

/** What no well-behaved client does, and some do: odd names, odd orders, and more of them than anybody needs. */

let transactions: TransactionHarness;

beforeEach(async () => {
  transactions = await TransactionHarness.start();
});

test('an id as long as the protocol has them outlives its coordinator', async () => {
  const transactionalId = 'ü'.repeat(16_383);
  const producer = { transactionalId, ...(await transactions.init(null, 60_000, transactionalId)) };
  expect(await transactions.add(producer, 'orders-0')).toBe(ErrorCode.NONE);
  transactions = await transactions.failOver();
  expect(transactions.partitions(transactionalId)).toEqual(['orders-0']);
  expect(await transactions.end(producer, true)).toBe(ErrorCode.NONE);
  await transactions.time.advance(0);
  expect(transactions.state(transactionalId)).toBe('CompleteCommit');
});

test('thousands of ids, each with a transaction of its own, are all there after a fail-over', async () => {
  const ids = Array.from({ length: 2_000 }, (_, n) => `producer ${n}`);
  for (const transactionalId of ids) {
    const producer = { transactionalId, ...(await transactions.init(null, 60_000, transactionalId)) };
    expect(await transactions.add(producer, 'orders-0')).toBe(ErrorCode.NONE);
  }
  // So many are read with pauses.
  const takeover = transactions.failOver();
  await transactions.time.advance(1_000);
  transactions = await takeover;
  expect(transactions.coordinator.loadTimes.max).toBeGreaterThanOrEqual(0);
  const everything = { states: null, producerIds: null, longerThanMs: null };
  expect(transactions.coordinator.list(everything).transactions.length).toBe(ids.length);
  // All of them are over at once.
  await transactions.time.advance(80_000);
  expect(transactions.markers.told()).toEqual(ids.map(() => 'orders-0 abort'));
  expect(new Set(ids.map(id => transactions.state(id)))).toEqual(new Set(['CompleteAbort']));
});

test('an outcome holds, whatever is asked for behind it', async () => {
  const producer = await transactions.init();
  expect(await transactions.end(producer, true)).toBe(ErrorCode.INVALID_TXN_STATE);
  await transactions.add(producer, 'orders-0');
  expect(await transactions.end(producer, false)).toBe(ErrorCode.NONE);
  await transactions.time.advance(0);
  for (let attempt = 0; attempt < 3; attempt++) {
    expect(await transactions.end(producer, true)).toBe(ErrorCode.INVALID_TXN_STATE);
    expect(await transactions.end(producer, false)).toBe(ErrorCode.NONE);
  }
  expect(transactions.written()).toEqual(['Empty', 'Ongoing', 'PrepareAbort', 'CompleteAbort']);
  expect(transactions.markers.told()).toEqual(['orders-0 abort']);
});

test('both outcomes asked for at once: one is decided, the other one refused', async () => {
  const producer = await transactions.init();
  await transactions.add(producer, 'orders-0');
  const answers = await Promise.all([transactions.end(producer, true), transactions.end(producer, false)]);
  expect(answers).toEqual([ErrorCode.NONE, ErrorCode.CONCURRENT_TRANSACTIONS]);
  await transactions.time.advance(0);
  expect(transactions.markers.told()).toEqual(['orders-0 commit']);
});

test('an epoch that nobody has been given ends nothing, and begins nothing', async () => {
  const producer = await transactions.init();
  const impostors = [-1, 1, 32_767].map(producerEpoch => ({ ...producer, producerEpoch }));
  for (const impostor of impostors.slice(1))
    expect((await transactions.init(impostor)).errorCode).toBe(ErrorCode.PRODUCER_FENCED);
  await transactions.add(producer, 'orders-0');
  for (const impostor of impostors) {
    expect(await transactions.add(impostor, 'orders-1')).toBe(ErrorCode.PRODUCER_FENCED);
    expect(await transactions.end(impostor, true)).toBe(ErrorCode.PRODUCER_FENCED);
  }
  expect(transactions.partitions()).toEqual(['orders-0']);
  expect(await transactions.end(producer, true)).toBe(ErrorCode.NONE);
});
