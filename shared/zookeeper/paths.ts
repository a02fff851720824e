/**
 * Where everything lives: the path of every znode, as in Kafka's `ZkData`. What is written there is in znodes/, one file
 * a noun. All paths are relative to the chroot of `zookeeper.connect`.
 */

export const CLUSTER_ID_PATH = '/cluster/id';
export const CONTROLLER_PATH = '/controller';
export const CONTROLLER_EPOCH_PATH = '/controller_epoch';
export const FEATURE_PATH = '/feature';
export const PRODUCER_ID_BLOCK_PATH = '/latest_producer_id_block';

export const BROKER_IDS_PATH = '/brokers/ids';
export const BROKER_SEQUENCE_PATH = '/brokers/seqid';
export const TOPICS_PATH = '/brokers/topics';

export const DELETE_TOPICS_PATH = '/admin/delete_topics';
export const PREFERRED_ELECTION_PATH = '/admin/preferred_replica_election';
export const REASSIGNMENT_PATH = '/admin/reassign_partitions';

export const CONFIG_CHANGES_PATH = '/config/changes';
export const ISR_CHANGES_PATH = '/isr_change_notification';
export const LOG_DIR_EVENTS_PATH = '/log_dir_event_notification';

/** Prefixes of sequential nodes; ZooKeeper appends ten digits. */
export const CONFIG_CHANGE_PREFIX = 'config_change_';
export const ISR_CHANGE_PREFIX = 'isr_change_';
export const LOG_DIR_EVENT_PREFIX = 'log_dir_event_';

/** Child names of `/config`. */
export const CONFIG_TYPES = ['topics', 'brokers', 'clients', 'users', 'ips'] as const;
export type ConfigType = (typeof CONFIG_TYPES)[number];
/** The entity that stands for all of its type that have no settings of their own. */
export const DEFAULT_ENTITY = '<default>';

/** What every broker makes sure exists before it does anything else (Kafka: `ZkData.PersistentZkPaths`). */
export const PERSISTENT_PATHS: readonly string[] = [
  '/consumers',
  BROKER_IDS_PATH,
  TOPICS_PATH,
  CONFIG_CHANGES_PATH,
  DELETE_TOPICS_PATH,
  BROKER_SEQUENCE_PATH,
  ISR_CHANGES_PATH,
  PRODUCER_ID_BLOCK_PATH,
  LOG_DIR_EVENTS_PATH,
  ...CONFIG_TYPES.map(configTypePath),
];

export function brokerPath(id: number): string {
  return `${BROKER_IDS_PATH}/${id}`;
}

export function topicPath(topic: string): string {
  return `${TOPICS_PATH}/${topic}`;
}

/** Parent of a topic's partition nodes. */
export function partitionsPath(topic: string): string {
  return `${topicPath(topic)}/partitions`;
}

export function partitionPath(topic: string, partition: number): string {
  return `${partitionsPath(topic)}/${partition}`;
}

export function partitionStatePath(topic: string, partition: number): string {
  return `${partitionPath(topic, partition)}/state`;
}

/** Where clients of before Kafka 0.9 keep the offset of a group. */
export function consumerOffsetPath(group: string, topic: string, partition: number): string {
  return `/consumers/${group}/offsets/${topic}/${partition}`;
}

export function deleteTopicPath(topic: string): string {
  return `${DELETE_TOPICS_PATH}/${topic}`;
}

export function configTypePath(type: ConfigType): string {
  return `/config/${type}`;
}

/** `entity` as it stands in the tree: sanitised where Kafka does so, nested ones in full (`alice/clients/app1`). */
export function configPath(type: ConfigType, entity: string): string {
  return `${configTypePath(type)}/${entity}`;
}

/** All ancestors of an absolute path from the root's child down to the path itself. */
export function pathsDownTo(path: string): string[] {
  const names = path.split('/').slice(1);
  return names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`);
}

/** The number ZooKeeper appended to a sequential node's name, or null for a name of another form. */
export function sequenceNumber(prefix: string, name: string): number | null {
  if (!name.startsWith(prefix)) return null;
  const digits = name.slice(prefix.length);
  return /^-?\d+$/.test(digits) ? Number(digits) : null;
}
