import { describe, expect, test } from 'vitest';
import { parsePartitionList } from '../../../../admin-cli/support/partition-list.ts';
import { parseReplicaAssignment } from '../../../../admin-cli/support/replica-assignment.ts';
import { topicPattern } from '../../../../admin-cli/support/topic-pattern.ts';

describe('--replica-assignment', () => {
  test('lists the replicas of each partition', () => {
    expect(parseReplicaAssignment('1:2,2:3')).toEqual([
      [1, 2],
      [2, 3],
    ]);
  });

  test.each([
    ['1:1', /may not contain duplicate entries: 1$/],
    ['1:2,3', /^Error while executing topic command : Partition 1 has different replication factor: 3$/],
    ['1:x', /'x' is not a broker id/],
  ])('%s is refused', (text, message) => {
    expect(() => parseReplicaAssignment(text)).toThrow(message);
  });
});

describe('--topic patterns', () => {
  test.each([
    ['orders', 'orders', true],
    ['orders', 'orders2', false],
    ['or.*', 'orders', true],
    ['a,b', 'b', true],
    ['a,b', 'ab', false],
    ['"a|b"', 'a', true],
  ])('%s and %s: %s', (pattern, name, matches) => {
    expect(topicPattern(pattern)(name)).toBe(matches);
  });

  test('what is no regular expression is said to be none', () => {
    expect(() => topicPattern('a(')).toThrow(/^a\( is an invalid regex/);
  });
});

describe('partition lists in files', () => {
  test('are read', () => {
    expect(parsePartitionList('{"partitions":[{"topic":"t","partition":0},{"topic":"t","partition":1}]}')).toEqual([
      { topic: 't', partition: 0 },
      { topic: 't', partition: 1 },
    ]);
  });

  test.each([
    ['{}', 'it has no list "partitions"'],
    ['{"partitions":[{"topic":"t"}]}', '{"topic":"t"} is no partition: it takes {"topic":"t","partition":0}'],
    [
      '{"partitions":[{"topic":"t","partition":0},{"topic":"t","partition":0}]}',
      'Replica election data contains duplicate partitions: t-0',
    ],
  ])('%s is refused', (text, message) => {
    expect(() => parsePartitionList(text)).toThrow(message);
  });
});
