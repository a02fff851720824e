import { expect, it } from 'vitest';
import { FetchedRecords, type AbortedTransaction } from '../../../client/consumer/fetched-records.ts';
import type { ConsumerRecord } from '../../../client/consumer/record.ts';
import { BatchBuilder } from '../../../shared/records/batch-builder.ts';
import * as batch from '../../../shared/records/batch.ts';
import { buildTransactionMarker } from '../../../shared/records/transaction-marker.ts';

function data(producerId: number, baseOffset: number, ...values: string[]): Buffer {
  const builder = new BatchBuilder();
  for (const value of values) builder.append(1, null, Buffer.from(value));
  return builder.build({ baseOffset, producerId, producerEpoch: 0, baseSequence: 0, isTransactional: producerId >= 0 });
}

function marker(producerId: number, offset: number, isCommit: boolean): Buffer {
  const content = { isCommit, coordinatorEpoch: 0, timestamp: 1 };
  const bytes = buildTransactionMarker({ producerId, producerEpoch: 0 }, content);
  batch.setBaseOffset(bytes, 0, offset);
  return bytes;
}

function seen(batches: Buffer[], aborted: AbortedTransaction[], position = 0): { values: string[]; next: number } {
  const records: ConsumerRecord[] = [];
  const fetched = new FetchedRecords('t', 0, Buffer.concat(batches), position, true, aborted);
  fetched.take(Infinity, records);
  return { values: records.map(({ value }) => value!.toString()), next: fetched.nextOffset };
}

it('records of aborted transactions are left out up to the marker, those of others are not', () => {
  const batches = [data(1, 0, 'a'), data(2, 1, 'b'), data(-1, 2, 'c'), marker(1, 3, false), data(1, 4, 'd')];
  const aborted = [{ producerId: 1, firstOffset: 0 }];
  expect(seen([...batches, marker(2, 5, true), marker(1, 6, true)], aborted)).toEqual({
    values: ['b', 'c', 'd'],
    next: 7,
  });
});

it('the order in which a broker names them does not matter', () => {
  const batches = [data(1, 0, 'a'), marker(1, 1, false), data(2, 2, 'b'), marker(2, 3, false), data(1, 4, 'c')];
  const aborted = [
    { producerId: 2, firstOffset: 2 },
    { producerId: 1, firstOffset: 0 },
  ];
  expect(seen(batches, aborted).values).toEqual(['c']);
});

it('a fetch that begins with the marker of an aborted transaction shows what its producer writes next', () => {
  const batches = [marker(1, 10, false), data(1, 11, 'committed'), marker(1, 12, true)];
  expect(seen(batches, [{ producerId: 1, firstOffset: 4 }], 10).values).toEqual(['committed']);
});
