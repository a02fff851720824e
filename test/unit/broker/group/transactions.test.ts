import { beforeEach, describe, expect, test } from 'vitest';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import * as batch from '../../../../shared/records/batch.ts';
import { GroupHarness } from '../../../support/group-harness.ts';
import { settle } from '../../../support/manual-time.ts';

/** Producers. */
const ANNA = 4000;
const BORIS = 4001;

let groups: GroupHarness;

beforeEach(async () => {
  groups = await GroupHarness.start();
});

function seen(topic = 'orders') {
  return [groups.committed(topic), groups.isUnstable(topic) ? 'unstable' : 'stable'];
}

describe('an offset that is committed in a transaction', () => {
  test('can be seen when the transaction is committed', async () => {
    await groups.commit({}, { offset: 7 });
    expect(await groups.commitInTransaction(ANNA)).toBe(ErrorCode.NONE);
    expect(seen()).toEqual([7, 'unstable']);
    await groups.endTransaction(ANNA, true);
    expect(seen()).toEqual([42, 'stable']);
  });

  test('is dropped when the transaction is aborted', async () => {
    await groups.commit({}, { offset: 7 });
    await groups.commitInTransaction(ANNA);
    await groups.endTransaction(ANNA, false);
    expect(seen()).toEqual([7, 'stable']);
  });

  test('is written as the producer’s, in a transactional batch', async () => {
    await groups.commitInTransaction(ANNA);
    const [bytes] = groups.log.batches();
    expect(batch.isTransactional(bytes!, 0)).toBe(true);
    expect(batch.isControl(bytes!, 0)).toBe(false);
    expect([batch.producerId(bytes!, 0), batch.producerEpoch(bytes!, 0), batch.baseSequence(bytes!, 0)]).toEqual([
      ANNA,
      3,
      0,
    ]);
    expect(batch.crcIsValid(bytes!, 0)).toBe(true);
  });

  test('makes other partitions, and other groups, no less stable', async () => {
    await groups.commitInTransaction(ANNA);
    expect(seen('bills')).toEqual([-1, 'stable']);
  });

  test('is unstable from the moment that it is on its way', async () => {
    groups.log.hold();
    const commit = groups.commitInTransaction(ANNA);
    await settle();
    expect(seen()).toEqual([-1, 'unstable']);
    await groups.log.release();
    expect(await commit).toBe(ErrorCode.NONE);
  });

  test('is nothing when it could not be written', async () => {
    groups.log.failure = ErrorCode.NOT_ENOUGH_REPLICAS;
    expect(await groups.commitInTransaction(ANNA)).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    groups.log.failure = ErrorCode.NONE;
    expect(seen()).toEqual([-1, 'stable']);
    await groups.endTransaction(ANNA, true);
    expect(seen()).toEqual([-1, 'stable']);
  });

  test('is nothing when its transaction has ended before it was replicated', async () => {
    groups.log.hold();
    const commit = groups.commitInTransaction(ANNA);
    groups.coordinator.completeTransaction(groups.coordinator.partitionOf('group'), ANNA, false);
    await groups.log.release();
    await commit;
    expect(seen()).toEqual([-1, 'stable']);
  });

  test('gives way to one that comes later in the log', async () => {
    await groups.commitInTransaction(ANNA, { offset: 1 });
    await groups.commit({}, { offset: 2 });
    await groups.endTransaction(ANNA, true);
    expect(seen()).toEqual([2, 'stable']);
    await groups.commitInTransaction(ANNA, { offset: 3 });
    await groups.commitInTransaction(BORIS, { offset: 4 });
    await groups.endTransaction(BORIS, true);
    expect(seen()).toEqual([4, 'unstable']);
    await groups.endTransaction(ANNA, true);
    expect(seen()).toEqual([4, 'stable']);
  });

  test('is the last one of its transaction', async () => {
    await groups.commitInTransaction(ANNA, { offset: 1 });
    await groups.commitInTransaction(ANNA, { offset: 2 });
    await groups.commitInTransaction(ANNA, { topic: 'bills', offset: 3 });
    await groups.endTransaction(ANNA, true);
    expect([groups.committed(), groups.committed('bills')]).toEqual([2, 3]);
  });

  test('does not expire, and keeps what it may replace', async () => {
    await groups.commit({}, { offset: 7 });
    await groups.commitInTransaction(ANNA);
    await groups.time.advance(30 * 86_400_000);
    expect(seen()).toEqual([7, 'unstable']);
    await groups.endTransaction(ANNA, false);
    await groups.time.advance(600_000);
    expect(seen()).toEqual([-1, 'stable']);
  });

  test('goes with its topic', async () => {
    await groups.commitInTransaction(ANNA);
    groups.coordinator.partitionsDeleted([{ topic: 'orders', partition: 0 }]);
    expect(seen()).toEqual([-1, 'stable']);
    await groups.endTransaction(ANNA, true);
    expect(seen()).toEqual([-1, 'stable']);
  });

  test('may have so much metadata', async () => {
    const code = await groups.commitInTransaction(ANNA, { metadata: 'x'.repeat(4097) });
    expect(code).toBe(ErrorCode.OFFSET_METADATA_TOO_LARGE);
    expect(seen()).toEqual([-1, 'stable']);
  });
});

