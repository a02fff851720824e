import type { ConfigRow } from '../../shared/config/table.ts';
import { UNLIMITED_QUEUE_BYTES } from './checks.ts';
import { BROKER_CONFIG_TABLE, STAND_INS, type BrokerConfigKey, type BrokerConfigValues } from './table/index.ts';

export const BROKER_CONFIG_KEYS = Object.keys(BROKER_CONFIG_TABLE) as readonly BrokerConfigKey[];

/** Values as they were given, or the built-in ones; null where neither says anything. */
export type RawValues = Readonly<Record<BrokerConfigKey, unknown>>;

/** The row of a broker setting, or undefined when there is no setting of that name. */
export function brokerConfigRow(key: string): ConfigRow<unknown> | undefined {
  return Object.hasOwn(BROKER_CONFIG_TABLE, key) ? BROKER_CONFIG_TABLE[key as BrokerConfigKey] : undefined;
}

/** The settings that stand in for `key`, best first; none for most. */
export function standInsOf(key: string): readonly { key: BrokerConfigKey; factor: number }[] {
  return Object.hasOwn(STAND_INS, key) ? STAND_INS[key as keyof typeof STAND_INS] : [];
}

/** Effective values: with stand-ins taken in, units converted, and what Kafka leaves open decided. */
export function effectiveValues(raw: RawValues): BrokerConfigValues {
  const values: Record<string, unknown> = {};
  for (const key of BROKER_CONFIG_KEYS) values[key] = raw[key] ?? standIn(key, raw);
  if ((values['queued.max.request.bytes'] as number) <= 0) values['queued.max.request.bytes'] = UNLIMITED_QUEUE_BYTES;
  unifyIds(values);
  return values as unknown as BrokerConfigValues;
}

function standIn(key: BrokerConfigKey, raw: RawValues): unknown {
  for (const { key: other, factor } of standInsOf(key)) {
    const value = raw[other];
    if (value !== null) return typeof value === 'number' ? convert(value, factor) : value;
  }
  return null;
}

/** -1 means "never" in every unit. */
function convert(value: number, factor: number): number {
  return value < 0 ? value : value * factor;
}

/** Either of the two names of the broker's id is enough. */
function unifyIds(values: Record<string, unknown>): void {
  if (values['broker.id'] === -1) values['broker.id'] = values['node.id'];
  if (values['node.id'] === -1) values['node.id'] = values['broker.id'];
}
