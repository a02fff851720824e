import { shows } from './answers.ts';
import { collection, resource, type V3Call, type V3Route } from './call.ts';

const tag = 'Cluster (v3)';

export const CLUSTER_ROUTES: readonly V3Route[] = [
  {
    method: 'GET',
    path: '/v3/clusters',
    id: 'listKafkaClusters',
    tag,
    summary: 'Lists the clusters that are known: this one',
    answers: shows('ClusterDataList', 'The list of one cluster.'),
    handler: async call => collection('KafkaClusterList', `${call.root}/clusters`, [await cluster(call)]),
  },
  {
    method: 'GET',
    path: '/v3/clusters/{cluster_id}',
    id: 'getKafkaCluster',
    tag,
    summary: 'Shows the cluster',
    answers: shows('ClusterData', 'The cluster.'),
    handler: cluster,
  },
];

async function cluster(call: V3Call) {
  const { controllerId } = await call.admin.describeCluster();
  return {
    ...resource(call, 'KafkaCluster', [], []),
    ...(controllerId < 0 ? {} : { controller: call.link('brokers', controllerId) }),
    acls: call.link('acls'),
    brokers: call.link('brokers'),
    broker_configs: call.link('broker-configs'),
    consumer_groups: call.link('consumer-groups'),
    topics: call.link('topics'),
    partition_reassignments: call.link('topics', '-', 'partitions', '-', 'reassignment'),
  };
}
