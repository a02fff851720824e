import { badValue, ConfigError, type Origin } from './config-error.ts';
import type { Rule } from './rules.ts';
import { TYPE_RULES, type ConfigType, type ConfigTypeValues } from './types.ts';

/**
 * Whether and at which level a setting may change while the broker runs: never, for one broker, for one broker or all,
 * or (`dynamic-only`) like the latter but with no place in the start-up file.
 */
export type DynamicScope = 'read-only' | 'per-broker' | 'cluster-wide' | 'dynamic-only';

/** Marks a row without a default: the setting must be given. */
export const REQUIRED = Symbol('required');

/** One setting: a row of a config table. `V` is the type of its value, with null where Kafka's default is null. */
export interface ConfigRow<V> {
  readonly type: ConfigType;
  readonly default: V | null | typeof REQUIRED;
  /** What the setting does, for the generated reference. */
  readonly doc: string;
  readonly rule: Rule<V> | null;
  readonly dynamic: DynamicScope;
  /** `notYet`: known and checked, but this build does not act on it; setting it earns a warning. */
  readonly status: 'used' | 'notYet';
  /** Reads a text by the row's type, without the rule; undefined when it is not of the type. */
  parse(text: string): V | undefined;
  format(value: V): string;
}

export type ConfigTable = Readonly<Record<string, ConfigRow<unknown>>>;

/** The object that a table describes: each key with its value's type. */
export type ConfigValues<T extends ConfigTable> = {
  readonly [K in keyof T]: T[K] extends ConfigRow<infer V> ? V : never;
};

interface RowOptions<V> {
  readonly rule?: Rule<V>;
  readonly dynamic?: DynamicScope;
  readonly status?: 'used' | 'notYet';
}

interface RowBuilder<V> {
  (defaultValue: null, doc: string, options?: RowOptions<V>): ConfigRow<V | null>;
  (defaultValue: V | typeof REQUIRED, doc: string, options?: RowOptions<V>): ConfigRow<V>;
}

function builder<T extends ConfigType>(type: T): RowBuilder<ConfigTypeValues[T]> {
  type V = ConfigTypeValues[T];
  const rules = TYPE_RULES[type];
  const build = (
    defaultValue: V | null | typeof REQUIRED,
    doc: string,
    { rule, dynamic = 'read-only', status = 'used' }: RowOptions<V> = {},
  ): ConfigRow<V> => ({
    type,
    default: defaultValue,
    doc,
    rule: rule ?? null,
    dynamic,
    status,
    parse: text => rules.parse(text),
    format: value => rules.format(value),
  });
  return build;
}

export const boolean = builder('boolean');
export const string = builder('string');
export const int = builder('int');
export const short = builder('short');
export const long = builder('long');
export const double = builder('double');
export const list = builder('list');
export const className = builder('class');
export const password = builder('password');

/** Sensitive values are never shown, neither by DescribeConfigs nor in errors and logs. */
export function isSensitive(row: ConfigRow<unknown>): boolean {
  return row.type === 'password';
}

/**
 * The value of a setting's text, trimmed, checked against type and rule.
 * @throws ConfigError naming the key, the value, what is allowed and the origin
 */
export function parseSetting<V>(key: string, row: ConfigRow<V>, text: string, origin?: Origin): V {
  const trimmed = text.trim();
  const shown = isSensitive(row) ? null : trimmed;
  const value = row.parse(trimmed);
  if (value === undefined) {
    const noun = TYPE_RULES[row.type].noun;
    throw badValue(key, shown, row.rule === null ? noun : `${noun}, ${row.rule.allowed}`, origin);
  }
  if (row.rule !== null && !row.rule.accepts(value)) throw badValue(key, shown, row.rule.allowed, origin);
  return value;
}

/**
 * The built-in value of a setting.
 * @throws ConfigError when it has none and must be given
 */
export function defaultOf<V>(key: string, row: ConfigRow<V>): V | null {
  if (row.default === REQUIRED) throw new ConfigError(key, `${key} is missing: it has no default and must be set.`);
  return row.default;
}

/** The text Kafka shows for a setting's built-in value; null when that is null or there is none. */
export function defaultText(row: ConfigRow<unknown>): string | null {
  return row.default === REQUIRED || row.default === null ? null : row.format(row.default);
}
