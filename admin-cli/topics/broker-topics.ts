import { createAdmin } from '../../client/create/admin.ts';
import { KafkaError } from '../../client/errors.ts';
import type {
  Admin,
  ClientSettings,
  ConfigEntry,
  PartitionInfo,
  PartitionReassignment,
  TopicInfo,
} from '../../client/index.ts';
import { ConnectionError } from '../../shared/connection/connection.ts';
import { partitionKey } from '../../shared/topics/topic-partition.ts';
import { toolLogger } from '../support/logger.ts';
import { collisionWarning, print } from './messages.ts';
import type { TopicsOptions } from './options.ts';
import { partitionLine, replicationFactor, topicLine, type DescribedPartition } from '../format/topic-description.ts';
import { topicPattern } from '../support/topic-pattern.ts';
import type { TopicsArguments, TopicsTarget } from './target.ts';

/** kafka-topics through the brokers. */
export class BrokerTopics implements TopicsTarget {
  readonly #admin: Admin;

  constructor(settings: ClientSettings) {
    this.#admin = createAdmin(settings, { runtime: { logger: toolLogger() } });
  }

  async run(action: keyof typeof ACTIONS, options: TopicsOptions, given: TopicsArguments): Promise<void> {
    await ACTIONS[action](this.#admin, options, given);
  }

  close(): Promise<void> {
    this.#admin.close();
    return Promise.resolve();
  }
}

const ACTIONS = { list, create, describe, alter, delete: remove } as const;

/** Topics that the options select. @throws when a --topic is named, none matches, and --if-exists is not given */
async function selected(admin: Admin, options: TopicsOptions): Promise<TopicInfo[]> {
  const matches = options.topic === undefined ? () => true : topicPattern(options.topic);
  const all = await admin.listTopics();
  const found = all.filter(
    topic =>
      (options.topicId === undefined ? matches(topic.name) : topic.topicId === options.topicId) &&
      !(options.excludeInternal && topic.isInternal),
  );
  if (found.length === 0 && options.topicId !== undefined)
    throw new Error(`TopicId '${options.topicId}' does not exist as expected`);
  return found;
}

async function selectedOrMissing(admin: Admin, options: TopicsOptions): Promise<TopicInfo[]> {
  const found = await selected(admin, options);
  if (found.length === 0 && options.topic !== undefined && !options.ifExists) {
    throw new Error(`Topic '${options.topic}' does not exist as expected`);
  }
  return found;
}

async function list(admin: Admin, options: TopicsOptions): Promise<void> {
  print((await selected(admin, options)).map(topic => topic.name).join('\n'));
}

async function create(admin: Admin, options: TopicsOptions, { configs, assignment }: TopicsArguments): Promise<void> {
  const name = options.topic!;
  const warning = collisionWarning(name);
  if (warning !== null) print(warning);
  try {
    await admin.createTopics([
      {
        name,
        configs,
        ...(options.partitions === undefined ? {} : { partitions: options.partitions }),
        ...(options.replicationFactor === undefined ? {} : { replicationFactor: options.replicationFactor }),
        ...(assignment === null ? {} : { assignment }),
      },
    ]);
  } catch (error) {
    if (options.ifNotExists && error instanceof KafkaError && error.codeName === 'TOPIC_ALREADY_EXISTS') return;
    throw error;
  }
  print(`Created topic ${name}.`);
}

async function alter(admin: Admin, options: TopicsOptions, { assignment }: TopicsArguments): Promise<void> {
  for (const topic of await selectedOrMissing(admin, options)) {
    const total = options.partitions ?? assignment!.length;
    await admin.createPartitions(topic.name, total, assignment?.slice(topic.partitions.length) ?? null);
  }
}

async function remove(admin: Admin, options: TopicsOptions): Promise<void> {
  const topics = await selectedOrMissing(admin, options);
  if (topics.length > 0) await admin.deleteTopics(topics.map(topic => topic.name));
}

async function describe(admin: Admin, options: TopicsOptions): Promise<void> {
  const topics = await selectedOrMissing(admin, options);
  const [configs, { brokers }, moves] = await Promise.all([
    admin.describeConfigs(topics.map(({ name }) => ({ type: 'topic', name }))),
    admin.describeCluster(),
    reassignments(admin),
  ]);
  const alive = new Set(brokers.map(broker => broker.id));
  topics.forEach((topic, index) => {
    const partitions = topic.partitions.map(partition => described(partition, moves));
    for (const line of describedLines(topic, partitions, configs[index]!, alive, options)) print(line);
  });
}

type Reassignments = ReadonlyMap<string, PartitionReassignment>;

/** By partition. Brokers from before KIP-455 know of none. */
async function reassignments(admin: Admin): Promise<Reassignments> {
  try {
    const ongoing = await admin.listPartitionReassignments();
    return new Map(ongoing.map(each => [partitionKey(each.topic, each.partition), each]));
  } catch (error) {
    if (error instanceof ConnectionError && error.code === 'UNSUPPORTED_VERSION') return new Map();
    throw error;
  }
}

function describedLines(
  topic: TopicInfo,
  partitions: readonly DescribedPartition[],
  entries: readonly ConfigEntry[],
  alive: ReadonlySet<number>,
  options: TopicsOptions,
): string[] {
  // Settings from server.properties are shown too: all that is not built in.
  const own = entries.filter(entry => entry.source !== 'DEFAULT_CONFIG' && entry.source !== 'UNKNOWN');
  const minIsr = Number(entries.find(entry => entry.name === 'min.insync.replicas')?.value ?? 1);
  const header = topicLine({
    name: topic.name,
    topicId: topic.topicId,
    partitions,
    configs: own.map(({ name, value }) => `${name}=${value ?? ''}`),
  });
  if (options.topicsWithOverrides)
    return entries.some(entry => entry.source === 'DYNAMIC_TOPIC_CONFIG') ? [header] : [];
  const report = reportFilter(options, alive, minIsr);
  const shown = partitions.filter(report ?? (() => true)).map(partition => partitionLine(partition, true));
  return report === null ? [header, ...shown] : shown;
}

function described(partition: PartitionInfo, moves: Reassignments): DescribedPartition {
  const move = moves.get(partitionKey(partition.topic, partition.partition));
  return {
    ...partition,
    leader: partition.leader < 0 ? null : partition.leader,
    ...(move === undefined ? {} : { adding: move.addingReplicas, removing: move.removingReplicas }),
  };
}

function reportFilter(
  options: TopicsOptions,
  alive: ReadonlySet<number>,
  minIsr: number,
): ((p: DescribedPartition) => boolean) | null {
  if (options.underReplicatedPartitions) return p => p.isr.length < replicationFactor(p);
  if (options.unavailablePartitions) return p => p.leader === null || !alive.has(p.leader);
  if (options.underMinIsrPartitions) return p => p.isr.length < minIsr;
  if (options.atMinIsrPartitions) return p => p.isr.length === minIsr;
  return null;
}
