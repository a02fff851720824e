import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nextHighWatermark } from '../../../../broker/replication/high-watermark.ts';

const offset = fc.integer({ min: 0, max: 100 });
const followers = fc.array(fc.record({ logEndOffset: fc.integer({ min: -1, max: 100 }), counts: fc.boolean() }), {
  maxLength: 4,
});

describe('the high watermark', () => {
  test('never moves back, and never above what the leader or a counting follower has', () => {
    fc.assert(
      fc.property(offset, offset, followers, (current, leaderEnd, others) => {
        fc.pre(current <= leaderEnd);
        const next = nextHighWatermark(current, leaderEnd, others, false);
        expect(next).toBeGreaterThanOrEqual(current);
        if (next === current) return;
        expect(next).toBeLessThanOrEqual(leaderEnd);
        for (const { logEndOffset, counts } of others) if (counts) expect(next).toBeLessThanOrEqual(logEndOffset);
      }),
    );
  });

  test('moves as far as the leader and the counting followers allow', () => {
    fc.assert(
      fc.property(offset, followers, (leaderEnd, others) => {
        const ends = others.filter(({ counts }) => counts).map(({ logEndOffset }) => logEndOffset);
        expect(nextHighWatermark(0, leaderEnd, others, false)).toBe(Math.max(0, Math.min(leaderEnd, ...ends)));
      }),
    );
  });

  test('stands still below min ISR (row 82)', () => {
    fc.assert(
      fc.property(offset, offset, followers, (current, leaderEnd, others) => {
        expect(nextHighWatermark(current, leaderEnd, others, true)).toBe(current);
      }),
    );
  });

  test('waits for a follower of which nothing is known', () => {
    expect(nextHighWatermark(5, 10, [{ logEndOffset: -1, counts: true }], false)).toBe(5);
    expect(nextHighWatermark(5, 10, [{ logEndOffset: -1, counts: false }], false)).toBe(10);
  });
});
