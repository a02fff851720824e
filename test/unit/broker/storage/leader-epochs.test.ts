import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EpochEntry, LeaderEpochs } from '../../../../broker/storage/leader-epochs.ts';

function epochs(...pairs: readonly (readonly [number, number])[]): LeaderEpochs {
  return new LeaderEpochs(pairs.map(([epoch, startOffset]) => ({ epoch, startOffset })));
}

function pairs(cache: LeaderEpochs): (readonly [number, number])[] {
  return cache.entries.map(({ epoch, startOffset }) => [epoch, startOffset] as const);
}

const END = 30;

describe('where an epoch ends', () => {
  const cache = epochs([0, 10], [2, 13], [4, 17]);

  it.each([
    ['a known one, at the next one’s start', 0, [0, 13]],
    ['one between two known ones, with the one before it', 1, [0, 13]],
    ['another known one', 2, [2, 17]],
    ['another between two', 3, [2, 17]],
    ['the latest, at the log end', 4, [4, END]],
    ['one newer than all is unknown', 5, [-1, -1]],
    ['none at all is unknown', -1, [-1, -1]],
  ] as const)('%s', (_what, epoch, expected) => {
    const { leaderEpoch, endOffset } = cache.endOffsetFor(epoch, END);
    expect([leaderEpoch, endOffset]).toEqual(expected);
  });

  it('before the first known one, at its start, under the name asked for', () => {
    expect(epochs([5, 11], [6, 12]).endOffsetFor(4, END)).toEqual({ leaderEpoch: 4, endOffset: 11 });
  });

  it('is unknown when there are none', () => {
    expect(epochs().endOffsetFor(3, END)).toEqual({ leaderEpoch: -1, endOffset: -1 });
  });
});

describe('assigning', () => {
  it('ignores what is known already', () => {
    const cache = epochs([1, 5]);
    expect(cache.assign(1, 5)).toBe(false);
    expect(cache.assign(1, 9)).toBe(false);
    expect(cache.assign(-1, 9)).toBe(false);
    expect(pairs(cache)).toEqual([[1, 5]]);
  });

  it.each([
    [
      'an older epoch',
      [2, 30],
      [
        [1, 5],
        [2, 30],
      ],
    ],
    [
      'a lower offset',
      [9, 12],
      [
        [1, 5],
        [9, 12],
      ],
    ],
    ['both', [1, 3], [[1, 3]]],
  ] as const)('%s takes the place of later entries that conflict', (_what, [epoch, offset], expected) => {
    const cache = epochs([1, 5], [3, 14], [4, 20]);
    expect(cache.assign(epoch, offset)).toBe(true);
    expect(pairs(cache)).toEqual(expected);
  });

  it('always leaves both growing', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(10), fc.nat(40))), steps => {
        const cache = new LeaderEpochs();
        for (const [epoch, offset] of steps) {
          cache.assign(epoch, offset);
          expect(cache.latest).toBe(epoch);
        }
        const grows = (a: EpochEntry, b: EpochEntry) => a.epoch < b.epoch && a.startOffset < b.startOffset;
        for (let i = 1; i < cache.entries.length; i++)
          expect(grows(cache.entries[i - 1]!, cache.entries[i]!)).toBe(true);
      }),
    );
  });
});

describe('truncating', () => {
  it('from the end drops what begins there or later', () => {
    const cache = epochs([2, 6], [3, 8], [4, 11]);
    expect(cache.truncateFromEnd(12)).toBe(false);
    expect(cache.truncateFromEnd(11)).toBe(true);
    expect(pairs(cache)).toEqual([
      [2, 6],
      [3, 8],
    ]);
  });

  it.each([
    [
      5,
      [
        [2, 6],
        [3, 8],
        [4, 11],
      ],
    ],
    [
      6,
      [
        [2, 6],
        [3, 8],
        [4, 11],
      ],
    ],
    [
      7,
      [
        [2, 7],
        [3, 8],
        [4, 11],
      ],
    ],
    [
      9,
      [
        [3, 9],
        [4, 11],
      ],
    ],
    [11, [[4, 11]]],
    [15, [[4, 15]]],
  ] as const)('from the start at %i moves the epoch in force up to it', (offset, expected) => {
    const cache = epochs([2, 6], [3, 8], [4, 11]);
    cache.truncateFromStart(offset);
    expect(pairs(cache)).toEqual(expected);
  });
});

it('tells the epoch of any offset', () => {
  const cache = epochs([2, 6], [3, 8]);
  expect([5, 6, 7, 8, 100].map(offset => cache.epochAt(offset))).toEqual([-1, 2, 2, 3, 3]);
});
