import { partitionKey } from '../../../../shared/topics/topic-partition.ts';
import { shows } from './answers.ts';
import { collection, resource, type V3Call, type V3Route } from './call.ts';
import { notFound } from './errors.ts';
import { partitionOf } from './partitions.ts';

const tag = 'Reassignment (v3)';
const topics = '/v3/clusters/{cluster_id}/topics';

export const REASSIGNMENT_ROUTES: readonly V3Route[] = [
  {
    method: 'GET',
    path: `${topics}/-/partitions/-/reassignment`,
    id: 'listKafkaReassignments',
    tag,
    summary: 'Lists the partitions that are being moved',
    answers: shows('ReassignmentDataList', 'Reassignments under way.'),
    handler: async call => list(call, '-', await call.admin.listPartitionReassignments()),
  },
  {
    method: 'GET',
    path: `${topics}/{topic_name}/partitions/-/reassignment`,
    id: 'listKafkaTopicReassignments',
    tag,
    summary: 'Lists the partitions of a topic that are being moved',
    answers: shows('ReassignmentDataList', 'Reassignments under way.'),
    handler: async call => {
      const { name, partitions } = await call.admin.describeTopic(call.text('topic_name'));
      return list(call, name, await call.admin.listPartitionReassignments(partitions));
    },
  },
  {
    method: 'GET',
    path: `${topics}/{topic_name}/partitions/{partition_id}/reassignment`,
    id: 'getKafkaReassignment',
    tag,
    summary: 'Shows where a partition is being moved',
    answers: shows('ReassignmentData', 'The reassignment under way.'),
    handler: async call => {
      const { topic, partition } = await partitionOf(call);
      const [found] = await call.admin.listPartitionReassignments([{ topic, partition }]);
      if (found === undefined) throw notFound(`${partitionKey(topic, partition)} is not being reassigned.`);
      return reassignment(call, found);
    },
  },
];

type Reassignment = Awaited<ReturnType<V3Call['admin']['listPartitionReassignments']>>[number];

function list(call: V3Call, topic: string, found: readonly Reassignment[]) {
  const self = call.url('topics', topic, 'partitions', '-', 'reassignment');
  return collection(
    'KafkaReassignmentList',
    self,
    found.map(each => reassignment(call, each)),
  );
}

function reassignment(call: V3Call, { topic, partition, addingReplicas, removingReplicas }: Reassignment) {
  const place = ['topics', topic, 'partitions', partition];
  return {
    ...resource(
      call,
      'KafkaReassignment',
      [...place, 'reassignment'],
      [`topic=${topic}`, `partition=${partition}`, 'reassignment'],
    ),
    topic_name: topic,
    partition_id: partition,
    adding_replicas: addingReplicas,
    removing_replicas: removingReplicas,
    replicas: call.link(...place, 'replicas'),
  };
}
