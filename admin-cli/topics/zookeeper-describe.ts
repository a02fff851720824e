import { partitionKey } from '../../shared/topics/topic-partition.ts';
import type { TopicAssignment, ZooKeeperStore } from '../../shared/zookeeper/store.ts';
import { partitionLine, topicLine, type DescribedPartition } from '../format/topic-description.ts';
import { print } from './messages.ts';
import type { TopicsOptions } from './options.ts';
import { selectedOrMissing } from './zookeeper-selection.ts';

/** `--describe` as the tool of Kafka 2.8 did it: only settings of the topics' own, and topics queued for deletion marked. */
export async function describe(store: ZooKeeperStore, options: TopicsOptions): Promise<void> {
  const topics = await selectedOrMissing(store, options);
  const alive = new Set(await store.brokers.ids());
  const marked = new Set(await store.deletions.list());
  const [assignments, configs] = await Promise.all([
    store.topics.getMany(topics),
    store.configs.getMany('topics', topics),
  ]);
  for (const [name, { topicId, partitions: assigned }] of assignments) {
    const partitions = await describedPartitions(store, name, assigned);
    const isMarked = marked.has(name);
    const own = [...configs.get(name)!].map(([key, value]) => `${key}=${value}`);
    const isReport = options.underReplicatedPartitions === true || options.unavailablePartitions === true;
    if (!isReport && !(options.topicsWithOverrides && own.length === 0)) {
      print(topicLine({ name, topicId, partitions, configs: own, markedForDeletion: isMarked }));
    }
    if (options.topicsWithOverrides) continue;
    for (const partition of partitions.filter(shown(options, alive))) print(partitionLine(partition, false, isMarked));
  }
}

async function describedPartitions(
  store: ZooKeeperStore,
  topic: string,
  assigned: TopicAssignment['partitions'],
): Promise<DescribedPartition[]> {
  const ids = [...assigned.keys()].sort((a, b) => a - b);
  const states = await store.partitions.states(ids.map(partition => ({ topic, partition })));
  return ids.map(partition => {
    const state = states.get(partitionKey(topic, partition));
    return {
      topic,
      partition,
      leader: state?.leader ?? null,
      replicas: assigned.get(partition)!.replicas,
      isr: state?.isr ?? [],
    };
  });
}

function shown(options: TopicsOptions, alive: ReadonlySet<number>): (partition: DescribedPartition) => boolean {
  if (options.underReplicatedPartitions) return ({ isr, replicas }) => isr.length < replicas.length;
  if (options.unavailablePartitions) return ({ leader }) => leader === null || !alive.has(leader);
  return () => true;
}
