import { topicConfigProblem } from '../../shared/topics/topic-config.ts';
import type { ZooKeeperStore } from '../../shared/zookeeper/store.ts';
import { ToolFailure } from '../support/tool.ts';
import type { Changes } from './changes.ts';
import type { Entity } from './options.ts';

/** The node of the common default of all brokers. */
const DEFAULT_ENTITY = '<default>';

/**
 * kafka-configs at ZooKeeper directly (Kafka 2.8: `ConfigCommand.alterConfigWithZk`). The settings of a broker that runs
 * are refused, as there: it can check them better itself.
 */
export async function alterInZooKeeper(
  store: ZooKeeperStore,
  { type, name }: Entity,
  { added, deleted }: Changes,
): Promise<string> {
  const kind = type === 'topic' ? 'topics' : 'brokers';
  const entity = name === '' ? DEFAULT_ENTITY : name!;
  if (type === 'topic') await checkTopic(store, entity);
  else await checkBrokerIsDown(store, name!);
  const config = await store.configs.get(kind, entity);
  const missing = deleted.filter(key => !config.has(key));
  if (missing.length > 0) throw new ToolFailure(`Invalid config(s): ${missing.join(',')}`);
  for (const [key, value] of added) config.set(key, value);
  for (const key of deleted) config.delete(key);
  const problem = type === 'topic' ? topicConfigProblem(Object.fromEntries(config)) : null;
  if (problem !== null) throw new ToolFailure(problem);
  await store.configs.set(kind, entity, config);
  return `Completed updating config for entity: ${entityText(type, entity)}.`;
}

async function checkTopic(store: ZooKeeperStore, topic: string): Promise<void> {
  if ((await store.topics.get(topic)) === null) throw new ToolFailure(`Topic '${topic}' does not exist.`);
}

async function checkBrokerIsDown(store: ZooKeeperStore, name: string): Promise<void> {
  const ids = await store.brokers.ids();
  const running = name === '' ? ids : ids.filter(id => String(id) === name);
  if (running.length === 0) return;
  throw new ToolFailure(
    `--bootstrap-server option must be specified to update broker configs: broker ${running.join(',')} is running`,
  );
}

/** Lines of those entities that have settings, and of the one that is named in any case. */
export async function* describeInZooKeeper(store: ZooKeeperStore, { type, name }: Entity): AsyncGenerator<string> {
  const kind = type === 'topic' ? 'topics' : 'brokers';
  const entities = name === null ? (await store.configs.entities(kind)).sort() : [name === '' ? DEFAULT_ENTITY : name];
  for (const entity of entities) {
    const config = await store.configs.get(kind, entity);
    const text = [...config].map(([key, value]) => `${key}=${value}`).join(',');
    if (name !== null || config.size > 0) yield `Configs for ${entityText(type, entity)} are ${text}`;
  }
}

function entityText(type: Entity['type'], entity: string): string {
  if (entity === DEFAULT_ENTITY) return 'default brokers';
  return `${type === 'topic' ? 'topic' : 'brokers'} '${entity}'`;
}
