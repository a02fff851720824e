import type { BrokerInfo } from '../../../../client/index.ts';
import { shows } from './answers.ts';
import { collection, resource, type V3Call, type V3Route } from './call.ts';
import { notFound } from './errors.ts';
import { replica } from './replicas.ts';

const tag = 'Broker (v3)';

export const BROKER_ROUTES: readonly V3Route[] = [
  {
    method: 'GET',
    path: '/v3/clusters/{cluster_id}/brokers',
    id: 'listKafkaBrokers',
    tag,
    summary: 'Lists the brokers that are alive, with their addresses for other brokers',
    answers: shows('BrokerDataList', 'The brokers.'),
    handler: async call => {
      const { brokers } = await call.admin.describeCluster();
      const shown = brokers.toSorted((a, b) => a.id - b.id).map(info => broker(call, info));
      return collection('KafkaBrokerList', call.url('brokers'), shown);
    },
  },
  {
    method: 'GET',
    path: '/v3/clusters/{cluster_id}/brokers/{broker_id}',
    id: 'getKafkaBroker',
    tag,
    summary: 'Shows a broker',
    answers: shows('BrokerData', 'The broker.'),
    handler: async call => broker(call, await liveBroker(call)),
  },
  {
    method: 'GET',
    path: '/v3/clusters/{cluster_id}/brokers/{broker_id}/partition-replicas',
    id: 'listKafkaBrokerReplicas',
    tag: 'Replica (v3)',
    summary: 'Lists the replicas that a broker has',
    answers: shows('ReplicaDataList', 'The replicas.'),
    handler: partitionReplicas,
  },
];

/** The broker that the path names. @throws HttpError 404 when it is not alive */
export async function liveBroker(call: V3Call): Promise<BrokerInfo> {
  const id = call.integer('broker_id');
  const { brokers } = await call.admin.describeCluster();
  const found = brokers.find(info => info.id === id);
  if (found === undefined) throw notFound(`Broker ${id} cannot be found.`);
  return found;
}

function broker(call: V3Call, { id, host, port, rack }: BrokerInfo) {
  return {
    ...resource(call, 'KafkaBroker', ['brokers', id], [`broker=${id}`]),
    broker_id: id,
    host,
    port,
    rack,
    configs: call.link('brokers', id, 'configs'),
    partition_replicas: call.link('brokers', id, 'partition-replicas'),
  };
}

async function partitionReplicas(call: V3Call) {
  const { id } = await liveBroker(call);
  const topics = await call.admin.listTopics();
  const own = topics.flatMap(({ partitions }) => partitions).filter(({ replicas }) => replicas.includes(id));
  return collection(
    'KafkaReplicaList',
    call.url('brokers', id, 'partition-replicas'),
    own.map(partition => replica(call, partition, id)),
  );
}
