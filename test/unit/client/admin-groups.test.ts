/* oxlint-disable typescript/no-explicit-any -- scripted answers */
import { beforeEach, describe, expect, test } from 'vitest';
import { createAdmin, type Admin } from '../../../client/index.ts';
import { ErrorCode } from '../../../shared/protocol/errors.ts';
import { ConsumerAssignment } from '../../../shared/protocol/log-records/consumer-protocol.ts';
import { encodeVersioned } from '../../../shared/protocol/log-records/versioned.ts';
import { DeleteGroups } from '../../../shared/protocol/messages/delete-groups.ts';
import { DescribeGroups } from '../../../shared/protocol/messages/describe-groups.ts';
import { FindCoordinator } from '../../../shared/protocol/messages/find-coordinator.ts';
import { LeaveGroup } from '../../../shared/protocol/messages/leave-group.ts';
import { ListGroups } from '../../../shared/protocol/messages/list-groups.ts';
import { OffsetCommit } from '../../../shared/protocol/messages/offset-commit.ts';
import { OffsetDelete } from '../../../shared/protocol/messages/offset-delete.ts';
import { OffsetFetch } from '../../../shared/protocol/messages/offset-fetch.ts';
import { ScriptedCluster } from '../../support/scripted-cluster.ts';
import { VirtualTime } from '../../support/virtual-time.ts';

let time: VirtualTime;
let cluster: ScriptedCluster;
let admin: Admin;
/** Who coordinates which group, or what FindCoordinator says instead. */
let coordinators: Map<string, number>;
/** Error codes that a broker answers about a group next, one each time. */
let errors: { broker: number; group: string; code: ErrorCode }[];

const isError = (way: number) => way >= 14;

beforeEach(() => {
  time = new VirtualTime();
  cluster = new ScriptedCluster();
  admin = createAdmin(
    { 'bootstrap.servers': 'b:1', 'default.api.timeout.ms': 20_000 },
    { connector: cluster, runtime: { clock: time, timers: time } },
  );
  coordinators = new Map();
  errors = [];
  cluster.on(FindCoordinator, ({ coordinatorKeys, key }) => {
    const answer = (group: string) => {
      const way = coordinators.get(group) ?? 1;
      return isError(way)
        ? { key: group, nodeId: -1, errorCode: way, errorMessage: null }
        : { key: group, nodeId: way, errorCode: 0, errorMessage: null };
    };
    return coordinatorKeys === undefined ? answer(key) : { coordinators: coordinatorKeys.map(answer) };
  });
  cluster.on(DescribeGroups, ({ groups }, broker) => ({ groups: groups.map((id: string) => described(id, broker)) }));
  cluster.on(DeleteGroups, ({ groupsNames }, broker) => ({
    results: groupsNames.map((groupId: string) => ({ groupId, errorCode: codeOf(groupId, broker) })),
  }));
});

/** As a broker would: only the coordinator knows. */
function codeOf(group: string, broker: number): ErrorCode {
  const at = errors.findIndex(error => error.broker === broker && error.group === group);
  if (at >= 0) return errors.splice(at, 1)[0]!.code;
  return (coordinators.get(group) ?? 1) === broker ? ErrorCode.NONE : ErrorCode.NOT_COORDINATOR;
}

function described(groupId: string, broker: number) {
  const assignedPartitions = [{ topic: 't', partitions: [0, 2] }];
  const member = {
    memberId: 'c-1',
    groupInstanceId: null,
    clientId: 'c',
    clientHost: '/127.0.0.1',
    memberMetadata: Buffer.alloc(0),
    memberAssignment: encodeVersioned(ConsumerAssignment, { assignedPartitions, userData: null }, 0),
  };
  const errorCode = codeOf(groupId, broker);
  return {
    errorCode,
    groupId,
    groupState: 'Stable',
    protocolType: 'consumer',
    protocolData: 'range',
    members: [member],
  };
}

