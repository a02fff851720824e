import { KafkaError, type PartitionInfo } from '../../../../client/index.ts';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import { shows } from './answers.ts';
import { collection, resource, type V3Call, type V3Route } from './call.ts';

const tag = 'Partition (v3)';
const path = '/v3/clusters/{cluster_id}/topics/{topic_name}/partitions';

export const PARTITION_ROUTES: readonly V3Route[] = [
  {
    method: 'GET',
    path,
    id: 'listKafkaPartitions',
    tag,
    summary: 'Lists the partitions of a topic',
    answers: shows('PartitionDataList', 'The partitions.'),
    handler: async call => {
      const { name, partitions } = await call.admin.describeTopic(call.text('topic_name'));
      const shown = partitions.map(info => partition(call, info));
      return collection('KafkaPartitionList', call.url('topics', name, 'partitions'), shown);
    },
  },
  {
    method: 'GET',
    path: `${path}/{partition_id}`,
    id: 'getKafkaPartition',
    tag,
    summary: 'Shows a partition',
    answers: shows('PartitionData', 'The partition.'),
    handler: async call => partition(call, await partitionOf(call)),
  },
  {
    method: 'GET',
    path: `${path}/{partition_id}/offset`,
    id: 'listKafkaPartitionOffsets',
    tag,
    summary: 'Tells where the log of a partition begins and where it ends',
    answers: shows('PartitionWithOffsetsData', 'The offsets of the first record and behind the last one.'),
    handler: offsets,
  },
];

/** The partition that the path names. @throws KafkaError UNKNOWN_TOPIC_OR_PARTITION */
export async function partitionOf(call: V3Call): Promise<PartitionInfo> {
  const number = call.integer('partition_id');
  const { name, partitions } = await call.admin.describeTopic(call.text('topic_name'));
  const found = partitions.find(info => info.partition === number);
  if (found !== undefined) return found;
  const message = `Topic ${name} has partitions 0 to ${partitions.length - 1}, not ${number}.`;
  throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, message);
}

function partition(call: V3Call, { topic, partition: number, leader }: PartitionInfo) {
  const self = ['topics', topic, 'partitions', number];
  return {
    ...resource(call, 'KafkaPartition', self, [`topic=${topic}`, `partition=${number}`]),
    topic_name: topic,
    partition_id: number,
    ...(leader < 0 ? {} : { leader: call.link(...self, 'replicas', leader) }),
    replicas: call.link(...self, 'replicas'),
    reassignment: call.link(...self, 'reassignment'),
  };
}

async function offsets(call: V3Call) {
  const { topic, partition: number } = await partitionOf(call);
  const tp = { topic, partition: number };
  const found = await call.admin.listOffsets([
    [tp, 'earliest'],
    [tp, 'latest'],
  ]);
  const [earliest, latest] = found.map(outcome => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value.offset;
  });
  return {
    ...resource(
      call,
      'KafkaPartitionWithOffsets',
      ['topics', topic, 'partitions', number, 'offset'],
      [`topic=${topic}`, `partition=${number}`, 'offset'],
    ),
    topic_name: topic,
    partition_id: number,
    earliest_offset: earliest,
    latest_offset: latest,
  };
}
