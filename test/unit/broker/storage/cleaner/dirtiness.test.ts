import { describe, expect, it } from 'vitest';
import {
  type CompactionFacts,
  dirtinessOf,
  filthiest,
  firstDirtyOffset,
} from '../../../../../broker/storage/cleaner/dirtiness.ts';
import { MAX_LONG } from '../../../../../shared/config/types.ts';

const NOW = 1_000_000;

/** Five segments of 100 bytes with ten records each, the last one active. */
function facts(changes: Partial<CompactionFacts> = {}): CompactionFacts {
  return {
    logStartOffset: 0,
    logEndOffset: 50,
    stableOffset: 50,
    segments: [0, 10, 20, 30, 40].map(baseOffset => ({ baseOffset, size: 100 })),
    leastLagMs: 0,
    greatestLagMs: MAX_LONG,
    leastRatio: 0.5,
    now: NOW,
    ...changes,
  };
}

/** The same with times: all records of a segment have the one given. */
function timed(times: readonly number[], changes: Partial<CompactionFacts>): CompactionFacts {
  const segments = times.map((ms, i) => ({ baseOffset: i * 10, size: 100, largestMs: ms, firstMs: ms }));
  return facts({ segments, ...changes });
}

describe('where cleaning begins', () => {
  const log = { logStartOffset: 10, logEndOffset: 50 };

  it('is where it ended', () => expect(firstDirtyOffset(30, log)).toBe(30));
  it('is the start of a log that was never cleaned', () => expect(firstDirtyOffset(undefined, log)).toBe(10));
  it('is the start where that has passed the checkpoint', () => expect(firstDirtyOffset(5, log)).toBe(10));
  it('is the start where the log ends before the checkpoint', () => expect(firstDirtyOffset(51, log)).toBe(10));
});

describe('what can be cleaned', () => {
  it('is all before the active segment', () => {
    expect(dirtinessOf(0, facts())).toMatchObject({
      firstUncleanableOffset: 40,
      cleanBytes: 0,
      cleanableBytes: 400,
      ratio: 1,
      isDue: true,
    });
  });

  it('is counted against what is clean', () => {
    expect(dirtinessOf(20, facts())).toMatchObject({ cleanBytes: 200, cleanableBytes: 200, ratio: 0.5, isDue: false });
    expect(dirtinessOf(20, facts({ leastRatio: 0.49 }))).toMatchObject({ isDue: true });
  });

  it('counts a segment that is dirty in part on both sides', () => {
    expect(dirtinessOf(25, facts())).toMatchObject({ cleanBytes: 300, cleanableBytes: 200, ratio: 0.4 });
  });

  it('ends with the segment in which the first offset is that is not committed, or part of an open transaction', () => {
    expect(dirtinessOf(0, facts({ stableOffset: 25 }))).toMatchObject({
      firstUncleanableOffset: 20,
      cleanableBytes: 200,
    });
    expect(dirtinessOf(0, facts({ stableOffset: 5 }))).toMatchObject({
      firstUncleanableOffset: 0,
      cleanableBytes: 0,
      isDue: false,
    });
  });

  it('ends with the first segment that has a record younger than min.compaction.lag.ms', () => {
    const ages = [900, 900, 99, 900, 0].map(age => NOW - age);
    expect(dirtinessOf(0, timed(ages, { leastLagMs: 100 }))).toMatchObject({ firstUncleanableOffset: 20 });
    expect(dirtinessOf(30, timed(ages, { leastLagMs: 100 }))).toMatchObject({ firstUncleanableOffset: 40 });
  });

  it('is nothing when all is clean, or nothing but the active segment is there', () => {
    expect(dirtinessOf(40, facts())).toMatchObject({ cleanBytes: 400, cleanableBytes: 0, isDue: false });
    expect(dirtinessOf(45, facts())).toMatchObject({ cleanableBytes: 0, isDue: false });
    const single = facts({ segments: [{ baseOffset: 0, size: 100 }] });
    expect(dirtinessOf(0, single)).toMatchObject({ cleanableBytes: 0, ratio: 0, isDue: false });
  });
});

describe('max.compaction.lag.ms', () => {
  const ages = [5000, 1000, 1000, 150, 10].map(age => NOW - age);

  it('makes a log due whose dirty records are older, whatever the ratio', () => {
    const lagging = timed(ages, { greatestLagMs: 100, leastRatio: 1 });
    expect(dirtinessOf(30, lagging)).toMatchObject({ overdueMs: 50, isDue: true });
    expect(dirtinessOf(0, lagging)).toMatchObject({ overdueMs: 4900, isDue: true });
  });

  it('leaves one alone whose dirty records are younger, or have no times', () => {
    expect(dirtinessOf(30, timed(ages, { greatestLagMs: 200 }))).toMatchObject({ overdueMs: 0, isDue: false });
    const timeless = timed([-1, -1, -1, -1, -1], { greatestLagMs: 1 });
    expect(dirtinessOf(20, timeless)).toMatchObject({ overdueMs: 0, isDue: false });
  });

  it('cannot have cleaned what cannot be', () => {
    const open = timed(ages, { greatestLagMs: 100, stableOffset: 30 });
    expect(dirtinessOf(30, open)).toMatchObject({ overdueMs: 50, cleanableBytes: 0, isDue: false });
  });
});

describe('the filthiest log', () => {
  const candidate = (name: string, dirtiness: Partial<ReturnType<typeof dirtinessOf>>) => ({
    name,
    dirtiness: { ...dirtinessOf(0, facts()), ...dirtiness },
  });

  it('is the due one with the greatest dirty part', () => {
    const logs = [
      candidate('clean', { ratio: 0.9, isDue: false }),
      candidate('dirty', { ratio: 0.6, isDue: true }),
      candidate('dirtier', { ratio: 0.8, isDue: true }),
      candidate('as dirty', { ratio: 0.8, isDue: true }),
    ];
    expect(filthiest(logs)?.name).toBe('dirtier');
  });

  it('is none when none is due', () => expect(filthiest([candidate('clean', { isDue: false })])).toBeNull());
});
