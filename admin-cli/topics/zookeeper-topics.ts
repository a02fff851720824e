import { systemRandom } from '../../shared/runtime/random.ts';
import { assignAddedReplicas, assignReplicas, type Assignment } from '../../shared/topics/assignment.ts';
import { collidingTopic, isInternalTopic, topicNameProblem } from '../../shared/topics/names.ts';
import { topicConfigProblem } from '../../shared/topics/topic-config.ts';
import type { ReplicaAssignment, TopicAssignment, ZooKeeperStore } from '../../shared/zookeeper/store.ts';
import { isZooKeeperError } from '../../shared/zookeeper/zookeeper.ts';
import { required } from '../support/tool.ts';
import { connect, storeOf } from '../zookeeper/connect.ts';
import { collisionWarning, print } from './messages.ts';
import type { TopicsAction, TopicsOptions } from './options.ts';
import type { TopicsArguments, TopicsTarget } from './target.ts';
import { describe } from './zookeeper-describe.ts';
import { selected, selectedOrMissing } from './zookeeper-selection.ts';

/**
 * kafka-topics at ZooKeeper directly, as the tool of Kafka 2.8 did it (`TopicCommand.ZookeeperTopicService` and
 * `AdminZkClient`): it writes the znodes, the controller sees them and does the rest.
 */
export class ZooKeeperTopics implements TopicsTarget {
  readonly #store: ZooKeeperStore;
  readonly #close: () => Promise<void>;

  private constructor(store: ZooKeeperStore, close: () => Promise<void>) {
    this.#store = store;
    this.#close = close;
  }

  /** @throws ToolFailure when no server answers */
  static async connect(connectString: string): Promise<ZooKeeperTopics> {
    const zk = await connect(connectString);
    return new ZooKeeperTopics(storeOf(zk), () => zk.close());
  }

  async run(action: TopicsAction, options: TopicsOptions, given: TopicsArguments): Promise<void> {
    await ACTIONS[action](this.#store, options, given);
  }

  close(): Promise<void> {
    return this.#close();
  }
}

const ACTIONS = { list, create, describe, alter, delete: remove } as const;

async function list(store: ZooKeeperStore, options: TopicsOptions): Promise<void> {
  const marked = new Set(await store.deletions.list());
  for (const name of await selected(store, options)) print(marked.has(name) ? `${name} - marked for deletion` : name);
}

async function create(store: ZooKeeperStore, options: TopicsOptions, given: TopicsArguments): Promise<void> {
  const name = options.topic!;
  const warning = collisionWarning(name);
  if (warning !== null) print(warning);
  const names = await store.topics.names();
  if (names.includes(name)) {
    if (options.ifNotExists) return;
    throw new Error(`Topic '${name}' already exists.`);
  }
  checkNewTopic(name, names, given.configs);
  const assignment = given.assignment === null ? await place(store, options) : numbered(given.assignment, 0);
  // As in 2.8 the topic has no id yet: the controller gives it one.
  const topic: TopicAssignment = { topicId: null, partitions: replicasOnly(assignment) };
  try {
    await store.topics.create(name, topic, new Map(Object.entries(given.configs)));
  } catch (error) {
    if (!isZooKeeperError(error, 'NODE_EXISTS')) throw error;
    if (options.ifNotExists) return;
    throw new Error(`Topic '${name}' already exists.`, { cause: error });
  }
  print(`Created topic ${name}.`);
}

function checkNewTopic(name: string, existing: readonly string[], configs: Readonly<Record<string, string>>): void {
  const collision = collidingTopic(name, existing);
  const problem =
    topicNameProblem(name) ??
    (collision === null ? null : `Topic '${name}' collides with existing topics: ${collision}`) ??
    topicConfigProblem(configs);
  if (problem !== null) throw new Error(problem);
}

async function candidates(store: ZooKeeperStore, options: TopicsOptions) {
  const brokers = await store.brokers.list();
  return brokers.map(({ id, registration }) => ({ id, rack: options.disableRackAware ? null : registration.rack }));
}

async function place(store: ZooKeeperStore, options: TopicsOptions): Promise<Assignment> {
  const partitions = required(options.partitions, 'partitions');
  const replicationFactor = required(options.replicationFactor, 'replication-factor');
  return assignReplicas(await candidates(store, options), partitions, replicationFactor, systemRandom);
}

function numbered(replicas: readonly (readonly number[])[], first: number): Assignment {
  return new Map(replicas.map((ids, index) => [first + index, ids]));
}

function replicasOnly(assignment: Assignment): Map<number, ReplicaAssignment> {
  return new Map([...assignment].map(([id, replicas]) => [id, { replicas, adding: [], removing: [] }]));
}

async function alter(store: ZooKeeperStore, options: TopicsOptions, given: TopicsArguments): Promise<void> {
  for (const topic of await selectedOrMissing(store, options)) {
    if (options.config !== undefined || options.deleteConfig !== undefined) {
      await alterConfig(store, topic, given.configs, options.deleteConfig ?? []);
    }
    if (options.partitions !== undefined || given.assignment !== null)
      await addPartitions(store, topic, options, given);
  }
}

async function alterConfig(
  store: ZooKeeperStore,
  topic: string,
  added: Readonly<Record<string, string>>,
  removed: readonly string[],
): Promise<void> {
  print(
    'WARNING: Altering topic configuration from this script has been deprecated and may be removed in future releases.',
  );
  print('         Going forward, please use kafka-configs.sh for this functionality');
  const config = new Map([...(await store.configs.get('topics', topic)), ...Object.entries(added)]);
  for (const name of removed) config.delete(name);
  const problem = topicConfigProblem(Object.fromEntries(config));
  if (problem !== null) throw new Error(problem);
  await store.configs.set('topics', topic, config);
  print(`Updated config for topic ${topic}.`);
}

async function addPartitions(
  store: ZooKeeperStore,
  topic: string,
  options: TopicsOptions,
  { assignment }: TopicsArguments,
): Promise<void> {
  if (isInternalTopic(topic)) throw new Error(`The number of partitions for the topic ${topic} cannot be changed.`);
  print(
    'WARNING: If partitions are increased for a topic that has a key, the partition logic or ordering of the messages will be affected',
  );
  const current = await store.topics.get(topic);
  if (current === null) throw new Error(`The topic ${topic} does not exist`);
  const count = current.partitions.size;
  const total = options.partitions ?? assignment!.length;
  if (total <= count) {
    throw new Error(
      `The number of partitions for a topic can only be increased. Topic ${topic} currently has ${count} partitions, ${total} would not be an increase.`,
    );
  }
  if (assignment !== null && assignment.length !== total) {
    throw new Error(`The replica assignment names ${assignment.length} partitions, the topic is to have ${total}.`);
  }
  const added =
    assignment === null
      ? assignAddedReplicas(
          await candidates(store, options),
          current.partitions.get(0)?.replicas ?? [],
          count,
          total,
          systemRandom,
        )
      : numbered(assignment.slice(count), count);
  await store.topics.addPartitions(topic, replicasOnly(added));
  print('Adding partitions succeeded!');
}

async function remove(store: ZooKeeperStore, options: TopicsOptions): Promise<void> {
  for (const topic of await selectedOrMissing(store, options)) {
    if (isInternalTopic(topic)) {
      throw new Error(`Topic ${topic} is a kafka internal topic and is not allowed to be marked for deletion.`);
    }
    if (await store.deletions.mark(topic)) {
      print(`Topic ${topic} is marked for deletion.`);
      print('Note: This will have no impact if delete.topic.enable is not set to true.');
    } else print(`Topic ${topic} is already marked for deletion.`);
  }
}
