import { hostname as systemHostname } from 'node:os';
import { badValue, ConfigError } from '../../shared/config/config-error.ts';
import type { ConfigDescription } from '../../shared/config/description.ts';
import { defaultOf, parseSetting } from '../../shared/config/table.ts';
import {
  BUILT_IN_TOPIC_CONFIG,
  TOPIC_CONFIG_KEYS,
  TOPIC_CONFIG_TABLE,
  type TopicConfigValues,
} from '../../shared/topics/topic-config.ts';
import { firstProblem, splitDirectories } from './checks.ts';
import { describeDynamic, describeSetting, describeTopicSettings } from './descriptions.ts';
import { checkThreadCount, parseDynamic, withoutListenerPrefix, type DynamicLevel } from './dynamic.ts';
import { DEFAULT_LAYER, rawValues, type Layers } from './layers.ts';
import { ListenerView } from './listener-view.ts';
import { parseListeners, type Listeners } from './listeners.ts';
import { gatherSettings, type Settings, type SettingSources } from './settings.ts';
import type { BrokerConfigKey, BrokerConfigValues } from './table/index.ts';
import { BROKER_CONFIG_KEYS, brokerConfigRow, effectiveValues } from './values.ts';
import { warningsAbout } from './warnings.ts';

/** What a broker's configuration is made of. */
export interface BrokerConfigSources extends SettingSources {
  /** Advertised for listeners on every interface; by default the machine's name. */
  readonly hostname?: string;
}

type DynamicTexts = ReadonlyMap<string, string>;

interface Subscription {
  readonly keys: readonly BrokerConfigKey[];
  readonly callback: () => void;
}

/** Who depends not only on settings but on what they point to, as files. */
export interface SettingsUser {
  /** @throws ConfigError when dynamic settings that are about to be made cannot be used */
  readonly check: (settings: ListenerView) => void;
  /** Called whenever dynamic settings were read, changed or not: what they point to may have. */
  readonly apply: (settings: ListenerView) => void;
}

/** Everything that follows from the settings in force; made anew as a whole, so that a refused change leaves no trace. */
interface Effective {
  readonly layers: Layers;
  readonly values: BrokerConfigValues;
  readonly listeners: Listeners;
  readonly perListener: ListenerView;
}

/**
 * A broker's settings: those it was started with, and the dynamic ones that ZooKeeper holds for it and for all brokers.
 * Effective is, in this order: dynamic for this broker, dynamic for all, given at the start, built-in.
 */
export class BrokerConfig {
  /** What the operator should hear at the start: settings without effect here, and unknown ones. */
  readonly warnings: readonly string[];
  readonly #static: Settings;
  readonly #hostname: string;
  #dynamic: Record<DynamicLevel, DynamicTexts> = { broker: new Map(), cluster: new Map() };
  #effective: Effective;
  #topicDefaults: TopicConfigValues | null = null;
  readonly #subscriptions: Subscription[] = [];
  readonly #users: SettingsUser[] = [];

  private constructor(settings: Settings, hostname: string) {
    this.#static = settings;
    this.#hostname = hostname;
    this.#effective = this.#evaluate(this.#dynamic);
    this.warnings = warningsAbout(settings);
  }

  /**
   * @throws ConfigError for the first setting that is missing or cannot be used: key, value, what is allowed, file and
   *   line, in one sentence
   */
  static load(sources: BrokerConfigSources): BrokerConfig {
    const settings = gatherSettings(sources);
    for (const [key, { text, origin }] of settings) {
      const row = brokerConfigRow(withoutListenerPrefix(key));
      if (row !== undefined) parseSetting(key, row, text, origin);
    }
    for (const key of BROKER_CONFIG_KEYS) {
      if (!settings.has(key)) defaultOf(key, brokerConfigRow(key)!);
    }
    return new BrokerConfig(settings, sources.hostname ?? systemHostname());
  }

  /** The effective value. Cheap enough for hot paths. */
  get<K extends BrokerConfigKey>(key: K): BrokerConfigValues[K] {
    return this.#effective.values[key];
  }

  /** The settings as they are for one listener or another. */
  get perListener(): ListenerView {
    return this.#effective.perListener;
  }

  get listeners(): Listeners {
    return this.#effective.listeners;
  }

  /** The data directories, as given. */
  get logDirs(): readonly string[] {
    return splitDirectories(this.get('log.dirs'));
  }

  /** What a topic without settings of its own gets from this broker. The same object until something changes. */
  topicDefaults(): TopicConfigValues {
    this.#topicDefaults ??= this.#computeTopicDefaults();
    return this.#topicDefaults;
  }

