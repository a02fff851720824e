import { describe, expect, it } from 'vitest';
import { CleaningThrottle } from '../../../../../broker/storage/cleaner/throttle.ts';

/** Works through chunks, pausing as told; returns the milliseconds that it took. */
function work(chunks: number, chunkBytes: number, msOfChunk: number, bytesPerSecond: number): number {
  let now = 5_000;
  const throttle = new CleaningThrottle(now);
  for (let i = 0; i < chunks; i++) {
    now += msOfChunk;
    for (let unpaid = chunkBytes; ; unpaid = 0) {
      const ms = throttle.pauseAfter(unpaid, bytesPerSecond, now);
      expect(ms).toBeLessThanOrEqual(500);
      if (ms === 0) break;
      now += ms;
    }
  }
  return now - 5_000;
}

describe('the throttle', () => {
  it('makes work take as long as the rate wants it, be the chunks small or large', () => {
    expect(work(1000, 1_000, 0, 100_000)).toBeGreaterThan(9_900);
    expect(work(1000, 1_000, 0, 100_000)).toBeLessThan(10_100);
    expect(work(4, 1_000_000, 1, 100_000)).toBeGreaterThan(39_900);
  });

  it('does not hold up work that is slow by itself', () => {
    expect(work(100, 1_000, 20, 100_000)).toBe(2_000);
  });

  it('does not pay back a slow beginning with a burst', () => {
    const throttle = new CleaningThrottle(0);
    expect(throttle.pauseAfter(1, 1_000, 60_000)).toBe(0);
    expect(throttle.pauseAfter(1_000, 1_000, 60_001)).toBeGreaterThan(0);
  });

  it('knows no limit', () => expect(work(100, 2 ** 30, 1, Infinity)).toBe(100));
});
