import { describe, expect, test } from 'vitest';
import { pipeline } from '../../../../../broker/http/rest/pipeline.ts';
import { waitFor } from '../../../../support/wait.ts';

const roomy = () => Promise.resolve();

async function* numbers(count: number, taken: { count: number } = { count: 0 }): AsyncGenerator<number> {
  for (let n = 0; n < count; n++) {
    taken.count++;
    await Promise.resolve();
    yield n;
  }
}

describe('pipeline', () => {
  test('outcomes come in the order of the items, whatever the order in which they are known', async () => {
    const wait: (() => void)[] = [];
    const start = (n: number) => new Promise<number>(resolve => (wait[n] = () => resolve(n)));
    const seen: number[] = [];
    const reading = (async () => {
      for await (const n of pipeline(numbers(3), start, roomy)) seen.push(n);
    })();
    await waitFor('all to be started', () => wait.length === 3);
    wait[2]!();
    wait[1]!();
    await Promise.resolve();
    expect(seen).toEqual([]);
    wait[0]!();
    await reading;
    expect(seen).toEqual([0, 1, 2]);
  });

  test('an outcome is yielded before the next item is there', async () => {
    let more: () => void = () => {};
    const items = (async function* () {
      yield 1;
      await new Promise<void>(resolve => (more = resolve));
      yield 2;
    })();
    const outcomes = pipeline(items, n => Promise.resolve(n), roomy);
    expect((await outcomes.next()).value).toBe(1);
    const next = outcomes.next();
    await waitFor('the second to be asked for', () => (more(), true));
    expect((await next).value).toBe(2);
    expect((await outcomes.next()).done).toBe(true);
  });

  test('no more items are taken than may wait, nor while there is no room', async () => {
    const taken = { count: 0 };
    const waiting: (() => void)[] = [];
    const start = (n: number) => new Promise<number>(resolve => waiting.push(() => resolve(n)));
    const outcomes = pipeline(numbers(5_000, taken), start, roomy);
    const first = outcomes.next();
    await waitFor('it to stand still', () => taken.count === 1_000);
    await new Promise(resolve => setImmediate(resolve));
    expect(taken.count).toBe(1_000);
    waiting[0]!();
    await first;
    await waitFor('one more', () => taken.count === 1_001);

    const few = { count: 0 };
    let enough: () => void = () => {};
    const room = () => new Promise<void>(resolve => (enough = resolve));
    const slow = pipeline(numbers(5, few), n => Promise.resolve(n), room);
    await slow.next();
    await new Promise(resolve => setImmediate(resolve));
    expect(few.count).toBe(1);
    enough();
    expect((await slow.next()).value).toBe(1);
  });

  test('what the items end with is thrown behind the outcomes', async () => {
    const items = (async function* () {
      yield* numbers(2);
      throw new Error('broken off');
    })();
    const seen: number[] = [];
    const reading = async () => {
      for await (const n of pipeline(items, n => Promise.resolve(n), roomy)) seen.push(n);
    };
    await expect(reading()).rejects.toThrow('broken off');
    expect(seen).toEqual([0, 1]);
  });

  test('a failure that is thrown leaves no other behind that nobody handles', async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown) => void unhandled.push(error);
    process.on('unhandledRejection', note);
    try {
      const outcomes = pipeline(numbers(3), n => Promise.reject(new Error(`no ${n}`)), roomy);
      await expect(outcomes.next()).rejects.toThrow('no 0');
      await new Promise(resolve => setImmediate(resolve));
      await new Promise(resolve => setImmediate(resolve));
      expect(unhandled).toEqual([]);
    } finally {
      process.off('unhandledRejection', note);
    }
  });

  test('whoever leaves ends the taking', async () => {
    const state = { closed: false };
    const items = (async function* () {
      try {
        yield* numbers(5_000);
      } finally {
        state.closed = true;
      }
    })();
    const outcomes = pipeline(items, n => Promise.resolve(n), roomy);
    await outcomes.next();
    await outcomes.return(undefined);
    await waitFor('the items to be let go', () => state.closed);
  });
});
