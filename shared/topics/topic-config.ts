import { ConfigError } from '../config/config-error.ts';
import { atLeast, between, either, matching, oneOf, someOf, type Rule } from '../config/rules.ts';
import {
  boolean,
  defaultOf,
  double,
  int,
  list,
  long,
  parseSetting,
  string,
  type ConfigRow,
  type ConfigValues,
} from '../config/table.ts';
import { MAX_LONG } from '../config/types.ts';

/** A topic setting, and the broker setting that gives its default where the topic has none of its own. */
export interface TopicConfigRow<V> extends ConfigRow<V> {
  readonly synonym: string | null;
}

function topicRow<V>(synonym: string | null, row: ConfigRow<V>): TopicConfigRow<V> {
  return { ...row, synonym };
}

const throttledReplicas: Rule<readonly string[]> = {
  allowed: '* or a list of partition:broker',
  accepts: list => (list.length === 1 && list[0] === '*') || list.every(pair => /^\d+:\d+$/.test(pair)),
};
const notYet = { status: 'notYet' } as const;

/** Every topic setting of Kafka 3.9, one row each. Broker and tools agree on names, types and bounds here. */
export const TOPIC_CONFIG_TABLE = {
  'cleanup.policy': topicRow(
    'log.cleanup.policy',
    list(['delete'], 'What becomes of old records: deleted by age and size, compacted by key, or both.', {
      rule: someOf('compact', 'delete'),
    }),
  ),
  'compression.type': topicRow(
    'compression.type',
    string('producer', 'Compression in which batches are kept; `producer`: as they came.', {
      rule: oneOf('uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'),
    }),
  ),
  'compression.gzip.level': topicRow(
    'compression.gzip.level',
    int(-1, 'gzip level when the broker compresses.', { rule: either(-1, between(1, 9)) }),
  ),
  'compression.lz4.level': topicRow(
    'compression.lz4.level',
    int(9, 'lz4 level when the broker compresses.', { rule: between(1, 17) }),
  ),
  'compression.zstd.level': topicRow(
    'compression.zstd.level',
    int(3, 'zstd level when the broker compresses.', { rule: between(-131_072, 22) }),
  ),
  'delete.retention.ms': topicRow(
    'log.cleaner.delete.retention.ms',
    long(86_400_000, 'Milliseconds for which compaction keeps tombstones.', { rule: atLeast(0) }),
  ),
  'file.delete.delay.ms': topicRow(
    'log.segment.delete.delay.ms',
    long(60_000, 'Milliseconds between a file’s renaming to `.deleted` and its removal.', { rule: atLeast(0) }),
  ),
  'flush.messages': topicRow(
    'log.flush.interval.messages',
    long(MAX_LONG, 'Records after which the log is forced to disk.', { rule: atLeast(1) }),
  ),
  'flush.ms': topicRow(
    'log.flush.interval.ms',
    long(MAX_LONG, 'Milliseconds after which the log is forced to disk.', { rule: atLeast(0) }),
  ),
  'follower.replication.throttled.replicas': topicRow(
    null,
    list([], 'Replicas whose fetching is throttled: `partition:broker` entries, or `*`.', {
      rule: throttledReplicas,
    }),
  ),
  'leader.replication.throttled.replicas': topicRow(
    null,
    list([], 'Replicas that are served throttled: `partition:broker` entries, or `*`.', {
      rule: throttledReplicas,
    }),
  ),
  'index.interval.bytes': topicRow(
    'log.index.interval.bytes',
    int(4096, 'Bytes of records between two index entries.', { rule: atLeast(0) }),
  ),
  'max.compaction.lag.ms': topicRow(
    'log.cleaner.max.compaction.lag.ms',
    long(MAX_LONG, 'Age at which records are compacted whatever the ratio; not below `min.compaction.lag.ms`.', {
      rule: atLeast(1),
    }),
  ),
  'max.message.bytes': topicRow(
    'message.max.bytes',
    int(1_048_588, 'Largest record batch in bytes.', { rule: atLeast(0) }),
  ),
  'message.downconversion.enable': topicRow(
    'log.message.downconversion.enable',
    boolean(true, 'Convert records for consumers that know only older formats.'),
  ),
  'message.format.version': topicRow(
    'log.message.format.version',
    string('3.0-IV1', 'Ignored, as in Kafka 3: records are kept in format v2.', {
      rule: matching(/^\d+\.\d+/, 'a Kafka release such as 3.0-IV1'),
    }),
  ),
  'message.timestamp.type': topicRow(
    'log.message.timestamp.type',
    string('CreateTime', 'Whether records carry the producer’s time or that of the append.', {
      rule: oneOf('CreateTime', 'LogAppendTime'),
    }),
  ),
  'message.timestamp.before.max.ms': topicRow(
    'log.message.timestamp.before.max.ms',
    long(MAX_LONG, 'How far in the past a producer’s timestamp may lie.', { rule: atLeast(0) }),
  ),
  'message.timestamp.after.max.ms': topicRow(
    'log.message.timestamp.after.max.ms',
    long(MAX_LONG, 'How far in the future a producer’s timestamp may lie.', { rule: atLeast(0) }),
  ),
  'message.timestamp.difference.max.ms': topicRow(
    'log.message.timestamp.difference.max.ms',
    long(MAX_LONG, 'Older setting for both directions; counts where the newer one is not set.', { rule: atLeast(0) }),
  ),
  'min.cleanable.dirty.ratio': topicRow(
    'log.cleaner.min.cleanable.ratio',
    double(0.5, 'Part of the log not yet compacted from which on compaction is due.', {
      rule: between(0, 1),
    }),
  ),
  'min.compaction.lag.ms': topicRow(
    'log.cleaner.min.compaction.lag.ms',
    long(0, 'Records younger than this are not compacted.', { rule: atLeast(0) }),
  ),
  'min.insync.replicas': topicRow(
    'min.insync.replicas',
    int(1, 'In-sync replicas without which a produce with acks=all is refused.', { rule: atLeast(1) }),
  ),
  preallocate: topicRow('log.preallocate', boolean(false, 'Give new segment files their full size at once.', notYet)),
  'retention.bytes': topicRow(
    'log.retention.bytes',
    long(-1, 'Size in bytes to which a partition is cut by deleting its oldest segments; -1: no limit.'),
  ),
  'retention.ms': topicRow(
    'log.retention.ms',
    long(604_800_000, 'Age in milliseconds after which segments are deleted; -1: never.', { rule: atLeast(-1) }),
  ),
  'segment.bytes': topicRow(
    'log.segment.bytes',
    int(1_073_741_824, 'Size in bytes at which a new segment is begun.', { rule: atLeast(14) }),
  ),
  'segment.index.bytes': topicRow(
    'log.index.size.max.bytes',
    int(10_485_760, 'Largest size of an index file in bytes.', { rule: atLeast(4) }),
  ),
  'segment.jitter.ms': topicRow(
    'log.roll.jitter.ms',
    long(0, 'Up to this many milliseconds are taken off `segment.ms` at random.', { rule: atLeast(0) }),
  ),
  'segment.ms': topicRow(
    'log.roll.ms',
    long(604_800_000, 'Age in milliseconds at which a new segment is begun.', { rule: atLeast(1) }),
  ),
  'unclean.leader.election.enable': topicRow(
    'unclean.leader.election.enable',
    boolean(false, 'Let a replica outside the ISR lead when no other is left, which loses acknowledged records.'),
  ),
  'remote.storage.enable': topicRow(null, boolean(false, 'Tiered storage.', notYet)),
  'local.retention.ms': topicRow(null, long(-2, 'Tiered storage: age kept locally.', { ...notYet, rule: atLeast(-2) })),
  'local.retention.bytes': topicRow(
    null,
    long(-2, 'Tiered storage: bytes kept locally.', { ...notYet, rule: atLeast(-2) }),
  ),
} as const;

