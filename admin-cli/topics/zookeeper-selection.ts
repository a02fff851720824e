import { isInternalTopic } from '../../shared/topics/names.ts';
import type { ZooKeeperStore } from '../../shared/zookeeper/store.ts';
import { topicPattern } from '../support/topic-pattern.ts';
import type { TopicsOptions } from './options.ts';

/** Names of the topics that the options select, in their order. */
export async function selected(store: ZooKeeperStore, options: TopicsOptions): Promise<string[]> {
  const matches = options.topic === undefined ? () => true : topicPattern(options.topic);
  const names = await store.topics.names();
  return names.filter(name => matches(name) && !(options.excludeInternal && isInternalTopic(name))).sort();
}

/** @throws Error when a --topic is named, none matches, and --if-exists is not given */
export async function selectedOrMissing(store: ZooKeeperStore, options: TopicsOptions): Promise<string[]> {
  const found = await selected(store, options);
  if (found.length === 0 && options.topic !== undefined && !options.ifExists) {
    throw new Error(`Topic '${options.topic}' does not exist as expected`);
  }
  return found;
}