/** Lets the call run to its end in virtual time. */
async function settled<T>(call: Promise<T>): Promise<T> {
  let ended = false;
  call.then(
    () => (ended = true),
    () => (ended = true),
  );
  await time.until('the end of the call', () => ended);
  return call;
}

/** What was asked of whom, of one API. */
const asked = (api: { name: string }, what: (request: any) => unknown) =>
  cluster.calls.filter(call => call.api === api.name).map(({ broker, request }) => [broker, what(request)]);

/** An outcome as value or the name of its error. */
const told = (outcome: PromiseSettledResult<unknown>) =>
  outcome.status === 'fulfilled' ? (outcome.value ?? 'done') : outcome.reason.codeName;

describe('groups and their coordinators', () => {
  const outcomes = (groups: string[]) => settled(admin.deleteGroups(groups)).then(all => all.map(told));
  const deletions = () => asked(DeleteGroups, request => request.groupsNames.join());

  test('each coordinator is asked once, about all of its groups', async () => {
    coordinators = new Map([...'abcd'].map((group, index) => [group, 1 + (index % 2)]));
    expect(await outcomes(['a', 'b', 'c', 'd'])).toEqual(['done', 'done', 'done', 'done']);
    expect(deletions().sort()).toEqual([
      [1, 'a,c'],
      [2, 'b,d'],
    ]);
    expect(asked(FindCoordinator, request => request.coordinatorKeys.join())).toEqual([[expect.anything(), 'a,b,c,d']]);
  });

  test('a group that moves is followed, and its neighbours are not asked again', async () => {
    cluster.on(DeleteGroups, ({ groupsNames }, broker) => {
      coordinators.set('a', 2);
      return { results: groupsNames.map((groupId: string) => ({ groupId, errorCode: codeOf(groupId, broker) })) };
    });
    expect(await outcomes(['a', 'b'])).toEqual(['done', 'done']);
    expect(deletions()).toEqual([
      [1, 'a,b'],
      [2, 'a'],
    ]);
  });

  test('coordinators that load their groups, are being chosen, or are down are waited for', async () => {
    errors.push({ broker: 1, group: 'loading', code: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS });
    coordinators.set('unchosen', ErrorCode.COORDINATOR_NOT_AVAILABLE).set('down', 2);
    cluster.down.add(2);
    const all = admin.deleteGroups(['loading', 'unchosen', 'down']);
    await time.until('a second look', () => asked(FindCoordinator, request => request).length > 2);
    coordinators.set('unchosen', 1).set('down', 1);
    expect((await settled(all)).map(told)).toEqual(['done', 'done', 'done']);
  });

  test('an error that does not pass is of its group only', async () => {
    errors.push({ broker: 1, group: 'busy', code: ErrorCode.NON_EMPTY_GROUP });
    errors.push({ broker: 1, group: 'gone', code: ErrorCode.GROUP_ID_NOT_FOUND });
    coordinators.set('secret', ErrorCode.GROUP_AUTHORIZATION_FAILED);
    const groups = ['secret', 'busy', 'idle', 'gone', 'idle'];
    expect(await outcomes(groups)).toEqual([
      'GROUP_AUTHORIZATION_FAILED',
      'NON_EMPTY_GROUP',
      'done',
      'GROUP_ID_NOT_FOUND',
      'done',
    ]);
    expect(deletions()).toEqual([[1, 'busy,idle,gone']]);
  });

  test('at the end of default.api.timeout.ms each group gets its own last error', async () => {
    coordinators.set('unchosen', ErrorCode.COORDINATOR_NOT_AVAILABLE);
    for (let tries = 0; tries < 1000; tries++) {
      errors.push({ broker: 1, group: 'loading', code: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS });
    }
    const begun = time.now();
    expect(await outcomes(['loading', 'idle', 'unchosen'])).toEqual([
      'COORDINATOR_LOAD_IN_PROGRESS',
      'done',
      'COORDINATOR_NOT_AVAILABLE',
    ]);
    expect(time.now() - begun).toBeGreaterThan(15_000);
    expect(time.now() - begun).toBeLessThanOrEqual(20_000);
  });

  test('brokers that know no batches are asked for one coordinator, and for offsets of one group, at a time', async () => {
    const older = new Map([
      [FindCoordinator.name, 3],
      [OffsetFetch.name, 7],
    ]);
    cluster.versions = api => ({ min: 0, max: older.get(api.name) ?? api.versions.max });
    coordinators.set('b', 2);
    cluster.on(OffsetFetch, ({ groupId }) => ({
      errorCode: 0,
      topics: fetched({ t: { 0: groupId === 'a' ? 5 : 6 } }),
    }));
    const questions = ['a', 'b'].map(groupId => ({ groupId, partitions: null }));
    const offsets = await settled(admin.listGroupOffsets(questions));
    expect(offsets.map(told)).toEqual(
      [5, 6].map(offset => [{ topic: 't', partition: 0, offset, metadata: '', leaderEpoch: 3 }]),
    );
    expect(asked(FindCoordinator, request => request.key).map(([, key]) => key)).toEqual(['a', 'b']);
  });

  test('a client that is closed does not go on asking', async () => {
    coordinators.set('a', ErrorCode.COORDINATOR_NOT_AVAILABLE);
    const all = admin.deleteGroups(['a']);
    await time.until('a question', () => asked(FindCoordinator, request => request).length > 0);
    admin.close();
    expect((await settled(all))[0]).toMatchObject({ status: 'rejected', reason: { code: 'CLOSED' } });
  });
});

