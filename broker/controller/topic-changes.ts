import type { TopicAssignment } from '../../shared/zookeeper/store.ts';
import { replicasOf, type ControlledPartition, type ControlledTopic } from './context.ts';
import type { Office } from './office.ts';
import { randomTopicId } from '../metadata/topic-id.ts';

/** Topics were created or have vanished (Kafka: `processTopicChange`). */
export async function topicsChanged(office: Office): Promise<void> {
  const { context, store, watchers, logger } = office;
  const names = new Set(await store.topics.names(watchers.topics));
  for (const { name } of context.topics()) if (!names.has(name)) context.removeTopic(name);
  const added = [...names].filter(name => context.topic(name) === undefined).sort();
  if (added.length === 0) return;
  const topics = await loadTopics(office, added);
  logger.info({ topics: topics.map(topic => topic.name) }, 'new topics');
  await bringUp(
    office,
    topics.flatMap(topic => [...topic.partitions.values()]),
  );
}

/** Reads the topics into the context and watches them. Topics from before topic ids (KIP-516) are given one. */
export async function loadTopics(office: Office, names: readonly string[]): Promise<ControlledTopic[]> {
  const { context, store, watchers } = office;
  const found = await Promise.all(
    names.map(async name => [name, await store.topics.get(name, watchers.topic)] as const),
  );
  const topics: ControlledTopic[] = [];
  for (const [name, assignment] of found) {
    if (assignment === null) continue;
    const topic = context.addTopic(name, assignment.topicId ?? (await giveId(office, name, assignment)));
    for (const [partition, replicas] of assignment.partitions) context.addPartition(topic, partition, replicas);
    topics.push(topic);
  }
  return topics;
}

async function giveId(office: Office, name: string, assignment: TopicAssignment): Promise<string> {
  const { store, controller, random, failpoints } = office;
  const topicId = randomTopicId(random);
  await failpoints?.hit('topic-id.before-write');
  await store.topics.setAssignment(name, { ...assignment, topicId }, controller);
  await failpoints?.hit('topic-id.after-write');
  return topicId;
}

/** A topic's assignment was rewritten: partitions may have been added (Kafka: `processPartitionModifications`). */
export async function assignmentChanged(office: Office, name: string): Promise<void> {
  const { context, store, watchers, logger } = office;
  const topic = context.topic(name);
  if (topic === undefined) return;
  const assignment = await store.topics.get(name, watchers.topic);
  const added = [...(assignment?.partitions ?? [])].filter(([partition]) => !topic.partitions.has(partition));
  if (added.length === 0) return;
  if (topic.queuedForDeletion) return restoreAssignment(office, topic);
  logger.info({ topic: name, partitions: added.map(([partition]) => partition) }, `new partitions of ${name}`);
  await bringUp(
    office,
    added.map(([partition, replicas]) => context.addPartition(topic, partition, replicas)),
  );
}

/** A topic that is being deleted gets no new partitions: the znode is put back to what the deletion knows of. */
async function restoreAssignment({ store, controller, failpoints }: Office, topic: ControlledTopic): Promise<void> {
  const partitions = new Map(
    [...topic.partitions.values()].map(({ partition, assignment }) => [partition, assignment]),
  );
  await failpoints?.hit('partition-addition.before-revert');
  await store.topics.setAssignment(topic.name, { topicId: topic.id, partitions }, controller);
  await failpoints?.hit('partition-addition.after-revert');
}

/** Gives new partitions their leaders and tells their brokers (Kafka: `onNewPartitionCreation`). */
async function bringUp({ partitions, replicas }: Office, added: readonly ControlledPartition[]): Promise<void> {
  await partitions.change(added, 'NewPartition');
  await replicas.change(replicasOf(added), 'NewReplica');
  await partitions.change(added, 'OnlinePartition');
  await replicas.change(replicasOf(added), 'OnlineReplica');
}
