import { beforeEach, describe, expect, test } from 'vitest';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import { GroupHarness, subscription } from '../../../support/group-harness.ts';
import { settle } from '../../../support/manual-time.ts';

let groups: GroupHarness;

beforeEach(async () => {
  groups = await GroupHarness.start();
});

const OTHER = [{ name: 'range', metadata: subscription('orders', 'bills') }];

describe('the first members of a group', () => {
  test('are waited for, longer when more come, up to the rebalance timeout', async () => {
    groups = await GroupHarness.start({ initialRebalanceDelayMs: 3000 });
    const joins = [groups.join({ rebalanceTimeoutMs: 7000 })];
    for (let round = 0; round < 2; round++) {
      await groups.time.advance(2900);
      joins.push(groups.join({ rebalanceTimeoutMs: 7000 }));
    }
    await groups.time.advance(1100);
    expect(joins[0]!.result).toBeUndefined();
    await groups.time.advance(200);
    const results = await Promise.all(joins);
    expect(results.map(({ generationId }) => generationId)).toEqual([1, 1, 1]);
    expect(results.map(({ members }) => members.length)).toEqual([3, 0, 0]);
    expect(new Set(results.map(({ leaderId }) => leaderId))).toEqual(new Set([results[0]!.memberId]));
  });

  test('are answered after the delay when nobody else comes', async () => {
    groups = await GroupHarness.start({ initialRebalanceDelayMs: 3000 });
    const join = groups.join();
    await groups.time.advance(2999);
    expect(join.result).toBeUndefined();
    await groups.time.advance(1);
    expect(join.result).toMatchObject({ errorCode: ErrorCode.NONE, generationId: 1, protocolName: 'range' });
  });
});