/** The topics of an OffsetFetch answer: offsets by topic and partition. */
function fetched(offsets: Record<string, Record<number, number>>, errorCode: ErrorCode = ErrorCode.NONE) {
  return Object.entries(offsets).map(([name, partitions]) => ({
    name,
    partitions: Object.entries(partitions).map(([partition, committedOffset]) => ({
      partitionIndex: Number(partition),
      committedOffset,
      committedLeaderEpoch: 3,
      metadata: committedOffset === 40 ? null : '',
      errorCode,
    })),
  }));
}

describe('listing groups', () => {
  const listings = (names: string[], errorCode = 0) => ({
    errorCode,
    groups: names.map(groupId => ({ groupId, protocolType: 'consumer', groupState: 'Empty', groupType: 'classic' })),
  });

  test('gathers those of all brokers, by id, each once', async () => {
    cluster.on(ListGroups, (_, broker) => listings(broker === 1 ? ['z', 'moving'] : ['moving', 'b']));
    const groups = await settled(admin.listGroups({ states: ['Empty'], types: ['classic'] }));
    expect(groups.map(({ groupId }) => groupId)).toEqual(['b', 'moving', 'z']);
    expect(groups[0]).toEqual({ groupId: 'b', protocolType: 'consumer', state: 'Empty', type: 'classic' });
    expect(asked(ListGroups, request => request)).toContainEqual([
      2,
      { statesFilter: ['Empty'], typesFilter: ['classic'] },
    ]);
  });

  test('waits for a broker that loads its groups, and goes on without one that has left the cluster', async () => {
    let loading = 3;
    cluster.on(ListGroups, (_, broker) =>
      broker === 1 && loading-- > 0 ? listings([], ErrorCode.COORDINATOR_LOAD_IN_PROGRESS) : listings([`at-${broker}`]),
    );
    cluster.down.add(2);
    const groups = admin.listGroups();
    await time.until('a try', () => loading < 2);
    cluster.brokers.splice(1);
    expect((await settled(groups)).map(({ groupId }) => groupId)).toEqual(['at-1']);
  });

  test('fails when a broker refuses', async () => {
    cluster.on(ListGroups, (_, broker) => listings([], broker === 2 ? ErrorCode.CLUSTER_AUTHORIZATION_FAILED : 0));
    await expect(settled(admin.listGroups())).rejects.toMatchObject({ codeName: 'CLUSTER_AUTHORIZATION_FAILED' });
  });
});

