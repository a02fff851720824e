import { beforeEach, describe, expect, test } from 'vitest';
import { deleteGroupsHandler } from '../../../../broker/api/delete-groups.ts';
import { describeGroupsHandler } from '../../../../broker/api/describe-groups.ts';
import { findCoordinatorHandler } from '../../../../broker/api/find-coordinator.ts';
import { heartbeatHandler } from '../../../../broker/api/heartbeat.ts';
import { joinGroupHandler } from '../../../../broker/api/join-group.ts';
import { leaveGroupHandler } from '../../../../broker/api/leave-group.ts';
import { listGroupsHandler } from '../../../../broker/api/list-groups.ts';
import { offsetCommitHandler } from '../../../../broker/api/offset-commit.ts';
import { offsetDeleteHandler } from '../../../../broker/api/offset-delete.ts';
import { offsetFetchHandler } from '../../../../broker/api/offset-fetch.ts';
import { OldOffsets } from '../../../../broker/api/old-offsets.ts';
import { ApiRegistry } from '../../../../broker/api/registry.ts';
import { syncGroupHandler } from '../../../../broker/api/sync-group.ts';
import { txnOffsetCommitHandler } from '../../../../broker/api/txn-offset-commit.ts';
import type { AutoTopicCreation } from '../../../../broker/metadata/auto-topic-creation.ts';
import type { RequestContext } from '../../../../broker/request/context.ts';
import type { Api, RequestInput, ResponseOf } from '../../../../shared/protocol/api.ts';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import { DeleteGroups } from '../../../../shared/protocol/messages/delete-groups.ts';
import { DescribeGroups } from '../../../../shared/protocol/messages/describe-groups.ts';
import { FindCoordinator } from '../../../../shared/protocol/messages/find-coordinator.ts';
import { Heartbeat } from '../../../../shared/protocol/messages/heartbeat.ts';
import { JoinGroup } from '../../../../shared/protocol/messages/join-group.ts';
import { LeaveGroup } from '../../../../shared/protocol/messages/leave-group.ts';
import { ListGroups } from '../../../../shared/protocol/messages/list-groups.ts';
import { OffsetCommit } from '../../../../shared/protocol/messages/offset-commit.ts';
import { OffsetDelete } from '../../../../shared/protocol/messages/offset-delete.ts';
import { OffsetFetch } from '../../../../shared/protocol/messages/offset-fetch.ts';
import { SyncGroup } from '../../../../shared/protocol/messages/sync-group.ts';
import { TxnOffsetCommit } from '../../../../shared/protocol/messages/txn-offset-commit.ts';
import { silentLogger } from '../../../../shared/runtime/logger.ts';
import type { ZooKeeperStore } from '../../../../shared/zookeeper/store.ts';
import { GroupHarness, PARTITION_COUNT, subscription } from '../../../support/group-harness.ts';
import { knownCluster } from '../../../support/known-cluster.ts';

/** The group APIs as clients meet them: requests and responses encoded, in all their versions. */

let groups: GroupHarness;
let registry: ApiRegistry;
let zookeeper: Map<string, number>;
let topicsMade: number;

const BROKERS = [1, 2];
const ORDERS = { topic: 'orders', partition: 0, leader: 1, replicas: [1] };
const OFFSETS = Array.from({ length: PARTITION_COUNT }, (_, partition) => ({
  topic: '__consumer_offsets',
  partition,
  leader: partition % 2 === 0 ? 2 : -1,
  replicas: [2],
}));

beforeEach(async () => {
  groups = await GroupHarness.start();
  zookeeper = new Map();
  topicsMade = 0;
  registry = build([ORDERS, ...OFFSETS]);
});

