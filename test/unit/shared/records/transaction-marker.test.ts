import { expect, it } from 'vitest';
import { BatchBuilder } from '../../../../shared/records/batch-builder.ts';
import * as batch from '../../../../shared/records/batch.ts';
import { buildTransactionMarker, readTransactionMarker } from '../../../../shared/records/transaction-marker.ts';
import { bytes, COMMIT_MARKER, EMPTIED, T } from './support.ts';

const PRODUCER = { producerId: 4001, producerEpoch: 0 };

it('is a control batch of one record, byte for byte as Kafka writes it', () => {
  const built = buildTransactionMarker(PRODUCER, { isCommit: true, coordinatorEpoch: 3, timestamp: T + 9 });
  batch.setBaseOffset(built, 0, 102);
  batch.setPartitionLeaderEpoch(built, 0, 5);
  expect(built.toString('hex')).toBe(COMMIT_MARKER.toString('hex'));
});

it.each([true, false])('is read as it was built: commit %s', isCommit => {
  const marker = { isCommit, coordinatorEpoch: 2 ** 31 - 1, timestamp: T };
  const padded = Buffer.concat([bytes('000000'), buildTransactionMarker(PRODUCER, marker)]);
  expect(readTransactionMarker(padded, 3)).toEqual(marker);
});

function controlBatch(key: Buffer | null, value: Buffer | null): Buffer {
  const builder = new BatchBuilder();
  builder.append(T, key, value);
  return builder.build({ ...PRODUCER, isControl: true, isTransactional: true });
}

it.each([
  ['a batch that compaction has emptied', EMPTIED],
  ['a control record of another kind', controlBatch(bytes('00000002'), bytes('000000000000'))],
  ['a key that is too short', controlBatch(bytes('0000'), bytes('000000000000'))],
  ['a value that is too short', controlBatch(bytes('00000001'), bytes('0000'))],
  ['no key', controlBatch(null, bytes('000000000000'))],
  ['a batch that is cut off', COMMIT_MARKER.subarray(0, 70)],
])('is not there in %s', (_what, control) => {
  expect(readTransactionMarker(control, 0)).toBeNull();
});

it('may be of a later version, with more behind what is known', () => {
  const later = controlBatch(bytes('0001 0001 ffff'), bytes('0001 00000007 ffffff'));
  expect(readTransactionMarker(later, 0)).toEqual({ isCommit: true, coordinatorEpoch: 7, timestamp: T });
});
