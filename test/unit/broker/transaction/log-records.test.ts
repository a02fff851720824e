import { expect, test } from 'vitest';
import { TransactionLoader } from '../../../../broker/transaction/loader.ts';
import { decodeRecord, transactionKey, transactionValue } from '../../../../broker/transaction/log-records.ts';
import { partitionSet, NO_PARTITIONS } from '../../../../broker/transaction/partition-sets.ts';
import { NONE, type TransactionContent } from '../../../../broker/transaction/transaction.ts';
import { BatchBuilder } from '../../../../shared/records/batch-builder.ts';
import { silentLogger } from '../../../../shared/runtime/logger.ts';
import { systemTimers } from '../../../../shared/runtime/clock.ts';
import { TransactionHarness } from '../../../support/transaction-harness.ts';

const EMPTY: TransactionContent = {
  state: 'Empty',
  producerId: 4001,
  previousProducerId: NONE,
  producerEpoch: 0,
  lastProducerEpoch: NONE,
  timeoutMs: 60_000,
  partitions: NO_PARTITIONS,
  startMs: NONE,
  lastUpdateMs: 0x18bcfe56800,
};

const ONGOING: TransactionContent = {
  ...EMPTY,
  state: 'Ongoing',
  partitions: partitionSet([{ topic: 'orders', partition: 0 }]),
  startMs: EMPTY.lastUpdateMs,
};

/** As Apache's brokers write them. */
test.each([
  [
    ONGOING,
    '0000 0000000000000fa1 0000 0000ea60 01 00000001 0006 6f7264657273 00000001 00000000 0000018bcfe56800 0000018bcfe56800',
  ],
  [EMPTY, '0000 0000000000000fa1 0000 0000ea60 00 ffffffff 0000018bcfe56800 ffffffffffffffff'],
])('a record has Kafka’s bytes, and says again what it was made of', (content, hex) => {
  const key = transactionKey('tx-1');
  const value = transactionValue(content);
  expect(key.toString('hex')).toBe('0000000474782d31');
  expect(value.toString('hex')).toBe(hex.replaceAll(' ', ''));
  expect(decodeRecord(key, value)).toEqual({ kind: 'transaction', transactionalId: 'tx-1', content });
});

test('a completed transaction has partitions, and none of them', () => {
  const value = transactionValue({ ...ONGOING, state: 'CompleteCommit', partitions: NO_PARTITIONS });
  expect(value.readInt32BE(17)).toBe(0);
});

test('a tombstone forgets, a key of another version is passed over, a state that does not exist is refused', () => {
  expect(decodeRecord(transactionKey('tx'), null)).toMatchObject({ content: null });
  expect(decodeRecord(Buffer.from('00070001', 'hex'), null)).toEqual({ kind: 'unknown', keyVersion: 7 });
  const value = transactionValue(EMPTY);
  value.writeInt8(8, 16);
  expect(() => decodeRecord(transactionKey('tx'), value)).toThrow('the state of a transaction is 8');
});

test('what cannot be read keeps nobody from what was read before it', async () => {
  const first = await TransactionHarness.start();
  await first.init();
  const builder = new BatchBuilder();
  builder.append(0, transactionKey('tx'), Buffer.from('0009', 'hex'));
  await first.log.append(first.coordinator.partitionOf('tx'), builder.build(), -1);
  const next = await first.failOver();
  expect(next.state()).toBe('Empty');
});

test('the last record of an id holds, over many reads', async () => {
  const batches = Array.from({ length: 50 }, (_, i) => {
    const builder = new BatchBuilder();
    builder.append(
      0,
      transactionKey(`tx-${i % 5}`),
      i === 49 ? null : transactionValue({ ...EMPTY, producerEpoch: i }),
    );
    return builder.build({ baseOffset: 100 + i });
  });
  const log = {
    leaderEpoch: 3,
    logStartOffset: 100,
    logEndOffset: 150,
    read: (offset: number) => Promise.resolve([Buffer.concat(batches.slice(offset - 100, offset - 93))]),
  };
  const loader = new TransactionLoader({ timers: systemTimers, logger: silentLogger });
  await loader.load(log, 1, () => false);
  const epochs = [...loader.transactions].map(([id, { content }]) => `${id} ${content.producerEpoch}`).sort();
  expect(epochs).toEqual(['tx-0 45', 'tx-1 46', 'tx-2 47', 'tx-3 48']);
});