function build(partitions: (typeof ORDERS)[]): ApiRegistry {
  const { coordinator, time } = groups;
  const metadata = knownCluster(BROKERS, partitions);
  const consumerOffsets = {
    get: (...path: unknown[]) => Promise.resolve(zookeeper.get(path.join('/')) ?? null),
    set: (group: string, topic: string, partition: number, offset: number) => {
      zookeeper.set([group, topic, partition].join('/'), offset);
      return Promise.resolve();
    },
  };
  const oldOffsets = new OldOffsets({ consumerOffsets } as unknown as ZooKeeperStore, () => 4096, silentLogger);
  const requestCoordinatorTopic = () => {
    topicsMade += 1;
    return Promise.resolve();
  };
  const autoCreation = { requestCoordinatorTopic };
  const made = new ApiRegistry(silentLogger);
  made.add(
    findCoordinatorHandler({
      groups: coordinator,
      transactions: { partitionOf: () => 0 },
      metadata,
      autoCreation: autoCreation as unknown as AutoTopicCreation,
    }),
  );
  made.add(joinGroupHandler(coordinator));
  made.add(syncGroupHandler(coordinator));
  made.add(heartbeatHandler(coordinator));
  made.add(leaveGroupHandler(coordinator));
  made.add(offsetCommitHandler({ groups: coordinator, metadata, oldOffsets, clock: time.clock }));
  made.add(txnOffsetCommitHandler({ groups: coordinator, metadata, clock: time.clock }));
  made.add(offsetFetchHandler({ groups: coordinator, metadata, oldOffsets }));
  made.add(offsetDeleteHandler(coordinator, metadata));
  made.add(describeGroupsHandler(coordinator));
  made.add(listGroupsHandler(coordinator));
  made.add(deleteGroupsHandler(coordinator));
  return made;
}

async function call<A extends Api>(api: A, version: number, request: RequestInput<A>): Promise<ResponseOf<A>> {
  const context = {
    apiKey: api.key,
    apiVersion: version,
    clientId: 'client',
    connection: { listenerName: 'PLAINTEXT', clientAddress: '10.0.0.7' },
    park: () => {},
  } as unknown as RequestContext;
  const body = Buffer.concat(api.request.encode(request, version));
  const answer = await registry.dispatch(body, context);
  // The request's memory is used for other requests then.
  body.fill(0xee);
  return api.response.decode(Buffer.concat(answer!), version) as ResponseOf<A>;
}

const versions = ({ versions: { min, max } }: Api) => Array.from({ length: max - min + 1 }, (_, i) => min + i);

const join = {
  groupId: 'group',
  sessionTimeoutMs: 10_000,
  memberId: '',
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: subscription('orders') }],
};

/** Joins as the version demands. */
async function joined(version: number): Promise<ResponseOf<typeof JoinGroup>> {
  const first = await call(JoinGroup, version, { ...join, ...(version > 0 ? { rebalanceTimeoutMs: 60_000 } : {}) });
  if (first.errorCode !== ErrorCode.MEMBER_ID_REQUIRED) return first;
  return call(JoinGroup, version, { ...join, rebalanceTimeoutMs: 60_000, memberId: first.memberId });
}

async function stable(): Promise<{ memberId: string; generationId: number }> {
  const { memberId, generationId } = await joined(5);
  const assignments = [{ memberId, assignment: Buffer.from('all') }];
  await call(SyncGroup, 3, { groupId: 'group', memberId, generationId, assignments });
  return { memberId, generationId };
}

test('what members say is kept without the memory that Node shares among small buffers', async () => {
  await stable();
  const [member] = groups.coordinator.describe('group').group!.members();
  for (const kept of [member!.protocols[0]!.metadata, member!.assignment])
    expect(kept.buffer.byteLength).toBe(kept.length);
});

describe('FindCoordinator', () => {
  test.each(versions(FindCoordinator))('v%i names the leader of the group’s partition', async version => {
    const led = ['a', 'b', 'c', 'd'].find(id => groups.coordinator.partitionOf(id) % 2 === 0)!;
    const orphan = ['a', 'b', 'c', 'd'].find(id => groups.coordinator.partitionOf(id) % 2 === 1)!;
    const find = async (key: string) => {
      if (version >= 4) return (await call(FindCoordinator, version, { coordinatorKeys: [key] })).coordinators[0];
      return call(FindCoordinator, version, { key });
    };
    const { host, port } = knownCluster(BROKERS, []).endpoint(2, 'PLAINTEXT')!;
    expect(await find(led)).toMatchObject({ errorCode: ErrorCode.NONE, nodeId: 2, host, port });
    const nobody = { errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, nodeId: -1, host: '', port: -1 };
    expect(await find(orphan)).toMatchObject(nobody);
  });

  test('has the topic made that is not there yet', async () => {
    registry = build([ORDERS]);
    const answer = await call(FindCoordinator, 4, { coordinatorKeys: ['group'] });
    expect(answer.coordinators).toMatchObject([{ key: 'group', errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE }]);
    expect(topicsMade).toBe(1);
  });

  test.each([
    [1, ErrorCode.COORDINATOR_NOT_AVAILABLE],
    [2, ErrorCode.INVALID_REQUEST],
  ])('of key type %i', async (keyType, errorCode) => {
    const answer = await call(FindCoordinator, 6, { keyType, coordinatorKeys: ['tx'] });
    expect(answer.coordinators).toMatchObject([{ key: 'tx', errorCode }]);
  });
});

