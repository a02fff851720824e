import { beforeEach, describe, expect, test } from 'vitest';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import { GroupHarness } from '../../../support/group-harness.ts';
import { settle } from '../../../support/manual-time.ts';

const DAY_MS = 86_400_000;

let groups: GroupHarness;

beforeEach(async () => {
  groups = await GroupHarness.start();
});

/** Lets days pass in which members are heard of. */
async function live(days: number, heartbeat: () => unknown = () => {}): Promise<void> {
  for (let quarter = 0; quarter < days * 96; quarter++) {
    await groups.time.advance(DAY_MS / 96);
    heartbeat();
  }
}

function deleteOffset(topic: string) {
  return groups.coordinator.deleteOffsets('group', [{ topic, partition: 0 }]);
}

describe('a commit', () => {
  test('is visible when it is replicated', async () => {
    groups.log.hold();
    const commit = groups.commit();
    await settle();
    expect(groups.committed()).toBe(-1);
    await groups.log.release();
    expect(await commit).toBe(ErrorCode.NONE);
    expect(groups.committed()).toBe(42);
    expect(groups.log.acks).toEqual([-1]);
  });

  test('of the log’s later record wins, whichever is replicated first', async () => {
    groups.log.hold();
    const commits = [groups.commit({}, { offset: 1 }), groups.commit({}, { offset: 2 })];
    await groups.log.release();
    await Promise.all(commits);
    expect(groups.committed()).toBe(2);
  });

  test('between joining and syncing has to wait', async () => {
    const member = await groups.join();
    expect(await groups.commit(member)).toBe(ErrorCode.REBALANCE_IN_PROGRESS);
  });

  test('while the group prepares to rebalance is taken', async () => {
    const [leader] = await groups.stable(1);
    void groups.join();
    expect(await groups.commit(leader)).toBe(ErrorCode.NONE);
  });

  test('from outside is taken by a group without members only', async () => {
    expect(await groups.commit({ memberId: 'whoever' })).toBe(ErrorCode.NONE);
    await groups.stable(1);
    expect(await groups.commit()).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
  });

  test('of another generation, or to a group that nobody knows any more, is refused', async () => {
    expect(await groups.commit({ memberId: 'member', generationId: 3 })).toBe(ErrorCode.ILLEGAL_GENERATION);
    const [leader] = await groups.stable(1);
    expect(await groups.commit({ ...leader, generationId: 3 })).toBe(ErrorCode.ILLEGAL_GENERATION);
    expect(await groups.commit({ memberId: 'nobody', generationId: 1 })).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
  });

  test('may have so much metadata', async () => {
    expect(await groups.commit({}, { metadata: 'x'.repeat(4096) })).toBe(ErrorCode.NONE);
    expect(await groups.commit({}, { metadata: 'x'.repeat(4097), offset: 43 })).toBe(
      ErrorCode.OFFSET_METADATA_TOO_LARGE,
    );
    expect(groups.committed()).toBe(42);
  });

  test.each([
    ['NOT_ENOUGH_REPLICAS', 'COORDINATOR_NOT_AVAILABLE'],
    ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'COORDINATOR_NOT_AVAILABLE'],
    ['UNKNOWN_TOPIC_OR_PARTITION', 'COORDINATOR_NOT_AVAILABLE'],
    ['NOT_LEADER_OR_FOLLOWER', 'NOT_COORDINATOR'],
    ['KAFKA_STORAGE_ERROR', 'NOT_COORDINATOR'],
    ['MESSAGE_TOO_LARGE', 'INVALID_COMMIT_OFFSET_SIZE'],
    ['REQUEST_TIMED_OUT', 'REQUEST_TIMED_OUT'],
  ] as const)('whose append ends in %s is answered %s, and not there', async (failure, answer) => {
    groups.log.failure = ErrorCode[failure];
    expect(await groups.commit()).toBe(ErrorCode[answer]);
    expect(groups.committed()).toBe(-1);
  });
});

