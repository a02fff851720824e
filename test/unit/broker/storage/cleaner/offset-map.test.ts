import { describe, expect, it } from 'vitest';
import { OffsetMap, SLOT_BYTES, slotsFor } from '../../../../../broker/storage/cleaner/offset-map.ts';
import { seededRandom } from '../../../../support/seeded-random.ts';

describe('the map of keys to offsets', () => {
  it('holds what a Map would, until it is full', () => {
    const random = seededRandom(7);
    const map = new OffsetMap(500);
    const model = new Map<string, number>();
    for (let offset = 0; model.size < 500; offset++) {
      const key = `key-${random.int(700)}`;
      map.put(Buffer.from(key), offset);
      model.set(key, offset);
    }
    expect(map.size).toBe(500);
    for (const [key, offset] of model) expect(map.get(Buffer.from(key))).toBe(offset);
  });

  it('knows no offset of a key that it has not', () => {
    const map = new OffsetMap(10);
    map.put(Buffer.from('a'), 3);
    expect(map.get(Buffer.from('b'))).toBe(-1);
    expect(map.get(Buffer.from('a'))).toBe(3);
  });

  it('takes offset 0, the empty key, and offsets beyond 32 bits', () => {
    const map = new OffsetMap(3);
    map.put(Buffer.alloc(0), 0);
    map.put(Buffer.from('far'), 2 ** 45);
    expect(map.get(Buffer.alloc(0))).toBe(0);
    expect(map.get(Buffer.from('far'))).toBe(2 ** 45);
  });

  it('does not go back to an earlier offset', () => {
    const map = new OffsetMap(3);
    map.put(Buffer.from('a'), 9);
    map.put(Buffer.from('a'), 4);
    expect(map.get(Buffer.from('a'))).toBe(9);
  });
});

describe('the size of the map', () => {
  it('is what the memory allows, at most', () => {
    expect(slotsFor(1_000_000, 1000 * SLOT_BYTES, 0.9)).toBe(1000);
  });

  it('is no more than the records can fill', () => {
    expect(slotsFor(90, 2 ** 30, 0.9)).toBe(101);
    expect(slotsFor(0, 2 ** 30, 0.9)).toBe(1);
  });
});
