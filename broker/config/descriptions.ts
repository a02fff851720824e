import type { ConfigDescription, ConfigSynonym } from '../../shared/config/description.ts';
import { isSensitive } from '../../shared/config/table.ts';
import { TOPIC_CONFIG_KEYS, topicConfigRow, type TopicConfigValues } from '../../shared/topics/topic-config.ts';
import { withoutListenerPrefix } from './dynamic.ts';
import { shown, synonymsOf, type Layers } from './layers.ts';
import { brokerConfigRow } from './values.ts';

/** What DescribeConfigs tells of a broker setting (Kafka: `ConfigHelper.createBrokerConfigEntry`). */
export function describeSetting(key: string, layers: Layers): ConfigDescription {
  const synonyms = synonymsOf(key, layers);
  return describe(key, synonyms.find(synonym => synonym.name === key)?.value ?? null, synonyms);
}

/** The same for a setting kept for all brokers, seen by itself. */
export function describeDynamic(key: string, text: string): ConfigDescription {
  const value = shown(key, text);
  return describe(key, value, [{ name: key, value, source: 'DYNAMIC_DEFAULT_BROKER_CONFIG' }]);
}

function describe(key: string, value: string | null, synonyms: readonly ConfigSynonym[]): ConfigDescription {
  const row = brokerConfigRow(withoutListenerPrefix(key));
  return {
    name: key,
    value,
    source: synonyms[0]?.source ?? 'DEFAULT_CONFIG',
    synonyms,
    readOnly: row === undefined || row.dynamic === 'read-only',
    sensitive: row === undefined || isSensitive(row),
    type: row?.type ?? null,
    doc: row?.doc ?? '',
  };
}

/**
 * The same for all settings of a topic (Kafka: `ConfigHelper.createTopicConfigEntry`).
 * @param defaults what the settings without an override amount to on this broker
 */
export function describeTopicSettings(
  overrides: Readonly<Record<string, string>>,
  defaults: TopicConfigValues,
  layers: Layers,
): ConfigDescription[] {
  return TOPIC_CONFIG_KEYS.map(name => {
    const row = topicConfigRow(name)!;
    const override = overrides[name];
    const value = override ?? row.format(defaults[name]);
    const own: ConfigSynonym[] = override === undefined ? [] : [{ name, value, source: 'DYNAMIC_TOPIC_CONFIG' }];
    const synonyms = row.synonym === null ? own : [...own, ...synonymsOf(row.synonym, layers)];
    return {
      name,
      value,
      source: synonyms[0]?.source ?? 'DEFAULT_CONFIG',
      synonyms,
      readOnly: false,
      sensitive: false,
      type: row.type,
      doc: row.doc,
    };
  });
}
