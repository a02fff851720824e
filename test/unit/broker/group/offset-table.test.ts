import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CommittedOffset } from '../../../../broker/group/offset.ts';
import { OffsetTable } from '../../../../broker/group/offset-table.ts';

const committed = (offset: number, more: Partial<CommittedOffset> = {}): CommittedOffset => ({
  offset,
  leaderEpoch: -1,
  metadata: '',
  commitTimestamp: 1_763_768_000_000,
  expireTimestamp: null,
  ...more,
});

test('keeps a copy of what it is given', () => {
  const table = new OffsetTable();
  const given = { ...committed(7, { leaderEpoch: 3, metadata: 'here', expireTimestamp: 0 }) };
  table.set(4, given, 70);
  given.offset = 8;
  expect(table.get(4)).toEqual(committed(7, { leaderEpoch: 3, metadata: 'here', expireTimestamp: 0 }));
  expect([table.recordOffset(4), table.recordOffset(5), table.get(5)]).toEqual([70, -1, null]);
  table.set(4, committed(9), 71);
  expect(table.get(4)).toEqual(committed(9));
});

const partition = fc.integer({ min: 0, max: 20 });
const offset = fc.record({
  offset: fc.maxSafeNat(),
  leaderEpoch: fc.integer({ min: -1 }),
  metadata: fc.constantFrom('', '', 'a', 'ü'),
  commitTimestamp: fc.maxSafeNat(),
  expireTimestamp: fc.option(fc.maxSafeNat()),
});
/** null: deleted. */
const changes = fc.array(fc.tuple(partition, fc.option(offset, { freq: 2 })), { maxLength: 120 });

test('is a map, however often entries come and go', () => {
  fc.assert(
    fc.property(changes, list => {
      const table = new OffsetTable();
      const model = new Map<number, { committed: CommittedOffset; recordOffset: number }>();
      for (const [recordOffset, [key, value]] of list.entries()) {
        if (value === null) {
          table.delete(key);
          model.delete(key);
        } else {
          table.set(key, value, recordOffset);
          model.set(key, { committed: value, recordOffset });
        }
        expect(table.size).toBe(model.size);
      }
      expect([...table.partitions()].sort((a, b) => a - b)).toEqual([...model.keys()].sort((a, b) => a - b));
      for (let key = 0; key <= 20; key++) {
        expect(table.get(key)).toEqual(model.get(key)?.committed ?? null);
        expect(table.recordOffset(key)).toBe(model.get(key)?.recordOffset ?? -1);
      }
    }),
  );
});