describe('member ids', () => {
  test('are to be brought along from version 4 on', async () => {
    const first = await groups.join({ requiresKnownMemberId: true });
    expect(first.errorCode).toBe(ErrorCode.MEMBER_ID_REQUIRED);
    expect(first.memberId).toMatch(/^client-[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    const second = await groups.join({ requiresKnownMemberId: true, memberId: first.memberId });
    expect(second).toMatchObject({ errorCode: ErrorCode.NONE, memberId: first.memberId, generationId: 1 });
  });

  test('that nobody comes back with are forgotten after the session timeout, and not waited for', async () => {
    const [member] = await groups.stable(1);
    const { memberId } = await groups.join({ requiresKnownMemberId: true });
    const again = groups.join({ memberId: member!.memberId });
    await groups.time.advance(9999);
    expect(again.result).toBeUndefined();
    await groups.time.advance(1);
    expect(again.result?.generationId).toBe(2);
    expect(await groups.join({ memberId })).toMatchObject({ errorCode: ErrorCode.UNKNOWN_MEMBER_ID });
  });

  test('that are not known are refused, whether the group is or not', async () => {
    expect((await groups.join({ memberId: 'somebody' })).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    await groups.stable(1);
    expect((await groups.join({ memberId: 'somebody' })).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
  });
});

test.each([
  ['a session timeout that is too short', { sessionTimeoutMs: 5999 }, ErrorCode.INVALID_SESSION_TIMEOUT],
  ['one that is too long', { sessionTimeoutMs: 1_800_001 }, ErrorCode.INVALID_SESSION_TIMEOUT],
  ['no protocol type', { protocolType: '' }, ErrorCode.INCONSISTENT_GROUP_PROTOCOL],
  ['no protocols', { protocols: [] }, ErrorCode.INCONSISTENT_GROUP_PROTOCOL],
  ['an empty group id', { groupId: '' }, ErrorCode.INVALID_GROUP_ID],
])('%s is refused', async (_, request, errorCode) => {
  expect((await groups.join(request)).errorCode).toBe(errorCode);
});

test.each([
  ['another type', { protocolType: 'connect' }],
  ['no protocol in common', { protocols: [{ name: 'sticky', metadata: subscription('orders') }] }],
])('a group with members refuses %s', async (_, request) => {
  await groups.stable(1);
  expect((await groups.join(request)).errorCode).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
});

describe('the protocol', () => {
  const protocols = (...names: string[]) => names.map(name => ({ name, metadata: subscription('orders') }));

  test('is the one that most members like best, of those that all can do', async () => {
    const likes = [protocols('range', 'sticky'), protocols('sticky', 'range'), protocols('other', 'sticky', 'range')];
    const [leader] = await groups.stable(3, {}, i => ({ protocols: likes[i]! }));
    expect(leader!.protocolName).toBe('sticky');
  });
});

describe('a group of the largest size', () => {
  test('takes nobody in', async () => {
    groups = await GroupHarness.start({ maxSize: 2 });
    await groups.stable(2);
    expect((await groups.join()).errorCode).toBe(ErrorCode.GROUP_MAX_SIZE_REACHED);
  });

  test('keeps those who come back first, if it is too large when it is loaded', async () => {
    const members = await groups.stable(3);
    groups.settings.maxSize = 2;
    groups = await groups.failOver();
    expect(groups.state).toBe('PreparingRebalance');
    const joins = members.map(({ memberId }) => groups.join({ memberId }));
    await settle();
    expect(joins.map(join => join.result?.errorCode)).toEqual([
      ErrorCode.NONE,
      ErrorCode.NONE,
      ErrorCode.GROUP_MAX_SIZE_REACHED,
    ]);
  });
});

describe('joining a stable group again', () => {
  test('is answered at once for a follower that says the same', async () => {
    const [, follower] = await groups.stable(2);
    const again = await groups.join({ memberId: follower!.memberId });
    expect(again).toMatchObject({ generationId: follower!.generationId, members: [] });
    expect(groups.state).toBe('Stable');
  });

  test.each([
    ['the leader', 0, {}],
    ['a follower that says something else', 1, { protocols: OTHER }],
  ])('makes it rebalance for %s', async (_, index, request) => {
    const members = await groups.stable(2);
    const again = groups.join({ memberId: members[index]!.memberId, ...request });
    expect(groups.state).toBe('PreparingRebalance');
    const other = groups.join({ memberId: members[1 - index]!.memberId });
    expect((await again).generationId).toBe(members[0]!.generationId + 1);
    expect((await other).errorCode).toBe(ErrorCode.NONE);
  });
});

describe('a member that does not join again within the rebalance timeout', () => {
  test('is removed, and somebody else leads', async () => {
    const [leader, follower] = await groups.stable(2, { sessionTimeoutMs: 100_000 });
    const again = groups.join({ memberId: follower!.memberId, protocols: OTHER, sessionTimeoutMs: 100_000 });
    await groups.time.advance(59_999);
    expect(again.result).toBeUndefined();
    await groups.time.advance(1);
    expect(again.result).toMatchObject({ leaderId: follower!.memberId, members: [{ memberId: follower!.memberId }] });
    expect(groups.heartbeat(leader!)).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
  });

  test('stays if it is static, until its session ends', async () => {
    const instance = (i: number) => ({ groupInstanceId: `instance-${i}` });
    const [leader, follower] = await groups.stable(2, { sessionTimeoutMs: 100_000 }, instance);
    const again = groups.join({
      ...instance(1),
      memberId: follower!.memberId,
      protocols: OTHER,
      sessionTimeoutMs: 100_000,
    });
    await groups.time.advance(60_000);
    expect(again.result?.members).toHaveLength(2);
    expect(again.result?.leaderId).toBe(follower!.memberId);
    expect(groups.heartbeat({ ...again.result!, memberId: leader!.memberId }, 'instance-0')).toBe(ErrorCode.NONE);
  });

  test('is not waited for longer than five minutes when it is new', async () => {
    const [leader] = await groups.stable(1, { rebalanceTimeoutMs: 600_000, sessionTimeoutMs: 1_000_000 });
    const newcomer = groups.join({ rebalanceTimeoutMs: 600_000 });
    await groups.time.advance(300_000);
    expect(newcomer.result?.errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(groups.heartbeat(leader!)).toBe(ErrorCode.REBALANCE_IN_PROGRESS);
  });
});

describe('a static member that is restarted', () => {
  const instance = (i: number) => ({ groupInstanceId: `instance-${i}` });

  test('gets a new id without a rebalance, which outlives the coordinator; the old id is fenced', async () => {
    const [, follower] = await groups.stable(2, {}, instance);
    const again = await groups.join(instance(1));
    expect(again).toMatchObject({ errorCode: ErrorCode.NONE, generationId: follower!.generationId, members: [] });
    expect(again.memberId).not.toBe(follower!.memberId);
    expect(groups.state).toBe('Stable');
    expect(groups.heartbeat(follower!, 'instance-1')).toBe(ErrorCode.FENCED_INSTANCE_ID);
    expect((await groups.sync(again, {}, 'instance-1')).assignment.toString()).toBe('part 1');
    groups = await groups.failOver();
    expect(groups.heartbeat(again, 'instance-1')).toBe(ErrorCode.NONE);
  });

  test('makes the group rebalance if that changes the protocol', async () => {
    const both = ['range', 'sticky'].map(name => ({ name, metadata: subscription('orders') }));
    await groups.stable(2, { protocols: both }, instance);
    void groups.join({ ...instance(1), protocols: both.slice(1) });
    expect(groups.state).toBe('PreparingRebalance');
  });

  test('goes on leading without assigning anew, if it knows how to', async () => {
    const [leader] = await groups.stable(2, {}, instance);
    const again = await groups.join({ ...instance(0), maySkipAssignment: true });
    expect(again).toMatchObject({ leaderId: again.memberId, skipAssignment: true });
    expect(again.members).toHaveLength(2);
    expect(again.memberId).not.toBe(leader!.memberId);
  });

  test('is kept from assigning by its former id, if it does not', async () => {
    const [leader] = await groups.stable(2, {}, instance);
    const again = await groups.join(instance(0));
    expect(again).toMatchObject({ leaderId: leader!.memberId, skipAssignment: false, members: [] });
  });

  test('keeps its old id when the new one cannot be written', async () => {
    const [, follower] = await groups.stable(2, {}, instance);
    groups.log.failure = ErrorCode.NOT_ENOUGH_REPLICAS;
    const again = await groups.join(instance(1));
    expect(again).toMatchObject({ errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, memberId: '' });
    expect(groups.heartbeat(follower!, 'instance-1')).toBe(ErrorCode.NONE);
  });

  test('fences a join of its former self that still waits', async () => {
    const [leader, follower] = await groups.stable(2, {}, instance);
    const waiting = groups.join({ ...instance(0), memberId: leader!.memberId });
    void groups.join(instance(0));
    expect((await waiting).errorCode).toBe(ErrorCode.FENCED_INSTANCE_ID);
    expect(groups.heartbeat(follower!, 'instance-1')).toBe(ErrorCode.REBALANCE_IN_PROGRESS);
  });

  test('is fenced when it comes with the id of a former life, and unknown with an instance that nobody has', async () => {
    const [member] = await groups.stable(1, {}, instance);
    const { memberId } = member!;
    await groups.join(instance(0));
    expect((await groups.join({ ...instance(0), memberId })).errorCode).toBe(ErrorCode.FENCED_INSTANCE_ID);
    expect((await groups.join({ ...instance(9), memberId })).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
  });
});
