import { beforeEach, describe, expect, test } from 'vitest';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import { GroupHarness } from '../../../support/group-harness.ts';
import { settle } from '../../../support/manual-time.ts';

let groups: GroupHarness;

beforeEach(async () => {
  groups = await GroupHarness.start();
});

/** Two members that have joined and not synced. */
async function joined() {
  const first = await groups.join();
  const second = groups.join();
  const leader = await groups.join({ memberId: first.memberId });
  return [leader, await second] as const;
}

describe('syncing', () => {
  test('waits for the leader, and is answered at once after it; who was forgotten has nothing assigned', async () => {
    const [leader, follower] = await joined();
    const waiting = groups.sync(follower);
    await settle();
    expect(waiting.result).toBeUndefined();
    const own = groups.sync(leader, { [leader.memberId]: 'all of it' });
    expect((await waiting).assignment).toHaveLength(0);
    expect((await own).assignment.toString()).toBe('all of it');
    expect((await groups.sync(leader)).assignment.toString()).toBe('all of it');
    expect(groups.state).toBe('Stable');
  });

  test('is over when the leader does not come within the rebalance timeout: it is removed, others rejoin', async () => {
    const [leader, follower] = await joined();
    const waiting = groups.sync(follower);
    for (let i = 0; i < 8; i++) {
      await groups.time.advance(7500);
      groups.heartbeat(leader);
    }
    expect(waiting.result?.errorCode).toBe(ErrorCode.REBALANCE_IN_PROGRESS);
    expect(groups.heartbeat(leader)).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(groups.state).toBe('PreparingRebalance');
  });

  test('is over when somebody joins meanwhile', async () => {
    const [, follower] = await joined();
    const waiting = groups.sync(follower);
    void groups.join();
    expect((await waiting).errorCode).toBe(ErrorCode.REBALANCE_IN_PROGRESS);
  });

  test('fails for all when the assignments cannot be written, and they join again', async () => {
    const [leader, follower] = await joined();
    groups.log.failure = ErrorCode.NOT_LEADER_OR_FOLLOWER;
    const syncs = [groups.sync(follower), groups.sync(leader)];
    expect((await Promise.all(syncs)).map(({ errorCode }) => errorCode)).toEqual([
      ErrorCode.NOT_COORDINATOR,
      ErrorCode.NOT_COORDINATOR,
    ]);
    expect(groups.state).toBe('PreparingRebalance');
  });

  test('that was overtaken by a new generation while it was written changes nothing', async () => {
    const [leader] = await joined();
    groups.log.hold();
    const own = groups.sync(leader, { [leader.memberId]: 'old' });
    const again = groups.join({ memberId: leader.memberId, rebalanceTimeoutMs: 1 });
    expect(groups.state).toBe('CompletingRebalance');
    expect((await again).errorCode).toBe(ErrorCode.NONE);
    void groups.join();
    await groups.log.release();
    expect(groups.state).toBe('PreparingRebalance');
    expect((await own).errorCode).toBe(ErrorCode.REBALANCE_IN_PROGRESS);
  });

  test.each([
    ['a protocol type', { protocolType: 'connect', protocolName: 'range' }],
    ['a protocol', { protocolType: 'consumer', protocolName: 'sticky' }],
  ])('with %s that was not chosen is refused', async (_, protocol) => {
    const [leader] = await joined();
    const { memberId, generationId } = leader;
    const synced = await groups.coordinator.sync({
      groupId: 'group',
      memberId,
      generationId,
      groupInstanceId: null,
      assignments: new Map(),
      ...protocol,
    });
    expect(synced.errorCode).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
  });

  test('of strangers, of another generation, and while the group prepares', async () => {
    const nobody = { memberId: 'nobody', generationId: 1 };
    expect((await groups.sync(nobody)).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    const [leader] = await groups.stable(2);
    expect((await groups.sync(nobody)).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect((await groups.sync({ ...leader!, generationId: 1 })).errorCode).toBe(ErrorCode.ILLEGAL_GENERATION);
    void groups.join();
    expect((await groups.sync(leader!)).errorCode).toBe(ErrorCode.REBALANCE_IN_PROGRESS);
  });
});

describe('heartbeats', () => {
  test('tell who is no member, or of another generation, or has to join again', async () => {
    expect(groups.heartbeat({ memberId: 'nobody', generationId: 1 })).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    const [leader] = await groups.stable(2);
    expect(groups.heartbeat(leader!)).toBe(ErrorCode.NONE);
    expect(groups.heartbeat({ ...leader!, memberId: 'nobody' })).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(groups.heartbeat({ ...leader!, generationId: 7 })).toBe(ErrorCode.ILLEGAL_GENERATION);
    void groups.join();
    expect(groups.heartbeat(leader!)).toBe(ErrorCode.REBALANCE_IN_PROGRESS);
  });

  test('are fine between joining and syncing', async () => {
    const [leader] = await joined();
    expect(groups.heartbeat(leader)).toBe(ErrorCode.NONE);
  });

  test('and commits keep a session alive; without them it ends, and the others join again', async () => {
    const [leader, follower] = await groups.stable(2);
    for (let i = 0; i < 5; i++) {
      await groups.time.advance(9000);
      expect(groups.heartbeat(leader!)).toBe(ErrorCode.NONE);
      expect(await groups.commit(follower)).toBe(ErrorCode.NONE);
    }
    await groups.time.advance(9000);
    expect(groups.heartbeat(leader!)).toBe(ErrorCode.NONE);
    await groups.time.advance(1000);
    expect(groups.heartbeat(follower!)).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(groups.heartbeat(leader!)).toBe(ErrorCode.REBALANCE_IN_PROGRESS);
  });

  test('are not missed of a member whose join waits', async () => {
    const [leader, follower] = await groups.stable(2);
    const again = groups.join({ memberId: leader!.memberId });
    for (let i = 0; i < 5; i++) {
      await groups.time.advance(9000);
      expect(groups.heartbeat(follower!)).toBe(ErrorCode.REBALANCE_IN_PROGRESS);
    }
    void groups.join({ memberId: follower!.memberId });
    expect((await again).members).toHaveLength(2);
  });
});

describe('leaving', () => {
  const leaveAll = (...members: { memberId: string; groupInstanceId?: string }[]) =>
    groups.coordinator
      .leave(
        'group',
        members.map(({ memberId, groupInstanceId }) => ({
          memberId,
          groupInstanceId: groupInstanceId ?? null,
          reason: '',
        })),
      )
      .members.map(({ errorCode }) => errorCode);

  test('makes the others rebalance, and a group without members empty', async () => {
    const [leader, follower] = await groups.stable(2);
    expect(leaveAll(leader!)).toEqual([ErrorCode.NONE]);
    expect(groups.heartbeat(follower!)).toBe(ErrorCode.REBALANCE_IN_PROGRESS);
    expect(leaveAll(follower!)).toEqual([ErrorCode.NONE]);
    expect(groups.state).toBe('Empty');
    expect(groups.log.records().at(-1)).toMatchObject({ kind: 'group', group: { members: [], protocolName: null } });
  });

  test('of the last member is no reason to turn away one that is about to join', async () => {
    const [member] = await groups.stable(1);
    const { memberId } = await groups.join({ requiresKnownMemberId: true });
    leaveAll(member!);
    expect(await groups.join({ requiresKnownMemberId: true, memberId })).toMatchObject({
      errorCode: ErrorCode.NONE,
      leaderId: memberId,
    });
  });

  test('in a batch has an outcome for each', async () => {
    const [first, second] = await groups.stable(3, {}, i => (i < 2 ? { groupInstanceId: `instance-${i}` } : {}));
    const pending = await groups.join({ requiresKnownMemberId: true });
    expect(
      leaveAll(
        { memberId: '', groupInstanceId: 'instance-0' },
        { memberId: first!.memberId, groupInstanceId: 'instance-1' },
        { memberId: second!.memberId, groupInstanceId: 'instance-1' },
        { memberId: pending.memberId },
        { memberId: 'nobody' },
        { memberId: '', groupInstanceId: 'instance-9' },
      ),
    ).toEqual([
      ErrorCode.NONE,
      ErrorCode.FENCED_INSTANCE_ID,
      ErrorCode.NONE,
      ErrorCode.NONE,
      ErrorCode.UNKNOWN_MEMBER_ID,
      ErrorCode.UNKNOWN_MEMBER_ID,
    ]);
  });

  test('a group that nobody knows has no members', () => {
    expect(leaveAll({ memberId: 'nobody' })).toEqual([ErrorCode.UNKNOWN_MEMBER_ID]);
  });

  test('answers a join that waits', async () => {
    const [leader] = await groups.stable(2);
    const again = groups.join({ memberId: leader!.memberId });
    leaveAll(leader!);
    expect((await again).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
  });
});