describe('describing groups', () => {
  test('tells states, members, and what they were assigned', async () => {
    coordinators.set('g', 2);
    const [group] = await settled(admin.describeGroups(['g']));
    expect(told(group!)).toEqual({
      groupId: 'g',
      state: 'Stable',
      protocolType: 'consumer',
      protocol: 'range',
      coordinator: { id: 2, host: 'b2', port: 2, rack: null },
      members: [
        {
          memberId: 'c-1',
          instanceId: null,
          clientId: 'c',
          host: '/127.0.0.1',
          assignment: [
            { topic: 't', partition: 0 },
            { topic: 't', partition: 2 },
          ],
        },
      ],
    });
  });

  test('an assignment that cannot be read fails its group only; of members that are no consumers none is read', async () => {
    cluster.on(DescribeGroups, ({ groups }, broker) => ({
      groups: groups.map((groupId: string) => {
        const group = described(groupId, broker);
        if (groupId !== 'good') group.members[0]!.memberAssignment = Buffer.from([0, 1, 0]);
        return { ...group, protocolType: groupId === 'workers' ? 'connect' : 'consumer' };
      }),
    }));
    const [good, bad, workers] = await settled(admin.describeGroups(['good', 'bad', 'workers']));
    expect(told(good!)).toMatchObject({ groupId: 'good' });
    expect(bad).toMatchObject({
      status: 'rejected',
      reason: { message: /the assignment of a member of group bad cannot/ },
    });
    expect(told(workers!)).toMatchObject({ protocolType: 'connect', members: [{ assignment: [] }] });
  });
});

describe('offsets of groups', () => {
  test('of several groups come in one answer; where nothing is committed there is none', async () => {
    cluster.on(OffsetFetch, ({ groups }) => ({
      groups: groups.map(({ groupId, topics }: any) => ({
        groupId,
        errorCode: 0,
        topics: topics === null ? fetched({ t: { 0: 40 }, u: { 1: 7 } }) : fetched({ t: { 0: -1, 1: 8 } }),
      })),
    }));
    const partitions = [0, 1].map(partition => ({ topic: 't', partition }));
    const questions = [
      { groupId: 'all', partitions: null },
      { groupId: 'some', partitions },
    ];
    const [all, some] = await settled(admin.listGroupOffsets(questions, { requireStable: true }));
    expect(told(all!)).toEqual([
      { topic: 't', partition: 0, offset: 40, metadata: '', leaderEpoch: 3 },
      { topic: 'u', partition: 1, offset: 7, metadata: '', leaderEpoch: 3 },
    ]);
    expect(told(some!)).toEqual([{ topic: 't', partition: 1, offset: 8, metadata: '', leaderEpoch: 3 }]);
    const topics = [{ name: 't', partitionIndexes: [0, 1] }];
    const groups = [
      { groupId: 'all', topics: null },
      { groupId: 'some', topics },
    ];
    expect(asked(OffsetFetch, request => request)).toEqual([[1, { groups, requireStable: true }]]);
  });

  test('that a transaction has pending are waited for; another error of a partition is named', async () => {
    let pending = 2;
    cluster.on(OffsetFetch, ({ groups }) => ({
      groups: groups.map(({ groupId }: any) => {
        const code = groupId === 'secret' ? ErrorCode.TOPIC_AUTHORIZATION_FAILED : ErrorCode.UNSTABLE_OFFSET_COMMIT;
        const isFailing = groupId === 'secret' || pending-- > 0;
        return { groupId, errorCode: 0, topics: fetched({ t: { 3: isFailing ? -1 : 9 } }, isFailing ? code : 0) };
      }),
    }));
    const questions = ['pending', 'secret'].map(groupId => ({ groupId, partitions: null }));
    const [stable, secret] = await settled(admin.listGroupOffsets(questions, { requireStable: true }));
    expect(told(stable!)).toMatchObject([{ offset: 9 }]);
    expect(secret).toMatchObject({ reason: { code: ErrorCode.TOPIC_AUTHORIZATION_FAILED, message: /^t-3: / } });
  });

  const wanted = [
    { topic: 't', partition: 1, offset: 5 },
    { topic: 'u', partition: 0, offset: 6, metadata: 'why', leaderEpoch: 2 },
    { topic: 't', partition: 0, offset: 7 },
  ];

  test('are committed by nobody in no generation; each has its own outcome', async () => {
    errors.push({ broker: 1, group: 'g', code: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS });
    cluster.on(OffsetCommit, ({ topics }, broker) => {
      const code = codeOf('g', broker);
      return {
        topics: topics.map(({ name, partitions }: any) => ({
          name,
          partitions: partitions.map(({ partitionIndex }: any) => ({
            partitionIndex,
            errorCode: name === 'u' && code === 0 ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : code,
          })),
        })),
      };
    });
    const outcomes = await settled(admin.alterGroupOffsets('g', wanted));
    expect(outcomes.map(error => error?.codeName ?? null)).toEqual([null, 'UNKNOWN_TOPIC_OR_PARTITION', null]);
    const commits = asked(OffsetCommit, request => request) as [number, any][];
    expect(commits).toHaveLength(2);
    expect(commits[1]![1]).toMatchObject({ groupId: 'g', generationIdOrMemberEpoch: -1, memberId: '' });
    expect(commits[1]![1].topics[1].partitions).toEqual([
      { partitionIndex: 0, committedOffset: 6, committedLeaderEpoch: 2, committedMetadata: 'why' },
    ]);
  });

  test('are deleted one by one, unless the group as a whole is refused', async () => {
    let refusal: ErrorCode = ErrorCode.NONE;
    cluster.on(OffsetDelete, ({ topics }) => ({
      errorCode: refusal,
      topics: topics.map(({ name, partitions }: any) => ({
        name,
        partitions: partitions.map(({ partitionIndex }: any) => ({
          partitionIndex,
          errorCode: name === 't' ? ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC : 0,
        })),
      })),
    }));
    const outcomes = await settled(admin.deleteGroupOffsets('g', wanted));
    const subscribed = 'GROUP_SUBSCRIBED_TO_TOPIC';
    expect(outcomes.map(error => error?.codeName ?? null)).toEqual([subscribed, null, subscribed]);
    refusal = ErrorCode.GROUP_ID_NOT_FOUND;
    await expect(settled(admin.deleteGroupOffsets('g', wanted))).rejects.toMatchObject({
      codeName: 'GROUP_ID_NOT_FOUND',
    });
  });
});