describe('JoinGroup', () => {
  test.each(versions(JoinGroup))('v%i makes a member', async version => {
    const answer = await joined(version);
    const { memberId } = answer;
    expect(answer).toMatchObject({
      errorCode: ErrorCode.NONE,
      generationId: 1,
      protocolName: 'range',
      leader: memberId,
    });
    expect(answer.protocolType).toBe(version >= 7 ? 'consumer' : null);
    expect(answer.members).toMatchObject([{ memberId, metadata: subscription('orders') }]);
    expect(groups.coordinator.describe('group').group?.members()).toMatchObject([
      { clientId: 'client', clientHost: '/10.0.0.7', rebalanceTimeoutMs: version === 0 ? 10_000 : 60_000 },
    ]);
  });

  test.each(versions(JoinGroup))('v%i is refused', async version => {
    const answer = await call(JoinGroup, version, { ...join, sessionTimeoutMs: 1 });
    expect(answer).toMatchObject({ errorCode: ErrorCode.INVALID_SESSION_TIMEOUT, generationId: -1, members: [] });
    expect(answer.protocolName).toBe(version >= 7 ? null : '');
  });
});

describe('SyncGroup', () => {
  test.each(versions(SyncGroup))('v%i keeps the assignment, and gives it', async version => {
    const { memberId, generationId } = await joined(0);
    const protocol = version >= 5 ? { protocolType: 'consumer', protocolName: 'range' } : {};
    const request = { groupId: 'group', memberId, generationId, ...protocol };
    const assignments = [{ memberId, assignment: Buffer.from('all') }];
    await call(SyncGroup, version, { ...request, assignments });
    const { errorCode, assignment } = await call(SyncGroup, version, { ...request, assignments: [] });
    expect([errorCode, assignment.toString()]).toEqual([ErrorCode.NONE, 'all']);
  });

  test('v5 has to name the protocol', async () => {
    const { memberId, generationId } = await joined(0);
    const request = { groupId: 'group', memberId, generationId, protocolName: 'range', assignments: [] };
    expect((await call(SyncGroup, 5, request)).errorCode).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
  });
});

test.each(versions(Heartbeat))('Heartbeat v%i', async version => {
  const member = await stable();
  expect((await call(Heartbeat, version, { groupId: 'group', ...member })).errorCode).toBe(ErrorCode.NONE);
});

test.each(versions(LeaveGroup))('LeaveGroup v%i tells of the member in its place', async version => {
  const { memberId } = await stable();
  const leave = (id: string) =>
    call(LeaveGroup, version, {
      groupId: 'group',
      ...(version < 3 ? { memberId: id } : { members: [{ memberId: id }] }),
    });
  const code = (answer: ResponseOf<typeof LeaveGroup>) => (version < 3 ? answer : answer.members[0]!).errorCode;
  const unknown = await leave('nobody');
  expect(code(unknown)).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
  if (version >= 3) expect(unknown.errorCode).toBe(ErrorCode.NONE);
  expect(code(await leave(memberId))).toBe(ErrorCode.NONE);
  expect(groups.state).toBe('Empty');
});

const commit = (extra: object = {}) => ({
  groupId: 'group',
  ...extra,
  topics: [
    {
      name: 'orders',
      partitions: [
        { partitionIndex: 0, committedOffset: 42, committedMetadata: 'here' },
        { partitionIndex: 9, committedOffset: 42, committedMetadata: null },
      ],
    },
  ],
});

