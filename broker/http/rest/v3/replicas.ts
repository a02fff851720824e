import type { PartitionInfo } from '../../../../client/index.ts';
import { shows } from './answers.ts';
import { collection, resource, type V3Call, type V3Route } from './call.ts';
import { notFound } from './errors.ts';
import { partitionOf } from './partitions.ts';

const tag = 'Replica (v3)';
const path = '/v3/clusters/{cluster_id}/topics/{topic_name}/partitions/{partition_id}/replicas';

export const REPLICA_ROUTES: readonly V3Route[] = [
  {
    method: 'GET',
    path,
    id: 'listKafkaReplicas',
    tag,
    summary: 'Lists the replicas of a partition, the preferred leader first',
    answers: shows('ReplicaDataList', 'The replicas.'),
    handler: async call => {
      const partition = await partitionOf(call);
      return collection(
        'KafkaReplicaList',
        call.url('topics', partition.topic, 'partitions', partition.partition, 'replicas'),
        partition.replicas.map(id => replica(call, partition, id)),
      );
    },
  },
  {
    method: 'GET',
    path: `${path}/{broker_id}`,
    id: 'getKafkaReplica',
    tag,
    summary: 'Shows the replica that a broker has of a partition',
    answers: shows('ReplicaData', 'The replica.'),
    handler: async call => {
      const partition = await partitionOf(call);
      const id = call.integer('broker_id');
      if (partition.replicas.includes(id)) return replica(call, partition, id);
      throw notFound(`Broker ${id} has no replica of ${partition.topic}-${partition.partition}.`);
    },
  },
];

export function replica(call: V3Call, { topic, partition, leader, isr }: PartitionInfo, brokerId: number) {
  return {
    ...resource(
      call,
      'KafkaReplica',
      ['topics', topic, 'partitions', partition, 'replicas', brokerId],
      [`topic=${topic}`, `partition=${partition}`, `replica=${brokerId}`],
    ),
    topic_name: topic,
    partition_id: partition,
    broker_id: brokerId,
    is_leader: leader === brokerId,
    is_in_sync: isr.includes(brokerId),
    broker: call.link('brokers', brokerId),
  };
}