describe('offsets are forgotten', () => {
  test('when their group has been empty for the retention, with the group; the log says so', async () => {
    const [leader] = await groups.stable(1, { sessionTimeoutMs: 1_800_000 });
    expect(await groups.commit(leader)).toBe(ErrorCode.NONE);
    await live(3, () => groups.heartbeat(leader!));
    groups.coordinator.leave('group', [{ memberId: leader!.memberId, groupInstanceId: null, reason: '' }]);
    await live(6.9);
    expect(groups.committed()).toBe(42);
    await live(0.2);
    expect([groups.committed(), groups.state]).toEqual([-1, 'Dead']);
    expect(groups.log.records().slice(-2)).toEqual([
      { kind: 'offset', groupId: 'group', topic: 'orders', partition: 0, committed: null },
      { kind: 'group', groupId: 'group', group: null },
    ]);
    expect(groups.log.acks.at(-1)).toBe(0);
    groups = await groups.failOver();
    expect(groups.state).toBe('Dead');
  });

  test('of a group with members only for topics that nobody reads', async () => {
    const [leader] = await groups.stable(1, { sessionTimeoutMs: 1_800_000 });
    await groups.commit(leader);
    await groups.commit(leader, { topic: 'bills' });
    await live(7.1, () => groups.heartbeat(leader!));
    expect([groups.committed('orders'), groups.committed('bills')]).toEqual([42, -1]);
  });

  test('that were committed from outside, the retention after the commit, and leave no record of a group', async () => {
    await groups.commit();
    await live(6.9);
    expect(groups.committed()).toBe(42);
    await live(0.2);
    expect(groups.state).toBe('Dead');
    expect(groups.log.records().at(-1)).toMatchObject({ kind: 'offset', committed: null });
  });

  test('when an old client said so', async () => {
    await groups.commit({}, { expireTimestamp: groups.time.clock.now() + DAY_MS });
    await live(0.9);
    expect(groups.committed()).toBe(42);
    await live(0.2);
    expect(groups.committed()).toBe(-1);
  });

  test('with their topic', async () => {
    const [leader] = await groups.stable(1);
    await groups.commit(leader);
    groups.coordinator.partitionsDeleted([{ topic: 'orders', partition: 0 }]);
    expect([groups.committed(), groups.state]).toEqual([-1, 'Stable']);
  });
});

describe('deleting offsets', () => {
  test('of a group with consumers goes for topics that nobody reads', async () => {
    const [leader] = await groups.stable(1);
    await groups.commit(leader);
    await groups.commit(leader, { topic: 'bills' });
    expect(deleteOffset('orders').partitions).toEqual([ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC]);
    expect(deleteOffset('bills').partitions).toEqual([ErrorCode.NONE]);
    expect([groups.committed('orders'), groups.committed('bills')]).toEqual([42, -1]);
  });

  test('of others needs the group to be empty', async () => {
    expect(deleteOffset('orders').errorCode).toBe(ErrorCode.GROUP_ID_NOT_FOUND);
    await groups.stable(1, { protocolType: 'connect' });
    expect(deleteOffset('orders').errorCode).toBe(ErrorCode.NON_EMPTY_GROUP);
  });
});

describe('deleting a group', () => {
  test('needs it to be there and empty, and leaves nothing', async () => {
    expect(groups.coordinator.delete('group')).toBe(ErrorCode.GROUP_ID_NOT_FOUND);
    const [leader] = await groups.stable(1);
    await groups.commit(leader);
    expect(groups.coordinator.delete('group')).toBe(ErrorCode.NON_EMPTY_GROUP);
    groups.coordinator.leave('group', [{ memberId: leader!.memberId, groupInstanceId: null, reason: '' }]);
    expect(groups.coordinator.delete('group')).toBe(ErrorCode.NONE);
    expect([groups.state, groups.committed()]).toEqual(['Dead', -1]);
    groups = await groups.failOver();
    expect([groups.state, groups.committed()]).toEqual(['Dead', -1]);
  });
});

test('groups are counted, by their states, and their offsets', async () => {
  const { coordinator } = groups;
  const counts = () => [
    coordinator.groupCount(),
    coordinator.groupCount('Empty'),
    coordinator.groupCount('Stable'),
    coordinator.offsetCount,
  ];
  expect(counts()).toEqual([0, 0, 0, 0]);
  const [leader] = await groups.stable(1);
  await groups.commit(leader);
  await groups.commit(leader, { topic: 'bills' });
  expect(counts()).toEqual([1, 0, 1, 2]);
  coordinator.leave('group', [{ memberId: leader!.memberId, groupInstanceId: null, reason: '' }]);
  expect(counts()).toEqual([1, 1, 0, 2]);
});
