import { beforeEach, describe, expect, test } from 'vitest';
import { ProducerIds, type ProducerIdBlock } from '../../../../broker/transaction/producer-ids.ts';
import { silentLogger } from '../../../../shared/runtime/logger.ts';
import { ManualTime } from '../../../support/manual-time.ts';

/** Requests to the controller that wait for their answer. */
let asked: { answer(block: ProducerIdBlock): void; fail(): void }[];
let time: ManualTime;
let ids: ProducerIds;

beforeEach(() => {
  asked = [];
  time = new ManualTime();
  const allocate = () =>
    new Promise<ProducerIdBlock>((resolve, reject) => {
      asked.push({ answer: resolve, fail: () => reject(new Error('no controller')) });
    });
  ids = new ProducerIds({ allocate, close: () => {} }, time.clock, silentLogger);
});

describe('producer ids', () => {
  test('come from a block that is asked for when the first one is needed, once', async () => {
    expect(asked).toHaveLength(0);
    const waiting = Promise.all([ids.generate(), ids.generate(), ids.generate()]);
    expect(asked).toHaveLength(1);
    asked[0]!.answer({ first: 4000, count: 1000 });
    expect(await waiting).toEqual([4000, 4001, 4002]);
    expect(asked).toHaveLength(1);
  });

  test('never repeat over blocks; the next block is there before one ends', async () => {
    const given: (number | null)[] = [];
    const first = ids.generate();
    asked[0]!.answer({ first: 0, count: 10 });
    given.push(await first);
    for (let i = 1; i < 9; i++) given.push(await ids.generate());
    expect(asked).toHaveLength(2);
    asked[1]!.answer({ first: 70, count: 10 });
    for (let i = 9; i < 15; i++) given.push(await ids.generate());
    expect(given).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 70, 71, 72, 73, 74]);
    expect(asked).toHaveLength(2);
  });

  test('are not to be had while there is no controller; it is asked again after a pause', async () => {
    const first = ids.generate();
    asked[0]!.fail();
    expect(await first).toBeNull();
    expect(await ids.generate()).toBeNull();
    expect(asked).toHaveLength(1);
    await time.advance(51);
    const second = ids.generate();
    expect(asked).toHaveLength(2);
    asked[1]!.answer({ first: 5, count: 1 });
    expect(await second).toBe(5);
  });

  test('more who wait than a block has: the others have to come again', async () => {
    const waiting = Promise.all([ids.generate(), ids.generate(), ids.generate()]);
    asked[0]!.answer({ first: 5, count: 2 });
    expect(await waiting).toEqual([5, 6, null]);
  });
});
