import type { GroupDescription, GroupMember } from '../../../../client/index.ts';
import { shows } from './answers.ts';
import { collection, resource, type V3Call, type V3Route } from './call.ts';
import { notFound } from './errors.ts';

const tag = 'Consumer Group (v3)';
const path = '/v3/clusters/{cluster_id}/consumer-groups';
const group = `${path}/{consumer_group_id}`;

/** Groups of consumers, their members, and what those have been assigned. */
export const CONSUMER_GROUP_ROUTES: readonly V3Route[] = [
  {
    method: 'GET',
    path,
    id: 'listKafkaConsumerGroups',
    tag,
    summary: 'Lists the consumer groups',
    answers: shows('ConsumerGroupDataList', 'The groups.'),
    handler: async call => {
      const shown = (await consumerGroups(call)).map(found => shownGroup(call, found));
      return collection('KafkaConsumerGroupList', call.url('consumer-groups'), shown);
    },
  },
  {
    method: 'GET',
    path: group,
    id: 'getKafkaConsumerGroup',
    tag,
    summary: 'Shows a consumer group',
    answers: shows('ConsumerGroupData', 'The group.'),
    handler: async call => shownGroup(call, await groupOf(call)),
  },
  {
    method: 'GET',
    path: `${group}/consumers`,
    id: 'listKafkaConsumers',
    tag,
    summary: 'Lists the members of a consumer group',
    answers: shows('ConsumerDataList', 'The members.'),
    handler: async call => {
      const { groupId, members } = await groupOf(call);
      const shown = sorted(members, ({ memberId }) => memberId).map(member => shownMember(call, groupId, member));
      return collection('KafkaConsumerList', call.url('consumer-groups', groupId, 'consumers'), shown);
    },
  },
  {
    method: 'GET',
    path: `${group}/consumers/{consumer_id}`,
    id: 'getKafkaConsumer',
    tag,
    summary: 'Shows a member of a consumer group',
    answers: shows('ConsumerData', 'The member.'),
    handler: async call => shownMember(call, call.text('consumer_group_id'), await memberOf(call)),
  },
  {
    method: 'GET',
    path: `${group}/consumers/{consumer_id}/assignments`,
    id: 'listKafkaConsumerAssignments',
    tag,
    summary: 'Lists the partitions that a member has been assigned',
    answers: shows('ConsumerAssignmentDataList', 'The partitions.'),
    handler: assignments,
  },
  {
    method: 'GET',
    path: `${group}/consumers/{consumer_id}/assignments/{topic_name}/partitions/{partition_id}`,
    id: 'getKafkaConsumerAssignment',
    tag,
    summary: 'Shows a partition that a member has been assigned',
    answers: shows('ConsumerAssignmentData', 'The partition.'),
    handler: assignment,
  },
];

/** Those of consumers, and those that have offsets and have never had members; Connect's and others' are left out, as in Kafka. */
async function consumerGroups(call: V3Call): Promise<GroupDescription[]> {
  const listed = (await call.admin.listGroups()).filter(({ protocolType }) => isOfConsumers(protocolType));
  const described = await call.admin.describeGroups(listed.map(({ groupId }) => groupId));
  return described.map(valueOf).filter(({ state }) => state !== DEAD);
}

const DEAD = 'Dead';

function isOfConsumers(protocolType: string): boolean {
  return protocolType === 'consumer' || protocolType === '';
}

/** The group that the path names. @throws HttpError 404: Kafka calls a group dead that has never been */
export async function groupOf(call: V3Call): Promise<GroupDescription> {
  const groupId = call.text('consumer_group_id');
  const found = valueOf((await call.admin.describeGroups([groupId]))[0]!);
  if (found.state !== DEAD && isOfConsumers(found.protocolType)) return found;
  throw notFound(`Consumer Group ${groupId} could not be found.`);
}

/** @throws whatever it failed with */
export function valueOf<T>(outcome: PromiseSettledResult<T>): T {
  if (outcome.status === 'rejected') throw outcome.reason;
  return outcome.value;
}

async function memberOf(call: V3Call): Promise<GroupMember> {
  const { groupId, members } = await groupOf(call);
  const consumerId = call.text('consumer_id');
  const found = members.find(({ memberId }) => memberId === consumerId);
  if (found !== undefined) return found;
  throw notFound(`Consumer ${consumerId} could not be found in Consumer Group ${groupId}.`);
}

function shownGroup(call: V3Call, { groupId, state, protocolType, protocol, coordinator }: GroupDescription) {
  const self = ['consumer-groups', groupId];
  return {
    ...resource(call, 'KafkaConsumerGroup', self, [`consumer-group=${groupId}`]),
    consumer_group_id: groupId,
    is_simple: protocolType === '',
    partition_assignor: protocol,
    state: STATES[state] ?? 'UNKNOWN',
    coordinator: call.link('brokers', coordinator.id),
    consumers: call.link(...self, 'consumers'),
    lag_summary: call.link(...self, 'lag-summary'),
  };
}

const STATES: Readonly<Record<string, string>> = {
  PreparingRebalance: 'PREPARING_REBALANCE',
  CompletingRebalance: 'COMPLETING_REBALANCE',
  Stable: 'STABLE',
  Empty: 'EMPTY',
};

function shownMember(call: V3Call, groupId: string, { memberId, instanceId, clientId }: GroupMember) {
  const self = ['consumer-groups', groupId, 'consumers', memberId];
  return {
    ...resource(call, 'KafkaConsumer', self, [`consumer-group=${groupId}`, `consumer=${memberId}`]),
    consumer_group_id: groupId,
    consumer_id: memberId,
    instance_id: instanceId,
    client_id: clientId,
    assignments: call.link(...self, 'assignments'),
  };
}

async function assignments(call: V3Call) {
  const { memberId, assignment: assigned } = await memberOf(call);
  const inOrder = [...assigned].sort((a, b) => compare(a.topic, b.topic) || a.partition - b.partition);
  const shown = inOrder.map(({ topic, partition }) => shownAssignment(call, memberId, topic, partition));
  const self = call.url('consumer-groups', call.text('consumer_group_id'), 'consumers', memberId, 'assignments');
  return collection('KafkaConsumerAssignmentList', self, shown);
}

async function assignment(call: V3Call) {
  const { memberId, assignment: assigned } = await memberOf(call);
  const [name, number] = [call.text('topic_name'), call.integer('partition_id')];
  if (assigned.some(({ topic, partition }) => topic === name && partition === number))
    return shownAssignment(call, memberId, name, number);
  throw notFound(`Consumer ${memberId} has not been assigned ${name}-${number}.`);
}

function shownAssignment(call: V3Call, memberId: string, topic: string, partition: number) {
  const groupId = call.text('consumer_group_id');
  const place = ['partitions', partition];
  return {
    ...resource(
      call,
      'KafkaConsumerAssignment',
      ['consumer-groups', groupId, 'consumers', memberId, 'assignments', topic, ...place],
      [`consumer-group=${groupId}`, `consumer=${memberId}`, `assignment=${topic}`, `partition=${partition}`],
    ),
    consumer_group_id: groupId,
    consumer_id: memberId,
    topic_name: topic,
    partition_id: partition,
    partition: call.link('topics', topic, ...place),
    lag: call.link('consumer-groups', groupId, 'lags', topic, ...place),
  };
}

function sorted<T>(items: readonly T[], by: (item: T) => string): T[] {
  return [...items].sort((a, b) => compare(by(a), by(b)));
}

export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
