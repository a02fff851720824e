import type { Logger } from '../shared/runtime/logger.ts';
import type { ZooKeeperStore } from '../shared/zookeeper/store.ts';
import type { BrokerConfig } from './config/broker-config.ts';
import { DEFAULT_ENTITY } from '../shared/zookeeper/paths.ts';
import type { TopicConfigs } from './metadata/topic-configs.ts';

export interface ConfigSyncParts {
  readonly brokerId: number;
  readonly store: ZooKeeperStore;
  readonly config: BrokerConfig;
  readonly topicConfigs: TopicConfigs;
  readonly logger: Logger;
  /** Told of each topic whose settings changed. */
  readonly onTopicChange: (topic: string) => void;
}

/** Keeps this broker's settings and those of topics as they stand in ZooKeeper. A notification is only a trigger: the nodes are read. */
export class ConfigSync {
  readonly #parts: ConfigSyncParts;
  #listener: { close(): void } | null = null;

  constructor(parts: ConfigSyncParts) {
    this.#parts = parts;
  }

  /** Reads the dynamic settings of this broker and of all brokers: before anything is built from the configuration. */
  async loadBrokerConfig(): Promise<void> {
    await this.#readBroker(DEFAULT_ENTITY);
    await this.#readBroker(String(this.#parts.brokerId));
  }

  /** Reads the settings of all topics: before their logs are loaded. */
  async loadTopicConfigs(): Promise<void> {
    const { store, topicConfigs } = this.#parts;
    const all = await store.configs.getMany('topics', await store.configs.entities('topics'));
    for (const [topic, settings] of all) topicConfigs.set(topic, Object.fromEntries(settings));
  }

  /**
   * Reads the settings of topics that are new here: a creation is announced by the controller's requests, not by a
   * notification. Without ZooKeeper the topic has the defaults until it is heard of again.
   */
  async loadNewTopics(topics: Iterable<string>): Promise<void> {
    const { store, topicConfigs, logger } = this.#parts;
    const missing = [...new Set(topics)].filter(topic => !topicConfigs.isKnown(topic));
    if (missing.length === 0) return;
    try {
      for (const [topic, settings] of await store.configs.getMany('topics', missing)) {
        topicConfigs.set(topic, Object.fromEntries(settings));
      }
    } catch (error) {
      logger.warn({ err: error, topics: missing }, 'could not read the settings of new topics; they have the defaults');
    }
  }

  /** Follows changes from now on; those since the start-up's reading are replayed. */
  async start(): Promise<void> {
    const listener = this.#parts.store.configChanges(({ type, entity }) => {
      if (type === 'topics') return this.#readTopic(entity);
      if (type === 'brokers') return this.#readBroker(entity);
      return undefined;
    });
    this.#listener = listener;
    await listener.start();
  }

  close(): void {
    this.#listener?.close();
  }

  async #readTopic(topic: string): Promise<void> {
    const { store, topicConfigs, onTopicChange } = this.#parts;
    topicConfigs.set(topic, Object.fromEntries(await store.configs.get('topics', topic)));
    onTopicChange(topic);
  }

  async #readBroker(entity: string): Promise<void> {
    const { brokerId, store, config, logger } = this.#parts;
    if (entity !== DEFAULT_ENTITY && entity !== String(brokerId)) return;
    const settings = Object.fromEntries(await store.configs.get('brokers', entity));
    const problems = config.setDynamic(entity === DEFAULT_ENTITY ? 'cluster' : 'broker', settings);
    for (const problem of problems) logger.warn({ entity }, `a dynamic setting was passed over: ${problem}`);
  }
}
