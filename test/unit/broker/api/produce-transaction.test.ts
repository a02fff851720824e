import { expect, it } from 'vitest';
import { transactionOf } from '../../../../broker/api/produce-transaction.ts';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import type { BatchOptions } from '../../../../shared/records/batch-builder.ts';
import { batchOf } from '../storage/support.ts';

const ofSeven = { producerId: 7, producerEpoch: 2, baseSequence: 0, isTransactional: true };
const plain = { producerId: 9, producerEpoch: 0, baseSequence: 0 };

function transaction(batches: readonly BatchOptions[], id: string | null = 'tx', version = 9) {
  const entries = batches.map((options, partition) => ({ topic: 't', partition, records: batchOf(['v'], options) }));
  return transactionOf(entries, id, version);
}

it('is none where no batch belongs to one, whatever the request says', () => {
  expect(transaction([plain, {}], null)).toBeNull();
  expect(transaction([plain, {}])).toBeNull();
  expect(transaction([])).toBeNull();
});

it('is that of the request, for the producer of the batches', () => {
  const found = { id: 'tx', producerId: 7, producerEpoch: 2, knowsAbortable: false };
  expect(transaction([plain, ofSeven, ofSeven])).toEqual(found);
  expect(transaction([ofSeven], 'tx', 11)).toEqual({ ...found, knowsAbortable: true });
});

it('has to be named', () => {
  expect(transaction([plain, ofSeven], null)).toMatchObject({ code: ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED });
});

it('is of one producer in one epoch', () => {
  for (const other of [
    { ...ofSeven, producerId: 8 },
    { ...ofSeven, producerEpoch: 3 },
  ]) {
    expect(transaction([ofSeven, other])).toMatchObject({
      code: ErrorCode.INVALID_PRODUCER_ID_MAPPING,
      message: expect.stringContaining('7 in epoch 2') as string,
    });
  }
});