describe('who commits in a transaction', () => {
  test('need not say for which member, which old producers do not', async () => {
    await groups.stable(1);
    expect(await groups.commitInTransaction(ANNA)).toBe(ErrorCode.NONE);
  });

  test('and says so, says it rightly', async () => {
    const [member] = await groups.stable(1);
    const { memberId, generationId } = member!;
    const commit = (by: object) => groups.commitInTransaction(ANNA, {}, { memberId, generationId, ...by });
    expect(await commit({})).toBe(ErrorCode.NONE);
    expect(await commit({ generationId: generationId + 1 })).toBe(ErrorCode.ILLEGAL_GENERATION);
    expect(await commit({ memberId: 'nobody' })).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
    expect(await commit({ groupInstanceId: 'nobody' })).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
  });

  test('of a static member is fenced with it', async () => {
    const [member] = await groups.stable(1, { groupInstanceId: 'static' });
    const { generationId } = member!;
    const by = { memberId: 'former', generationId, groupInstanceId: 'static' };
    expect(await groups.commitInTransaction(ANNA, {}, by)).toBe(ErrorCode.FENCED_INSTANCE_ID);
  });

  test('while the group rebalances, may', async () => {
    const [member] = await groups.stable(1);
    void groups.join();
    expect(await groups.commitInTransaction(ANNA, {}, member)).toBe(ErrorCode.NONE);
  });

  test('for a generation of a group that nobody knows is not its member', async () => {
    const by = { memberId: 'member', generationId: 3 };
    expect(await groups.commitInTransaction(ANNA, {}, by)).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
  });

  test('of a group without a name is refused', async () => {
    const request = { groupId: '', memberId: '', generationId: -1, groupInstanceId: null, offsets: [] };
    const offset = { topic: 't', partition: 0, offset: 1, leaderEpoch: -1, metadata: '', commitTimestamp: 0 };
    const offsets = [{ ...offset, expireTimestamp: null }];
    const producer = { id: 'tx', producerId: ANNA, producerEpoch: 0, knowsAbortable: true };
    expect(await groups.coordinator.commitInTransaction({ ...request, offsets }, producer)).toEqual([
      ErrorCode.INVALID_GROUP_ID,
    ]);
  });
});

describe('another coordinator', () => {
  test('knows what is undecided, and hears the decision', async () => {
    await groups.commit({}, { offset: 7 });
    await groups.commitInTransaction(ANNA);
    groups = await groups.failOver();
    expect(seen()).toEqual([7, 'unstable']);
    await groups.endTransaction(ANNA, true);
    expect(seen()).toEqual([42, 'stable']);
  });

  test.each([
    [true, 42],
    [false, 7],
  ])('reads the decision (commit: %s)', async (isCommit, offset) => {
    await groups.commit({}, { offset: 7 });
    await groups.commitInTransaction(ANNA);
    await groups.endTransaction(ANNA, isCommit);
    groups = await groups.failOver();
    expect(seen()).toEqual([offset, 'stable']);
  });

  test('tells the value that the decided transaction has committed', async () => {
    await groups.commitInTransaction(ANNA, { offset: 1 });
    await groups.commitInTransaction(BORIS, { offset: 2 });
    groups = await groups.failOver();
    await groups.endTransaction(ANNA, true);
    expect(seen()).toEqual([1, 'unstable']);
    await groups.endTransaction(BORIS, true);
    expect(seen()).toEqual([2, 'stable']);
  });

  test('knows what came later in the log', async () => {
    await groups.commitInTransaction(ANNA, { offset: 1 });
    await groups.commitInTransaction(BORIS, { offset: 2 });
    await groups.commit({}, { offset: 3 });
    await groups.endTransaction(BORIS, true);
    await groups.endTransaction(ANNA, true);
    groups = await groups.failOver();
    expect(seen()).toEqual([3, 'stable']);
  });

  test('hears a decision while it reads', async () => {
    await groups.commitInTransaction(ANNA);
    const partition = groups.coordinator.partitionOf('group');
    groups.coordinator.resign(partition);
    const loading = groups.coordinator.elect(partition);
    groups.coordinator.completeTransaction(partition, ANNA, true);
    await loading;
    expect(seen()).toEqual([42, 'stable']);
  });

  test('who has resigned hears nothing', async () => {
    await groups.commitInTransaction(ANNA);
    const partition = groups.coordinator.partitionOf('group');
    groups.coordinator.resign(partition);
    groups.coordinator.completeTransaction(partition, ANNA, true);
    expect(groups.coordinator.fetchOffsets('group').errorCode).toBe(ErrorCode.NOT_COORDINATOR);
  });
});
