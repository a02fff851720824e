import { describe, expect, test } from 'vitest';
import {
  DelayedOperations,
  type Completion,
  type DelayedOperation,
} from '../../../../broker/delayed/delayed-operations.ts';
import { VirtualTime } from '../../../support/virtual-time.ts';

class Probe implements DelayedOperation {
  ready = false;
  readonly tried: (string | undefined)[] = [];
  readonly completions: Completion[] = [];
  onComplete: () => void = () => {};

  isReady(key?: string): boolean {
    this.tried.push(key);
    return this.ready;
  }

  complete(how: Completion): void {
    this.completions.push(how);
    this.onComplete();
  }
}

function setUp() {
  const time = new VirtualTime();
  return { time, operations: new DelayedOperations(time), probe: new Probe() };
}

describe('delayed operations', () => {
  test('an operation that is ready is completed at once and watches nothing', async () => {
    const { time, operations, probe } = setUp();
    probe.ready = true;
    expect(operations.tryCompleteElseWatch(probe, ['a'], 100)).toBeNull();
    expect(probe.completions).toEqual(['ready']);
    expect(operations.isWatched('a')).toBe(false);
    await time.advance(1000);
    expect(probe.completions).toEqual(['ready']);
  });

  test('one that is not ready completes when one of its keys is checked and the condition holds', async () => {
    const { time, operations, probe } = setUp();
    operations.tryCompleteElseWatch(probe, ['a', 'b'], 100);
    expect(operations.check('a')).toBe(0);
    expect(operations.check('c')).toBe(0);
    probe.ready = true;
    expect(operations.check('b')).toBe(1);
    expect(probe.tried).toEqual([undefined, 'a', 'b']);
    expect(probe.completions).toEqual(['ready']);
    expect(operations.check('a')).toBe(0);
    expect([operations.size, operations.isWatched('a'), operations.isWatched('b')]).toEqual([0, false, false]);
    await time.advance(1000);
    expect(probe.completions).toEqual(['ready']);
  });

  test('it expires at its time limit, not before, and leaves nothing behind', async () => {
    const { time, operations, probe } = setUp();
    operations.tryCompleteElseWatch(probe, ['a'], 100);
    await time.advance(99);
    expect(probe.completions).toEqual([]);
    await time.advance(1);
    expect(probe.completions).toEqual(['expired']);
    expect([operations.size, operations.isWatched('a')]).toEqual([0, false]);
  });

  test('a time limit that is not positive expires at once', () => {
    const { operations, probe } = setUp();
    expect(operations.tryCompleteElseWatch(probe, ['a'], 0)).toBeNull();
    expect(probe.completions).toEqual(['expired']);
  });

  test('cancelling completes once; cancelling again, or after completion, does nothing', async () => {
    const { time, operations, probe } = setUp();
    const waiting = operations.tryCompleteElseWatch(probe, ['a'], 100)!;
    waiting.cancel();
    waiting.cancel();
    probe.ready = true;
    operations.check('a');
    await time.advance(200);
    expect(probe.completions).toEqual(['cancelled']);
  });

  test('completing one may complete others and add new ones, each exactly once', () => {
    const { operations, probe } = setUp();
    const second = new Probe();
    const added = new Probe();
    for (const each of [probe, second]) operations.tryCompleteElseWatch(each, ['a'], 100);
    probe.ready = second.ready = added.ready = true;
    probe.onComplete = () => {
      operations.check('a');
      added.ready = false;
      operations.tryCompleteElseWatch(added, ['a'], 100);
      added.ready = true;
    };
    operations.check('a');
    expect([probe.completions, second.completions]).toEqual([['ready'], ['ready']]);
    expect(added.completions).toEqual([]);
    expect(operations.size).toBe(1);
  });

  test('a stop cancels everything that waits', () => {
    const { operations, probe } = setUp();
    const second = new Probe();
    for (const each of [probe, second]) operations.tryCompleteElseWatch(each, ['a', 'b'], 100);
    operations.cancelAll();
    expect([probe.completions, second.completions]).toEqual([['cancelled'], ['cancelled']]);
    expect(operations.size).toBe(0);
  });
});
