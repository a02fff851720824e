import type { FileSystem } from '../shared/runtime/file-system.ts';
import type { Random } from '../shared/runtime/random.ts';
import type { ZooKeeperStore } from '../shared/zookeeper/store.ts';
import type { BrokerConfig } from './config/broker-config.ts';
import { readMetaProperties } from './storage/meta-properties.ts';

export interface Identity {
  readonly brokerId: number;
  readonly clusterId: string;
}

/**
 * Who this broker is: the cluster's id from ZooKeeper (made by the first broker), and its own from the configuration,
 * from its data directories, or newly generated (Kafka: KafkaServer.getOrGenerateBrokerId).
 * @throws Error when the data directories belong to different brokers
 */
export async function establishIdentity(
  config: BrokerConfig,
  store: ZooKeeperStore,
  fs: FileSystem,
  random: Random,
): Promise<Identity> {
  const clusterId = await store.clusterId.getOrCreate(random.bytes(16).toString('base64url'));
  const configured = config.get('broker.id');
  if (configured >= 0) return { brokerId: configured, clusterId };
  const stored = storedIds(config, fs);
  if (stored.length > 1)
    throw new Error(`log.dirs belong to different brokers: meta.properties name the ids ${stored.join(', ')}`);
  const brokerId = stored[0] ?? (await store.brokers.generateId(config.get('reserved.broker.max.id')));
  return { brokerId, clusterId };
}

function storedIds(config: BrokerConfig, fs: FileSystem): number[] {
  const ids = config.logDirs.flatMap(directory => readMetaProperties(fs, directory)?.brokerId ?? []);
  return [...new Set(ids)].filter(id => id >= 0);
}
