import { BROKER_CONFIG_TABLE } from './table/index.ts';

/** A setting that an environment variable gives. */
export interface EnvironmentSetting {
  readonly key: string;
  readonly value: string;
  readonly variable: string;
}

/** Variables that Kafka's scripts and images read for other purposes. */
const NOT_SETTINGS: ReadonlySet<string> = new Set([
  'KAFKA_CREATE_TOPICS',
  'KAFKA_DEBUG',
  'KAFKA_GC_LOG_OPTS',
  'KAFKA_HEAP_OPTS',
  'KAFKA_HOME',
  'KAFKA_JMX_HOSTNAME',
  'KAFKA_JMX_OPTS',
  'KAFKA_JMX_PORT',
  'KAFKA_JVM_PERFORMANCE_OPTS',
  'KAFKA_LOG4J_LOGGERS',
  'KAFKA_LOG4J_OPTS',
  'KAFKA_LOG4J_ROOT_LOGLEVEL',
  'KAFKA_OPTS',
  'KAFKA_TOOLS_LOG4J_LOGLEVEL',
  'KAFKA_VERSION',
]);

/** What Kubernetes and Docker links put into every container beside a service called `kafka…`. */
const SERVICE_LINK = /^KAFKA_(\w+_)?(SERVICE_HOST|SERVICE_PORT\w*|PORT(_\d+_(TCP|UDP)\w*)?)$/;

/** Table keys by their lower-case form: a few have capitals, which a variable's name cannot tell. */
const KEY_BY_LOWER_CASE = new Map(Object.keys(BROKER_CONFIG_TABLE).map(key => [key.toLowerCase(), key]));

/**
 * The settings that `KAFKA_*` variables give, as Apache's image maps them: `KAFKA_LOG_DIRS` is `log.dirs`, `__` stands
 * for `_`, and `___` for `-`.
 */
export function readEnvironment(environment: Readonly<Record<string, string | undefined>>): EnvironmentSetting[] {
  const settings: EnvironmentSetting[] = [];
  for (const [variable, value] of Object.entries(environment)) {
    if (value === undefined || !isSetting(variable)) continue;
    settings.push({ key: keyOf(variable), value, variable });
  }
  return settings;
}

function isSetting(variable: string): boolean {
  return /^KAFKA_\w/.test(variable) && !NOT_SETTINGS.has(variable) && !SERVICE_LINK.test(variable);
}

const SEPARATORS: Readonly<Record<string, string>> = { _: '.', __: '_', ___: '-' };

function keyOf(variable: string): string {
  const name = variable.slice('KAFKA_'.length).toLowerCase();
  const key = name.replace(/_{1,3}/g, underscores => SEPARATORS[underscores]!);
  return KEY_BY_LOWER_CASE.get(key) ?? key;
}
