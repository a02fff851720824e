import type { ConfigValues } from '../../../shared/config/table.ts';
import { COORDINATION } from './coordination.ts';
import { IDENTITY } from './identity.ts';
import { LOG } from './log.ts';
import { NETWORK } from './network.ts';
import { QUOTAS } from './quotas.ts';
import { REPLICATION } from './replication.ts';
import { SECURITY } from './security.ts';

/** The table in the groups in which the generated reference shows it. */
export const BROKER_CONFIG_GROUPS = [
  { title: 'Identity and ZooKeeper', rows: IDENTITY },
  { title: 'Listeners and network', rows: NETWORK },
  { title: 'Logs and topic defaults', rows: LOG },
  { title: 'Replication and controller', rows: REPLICATION },
  { title: 'Groups, offsets and transactions', rows: COORDINATION },
  { title: 'Security', rows: SECURITY },
  { title: 'Quotas and metrics', rows: QUOTAS },
] as const;

/** Every broker setting of ZooKeeper-mode Kafka 3.9, one row each; the one place that knows names, types and defaults. */
export const BROKER_CONFIG_TABLE = {
  ...IDENTITY,
  ...NETWORK,
  ...LOG,
  ...REPLICATION,
  ...COORDINATION,
  ...SECURITY,
  ...QUOTAS,
};

type TableValues = ConfigValues<typeof BROKER_CONFIG_TABLE>;

/** Settings whose default is null but that are never null to a reader, because another setting stands in. */
type StoodInFor = keyof typeof STAND_INS;

export type BrokerConfigKey = keyof TableValues;

/** Each broker setting with the type of its effective value. */
export type BrokerConfigValues = {
  readonly [K in BrokerConfigKey]: K extends StoodInFor ? NonNullable<TableValues[K]> : TableValues[K];
};

/**
 * Settings that stand in for one that is not set, in order of precedence, with the factor that converts their unit
 * (Kafka: "synonyms"). The last one has a default.
 */
export const STAND_INS = {
  'log.dirs': [{ key: 'log.dir', factor: 1 }],
  'log.roll.ms': [{ key: 'log.roll.hours', factor: 3_600_000 }],
  'log.roll.jitter.ms': [{ key: 'log.roll.jitter.hours', factor: 3_600_000 }],
  'log.retention.ms': [
    { key: 'log.retention.minutes', factor: 60_000 },
    { key: 'log.retention.hours', factor: 3_600_000 },
  ],
  'log.flush.interval.ms': [{ key: 'log.flush.scheduler.interval.ms', factor: 1 }],
  'zookeeper.connection.timeout.ms': [{ key: 'zookeeper.session.timeout.ms', factor: 1 }],
} as const satisfies Partial<Record<BrokerConfigKey, readonly { key: BrokerConfigKey; factor: number }[]>>;
