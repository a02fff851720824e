import type { Admin, ConfigChange, ConfigEntry, ConfigResource } from '../../client/index.ts';
import { configLine, configsHeader, configsUpdated } from '../format/configs.ts';
import { ToolFailure } from '../support/tool.ts';
import type { Changes } from './changes.ts';
import type { Entity } from './options.ts';

/** kafka-configs through the brokers: what it prints, line by line. */
export async function* describeConfigs(admin: Admin, entity: Entity, all: boolean): AsyncGenerator<string> {
  const resources = await named(admin, entity);
  const found = await admin.describeConfigs(resources);
  for (const [index, resource] of resources.entries()) {
    yield configsHeader(resource, all);
    const entries = all ? found[index]! : found[index]!.filter(entry => entry.source === ownSource(resource));
    for (const entry of [...entries].sort((a, b) => (a.name < b.name ? -1 : 1))) yield configLine(entry);
  }
}

/** All there are, where none is named; for brokers their common default last. */
async function named(admin: Admin, { type, name }: Entity): Promise<ConfigResource[]> {
  if (name !== null) return [{ type, name }];
  if (type === 'topic') return (await admin.listTopics()).map(topic => ({ type, name: topic.name }));
  const { brokers } = await admin.describeCluster();
  const each = brokers.map(broker => ({ type, name: String(broker.id) }));
  return type === 'broker' ? [...each, { type, name: '' }] : each;
}

function ownSource({ type, name }: ConfigResource): ConfigEntry['source'] {
  if (type === 'topic') return 'DYNAMIC_TOPIC_CONFIG';
  if (type === 'broker-logger') return 'DYNAMIC_BROKER_LOGGER_CONFIG';
  return name === '' ? 'DYNAMIC_DEFAULT_BROKER_CONFIG' : 'DYNAMIC_BROKER_CONFIG';
}

/** @throws ToolFailure when something is to be deleted that is not set */
export async function alterConfigs(
  admin: Admin,
  resource: ConfigResource,
  { added, deleted }: Changes,
): Promise<string> {
  const [entries] = await admin.describeConfigs([resource]);
  const own = new Set(entries!.filter(entry => entry.source === ownSource(resource)).map(entry => entry.name));
  // Of loggers all are there: none can be added.
  const isLogger = resource.type === 'broker-logger';
  const missing = (isLogger ? [...added.keys(), ...deleted] : deleted).filter(name => !own.has(name));
  if (missing.length > 0)
    throw new ToolFailure(`Invalid ${isLogger ? 'broker logger' : 'config'}(s): ${missing.join(',')}`);
  const changes: ConfigChange[] = [
    ...[...added].map(([name, value]) => ({ name, operation: 'set' as const, value })),
    ...deleted.map(name => ({ name, operation: 'delete' as const })),
  ];
  await admin.alterConfigs(resource, changes);
  return configsUpdated(resource);
}