export type TopicConfigKey = keyof typeof TOPIC_CONFIG_TABLE;

/** A topic's effective settings, by their classic names: times in milliseconds, sizes in bytes. */
export type TopicConfigValues = ConfigValues<typeof TOPIC_CONFIG_TABLE>;

export const TOPIC_CONFIG_KEYS = Object.keys(TOPIC_CONFIG_TABLE) as readonly TopicConfigKey[];

/** The values of a topic without settings of its own, on a broker without any either. */
export const BUILT_IN_TOPIC_CONFIG: TopicConfigValues = Object.fromEntries(
  TOPIC_CONFIG_KEYS.map(key => [key, defaultOf<unknown>(key, rowOf(key))]),
) as TopicConfigValues;

function rowOf(key: TopicConfigKey): TopicConfigRow<unknown> {
  return TOPIC_CONFIG_TABLE[key];
}

/** The row of a topic setting, or undefined when there is no setting of that name. */
export function topicConfigRow(name: string): TopicConfigRow<unknown> | undefined {
  return Object.hasOwn(TOPIC_CONFIG_TABLE, name) ? rowOf(name as TopicConfigKey) : undefined;
}

/**
 * Whether a topic may have these settings of its own: one sentence about the first that it may not (INVALID_CONFIG),
 * else null.
 * @param defaults what the settings that are not given amount to; bounds between two settings are checked against them
 */
