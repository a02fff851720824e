import { beforeEach, expect, test } from 'vitest';
import { RecentSamples } from '../../../../shared/runtime/recent-samples.ts';

let now: number;
let samples: RecentSamples;

beforeEach(() => {
  now = 1_000_000;
  samples = new RecentSamples({ now: () => now, monotonic: () => now });
});

const told = () => [samples.max, samples.average];

test('nothing was measured', () => {
  expect(told()).toEqual([NaN, NaN]);
});

test('the largest and the average', () => {
  for (const value of [3, 9, 6]) samples.add(value);
  expect(told()).toEqual([9, 6]);
});

test('what is older than a minute does not count any more', () => {
  samples.add(100);
  now += 31_000;
  samples.add(10);
  expect(told()).toEqual([100, 55]);
  now += 30_000;
  expect(told()).toEqual([10, 10]);
  now += 30_000;
  expect(told()).toEqual([NaN, NaN]);
});

test('a measurement after a long silence counts alone', () => {
  samples.add(100);
  now += 3_600_000;
  samples.add(7);
  expect(told()).toEqual([7, 7]);
});
