import { expect, test } from 'vitest';
import type { PartitionInfo } from '../../../client/index.ts';
import { murmur2 } from '../../../client/producer/murmur2.ts';
import { DefaultPartitioner, RoundRobinPartitioner } from '../../../client/producer/partitioner.ts';
import { systemRandom } from '../../../shared/runtime/random.ts';

function partitions(leaders: number[]): PartitionInfo[] {
  return leaders.map((leader, partition) => ({
    topic: 't',
    partition,
    leader,
    leaderEpoch: 0,
    replicas: [],
    isr: [],
    offlineReplicas: [],
  }));
}

test.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['abc', 479470107],
])('murmur2 of %s is what Java computes', (text, hash) => {
  expect(murmur2(Buffer.from(text))).toBe(hash);
});

test('a key goes to hash modulo count, whether or not that partition has a leader', () => {
  const all = partitions([1, -1, 1]);
  expect(new DefaultPartitioner(systemRandom).partition('t', Buffer.from('abc'), all)).toBe(479470107 % 3);
});

test('records without a key stay together until the batch is full, and avoid partitions without leader', () => {
  const partitioner = new DefaultPartitioner(systemRandom);
  const all = partitions([1, -1, -1, 1]);
  const chosen = new Set<number>();
  for (let batch = 0; batch < 50; batch++) {
    const first = partitioner.partition('t', null, all);
    for (let i = 0; i < 5; i++) expect(partitioner.partition('t', null, all)).toBe(first);
    chosen.add(first);
    partitioner.onNewBatch('t');
  }
  expect([...chosen].sort()).toEqual([0, 3]);
});

test('round robin takes turns', () => {
  const partitioner = new RoundRobinPartitioner();
  expect([0, 1, 2, 3].map(() => partitioner.partition('t', null, partitions([1, 1, 1])))).toEqual([0, 1, 2, 0]);
});