  #computeTopicDefaults(): TopicConfigValues {
    const values: Record<string, unknown> = { ...BUILT_IN_TOPIC_CONFIG };
    for (const key of TOPIC_CONFIG_KEYS) {
      const { synonym } = TOPIC_CONFIG_TABLE[key];
      if (synonym !== null) values[key] = this.get(synonym as BrokerConfigKey);
    }
    return values as unknown as TopicConfigValues;
  }

  /** What DescribeConfigs tells of one broker setting; null when nobody knows or set it. */
  source(key: string): ConfigDescription | null {
    const { layers } = this.#effective;
    const known = brokerConfigRow(key) !== undefined || layers.some(layer => layer.texts.has(key));
    return known ? describeSetting(key, layers) : null;
  }

  /** All broker settings: those of the table, and what else was set. */
  entries(): ConfigDescription[] {
    const { layers } = this.#effective;
    const given = layers.filter(layer => layer !== DEFAULT_LAYER).flatMap(layer => [...layer.texts.keys()]);
    const table = BROKER_CONFIG_KEYS.filter(key => brokerConfigRow(key)!.dynamic !== 'dynamic-only');
    return [...new Set([...table, ...given])].map(key => describeSetting(key, layers));
  }

  /** The settings kept for all brokers: what DescribeConfigs tells of the broker named "". */
  clusterEntries(): ConfigDescription[] {
    return [...this.#dynamic.cluster].map(([key, text]) => describeDynamic(key, text));
  }

  /** All settings of a topic that has `overrides` of its own. */
  topicEntries(overrides: Readonly<Record<string, string>>): ConfigDescription[] {
    return describeTopicSettings(overrides, this.topicDefaults(), this.#effective.layers);
  }

  /**
   * Whether `record` may become the settings of its level.
   * @throws ConfigError about the first that may not; then none may
   */
  validateDynamic(level: DynamicLevel, record: Readonly<Record<string, string>>): void {
    const texts = new Map(Object.entries(record));
    for (const [key, text] of texts) {
      if (this.#dynamic[level].get(key) === text) continue;
      const value = parseDynamic(level, key, text);
      checkThreadCount(key, value, this.#effective.values);
    }
    const { perListener } = this.#evaluate({ ...this.#dynamic, [level]: texts });
    for (const { check } of this.#users) check(perListener);
  }

  /**
   * Puts the settings that ZooKeeper holds into force; they replace those of the same level. What cannot be used is
   * passed over, as in Kafka, because a tool may have written it there.
   * @returns a sentence on each setting that was passed over
   */
  setDynamic(level: DynamicLevel, record: Readonly<Record<string, string>>): string[] {
    const problems: string[] = [];
    const texts = new Map<string, string>();
    for (const [key, text] of Object.entries(record)) {
      try {
        parseDynamic(level, key, text);
        texts.set(key, text);
      } catch (error) {
        problems.push(sentence(error));
      }
    }
    try {
      this.#adopt({ ...this.#dynamic, [level]: texts });
    } catch (error) {
      problems.push(sentence(error));
    }
    return problems;
  }

  /** Calls back after a change of any of the settings' effective values. */
  onChange(keys: BrokerConfigKey | readonly BrokerConfigKey[], callback: () => void): void {
    this.#subscriptions.push({ keys: typeof keys === 'string' ? [keys] : keys, callback });
  }

  /** Calls back after a change of any effective value. */
  onAnyChange(callback: () => void): void {
    this.onChange(BROKER_CONFIG_KEYS, callback);
  }

  /** Adds somebody who depends on what settings point to. */
  addUser(user: SettingsUser): void {
    this.#users.push(user);
  }

  #adopt(dynamic: Record<DynamicLevel, DynamicTexts>): void {
    const before = this.#effective;
    this.#effective = this.#evaluate(dynamic);
    this.#dynamic = dynamic;
    this.#topicDefaults = null;
    const changed = (key: BrokerConfigKey) => !sameValue(before.values[key], this.#effective.values[key]);
    for (const { keys, callback } of this.#subscriptions) {
      if (keys.some(changed)) callback();
    }
    for (const { apply } of this.#users) apply(this.#effective.perListener);
  }

  /** @throws ConfigError when the settings contradict each other */
  #evaluate(dynamic: Record<DynamicLevel, DynamicTexts>): Effective {
    const layers = this.#layers(dynamic);
    const values = effectiveValues(rawValues(layers));
    const problem = firstProblem(key => values[key]);
    if (problem !== null) throw this.#contradiction(problem.key, problem.allowed, layers);
    const origin = (key: string) => this.#static.get(key)?.origin;
    const listeners = parseListeners(values, { hostname: this.#hostname, origin });
    return { layers, values, listeners, perListener: new ListenerView(layers, values, origin) };
  }

  #layers(dynamic: Record<DynamicLevel, DynamicTexts>): Layers {
    const given = new Map([...this.#static].map(([key, { text }]) => [key, text.trim()]));
    return [
      { source: 'DYNAMIC_BROKER_CONFIG', texts: dynamic.broker },
      { source: 'DYNAMIC_DEFAULT_BROKER_CONFIG', texts: dynamic.cluster },
      { source: 'STATIC_BROKER_CONFIG', texts: given },
      DEFAULT_LAYER,
    ];
  }

  #contradiction(key: BrokerConfigKey, allowed: string, layers: Layers): ConfigError {
    const layer = layers.find(({ texts }) => texts.has(key));
    const origin = layer?.source === 'STATIC_BROKER_CONFIG' ? this.#static.get(key)?.origin : undefined;
    return badValue(key, layer?.texts.get(key) ?? '', allowed, origin);
  }
}

function sameValue(a: unknown, b: unknown): boolean {
  return Array.isArray(a) && Array.isArray(b) ? a.join() === b.join() : a === b;
}

function sentence(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  throw error;
}
