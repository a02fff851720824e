import { describe, expect, test } from 'vitest';
import {
  isNotInternal,
  topicAndPartitionsFilter,
  topicPartitionsFilter,
} from '../../../../admin-cli/offsets/filters.ts';
import { offsetSpec } from '../../../../admin-cli/offsets/time.ts';

const CANDIDATES = ['a', 'ab', 'b'].flatMap(topic => [0, 1, 2, 3].map(partition => ({ topic, partition })));
const names = (filter: (tp: { topic: string; partition: number }) => boolean) =>
  CANDIDATES.filter(filter).map(({ topic, partition }) => `${topic}${partition}`);

describe('--topic-partitions', () => {
  test.each([
    ['a:1', ['a1']],
    ['a:1,b:0', ['a1', 'b0']],
    ['a', ['a0', 'a1', 'a2', 'a3']],
    ['a.*:0', ['a0', 'ab0']],
    [':3', ['a3', 'ab3', 'b3']],
    ['a:1-3', ['a1', 'a2']],
    ['a:2-', ['a2', 'a3']],
    ['a:-2', ['a0', 'a1']],
    ['b:', ['b0', 'b1', 'b2', 'b3']],
  ])('%s', (list, expected) => {
    expect(names(topicPartitionsFilter(list))).toEqual(expected);
  });

  test('a part that is none is named', () => {
    expect(() => topicPartitionsFilter('a:x')).toThrow('Invalid rule: a:x');
  });
});

test('--topic and --partitions', () => {
  expect(names(topicAndPartitionsFilter('a|b', '0,3'))).toEqual(['a0', 'a3', 'b0', 'b3']);
  expect(names(topicAndPartitionsFilter(undefined, '0'))).toEqual(['a0', 'ab0', 'b0']);
  expect(names(topicAndPartitionsFilter('b', undefined))).toEqual(['b0', 'b1', 'b2', 'b3']);
  expect(() => topicAndPartitionsFilter('a', '0,x')).toThrow(
    '--partitions expects a comma separated list of numeric partition ids, but received: 0,x',
  );
  expect(isNotInternal({ topic: '__consumer_offsets', partition: 0 })).toBe(false);
});

test('--time', () => {
  const times = ['-1', 'latest', '-2', 'earliest', '-3', 'max-timestamp', '-4', '-5', '1700000000000'];
  expect(times.map(offsetSpec)).toEqual([
    'latest',
    'latest',
    'earliest',
    'earliest',
    'max-timestamp',
    'max-timestamp',
    'earliest',
    null,
    1700000000000,
  ]);
  expect(() => offsetSpec('soon')).toThrow(/^Error occurred: Malformed time argument soon\. Please use -1 or latest/);
});
