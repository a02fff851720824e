import type { ConfigDescription } from '../../shared/config/description.ts';
import { effectiveTopicConfig, type TopicConfigValues } from '../../shared/topics/topic-config.ts';
import type { BrokerConfig } from '../config/broker-config.ts';

/** A topic's own settings, as they stand in `/config/topics/<topic>`: name to text. */
export type TopicOverrides = Readonly<Record<string, string>>;

const NO_OVERRIDES: TopicOverrides = {};

/**
 * The topic settings that this broker knows of, and what they amount to on top of the broker's own defaults.
 * Written by whoever reads `/config/topics` (start-up and change notifications); effective values are computed once
 * per change, because logs and handlers ask for them on every request.
 */
export class TopicConfigs {
  readonly #config: BrokerConfig;
  readonly #overrides = new Map<string, TopicOverrides>();
  /** Topics whose settings have been read, be there any or none. */
  readonly #known = new Set<string>();
  readonly #effective = new Map<string, TopicConfigValues>();

  constructor(config: BrokerConfig) {
    this.#config = config;
    config.onAnyChange(() => this.#effective.clear());
  }

  /** Takes over a topic's settings; null or an empty object when it has none (any more). */
  set(topic: string, overrides: TopicOverrides | null): void {
    this.#known.add(topic);
    if (overrides === null || Object.keys(overrides).length === 0) this.#overrides.delete(topic);
    else this.#overrides.set(topic, overrides);
    this.#effective.delete(topic);
  }

  isKnown(topic: string): boolean {
    return this.#known.has(topic);
  }

  /** The topic is gone: another one of its name may come, with other settings. */
  forget(topic: string): void {
    this.#known.delete(topic);
    this.#overrides.delete(topic);
    this.#effective.delete(topic);
  }

  overrides(topic: string): TopicOverrides {
    return this.#overrides.get(topic) ?? NO_OVERRIDES;
  }

  /** All settings of a topic that has (or would have) these of its own, as DescribeConfigs tells them. */
  describe(overrides: TopicOverrides): ConfigDescription[] {
    return this.#config.topicEntries(overrides);
  }

  /** Topic override, else the broker's synonym, else the built-in default, for every topic setting. */
  effective(topic: string): TopicConfigValues {
    let values = this.#effective.get(topic);
    if (values === undefined) {
      values = effectiveTopicConfig(this.overrides(topic), this.#config.topicDefaults());
      this.#effective.set(topic, values);
    }
    return values;
  }
}