describe('removing members', () => {
  beforeEach(() => {
    cluster.on(LeaveGroup, ({ members }, broker) => ({
      errorCode: codeOf('g', broker),
      members: members.map(({ memberId, groupInstanceId }: any) => ({
        memberId,
        groupInstanceId,
        errorCode: groupInstanceId === 'i2' ? ErrorCode.UNKNOWN_MEMBER_ID : 0,
      })),
    }));
  });

  test('by instance or id; each has its own outcome', async () => {
    errors.push({ broker: 1, group: 'g', code: ErrorCode.NOT_COORDINATOR });
    const members = [{ instanceId: 'i1' }, { instanceId: 'i2' }, { memberId: 'm' }];
    const removed = await settled(admin.removeMembers('g', members, 'too slow'));
    expect(removed.map(({ error }) => error?.codeName ?? null)).toEqual([null, 'UNKNOWN_MEMBER_ID', null]);
    expect(asked(LeaveGroup, request => request.members[2])).toContainEqual([
      1,
      { memberId: 'm', groupInstanceId: null, reason: 'too slow' },
    ]);
  });

  test('all of them, as the coordinator describes them', async () => {
    expect(await settled(admin.removeMembers('g'))).toEqual([{ memberId: 'c-1', instanceId: null, error: null }]);
  });

  test('of a group without any asks nothing', async () => {
    cluster.on(DescribeGroups, ({ groups }, broker) => ({
      groups: [{ ...described(groups[0], broker), members: [] }],
    }));
    expect(await settled(admin.removeMembers('g'))).toEqual([]);
    expect(asked(LeaveGroup, request => request)).toEqual([]);
  });
});
