import { describe, expect, test } from 'vitest';
import { logOffsets } from '../../../../admin-cli/groups/log-offsets.ts';
import { describedGroups, selectedGroups } from '../../../../admin-cli/groups/selection.ts';
import type { Admin, OffsetSpec } from '../../../../client/index.ts';
import type { TopicPartition } from '../../../../shared/topics/topic-partition.ts';

const TYPES: Readonly<Record<string, string>> = { readers: 'consumer', offsets: '', workers: 'connect' };
const group = (groupId: string) => ({ groupId, protocolType: TYPES[groupId]!, state: 'Empty', type: 'classic' });

/** An admin of a cluster with groups of three kinds, and a topic one of whose partitions has no leader. */
function admin(asked: string[] = []): Admin {
  return {
    listGroups: () => Promise.resolve(Object.keys(TYPES).map(group)),
    describeGroups: (ids: readonly string[]) =>
      Promise.resolve(ids.map(id => ({ status: 'fulfilled', value: group(id) }))),
    listTopics: () =>
      Promise.resolve([
        {
          name: 't',
          partitions: [1, 2, -1].map((leader, partition) => ({ topic: 't', partition, leader })),
        },
      ]),
    listOffsets: (wanted: readonly (readonly [TopicPartition, OffsetSpec])[]) =>
      Promise.resolve(
        wanted.map(([{ partition }, spec]) => {
          asked.push(`${partition} at ${spec}`);
          if (spec === 13) return { status: 'rejected', reason: new Error('no luck') };
          return { status: 'fulfilled', value: { offset: partition === 1 && spec !== 'latest' ? -1 : 40 + partition } };
        }),
      ),
  } as unknown as Admin;
}

describe('groups of consumers', () => {
  test('are all that this tool knows; others are named only to be refused', async () => {
    expect(await selectedGroups(admin(), { allGroups: true })).toEqual(['readers', 'offsets']);
    expect(await selectedGroups(admin(), { group: ['b', 'a', 'b'] })).toEqual(['b', 'a']);
    expect((await describedGroups(admin(), ['readers', 'offsets'])).map(({ groupId }) => groupId)).toEqual([
      'offsets',
      'readers',
    ]);
    await expect(describedGroups(admin(), ['readers', 'workers'])).rejects.toThrow(
      'GroupId workers is not a consumer group (connect).',
    );
  });
});

describe('offsets of the log', () => {
  const partitions = [0, 1, 2, 1, 7].map(partition => ({ topic: 't', partition }));

  test('are asked for once, and not where nobody could answer', async () => {
    const asked: string[] = [];
    const offsets = await logOffsets(admin(asked), [...partitions, { topic: 'gone', partition: 0 }], 'latest');
    expect([...offsets]).toEqual([
      ['t-0', 40],
      ['t-1', 41],
    ]);
    expect(asked).toEqual(['0 at latest', '1 at latest']);
    expect((await logOffsets(admin(), [], 'latest')).size).toBe(0);
  });

  test('are missing where no record is so young; an error is one', async () => {
    expect([...(await logOffsets(admin(), partitions, 12))]).toEqual([['t-0', 40]]);
    await expect(logOffsets(admin(), partitions, 13)).rejects.toThrow('no luck');
  });
});
