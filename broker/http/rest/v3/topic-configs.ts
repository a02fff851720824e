import { randomUUID } from 'node:crypto';
import { KafkaError } from '../../../../client/index.ts';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import { topicNameProblem } from '../../../../shared/topics/names.ts';
import { shows } from './answers.ts';
import { collection, type V3Call, type V3Route } from './call.ts';
import { config, configRoutes, type ConfigOwner } from './configs.ts';

const tag = 'Configs (v3)';
const topics = '/v3/clusters/{cluster_id}/topics';

export const TOPIC_CONFIG_ROUTES: readonly V3Route[] = [
  {
    method: 'GET',
    path: `${topics}/-/configs`,
    id: 'listKafkaAllTopicConfigs',
    tag,
    summary: 'Lists the settings of all topics',
    answers: shows('TopicConfigDataList', 'The settings.'),
    handler: allConfigs,
  },
  ...configRoutes({
    path: `${topics}/{topic_name}/configs`,
    thing: 'KafkaTopicConfig',
    schema: 'TopicConfigData',
    whose: 'of a topic',
    listsAll: true,
    example: {
      data: [
        { name: 'cleanup.policy', operation: 'DELETE' },
        { name: 'compression.type', value: 'gzip' },
      ],
    },
    owner: call => ownerOf(call.text('topic_name')),
  }),
  {
    method: 'GET',
    path: `${topics}/{topic_name}/default-configs`,
    id: 'listKafkaDefaultTopicConfigs',
    tag,
    summary: 'Lists the settings that the topic would have if it were created anew without any',
    answers: shows('TopicConfigDataList', 'The settings.'),
    handler: defaultConfigs,
  },
];

function ownerOf(name: string, segment = 'configs'): ConfigOwner {
  return {
    resource: { type: 'topic', name },
    kind: 'KafkaTopicConfig',
    self: ['topics', name, segment],
    crn: [`topic=${name}`],
    crnKey: segment.slice(0, -1),
    place: { topic_name: name },
  };
}

async function allConfigs(call: V3Call) {
  const owners = (await call.admin.listTopics()).map(({ name }) => ownerOf(name));
  const configs = await call.admin.describeConfigs(owners.map(({ resource }) => resource));
  const shown = owners.flatMap((owner, index) => configs[index]!.map(entry => config(call, owner, entry)));
  return collection('KafkaTopicConfigList', call.url('topics', '-', 'configs'), shown);
}

/** A new topic, which is only checked, tells what it would be given. */
async function defaultConfigs(call: V3Call) {
  const name = call.text('topic_name');
  const problem = topicNameProblem(name);
  if (problem !== null) throw new KafkaError(ErrorCode.INVALID_TOPIC_EXCEPTION, problem);
  const [created] = await call.admin.createTopics([{ name: `new-${randomUUID()}` }], { validateOnly: true });
  const owner = ownerOf(name, 'default-configs');
  const shown = created!.configs.map(entry => config(call, owner, entry));
  return collection('KafkaTopicConfigList', call.url(...owner.self), shown);
}