describe('offsets', () => {
  const outcomes = (answer: ResponseOf<typeof OffsetCommit>) =>
    answer.topics[0]!.partitions.map(({ errorCode }) => errorCode);

  test.each(versions(OffsetCommit).slice(1))('OffsetCommit v%i, for partitions that exist', async version => {
    const member = await stable();
    const answer = await call(
      OffsetCommit,
      version,
      commit({ generationIdOrMemberEpoch: member.generationId, memberId: member.memberId }),
    );
    expect(outcomes(answer)).toEqual([ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]);
    expect(groups.committed()).toBe(42);
  });

  test.each([2, 3, 4])('OffsetCommit v%i may say how long to keep them', async version => {
    await call(OffsetCommit, version, commit({ retentionTimeMs: 1000 }));
    const { time, coordinator } = groups;
    expect(coordinator.fetchOffsets('group').group?.get('orders', 0)?.expireTimestamp).toBe(time.clock.now() + 1000);
  });

  test('may be kept for longer than there are milliseconds', async () => {
    const answer = await call(OffsetCommit, 3, commit({ retentionTimeMs: Number.MAX_SAFE_INTEGER }));
    expect(outcomes(answer)[0]).toBe(ErrorCode.NONE);
    const kept = groups.coordinator.fetchOffsets('group').group?.get('orders', 0);
    expect(kept?.expireTimestamp).toBe(Number.MAX_SAFE_INTEGER);
  });

  test('v0 are in ZooKeeper, where there is no group', async () => {
    await stable();
    expect(outcomes(await call(OffsetCommit, 0, commit()))).toEqual([
      ErrorCode.NONE,
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    ]);
    expect([...zookeeper]).toEqual([['group/orders/0', 42]]);
    expect(groups.committed()).toBe(-1);
    const fetched = await call(OffsetFetch, 0, {
      groupId: 'group',
      topics: [{ name: 'orders', partitionIndexes: [0, 9] }],
    });
    expect(fetched.topics[0]!.partitions).toMatchObject([
      { committedOffset: 42, errorCode: ErrorCode.NONE },
      { committedOffset: -1, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION },
    ]);
  });

  test.each(['', '.', '..', '../brokers', 'a/b', 'nul\0'])(
    'v0 of a group that no node can be named after: %j',
    async id => {
      expect(outcomes(await call(OffsetCommit, 0, { ...commit(), groupId: id }))[0]).toBe(ErrorCode.INVALID_GROUP_ID);
      expect(zookeeper.size).toBe(0);
    },
  );

  const fetch = async (version: number, groupId: string, all = false) => {
    const topics = all ? null : [{ name: 'orders', partitionIndexes: [0, 1] }];
    const request = version >= 8 ? { groups: [{ groupId, topics }] } : { groupId, topics };
    const answer = await call(OffsetFetch, version, request);
    return version >= 8 ? answer.groups[0]! : answer;
  };

  test.each(versions(OffsetFetch).slice(1))('OffsetFetch v%i', async version => {
    const nothing = { committedOffset: -1, metadata: '', errorCode: ErrorCode.NONE };
    expect((await fetch(version, 'unknown')).topics[0]!.partitions).toMatchObject([nothing, nothing]);
    await call(OffsetCommit, 3, commit());
    const found = { committedOffset: 42, committedLeaderEpoch: -1, metadata: 'here', errorCode: ErrorCode.NONE };
    expect((await fetch(version, 'group')).topics[0]!.partitions).toMatchObject([found, nothing]);
    if (version >= 2) {
      expect((await fetch(version, 'group', true)).topics).toMatchObject([{ name: 'orders', partitions: [found] }]);
      expect((await fetch(version, 'unknown', true)).topics).toEqual([]);
    }
  });

  test.each(versions(OffsetFetch).slice(1))('OffsetFetch v%i where the group is not', async version => {
    for (let partition = 0; partition < PARTITION_COUNT; partition++) groups.coordinator.resign(partition);
    const answer = await fetch(version, 'group');
    if (version === 1) expect(answer.topics[0]!.partitions[0]!.errorCode).toBe(ErrorCode.NOT_COORDINATOR);
    else expect([answer.errorCode, answer.topics]).toEqual([ErrorCode.NOT_COORDINATOR, []]);
  });

  test('are deleted of partitions that exist', async () => {
    await call(OffsetCommit, 3, commit());
    const topics = [{ name: 'orders', partitions: [{ partitionIndex: 0 }, { partitionIndex: 9 }] }];
    const answer = await call(OffsetDelete, 0, { groupId: 'group', topics });
    expect(answer).toMatchObject({
      errorCode: ErrorCode.NONE,
      topics: [{ partitions: [{ errorCode: ErrorCode.NONE }, { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }] }],
    });
    expect(groups.committed()).toBe(-1);
  });
});

