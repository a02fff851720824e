import { describe, expect, it } from 'vitest';
import { groupSegments } from '../../../../../broker/storage/cleaner/grouping.ts';

const LIMITS = { logBytes: 100, indexBytes: 10 };

function basesOf(
  segments: readonly { base: number; log?: number; offsets?: number; times?: number }[],
  end: number,
): number[][] {
  const sizes = segments.map(({ base, log = 30, offsets = 1, times = 1 }) => ({
    baseOffset: base,
    log,
    offsetIndex: offsets,
    timeIndex: times,
  }));
  return groupSegments(sizes, end, LIMITS).map(group => group.map(({ baseOffset }) => baseOffset));
}

describe('segments that become one', () => {
  it('have together at most segment.bytes', () => {
    expect(basesOf([{ base: 0 }, { base: 10 }, { base: 20 }, { base: 30 }], 40)).toEqual([[0, 10, 20], [30]]);
    expect(
      basesOf(
        [
          { base: 0, log: 60 },
          { base: 10, log: 40 },
          { base: 20, log: 1 },
        ],
        40,
      ),
    ).toEqual([[0, 10], [20]]);
  });

  it('may be alone, however large', () => {
    expect(basesOf([{ base: 0, log: 500 }, { base: 10 }], 20)).toEqual([[0], [10]]);
  });

  it('have indexes that fit into segment.index.bytes', () => {
    expect(
      basesOf(
        [
          { base: 0, offsets: 6 },
          { base: 10, offsets: 5 },
        ],
        20,
      ),
    ).toEqual([[0], [10]]);
    expect(
      basesOf(
        [
          { base: 0, times: 6 },
          { base: 10, times: 5 },
        ],
        20,
      ),
    ).toEqual([[0], [10]]);
    expect(
      basesOf(
        [
          { base: 0, times: 6, offsets: 6 },
          { base: 10, times: 4, offsets: 4 },
        ],
        20,
      ),
    ).toEqual([[0, 10]]);
  });

  it('have offsets that an index can express', () => {
    const far = 2 ** 31;
    expect(basesOf([{ base: 0 }, { base: 10 }], far)).toEqual([[0, 10]]);
    expect(basesOf([{ base: 0 }, { base: 10 }], far + 1)).toEqual([[0], [10]]);
    expect(basesOf([{ base: 0 }, { base: 10 }, { base: far + 1 }], far + 5)).toEqual([[0], [10, far + 1]]);
  });

  it('take in empty ones, however far', () => {
    expect(
      basesOf(
        [
          { base: 0, log: 0 },
          { base: 2 ** 31, log: 0 },
          { base: 2 ** 32, log: 0 },
        ],
        2 ** 33,
      ),
    ).toEqual([[0, 2 ** 31, 2 ** 32]]);
  });

  it('are none where there are none', () => expect(basesOf([], 0)).toEqual([]));
});