export function topicConfigProblem(
  overrides: Readonly<Record<string, string>>,
  defaults: TopicConfigValues = BUILT_IN_TOPIC_CONFIG,
): string | null {
  const unknown = Object.keys(overrides).find(name => topicConfigRow(name) === undefined);
  if (unknown !== undefined) return `Unknown topic config name: ${unknown}`;
  try {
    const values = merge(overrides, defaults, (key, text) => parseSetting(key, rowOf(key), text));
    return lagProblem(values);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

function lagProblem(values: TopicConfigValues): string | null {
  const least = values['min.compaction.lag.ms'];
  const most = values['max.compaction.lag.ms'];
  if (least <= most) return null;
  return `min.compaction.lag.ms (${least}) cannot be greater than max.compaction.lag.ms (${most}).`;
}

/**
 * What a topic's own settings amount to on top of the broker's defaults. Settings that are unknown or not allowed are
 * passed over: they were refused by whoever sets them through a broker, but a tool may have written them to ZooKeeper.
 */
export function effectiveTopicConfig(
  overrides: Readonly<Record<string, string>>,
  defaults: TopicConfigValues = BUILT_IN_TOPIC_CONFIG,
): TopicConfigValues {
  return applyDifference(merge(overrides, defaults, parseOrSkip));
}

function parseOrSkip(key: TopicConfigKey, text: string): unknown {
  try {
    return parseSetting(key, rowOf(key), text);
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}

function merge(
  overrides: Readonly<Record<string, string>>,
  defaults: TopicConfigValues,
  parse: (key: TopicConfigKey, text: string) => unknown,
): TopicConfigValues {
  const values: Record<string, unknown> = { ...defaults };
  for (const [name, text] of Object.entries(overrides)) {
    if (topicConfigRow(name) === undefined) continue;
    const value = parse(name as TopicConfigKey, text);
    if (value !== undefined) values[name] = value;
  }
  return values as TopicConfigValues;
}

/** The older symmetric bound counts for a direction whose own bound stands at its default (Kafka: `LogConfig`, KIP-937). */
function applyDifference(values: TopicConfigValues): TopicConfigValues {
  const difference = values['message.timestamp.difference.max.ms'];
  if (difference === MAX_LONG) return values;
  const bound = (own: number) => (own === MAX_LONG ? difference : own);
  return {
    ...values,
    'message.timestamp.before.max.ms': bound(values['message.timestamp.before.max.ms']),
    'message.timestamp.after.max.ms': bound(values['message.timestamp.after.max.ms']),
  };
}
