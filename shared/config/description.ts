import type { ConfigType } from './types.ts';

/** Where an effective value comes from, by the names of DescribeConfigs, strongest first. */
export type ConfigSource =
  | 'DYNAMIC_TOPIC_CONFIG'
  | 'DYNAMIC_BROKER_CONFIG'
  | 'DYNAMIC_DEFAULT_BROKER_CONFIG'
  | 'STATIC_BROKER_CONFIG'
  | 'DEFAULT_CONFIG'
  | 'DYNAMIC_BROKER_LOGGER_CONFIG';

/** A setting that says something about another one's value, and where it was given. */
export interface ConfigSynonym {
  readonly name: string;
  /** null when sensitive. */
  readonly value: string | null;
  readonly source: ConfigSource;
}

/** All that DescribeConfigs tells of a setting. */
export interface ConfigDescription {
  readonly name: string;
  /** The effective value's text; null when it is sensitive or has none. */
  readonly value: string | null;
  readonly source: ConfigSource;
  /** What the value comes from, the effective one first. */
  readonly synonyms: readonly ConfigSynonym[];
  readonly readOnly: boolean;
  readonly sensitive: boolean;
  /** null for a setting that no table knows. */
  readonly type: ConfigType | null;
  readonly doc: string;
}
