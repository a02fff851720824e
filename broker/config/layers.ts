import type { ConfigSource, ConfigSynonym } from '../../shared/config/description.ts';
import { defaultText, isSensitive } from '../../shared/config/table.ts';
import { withoutListenerPrefix } from './dynamic.ts';
import type { BrokerConfigKey } from './table/index.ts';
import { BROKER_CONFIG_KEYS, brokerConfigRow, standInsOf, type RawValues } from './values.ts';

/** The texts of one source of settings, by key. */
export interface Layer {
  readonly source: ConfigSource;
  readonly texts: ReadonlyMap<string, string>;
}

/** The sources of a broker's settings, strongest first; the last one holds the built-in values. */
export type Layers = readonly Layer[];

/** The built-in values as texts. */
export const DEFAULT_LAYER: Layer = {
  source: 'DEFAULT_CONFIG',
  texts: new Map(
    BROKER_CONFIG_KEYS.flatMap(key => {
      const text = defaultText(brokerConfigRow(key)!);
      return text === null ? [] : [[key, text] as const];
    }),
  ),
};

/** Each setting's value from the strongest source that gives it. */
export function rawValues(layers: Layers): RawValues {
  return Object.fromEntries(BROKER_CONFIG_KEYS.map(key => [key, rawValue(key, layers)])) as RawValues;
}

function rawValue(key: BrokerConfigKey, layers: Layers): unknown {
  for (const { texts } of layers) {
    const text = texts.get(key);
    if (text !== undefined) return brokerConfigRow(key)!.parse(text.trim());
  }
  return null;
}

/**
 * Everything that says something about a setting's value, itself and its stand-ins at every level (Kafka:
 * `ConfigHelper.configSynonyms`). It begins with the setting itself: when only stand-ins are set it is empty.
 */
export function synonymsOf(key: string, layers: Layers): ConfigSynonym[] {
  const names = [key, ...standInsOf(key).map(standIn => standIn.key)];
  const all = layers.flatMap(({ source, texts }) =>
    names.flatMap(name => {
      const text = texts.get(name);
      return text === undefined ? [] : [{ name, value: shown(name, text), source }];
    }),
  );
  const own = all.findIndex(synonym => synonym.name === key);
  return own === -1 ? [] : all.slice(own);
}

/** The text to show: as the type writes it, and none for what is sensitive or of no known type. */
export function shown(key: string, text: string): string | null {
  const row = brokerConfigRow(withoutListenerPrefix(key));
  if (row === undefined || isSensitive(row)) return null;
  const value = row.parse(text.trim());
  return value === undefined ? text : row.format(value);
}
