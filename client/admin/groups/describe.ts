import type { Connection } from '../../../shared/connection/connection.ts';
import type { ResponseOf } from '../../../shared/protocol/api.ts';
import { ErrorCode } from '../../../shared/protocol/errors.ts';
import { ConsumerAssignment } from '../../../shared/protocol/log-records/consumer-protocol.ts';
import { decodeVersioned } from '../../../shared/protocol/log-records/versioned.ts';
import { DescribeGroups } from '../../../shared/protocol/messages/describe-groups.ts';
import { ListGroups } from '../../../shared/protocol/messages/list-groups.ts';
import type { TopicPartition } from '../../../shared/topics/topic-partition.ts';
import type { BrokerInfo } from '../../cluster/cluster-view.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { KafkaError, throwIfError } from '../../errors.ts';
import { askCoordinators } from '../../groups/ask-coordinators.ts';
import type { GroupDescription, GroupListing, GroupMember } from './types.ts';

/** Which groups to list: in these states and of these types, in any case; none named stands for all. */
export interface GroupFilter {
  readonly states?: readonly string[];
  readonly types?: readonly string[];
}

/** The groups of all brokers, by id. @throws KafkaError, ConnectionError when one of the brokers does not answer */
export async function listGroups(cluster: Cluster, { states = [], types = [] }: GroupFilter): Promise<GroupListing[]> {
  await cluster.refresh();
  const request = { statesFilter: [...states], typesFilter: [...types] };
  const lists = await Promise.all(
    cluster.brokers().map(async ({ id }) => listed((await (await cluster.broker(id)).call(ListGroups, request))!)),
  );
  // While a group moves, two brokers may have it.
  const groups = new Map(lists.flat().map(group => [group.groupId, group]));
  return [...groups.values()].sort((a, b) => (a.groupId < b.groupId ? -1 : 1));
}

function listed({ errorCode, groups }: ResponseOf<typeof ListGroups>): GroupListing[] {
  throwIfError(errorCode);
  return groups.map(({ groupId, protocolType, groupState, groupType }) => ({
    groupId,
    protocolType,
    state: groupState,
    type: groupType,
  }));
}

export function describeGroups(
  cluster: Cluster,
  groupIds: readonly string[],
  deadline: number,
): Promise<PromiseSettledResult<GroupDescription>[]> {
  return askCoordinators(cluster, groupIds, deadline, 'groups could not be described', (coordinator, ids, brokerId) =>
    describeAt(
      coordinator,
      ids,
      cluster.brokers().find(({ id }) => id === brokerId)!,
    ),
  );
}

async function describeAt(
  connection: Connection,
  groupIds: readonly string[],
  coordinator: BrokerInfo,
): Promise<Map<string, GroupDescription | KafkaError>> {
  const request = { groups: [...groupIds], includeAuthorizedOperations: false };
  const { groups } = (await connection.call(DescribeGroups, request))!;
  return new Map(groups.map(group => [group.groupId, described(group, coordinator)]));
}

type DescribedGroup = ResponseOf<typeof DescribeGroups>['groups'][number];

function described(group: DescribedGroup, coordinator: BrokerInfo): GroupDescription | KafkaError {
  const { errorCode, groupId, groupState, protocolType, protocolData } = group;
  if (errorCode !== ErrorCode.NONE) return new KafkaError(errorCode);
  try {
    const members = group.members.map(member => memberOf(member, protocolType));
    return { groupId, state: groupState, protocolType, protocol: protocolData, coordinator, members };
  } catch (error) {
    const reason = `the assignment of a member of group ${groupId} cannot be read: ${(error as Error).message}`;
    return new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR, reason);
  }
}

/** @throws ProtocolError for an assignment that is none: members write it for each other, and no broker looks at it */
function memberOf(member: DescribedGroup['members'][number], protocolType: string): GroupMember {
  const { memberId, groupInstanceId, clientId, clientHost, memberAssignment } = member;
  const assignment = protocolType === 'consumer' ? assigned(memberAssignment) : [];
  return { memberId, instanceId: groupInstanceId, clientId, host: clientHost, assignment };
}

function assigned(bytes: Buffer): TopicPartition[] {
  if (bytes.length === 0) return [];
  return decodeVersioned(ConsumerAssignment, bytes).assignedPartitions.flatMap(({ topic, partitions }) =>
    partitions.map(partition => ({ topic, partition })),
  );
}
