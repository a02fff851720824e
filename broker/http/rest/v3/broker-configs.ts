import { shows } from './answers.ts';
import { collection, type V3Call, type V3Route } from './call.ts';
import { config, configRoutes, type ConfigOwner } from './configs.ts';
import { liveBroker } from './brokers.ts';

const brokers = '/v3/clusters/{cluster_id}/brokers';
const example = {
  data: [
    { name: 'max.connections', operation: 'DELETE' },
    { name: 'compression.type', value: 'gzip' },
  ],
};

/** Settings of single brokers, and those that all brokers have together. */
export const BROKER_CONFIG_ROUTES: readonly V3Route[] = [
  {
    method: 'GET',
    path: `${brokers}/-/configs`,
    id: 'listKafkaAllBrokerConfigs',
    tag: 'Configs (v3)',
    summary: 'Lists the settings of each of the brokers',
    answers: shows('BrokerConfigDataList', 'The settings.'),
    handler: allConfigs,
  },
  ...configRoutes({
    path: `${brokers}/{broker_id}/configs`,
    thing: 'KafkaBrokerConfig',
    schema: 'BrokerConfigData',
    whose: 'of a broker',
    listsAll: true,
    example,
    owner: async call => ownerOf((await liveBroker(call)).id),
  }),
  ...configRoutes({
    path: '/v3/clusters/{cluster_id}/broker-configs',
    thing: 'KafkaClusterConfig',
    schema: 'ClusterConfigData',
    whose: 'for all brokers together',
    listsAll: false,
    example,
    owner: () => ALL_BROKERS,
  }),
];

const ALL_BROKERS: ConfigOwner = {
  resource: { type: 'broker', name: '' },
  kind: 'KafkaClusterConfig',
  self: ['broker-configs'],
  crn: [],
  crnKey: 'broker-config',
  place: { config_type: 'BROKER' },
};

function ownerOf(id: number): ConfigOwner {
  return {
    resource: { type: 'broker', name: String(id) },
    kind: 'KafkaBrokerConfig',
    self: ['brokers', id, 'configs'],
    crn: [`broker=${id}`],
    crnKey: 'config',
    place: { broker_id: id },
  };
}

async function allConfigs(call: V3Call) {
  const { brokers: alive } = await call.admin.describeCluster();
  const owners = alive.map(({ id }) => ownerOf(id));
  const configs = await call.admin.describeConfigs(owners.map(({ resource }) => resource));
  const shown = owners.flatMap((owner, index) => configs[index]!.map(entry => config(call, owner, entry)));
  return collection('KafkaBrokerConfigList', call.url('brokers', '-', 'configs'), shown);
}
