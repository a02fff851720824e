import type { NewTopic, TopicInfo } from '../../../../client/index.ts';
import { topicNameProblem } from '../../../../shared/topics/names.ts';
import { OPERATIONS, type Operation } from '../../../request/authorized-operations.ts';
import { HttpError } from '../../http-error.ts';
import { ref } from '../../openapi/schema.ts';
import { json, NO_CONTENT, shows } from './answers.ts';
import { collection, noContent, resource, type V3Call, type V3Route } from './call.ts';
import { payloadError } from './errors.ts';
import { CREATE_TOPIC, PARTITIONS_COUNT } from './schemas.ts';

const tag = 'Topic (v3)';
const all = '/v3/clusters/{cluster_id}/topics';
const one = `${all}/{topic_name}`;

const withOperations = {
  include_authorized_operations: {
    in: 'query',
    schema: { type: 'boolean', default: false },
    description: 'Whether what the caller may do with a topic is shown.',
  },
} as const;

/** A body as `CREATE_TOPIC` describes it. */
interface CreateTopic {
  readonly topic_name: string;
  readonly partitions_count?: number | null;
  readonly replication_factor?: number | null;
  readonly replicas_assignments?: Readonly<Record<string, readonly number[]>> | null;
  readonly configs?: readonly { readonly name: string; readonly value?: string | null }[] | null;
  readonly validate_only?: boolean | null;
}

/** What is shown of a topic. */
interface ShownTopic {
  readonly name: string;
  readonly isInternal: boolean;
  readonly replicationFactor: number;
  readonly partitionsCount: number;
}

export const TOPIC_ROUTES: readonly V3Route[] = [
  {
    method: 'GET',
    path: all,
    id: 'listKafkaTopics',
    tag,
    summary: 'Lists the topics',
    parameters: withOperations,
    answers: shows('TopicDataList', 'The topics.'),
    handler: async call => {
      const topics = await call.admin.listTopics();
      const shown = topics.map(info => ({ ...topic(call, asShown(info)), ...operations(call) }));
      return collection('KafkaTopicList', call.url('topics'), shown);
    },
  },
  {
    method: 'POST',
    path: all,
    id: 'createKafkaTopic',
    tag,
    summary: 'Creates a topic, or with `validate_only` checks whether it could be',
    body: json(CREATE_TOPIC, { topic_name: 'orders', partitions_count: 3, replication_factor: 1 }),
    answers: {
      200: { description: 'The topic as it would be.', content: json(ref('TopicData')) },
      201: { description: 'The topic.', content: json(ref('TopicData')) },
    },
    handler: createTopic,
  },
  {
    method: 'GET',
    path: one,
    id: 'getKafkaTopic',
    tag,
    summary: 'Shows a topic',
    parameters: withOperations,
    answers: shows('TopicData', 'The topic.'),
    handler: async call => {
      const asked = operations(call);
      return { ...topic(call, asShown(await call.admin.describeTopic(call.text('topic_name')))), ...asked };
    },
  },
  {
    method: 'PATCH',
    path: one,
    id: 'updatePartitionCountKafkaTopic',
    tag,
    summary: 'Raises the number of partitions',
    body: json(PARTITIONS_COUNT, { partitions_count: 10 }),
    answers: shows('TopicData', 'The topic.'),
    handler: async call => {
      const name = call.text('topic_name');
      const { partitions_count } = await call.body<{ partitions_count: number }>(PARTITIONS_COUNT);
      await call.admin.createPartitions(name, partitions_count);
      return topic(call, asShown(await call.admin.describeTopic(name)));
    },
  },
  {
    method: 'DELETE',
    path: one,
    id: 'deleteKafkaTopic',
    tag,
    summary: 'Deletes a topic with its records',
    answers: NO_CONTENT,
    handler: async call => {
      await call.admin.deleteTopics([call.text('topic_name')]);
      return noContent(call);
    },
  },
];

async function createTopic(call: V3Call) {
  const wanted = await call.body<CreateTopic>(CREATE_TOPIC);
  const problem = topicNameProblem(wanted.topic_name);
  if (problem !== null) throw payloadError(`Invalid topic name. ${problem}`);
  const validateOnly = wanted.validate_only ?? false;
  const [created] = await call.admin.createTopics([newTopic(wanted)], { validateOnly });
  const { name, partitions, replicationFactor } = created!;
  call.reply.code(validateOnly ? 200 : 201).header('location', call.url('topics', name));
  return topic(call, { name, isInternal: false, replicationFactor, partitionsCount: partitions });
}

function newTopic(wanted: CreateTopic): NewTopic {
  const [partitions, replicationFactor] = [wanted.partitions_count ?? null, wanted.replication_factor ?? null];
  return {
    name: wanted.topic_name,
    ...(partitions === null ? {} : { partitions }),
    ...(replicationFactor === null ? {} : { replicationFactor }),
    ...assignment(wanted.replicas_assignments ?? {}),
    configs: Object.fromEntries((wanted.configs ?? []).map(config => [config.name, settingOf(config)])),
  };
}

/** Brokers by partition, which are to be numbered from 0 on without a gap. */
function assignment(byPartition: Readonly<Record<string, readonly number[]>>): Pick<NewTopic, 'assignment'> {
  const count = Object.keys(byPartition).length;
  if (count === 0) return {};
  return {
    assignment: Array.from({ length: count }, (_, partition) => {
      const brokers = byPartition[partition];
      if (brokers !== undefined) return brokers;
      throw new HttpError(
        400,
        `replicas_assignments has ${count} entries, so it must have partitions 0 to ${count - 1}.`,
      );
    }),
  };
}

function settingOf({ name, value }: { readonly name: string; readonly value?: string | null }): string {
  if (typeof value === 'string') return value;
  throw new HttpError(400, `The value of the config ${name} must be a string.`);
}

function asShown({ name, isInternal, partitions }: TopicInfo): ShownTopic {
  return {
    name,
    isInternal,
    replicationFactor: partitions[0]?.replicas.length ?? 0,
    partitionsCount: partitions.length,
  };
}

/** What the caller may do with any topic, if that is asked for. @throws HttpError 400 */
function operations({ query }: V3Call): { readonly authorized_operations?: readonly Operation[] } {
  const { include_authorized_operations: asked = 'false' } = query;
  if (asked === 'true') return { authorized_operations: OPERATIONS.topic };
  if (asked === 'false') return {};
  throw new HttpError(400, 'include_authorized_operations must be true or false.');
}

function topic(call: V3Call, { name, isInternal, replicationFactor, partitionsCount }: ShownTopic) {
  return {
    ...resource(call, 'KafkaTopic', ['topics', name], [`topic=${name}`]),
    topic_name: name,
    is_internal: isInternal,
    replication_factor: replicationFactor,
    partitions_count: partitionsCount,
    partitions: call.link('topics', name, 'partitions'),
    configs: call.link('topics', name, 'configs'),
    partition_reassignments: call.link('topics', name, 'partitions', '-', 'reassignment'),
  };
}
