import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeRecord, groupKey, offsetKey, offsetValue } from '../../../../broker/group/log-records.ts';
import { OffsetRecord } from '../../../../broker/group/offset-record.ts';
import { OffsetCommitKey, OffsetCommitValue } from '../../../../shared/protocol/log-records/consumer-offsets.ts';
import { encodeVersioned } from '../../../../shared/protocol/log-records/versioned.ts';
import { BatchBuilder } from '../../../../shared/records/batch-builder.ts';
import { RecordCursor } from '../../../../shared/records/record-cursor.ts';

/** A cursor before the records of one batch. */
function cursorOver(records: readonly (readonly [Buffer | null, Buffer | null])[]): RecordCursor {
  const builder = new BatchBuilder();
  for (const [key, value] of records) builder.append(0, key, value);
  return new RecordCursor().reset(builder.build({ codec: 0 }));
}

/** What it says of the record that it has read, in the words of `decodeRecord`. */
function inWords(record: OffsetRecord) {
  const { groupId, topic, partition } = record;
  return { kind: 'offset', groupId, topic, partition, committed: record.committed() };
}

const text = fc.oneof(fc.constantFrom('', 'orders', 'orders-2', 'größe'), fc.string({ maxLength: 300 }));
const key = fc.record({
  group: text,
  topic: text,
  partition: fc.nat(),
  version: fc.constantFrom(0, 1),
});
const value = fc.record({
  offset: fc.maxSafeNat(),
  leaderEpoch: fc.integer({ min: -1 }),
  metadata: text,
  commitTimestamp: fc.maxSafeNat(),
  expireTimestamp: fc.integer({ min: -1 }),
  version: fc.constantFrom(0, 1, 2, 3),
});

test('reads one record after the other as the tables do', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(key, fc.option(value)), { minLength: 1, maxLength: 12 }), list => {
      const encoded = list.map(([{ version, ...wanted }, content]) => {
        const bytes = content === null ? null : encodeVersioned(OffsetCommitValue, content, content.version);
        return [encodeVersioned(OffsetCommitKey, wanted, version), bytes] as const;
      });
      const record = new OffsetRecord();
      const cursor = cursorOver(encoded);
      for (const [keyBytes, valueBytes] of encoded) {
        cursor.next();
        expect(record.read(cursor)).toBe(true);
        expect(inWords(record)).toEqual(decodeRecord(keyBytes, valueBytes));
      }
    }),
  );
});

describe('leaves to others', () => {
  const own = offsetKey('g', 't', 1);
  const committed = { offset: 1, leaderEpoch: 2, metadata: 'm', commitTimestamp: 3, expireTimestamp: null };
  const good = offsetValue(committed);
  const changed = (bytes: Buffer, at: number, byte: number) => {
    const copy = Buffer.from(bytes);
    copy[at] = byte;
    return copy;
  };

  test.each<[string, Buffer | null, Buffer | null]>([
    ['a group', groupKey('g'), Buffer.alloc(10)],
    ['a record without a key', null, good],
    ['an empty key', Buffer.alloc(0), good],
    ['a key that is cut off', own.subarray(0, 9), good],
    ['a key with a longer group than it has', changed(own, 3, 200), good],
    ['a key with a negative length', changed(own, 2, 0xff), good],
    ['a key with something behind it', Buffer.concat([own, Buffer.alloc(1)]), good],
    [
      'a value of the flexible version',
      own,
      encodeVersioned(OffsetCommitValue, { ...committed, expireTimestamp: -1 }, 4),
    ],
    ['a value of an unknown version', own, changed(good, 1, 9)],
    ['an empty value', own, Buffer.alloc(0)],
    ['a value that is cut off', own, good.subarray(0, 20)],
    ['a value whose metadata is longer than it is', own, changed(good, 15, 90)],
  ])('%s', (_what, keyBytes, valueBytes) => {
    const cursor = cursorOver([[keyBytes, valueBytes]]);
    cursor.next();
    expect(new OffsetRecord().read(cursor)).toBe(false);
  });
});
