import type { GroupDescription, GroupMember } from '../../../../client/index.ts';
import { partitionKey } from '../../../../shared/topics/topic-partition.ts';
import { shows } from './answers.ts';
import { collection, resource, type V3Call, type V3Route } from './call.ts';
import { compare, groupOf, valueOf } from './consumer-groups.ts';
import { notFound } from './errors.ts';

const tag = 'Consumer Group (v3)';
const group = '/v3/clusters/{cluster_id}/consumer-groups/{consumer_group_id}';

/** How far consumer groups are behind the ends of the logs. */
export const CONSUMER_LAG_ROUTES: readonly V3Route[] = [
  {
    method: 'GET',
    path: `${group}/lags`,
    id: 'listKafkaConsumerLags',
    tag,
    summary: 'Lists how far a consumer group is behind in each partition, the farthest first',
    answers: shows('ConsumerLagDataList', 'The lags.'),
    handler: async call => {
      const shown = (await lagsOf(call)).map(lag => shownLag(call, lag));
      return collection(
        'KafkaConsumerLagList',
        call.url('consumer-groups', call.text('consumer_group_id'), 'lags'),
        shown,
      );
    },
  },
  {
    method: 'GET',
    path: `${group}/lags/{topic_name}/partitions/{partition_id}`,
    id: 'getKafkaConsumerLag',
    tag,
    summary: 'Shows how far a consumer group is behind in a partition',
    answers: shows('ConsumerLagData', 'The lag.'),
    handler: lagOfPartition,
  },
  {
    method: 'GET',
    path: `${group}/lag-summary`,
    id: 'getKafkaConsumerGroupLagSummary',
    tag,
    summary: 'Shows how far a consumer group is behind altogether, and where the most',
    answers: shows('ConsumerGroupLagSummaryData', 'The sum, and the largest lag.'),
    handler: summary,
  },
];

interface Lag {
  readonly topic: string;
  readonly partition: number;
  readonly currentOffset: number;
  readonly logEndOffset: number;
  /** Whose partition it is; null: nobody's. */
  readonly member: GroupMember | null;
}

const lagOf = ({ currentOffset, logEndOffset }: Lag): number => logEndOffset - currentOffset;

/** Of the partitions where the group has committed, the largest first. @throws HttpError 404 when there is none */
async function lagsOf(call: V3Call): Promise<Lag[]> {
  const description = await groupOf(call);
  const { groupId } = description;
  const offsets = valueOf((await call.admin.listGroupOffsets([{ groupId, partitions: null }]))[0]!);
  // Offsets may outlive their topics for a while, and nobody leads those.
  const topics = new Set((await call.admin.listTopics()).map(({ name }) => name));
  const there = offsets.filter(({ topic }) => topics.has(topic));
  if (there.length === 0) throw notFound(`Consumer group offsets of ${groupId} could not be found.`);
  const wanted = there.map(({ topic, partition }) => [{ topic, partition }, 'latest'] as const);
  // What members that read committed records can reach, as Confluent counts.
  const ends = await call.admin.listOffsets(wanted, 'read_committed');
  const owners = ownersOf(description);
  return there
    .map(({ topic, partition, offset }, index) => ({
      topic,
      partition,
      currentOffset: offset,
      logEndOffset: valueOf(ends[index]!).offset,
      member: owners.get(partitionKey(topic, partition)) ?? null,
    }))
    .sort((a, b) => lagOf(b) - lagOf(a) || compare(a.topic, b.topic) || a.partition - b.partition);
}

function ownersOf({ members }: GroupDescription): Map<string, GroupMember> {
  return new Map(
    members.flatMap(member =>
      member.assignment.map(({ topic, partition }) => [partitionKey(topic, partition), member] as const),
    ),
  );
}

async function lagOfPartition(call: V3Call) {
  const [name, number] = [call.text('topic_name'), call.integer('partition_id')];
  const found = (await lagsOf(call)).find(({ topic, partition }) => topic === name && partition === number);
  if (found !== undefined) return shownLag(call, found);
  throw notFound(`Consumer Group ${call.text('consumer_group_id')} has committed nothing of ${name}-${number}.`);
}

function shownLag(call: V3Call, lag: Lag) {
  const { topic, partition, currentOffset, logEndOffset, member } = lag;
  const groupId = call.text('consumer_group_id');
  return {
    ...resource(
      call,
      'KafkaConsumerLag',
      ['consumer-groups', groupId, 'lags', topic, 'partitions', partition],
      [`consumer-group=${groupId}`, `lag=${topic}`, `partition=${partition}`],
    ),
    consumer_group_id: groupId,
    topic_name: topic,
    partition_id: partition,
    current_offset: currentOffset,
    log_end_offset: logEndOffset,
    lag: lagOf(lag),
    consumer_id: member?.memberId ?? '',
    instance_id: member?.instanceId ?? null,
    client_id: member?.clientId ?? '',
  };
}

async function summary(call: V3Call) {
  const lags = await lagsOf(call);
  const [largest] = lags as [Lag];
  const groupId = call.text('consumer_group_id');
  const consumerId = largest.member?.memberId ?? '';
  return {
    ...resource(
      call,
      'KafkaConsumerGroupLagSummary',
      ['consumer-groups', groupId, 'lag-summary'],
      [`consumer-group=${groupId}`, 'lag-summary'],
    ),
    consumer_group_id: groupId,
    max_lag_consumer_id: consumerId,
    max_lag_instance_id: largest.member?.instanceId ?? null,
    max_lag_client_id: largest.member?.clientId ?? '',
    max_lag_topic_name: largest.topic,
    max_lag_partition_id: largest.partition,
    max_lag: lagOf(largest),
    total_lag: lags.reduce((sum, lag) => sum + lagOf(lag), 0),
    max_lag_consumer: call.link('consumer-groups', groupId, 'consumers', consumerId),
    max_lag_partition: call.link('topics', largest.topic, 'partitions', largest.partition),
  };
}
