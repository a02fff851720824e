import type { Origin } from '../../shared/config/config-error.ts';
import { listenerPrefix } from './dynamic.ts';
import type { Layers } from './layers.ts';
import type { BrokerConfigKey, BrokerConfigValues } from './table/index.ts';
import { brokerConfigRow } from './values.ts';

/** A setting that was given: by which name, and where; the place is unknown for defaults and for dynamic settings. */
export interface Given {
  readonly name: string;
  readonly origin: Origin | undefined;
}

/**
 * The settings as a listener has them: what is set with `listener.name.<listener>.` in front goes before the setting
 * itself (Kafka: `valuesWithPrefixOverride`).
 */
export class ListenerView {
  readonly #layers: Layers;
  readonly #values: BrokerConfigValues;
  readonly #originOf: (key: string) => Origin | undefined;

  constructor(layers: Layers, values: BrokerConfigValues, originOf: (key: string) => Origin | undefined) {
    this.#layers = layers;
    this.#values = values;
    this.#originOf = originOf;
  }

  get<K extends BrokerConfigKey>(listener: string, key: K): BrokerConfigValues[K] {
    const text = this.#layerWith(`${listenerPrefix(listener)}${key}`)?.text;
    return text === undefined ? this.#values[key] : (brokerConfigRow(key)!.parse(text.trim()) as BrokerConfigValues[K]);
  }

  given(listener: string, key: BrokerConfigKey): Given {
    const own = `${listenerPrefix(listener)}${key}`;
    const name = this.#layerWith(own) === null ? key : own;
    const isStatic = this.#layerWith(name)?.source === 'STATIC_BROKER_CONFIG';
    return { name, origin: isStatic ? this.#originOf(name) : undefined };
  }

  #layerWith(key: string) {
    for (const { source, texts } of this.#layers) {
      const text = texts.get(key);
      if (text !== undefined) return { source, text };
    }
    return null;
  }
}
