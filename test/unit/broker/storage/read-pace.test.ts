import { describe, expect, it } from 'vitest';
import { ReadPace } from '../../../../broker/storage/read-pace.ts';

/** A pace on a clock that moves when a read takes time. */
function pace(longestBytes = 1000) {
  let now = 0;
  const tried = new ReadPace({ now: () => now, monotonic: () => now }, longestBytes);
  return {
    mayBlock: (length = 1000) => tried.mayBlock(length),
    read: (ms: number) => tried.blocking(() => ((now += ms), 7)),
    wait: (ms: number) => (now += ms),
  };
}

describe('reads that block', () => {
  it('are small ones, and none where they are switched off', () => {
    expect(pace().mayBlock(1000)).toBe(true);
    expect(pace().mayBlock(1001)).toBe(false);
    expect(pace(0).mayBlock(1)).toBe(false);
  });

  it('return what they read and stay allowed while they are quick', () => {
    const { mayBlock, read } = pace();
    for (let i = 0; i < 100; i++) {
      expect(read(0.1)).toBe(7);
      expect(mayBlock()).toBe(true);
    }
  });

  it('are not allowed for a while after a slow one, longer each time it is slow again', () => {
    const { mayBlock, read, wait } = pace();
    for (const pauseMs of [250, 500, 1000, 2000, 4000, 8000, 8000]) {
      read(10);
      wait(pauseMs - 1);
      expect(mayBlock()).toBe(false);
      wait(1);
      expect(mayBlock()).toBe(true);
    }
  });

  it('are soon allowed again after a single slow one, however long ago the last was', () => {
    const { mayBlock, read, wait } = pace();
    for (let i = 0; i < 5; i++) {
      read(10);
      wait(250);
      expect(mayBlock()).toBe(true);
      read(0.1);
      wait(1000);
    }
  });
});
