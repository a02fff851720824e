import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { ByteBudget } from '../../../../broker/network/byte-budget.ts';
import type { Filling } from '../../../../broker/network/fill-watch.ts';
import { BufferPool, slabSize } from '../../../../shared/memory/buffer-pool.ts';
import { RequestMemory, type Lease } from '../../../../broker/network/request-memory.ts';
import { ManualTime } from '../../../support/manual-time.ts';

describe('ByteBudget', () => {
  test('never holds more than its limit and one taker beyond it; everybody is served, in order among the like', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 150 }), { maxLength: 40 }), sizes => {
        const budget = new ByteBudget(100);
        const holders: number[] = [];
        const served: number[] = [];
        const hold = (size: number, at: number) => {
          served.push(at);
          holders.push(size);
          const sum = (sizes: number[]) => sizes.reduce((total, held) => total + held, 0);
          expect(sum(holders.filter(held => held <= 100))).toBeLessThanOrEqual(100);
          expect(holders.filter(held => held > 100).length).toBeLessThanOrEqual(1);
          expect(budget.used).toBe(sum(holders));
        };
        sizes.forEach((size, at) => {
          if (budget.tryTake(size)) hold(size, at);
          else budget.wait(size, () => hold(size, at));
        });
        while (holders.length > 0) budget.release(holders.shift()!);
        for (const isLarge of [false, true]) {
          const alike = (at: number) => sizes[at]! > 100 === isLarge;
          expect(served.filter(alike)).toEqual([...sizes.keys()].filter(alike));
        }
        expect(budget.used).toBe(0);
      }),
    );
  });

  test('one that can never fit neither waits for the others nor keeps them waiting', () => {
    const budget = new ByteBudget(100);
    expect(budget.tryTake(1)).toBe(true);
    expect(budget.tryTake(1000)).toBe(true);
    expect(budget.tryTake(50)).toBe(true);
    const served: string[] = [];
    budget.wait(2000, () => served.push('the next large one'));
    expect(budget.tryTake(49)).toBe(true);
    budget.release(1000);
    expect(served).toEqual(['the next large one']);
    expect(budget.used).toBe(2100);
  });

  test('whoever leaves the line lets those behind through', () => {
    const budget = new ByteBudget(100);
    expect(budget.tryTake(60)).toBe(true);
    const served: string[] = [];
    const leave = budget.wait(90, () => served.push('large'));
    budget.wait(30, () => served.push('small'));
    expect(budget.tryTake(10)).toBe(false);
    expect(served).toEqual([]);
    leave();
    leave();
    expect(served).toEqual(['small']);
    expect(budget.used).toBe(90);
  });
});

describe('BufferPool', () => {
  test('a slab holds the frame and wastes at most a quarter', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2048, max: 1 << 30 }), bytes => {
        const size = slabSize(bytes);
        expect(size).toBeGreaterThanOrEqual(bytes);
        expect(size).toBeLessThanOrEqual(bytes * 1.25);
        expect(slabSize(size)).toBe(size);
      }),
    );
  });

  test('gives buffers out again and keeps no more than it may', () => {
    const pool = new BufferPool(100_000);
    const first = pool.take(50_000);
    pool.giveBack(first);
    expect(pool.take(49_500)).toBe(first);
    const many = [30_000, 30_000, 30_000, 30_000].map(bytes => pool.take(bytes));
    for (const slab of many) {
      pool.giveBack(slab);
      expect(pool.retained).toBeLessThanOrEqual(100_000);
    }
    pool.giveBack(pool.take(500_000));
    expect(pool.retained).toBeLessThanOrEqual(100_000);
  });
});

describe('RequestMemory', () => {
  test('a lease is as long as asked for, and its release counts once', () => {
    const memory = new RequestMemory(1 << 20, new ManualTime());
    const lease = memory.tryLease(12_345, true)!;
    expect(lease.bytes.length).toBe(12_345);
    expect(memory.bytesInFlight).toBe(12_345);
    lease.release();
    lease.release();
    expect(memory.bytesInFlight).toBe(0);
  });

  test('produces that use up their share leave some for what lets them go', () => {
    const memory = new RequestMemory(80_000, new ManualTime());
    expect(memory.tryLease(70_000, true)).not.toBeNull();
    expect(memory.tryLease(1, true)).toBeNull();
    expect(memory.tryLease(10_000, false)).not.toBeNull();
  });

  test('memory that was waited for is given as soon as it is back', () => {
    const memory = new RequestMemory(80_000, new ManualTime());
    const first = memory.tryLease(70_000, true)!;
    const granted: Lease[] = [];
    memory.lease(1000, true, lease => granted.push(lease));
    expect(granted).toHaveLength(0);
    first.release();
    expect(granted.map(lease => lease.bytes.length)).toEqual([1000]);
  });
});

describe('requests that fill their memory while others wait for it', () => {
  const time = new ManualTime();
  let memory: RequestMemory;
  let given: string[];

  beforeEach(() => {
    memory = new RequestMemory(80_000, time);
    given = [];
  });

  function filling(name: string, bytes: number, isProduce = false): { -readonly [K in keyof Filling]: Filling[K] } {
    const lease = memory.tryLease(bytes, isProduce)!;
    const now = time.clock.monotonic();
    const one = {
      bytes,
      isProduce,
      since: now,
      lastByteAt: now,
      giveUp: (reason: string) => {
        given.push(`${name}: ${reason}`);
        lease.release();
      },
    };
    memory.filling(one);
    return one;
  }

  test('are given up when no byte has come for a second, and never when nobody waits', async () => {
    filling('silent', 6000);
    const lively = filling('lively', 4000);
    await time.advance(60_000);
    expect(given).toEqual([]);
    lively.lastByteAt = time.clock.monotonic();
    const granted: Lease[] = [];
    memory.lease(5000, false, lease => granted.push(lease));
    await time.advance(500);
    expect(given).toEqual(['silent: others wait for the memory of the request that it has begun and sends too slowly']);
    expect(granted).toHaveLength(1);
  });

  test('are given up when they come byte by byte', async () => {
    const slow = filling('slow', 9000);
    memory.lease(5000, false, () => {});
    for (let ms = 0; ms < 1000; ms += 250) {
      await time.advance(250);
      slow.lastByteAt = time.clock.monotonic();
    }
    expect(given).toEqual([]);
    await time.advance(1000);
    expect(given).toHaveLength(1);
  });

  test('stay when it is others’ memory that is waited for', async () => {
    filling('produce', 60_000, true);
    filling('fetch', 10_000);
    filling('huge', 1 << 20);
    memory.lease(5000, false, () => {});
    await time.advance(2000);
    expect(given.map(line => line.split(':')[0])).toEqual(['fetch']);
  });

  test('get a second chance when it is the broker that has not looked for a while', async () => {
    const busy = filling('busy', 9000);
    memory.lease(5000, false, () => {});
    await time.advance(1000);
    // The check that finds it late comes first in the turn, what the kernel has kept meanwhile behind it.
    await time.advance(250);
    busy.lastByteAt = time.clock.monotonic();
    await time.advance(250);
    expect(given).toEqual([]);
  });
});
