import { ConfigError } from '../../shared/config/config-error.ts';
import { isSensitive, parseSetting, type ConfigRow } from '../../shared/config/table.ts';
import type { BrokerConfigKey, BrokerConfigValues } from './table/index.ts';
import { brokerConfigRow } from './values.ts';

/** Where a dynamic setting stands: `/config/brokers/<id>`, or `/config/brokers/<default>`, which is for all brokers. */
export type DynamicLevel = 'broker' | 'cluster';

const LISTENER_PREFIX = /^listener\.name\.[^.]+\.(?:[a-z0-9-]+\.(?=sasl\.))?/;
const SECURITY_KEY = /^(ssl\.|sasl\.|principal\.builder\.class$)/;

const THREAD_COUNTS: ReadonlySet<string> = new Set<BrokerConfigKey>([
  'num.io.threads',
  'num.network.threads',
  'num.replica.fetchers',
  'num.recovery.threads.per.data.dir',
  'background.threads',
  'log.cleaner.threads',
]);

/** The setting that a key means apart from `listener.name.<listener>.` and a SASL mechanism in front. */
export function withoutListenerPrefix(key: string): string {
  return key.replace(LISTENER_PREFIX, '');
}

/** What stands in front of the settings of one listener. @param listener its name, in any case */
export function listenerPrefix(listener: string): string {
  return `listener.name.${listener.toLowerCase()}.`;
}

/**
 * The value of a dynamic setting; undefined for a key that no broker setting has, which is kept but means nothing.
 * @throws ConfigError when it may not be set at this level, or to this value (Kafka: `DynamicBrokerConfig`)
 */
export function parseDynamic(level: DynamicLevel, key: string, text: string): unknown {
  const plain = withoutListenerPrefix(key);
  const row = brokerConfigRow(plain);
  if (row === undefined) return undefined;
  checkScope(level, key, plain, row);
  return parseSetting(key, row, text);
}

function checkScope(level: DynamicLevel, key: string, plain: string, row: ConfigRow<unknown>): void {
  if (row.dynamic === 'read-only') throw new ConfigError(key, `Cannot update these configs dynamically: ${key}`);
  if (row.dynamic === 'per-broker' && level === 'cluster') {
    throw new ConfigError(
      key,
      `Cannot update these configs at default cluster level, broker id must be specified: ${key}`,
    );
  }
  if (SECURITY_KEY.test(plain) && key === plain) {
    throw new ConfigError(
      key,
      `These security configs can be dynamically updated only per-listener using the listener prefix: ${key}`,
    );
  }
  if (isSensitive(row)) {
    throw new ConfigError(key, `${key} cannot be set while the broker runs: passwords are not kept in ZooKeeper yet.`);
  }
}

/**
 * A pool may at most halve or double at a time. For changes only: what ZooKeeper holds at a start was reached in steps.
 * @param values the effective values now in force
 * @throws ConfigError
 */
export function checkThreadCount(key: string, count: unknown, values: BrokerConfigValues): void {
  if (!THREAD_COUNTS.has(key)) return;
  const current = values[key as BrokerConfigKey] as number;
  const least = Math.max(1, Math.ceil(current / 2));
  const most = current * 2;
  if ((count as number) >= least && (count as number) <= most) return;
  throw new ConfigError(
    key,
    `${key} cannot be "${String(count)}": it must be between ${least} and ${most}, half and twice the current value ${current}.`,
  );
}
