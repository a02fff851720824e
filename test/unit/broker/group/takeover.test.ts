import { beforeEach, describe, expect, test } from 'vitest';
import { GroupLoader } from '../../../../broker/group/loader.ts';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import { BatchBuilder } from '../../../../shared/records/batch-builder.ts';
import { silentLogger } from '../../../../shared/runtime/logger.ts';
import { coordinatorPartition } from '../../../../shared/topics/coordinator-partition.ts';
import { GroupHarness, PARTITION_COUNT } from '../../../support/group-harness.ts';
import { settle } from '../../../support/manual-time.ts';

let groups: GroupHarness;

beforeEach(async () => {
  groups = await GroupHarness.start();
});

const PARTITION = coordinatorPartition('group', PARTITION_COUNT);

test.each([
  ['my-group', 12],
  ['orders', 31],
  ['console-consumer-1', 24],
  ['polygenelubricants', 0],
])('%s is in partition %i of 50, as in Kafka', (groupId, partition) => {
  expect(coordinatorPartition(groupId, 50)).toBe(partition);
});

describe('another coordinator', () => {
  test('knows members, assignments and the last offsets', async () => {
    const members = await groups.stable(2);
    await groups.commit(members[0], { offset: 1 });
    await groups.commit(members[0], { offset: 2 });
    groups = await groups.failOver();
    expect(groups.committed()).toBe(2);
    expect(members.map(member => groups.heartbeat(member))).toEqual([ErrorCode.NONE, ErrorCode.NONE]);
    expect((await groups.sync(members[1]!)).assignment.toString()).toBe('part 1');
    // The time that it took is told, and not that nothing was loaded.
    expect(groups.coordinator.loadTimes.max).toBeGreaterThanOrEqual(0);
  });

  test('ends the session of members that it does not hear of', async () => {
    const [member] = await groups.stable(1);
    groups = await groups.failOver();
    await groups.time.advance(9999);
    expect(groups.state).toBe('Stable');
    await groups.time.advance(1);
    expect(groups.heartbeat(member!)).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(groups.state).toBe('Empty');
  });

  test('keeps offsets that a group without members has', async () => {
    await groups.commit();
    groups = await groups.failOver();
    expect([groups.committed(), groups.state]).toEqual([42, 'Empty']);
  });

  test('reads compressed records', async () => {
    groups.settings.compression = 4;
    await groups.commit();
    groups = await groups.failOver();
    expect(groups.committed()).toBe(42);
  });

  test('passes over records of a kind that it does not know, and a value it cannot read fails the load', async () => {
    const append = (key: string, value: string) => {
      const builder = new BatchBuilder();
      builder.append(0, Buffer.from(key, 'hex'), Buffer.from(value, 'hex'));
      return groups.log.append(PARTITION, builder.build(), -1);
    };
    const load = () =>
      new GroupLoader({ ...groups.time, logger: silentLogger }).load(groups.log.open(PARTITION), 1000, () => false);
    await groups.commit();
    await append('00030005' + '67726f7570', '0000');
    expect((await load()).map(({ groupId }) => groupId)).toEqual(['group']);
    await append('0002' + '0005' + '67726f7570', '0009');
    await expect(load()).rejects.toThrow('GroupMetadataValue: there is no version 9, only 0 to 4');
  });
});

describe('a coordinator that loses its partition', () => {
  test('sends those who wait to the next one', async () => {
    const [leader] = await groups.stable(2);
    const join = groups.join({ memberId: leader!.memberId });
    groups.coordinator.resign(PARTITION);
    expect((await join).errorCode).toBe(ErrorCode.NOT_COORDINATOR);
    expect(groups.heartbeat(leader!)).toBe(ErrorCode.NOT_COORDINATOR);
    expect(await groups.commit(leader)).toBe(ErrorCode.NOT_COORDINATOR);
    expect(groups.coordinator.fetchOffsets('group').errorCode).toBe(ErrorCode.NOT_COORDINATOR);
  });

  test('answers syncs that wait, and forgets all timers', async () => {
    const first = await groups.join();
    const second = groups.join();
    const leader = await groups.join({ memberId: first.memberId });
    const waiting = groups.sync(await second);
    groups.coordinator.resign(PARTITION);
    expect((await waiting).errorCode).toBe(ErrorCode.NOT_COORDINATOR);
    const written = groups.log.end(PARTITION);
    await groups.time.advance(1_000_000);
    expect(groups.log.end(PARTITION)).toBe(written);
    expect((await groups.sync(leader)).errorCode).toBe(ErrorCode.NOT_COORDINATOR);
  });
});

describe('while groups are loaded', () => {
  test('members are put off, in ways that old clients understand', async () => {
    const [member] = await groups.stable(1);
    groups.coordinator.resign(PARTITION);
    const loading = groups.coordinator.elect(PARTITION);
    expect(groups.coordinator.list().errorCode).toBe(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
    expect(groups.heartbeat(member!)).toBe(ErrorCode.NONE);
    const [join, sync] = [groups.join(), groups.sync(member!)];
    expect((await join).errorCode).toBe(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
    expect((await sync).errorCode).toBe(ErrorCode.REBALANCE_IN_PROGRESS);
    await loading;
    expect(groups.heartbeat(member!)).toBe(ErrorCode.NONE);
  });

  test('a loss of the partition makes what was read worthless', async () => {
    await groups.commit();
    groups.coordinator.resign(PARTITION);
    const loading = groups.coordinator.elect(PARTITION);
    groups.coordinator.resign(PARTITION);
    await loading;
    await settle();
    expect(await groups.commit()).toBe(ErrorCode.NOT_COORDINATOR);
    await groups.coordinator.elect(PARTITION);
    expect(groups.committed()).toBe(42);
  });
});

test('a coordinator that stops is not available', async () => {
  const [member] = await groups.stable(1);
  groups.coordinator.shutdown();
  expect(groups.heartbeat(member!)).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
  expect(groups.coordinator.list().errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
});
