import { ErrorCode } from '../../shared/protocol/errors.ts';
import { ConfigError } from '../../shared/config/config-error.ts';
import { defaultText, type ConfigRow } from '../../shared/config/table.ts';
import { topicConfigProblem, topicConfigRow } from '../../shared/topics/topic-config.ts';
import { DEFAULT_ENTITY } from '../../shared/zookeeper/paths.ts';
import type { ZooKeeperStore } from '../../shared/zookeeper/store.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import { brokerConfigRow } from '../config/values.ts';
import { AdminError } from './admin-error.ts';
import type { MetadataCache } from './metadata-cache.ts';

/** One change of one setting (KIP-339). */
export interface SettingChange {
  readonly name: string;
  readonly operation: 'set' | 'delete' | 'append' | 'subtract';
  readonly value: string | null;
}

export interface ConfigAlterationParts {
  readonly brokerId: number;
  readonly store: ZooKeeperStore;
  readonly config: BrokerConfig;
  readonly metadata: MetadataCache;
}

/** What a resource's settings become, from what they are. */
type Change = (current: ReadonlyMap<string, string>) => ReadonlyMap<string, string>;

/**
 * Changes the settings of topics and brokers: reads what stands in ZooKeeper, applies the changes, checks the whole,
 * writes it and tells the brokers, this one included (compare Kafka's ZkConfigRepository and ConfigAdminManager).
 */
export class ConfigAlteration {
  readonly #parts: ConfigAlterationParts;

  constructor(parts: ConfigAlterationParts) {
    this.#parts = parts;
  }

  /** @throws AdminError when a change is not allowed; then none is made */
  alterTopic(topic: string, changes: readonly SettingChange[], validateOnly: boolean): Promise<void> {
    return this.#setTopic(topic, current => applyChanges(current, changes, topicConfigRow), validateOnly);
  }

  /** Settings that are not given go back to their defaults. @throws AdminError */
  replaceTopic(topic: string, settings: ReadonlyMap<string, string>, validateOnly: boolean): Promise<void> {
    return this.#setTopic(topic, () => settings, validateOnly);
  }

  async #setTopic(topic: string, change: Change, validateOnly: boolean): Promise<void> {
    const { store, config, metadata } = this.#parts;
    if (topic === '') throw new AdminError(ErrorCode.INVALID_REQUEST, 'Default topic resources are not allowed.');
    if (!metadata.hasTopic(topic)) {
      throw new AdminError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `Topic '${topic}' does not exist.`);
    }
    const changed = change(await store.configs.get('topics', topic));
    const problem = topicConfigProblem(Object.fromEntries(changed), config.topicDefaults());
    if (problem !== null) throw new AdminError(ErrorCode.INVALID_CONFIG, problem);
    if (!validateOnly) await store.configs.set('topics', topic, changed);
  }

  /** @param broker id as text, or '' for the settings of all brokers. @throws AdminError */
  alterBroker(broker: string, changes: readonly SettingChange[], validateOnly: boolean): Promise<void> {
    return this.#setBroker(broker, current => applyChanges(current, changes, brokerConfigRow), validateOnly);
  }

  /** Settings that are not given go back to what the broker was started with. @throws AdminError */
  replaceBroker(broker: string, settings: ReadonlyMap<string, string>, validateOnly: boolean): Promise<void> {
    return this.#setBroker(broker, () => settings, validateOnly);
  }

  async #setBroker(broker: string, change: Change, validateOnly: boolean): Promise<void> {
    const { brokerId, store, config } = this.#parts;
    if (broker !== '' && broker !== String(brokerId)) {
      throw new AdminError(
        ErrorCode.INVALID_REQUEST,
        `Settings of broker ${broker} were sent to broker ${brokerId}: send them to the broker itself.`,
      );
    }
    const entity = broker === '' ? DEFAULT_ENTITY : broker;
    const changed = change(await store.configs.get('brokers', entity));
    try {
      config.validateDynamic(broker === '' ? 'cluster' : 'broker', Object.fromEntries(changed));
    } catch (error) {
      if (error instanceof ConfigError) throw new AdminError(ErrorCode.INVALID_REQUEST, error.message);
      throw error;
    }
    if (!validateOnly) await store.configs.set('brokers', entity, changed);
  }
}

function applyChanges(
  current: ReadonlyMap<string, string>,
  changes: readonly SettingChange[],
  rowOf: (name: string) => ConfigRow<unknown> | undefined,
): Map<string, string> {
  const settings = new Map(current);
  for (const { name, operation, value } of changes) {
    const row = rowOf(name);
    if (operation === 'delete') settings.delete(name);
    else if (value === null) throw new AdminError(ErrorCode.INVALID_REQUEST, `Setting ${name} has no value.`);
    else if (operation === 'set') settings.set(name, value);
    else if (row?.type !== 'list') {
      throw new AdminError(
        ErrorCode.INVALID_CONFIG,
        `Setting ${name} is no list: it can be set or deleted, not added to.`,
      );
    } else settings.set(name, combine(settings.get(name) ?? defaultText(row) ?? '', value, operation));
  }
  return settings;
}

function combine(current: string, value: string, operation: 'append' | 'subtract'): string {
  const split = (text: string) =>
    text
      .split(',')
      .map(part => part.trim())
      .filter(part => part !== '');
  const given = split(value);
  const kept = split(current).filter(part => !given.includes(part));
  return (
    operation === 'append' ? [...split(current), ...given.filter(part => !split(current).includes(part))] : kept
  ).join(',');
}