describe('administration', () => {
  test.each(versions(DescribeGroups))('DescribeGroups v%i', async version => {
    const { memberId } = await stable();
    const { groups: described } = await call(DescribeGroups, version, { groups: ['group', 'unknown'] });
    expect(described).toMatchObject([
      {
        errorCode: ErrorCode.NONE,
        groupState: 'Stable',
        protocolType: 'consumer',
        protocolData: 'range',
        members: [{ memberId, clientHost: '/10.0.0.7', memberAssignment: Buffer.from('all') }],
      },
      { errorCode: ErrorCode.NONE, groupState: 'Dead', members: [] },
    ]);
    void call(JoinGroup, 0, join);
    const { groups: preparing } = await call(DescribeGroups, version, { groups: ['group'] });
    expect(preparing[0]).toMatchObject({ groupState: 'PreparingRebalance', protocolData: '' });
    expect(preparing[0]!.members[0]!.memberAssignment).toHaveLength(0);
  });

  test.each(versions(ListGroups))('ListGroups v%i', async version => {
    await stable();
    const answer = await call(ListGroups, version, {});
    expect(answer.groups).toEqual([
      {
        groupId: 'group',
        protocolType: 'consumer',
        groupState: version >= 4 ? 'Stable' : '',
        groupType: version >= 5 ? 'classic' : '',
      },
    ]);
  });

  test.each([
    [{ statesFilter: ['stable', 'Empty'] }, 1],
    [{ statesFilter: ['Empty'] }, 0],
    [{ typesFilter: ['Classic'] }, 1],
    [{ typesFilter: ['consumer'] }, 0],
  ])('ListGroups with %o', async (filter, count) => {
    await stable();
    expect((await call(ListGroups, 5, filter)).groups).toHaveLength(count);
  });

  test.each(versions(DeleteGroups))('DeleteGroups v%i', async version => {
    await call(OffsetCommit, 3, commit());
    expect((await call(DeleteGroups, version, { groupsNames: ['group', 'unknown'] })).results).toEqual([
      { groupId: 'group', errorCode: ErrorCode.NONE },
      { groupId: 'unknown', errorCode: ErrorCode.GROUP_ID_NOT_FOUND },
    ]);
  });
});

describe('TxnOffsetCommit', () => {
  const request = (...partitions: number[]) => ({
    transactionalId: 'tx',
    groupId: 'group',
    producerId: 4000,
    producerEpoch: 0,
    topics: [
      {
        name: 'orders',
        partitions: partitions.map(partitionIndex => ({ partitionIndex, committedOffset: 5, committedMetadata: 'm' })),
      },
    ],
  });

  async function fetch(version: number, requireStable: boolean) {
    const topics = [{ name: 'orders', partitionIndexes: [0] }];
    const answer =
      version < 8
        ? await call(OffsetFetch, version, { groupId: 'group', topics, requireStable })
        : (await call(OffsetFetch, version, { groups: [{ groupId: 'group', topics }], requireStable })).groups[0]!;
    const { committedOffset, errorCode } = answer.topics[0]!.partitions[0]!;
    return [committedOffset, errorCode];
  }

  test.each(versions(TxnOffsetCommit))('v%i commits what the marker makes visible', async version => {
    const { topics } = await call(TxnOffsetCommit, version, request(0, 9));
    expect(topics).toEqual([
      {
        name: 'orders',
        partitions: [
          { partitionIndex: 0, errorCode: ErrorCode.NONE },
          { partitionIndex: 9, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION },
        ],
      },
    ]);
    const transaction = { id: 'tx', producerId: 4000, producerEpoch: 0, knowsAbortable: version >= 4 };
    expect(groups.log.transactions).toEqual([transaction]);
    expect(await fetch(5, false)).toEqual([-1, ErrorCode.NONE]);
    await groups.endTransaction(4000, true);
    expect(await fetch(5, false)).toEqual([5, ErrorCode.NONE]);
  });

  test.each([7, 8, 9])('OffsetFetch v%i tells who wants to know that an offset may change yet', async version => {
    await call(TxnOffsetCommit, 3, request(0));
    expect(await fetch(version, false)).toEqual([-1, ErrorCode.NONE]);
    expect(await fetch(version, true)).toEqual([-1, ErrorCode.UNSTABLE_OFFSET_COMMIT]);
    await groups.endTransaction(4000, true);
    expect(await fetch(version, true)).toEqual([5, ErrorCode.NONE]);
  });

  test.each(versions(TxnOffsetCommit))('v%i is told to come again while the group is loaded', async version => {
    const partition = groups.coordinator.partitionOf('group');
    groups.coordinator.resign(partition);
    const loading = groups.coordinator.elect(partition);
    const { topics } = await call(TxnOffsetCommit, version, request(0));
    const old = ErrorCode.COORDINATOR_NOT_AVAILABLE;
    expect(topics[0]!.partitions[0]!.errorCode).toBe(version < 2 ? old : ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
    await loading;
  });

  test.each([3, 4])('v%i says for which member it commits', async version => {
    const member = { ...(await stable()), groupInstanceId: null };
    const stale = { ...request(0), ...member, generationId: member.generationId - 1 };
    const { topics } = await call(TxnOffsetCommit, version, stale);
    expect(topics[0]!.partitions[0]!.errorCode).toBe(ErrorCode.ILLEGAL_GENERATION);
  });
});
