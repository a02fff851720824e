import { atLeast, between, either, oneOf, someOf, matching } from '../../../shared/config/rules.ts';
import { boolean, double, int, list, long, string, type ConfigTable } from '../../../shared/config/table.ts';
import { MAX_LONG } from '../../../shared/config/types.ts';
import { clusterWide, notYet } from './scopes.ts';

/** Where records are kept, and the defaults of topics. */
export const LOG = {
  'auto.create.topics.enable': boolean(true, 'Create a topic when a client asks for one that does not exist.'),
  'num.partitions': int(1, 'Partitions of a topic for which no number is given.', { rule: atLeast(1) }),
  'default.replication.factor': int(1, 'Replicas of a topic for which no number is given.'),
  'delete.topic.enable': boolean(true, 'Allow topics to be deleted.'),
  'log.dir': string('/tmp/kafka-logs', 'Data directory, used when `log.dirs` is not set.'),
  'log.dirs': string(null, 'Data directories, separated by commas; partitions are spread over them. Unset: `log.dir`.'),
  'num.recovery.threads.per.data.dir': int(1, 'Threads for each data directory that check logs at start.', {
    ...clusterWide,
    rule: atLeast(1),
  }),
  'log.segment.bytes': int(1_073_741_824, 'Size in bytes at which a new segment is begun.', {
    ...clusterWide,
    rule: atLeast(14),
  }),
  'log.roll.ms': long(null, 'Age in milliseconds at which a new segment is begun. Unset: `log.roll.hours`.', {
    ...clusterWide,
    rule: atLeast(1),
  }),
  'log.roll.hours': int(168, 'The same in hours.', { rule: atLeast(1) }),
  'log.roll.jitter.ms': long(
    null,
    'Up to this many milliseconds are taken off that age at random, so that not all segments roll together. Unset: ' +
      '`log.roll.jitter.hours`.',
    { ...clusterWide, rule: atLeast(0) },
  ),
  'log.roll.jitter.hours': int(0, 'The same in hours.', { rule: atLeast(0) }),
  'log.retention.ms': long(
    null,
    'Age in milliseconds after which segments are deleted; -1: never. Unset: `log.retention.minutes`.',
    { ...clusterWide, rule: either(-1, atLeast(1)) },
  ),
  'log.retention.minutes': int(null, 'The same in minutes. Unset: `log.retention.hours`.', {
    rule: either(-1, atLeast(1)),
  }),
  'log.retention.hours': int(168, 'The same in hours.', { rule: either(-1, atLeast(1)) }),
  'log.retention.bytes': long(
    -1,
    'Size in bytes to which a partition is cut by deleting its oldest segments; -1: no limit.',
    clusterWide,
  ),
  'log.retention.check.interval.ms': long(300_000, 'How often it is looked for segments to delete.', {
    rule: atLeast(1),
  }),
  'log.cleanup.policy': list(['delete'], 'What becomes of old records: deleted, compacted by key, or both.', {
    ...clusterWide,
    rule: someOf('compact', 'delete'),
  }),
  'log.index.size.max.bytes': int(10_485_760, 'Largest size of an index file in bytes.', {
    ...clusterWide,
    rule: atLeast(4),
  }),
  'log.index.interval.bytes': int(4096, 'Bytes of records between two index entries.', {
    ...clusterWide,
    rule: atLeast(0),
  }),
  'log.flush.interval.messages': long(MAX_LONG, 'Records after which a log is forced to disk.', {
    ...clusterWide,
    rule: atLeast(1),
  }),
  'log.flush.interval.ms': long(
    null,
    'Milliseconds after which a log is forced to disk. Unset: `log.flush.scheduler.interval.ms`.',
    clusterWide,
  ),
  'log.flush.scheduler.interval.ms': long(MAX_LONG, 'How often it is looked for logs to be forced to disk.'),
  'log.flush.offset.checkpoint.interval.ms': int(60_000, 'How often the recovery points are written down.', {
    rule: atLeast(0),
  }),
  'log.flush.start.offset.checkpoint.interval.ms': int(60_000, 'How often the logs’ start offsets are written down.', {
    rule: atLeast(0),
  }),
  'log.segment.delete.delay.ms': long(60_000, 'Milliseconds between a file’s renaming to `.deleted` and its removal.', {
    ...clusterWide,
    rule: atLeast(0),
  }),
  'log.preallocate': boolean(false, 'Give new segment files their full size at once.', {
    ...clusterWide,
    ...notYet,
  }),
  'log.message.format.version': string('3.0-IV1', 'Ignored, as in Kafka 3: records are kept in format v2.', {
    rule: matching(/^\d+\.\d+/, 'a Kafka release such as 3.0-IV1'),
  }),
  'log.message.timestamp.type': string(
    'CreateTime',
    'Whether records carry the producer’s time or that of the append.',
    {
      ...clusterWide,
      rule: oneOf('CreateTime', 'LogAppendTime'),
    },
  ),
  'log.message.timestamp.before.max.ms': long(MAX_LONG, 'How far in the past a producer’s timestamp may lie.', {
    ...clusterWide,
    rule: atLeast(0),
  }),
  'log.message.timestamp.after.max.ms': long(MAX_LONG, 'How far in the future a producer’s timestamp may lie.', {
    ...clusterWide,
    rule: atLeast(0),
  }),
  'log.message.timestamp.difference.max.ms': long(MAX_LONG, 'Older setting for both directions.', {
    ...clusterWide,
    rule: atLeast(0),
  }),
  'log.message.downconversion.enable': boolean(
    true,
    'Convert records for consumers that know only older formats.',
    clusterWide,
  ),
  'log.initial.task.delay.ms': long(30_000, 'Milliseconds from the start to the first of the periodic tasks.', {
    rule: atLeast(0),
  }),
  'message.max.bytes': int(1_048_588, 'Largest record batch in bytes.', { ...clusterWide, rule: atLeast(0) }),
  'compression.type': string('producer', 'Compression in which batches are kept; `producer`: as they came.', {
    ...clusterWide,
    rule: oneOf('uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'),
  }),
  'compression.gzip.level': int(-1, 'gzip level when the broker compresses.', {
    ...clusterWide,
    rule: either(-1, between(1, 9)),
  }),
  'compression.lz4.level': int(9, 'lz4 level when the broker compresses.', { ...clusterWide, rule: between(1, 17) }),
  'compression.zstd.level': int(3, 'zstd level when the broker compresses.', {
    ...clusterWide,
    rule: between(-131_072, 22),
  }),
  'log.cleaner.enable': boolean(true, 'Run compaction.'),
  'log.cleaner.threads': int(1, 'Threads for compaction.', { ...clusterWide, rule: atLeast(0) }),
  'log.cleaner.dedupe.buffer.size': long(
    134_217_728,
    'Bytes for the map of keys, over all compaction threads.',
    clusterWide,
  ),
  'log.cleaner.io.buffer.size': int(524_288, 'Bytes of I/O buffers, over all compaction threads.', {
    ...clusterWide,
    rule: atLeast(0),
  }),
  'log.cleaner.io.buffer.load.factor': double(0.9, 'How full the map of keys may get.', clusterWide),
  'log.cleaner.io.max.bytes.per.second': double(
    Number.MAX_VALUE,
    'Bytes a second that compaction may read and write.',
    clusterWide,
  ),
  'log.cleaner.backoff.ms': long(15_000, 'Pause in milliseconds when there was nothing to compact.', {
    ...clusterWide,
    rule: atLeast(0),
  }),
  'log.cleaner.min.cleanable.ratio': double(0.5, 'Part of a log not yet compacted from which on compaction is due.', {
    ...clusterWide,
    rule: between(0, 1),
  }),
  'log.cleaner.delete.retention.ms': long(86_400_000, 'Milliseconds for which compaction keeps tombstones.', {
    ...clusterWide,
    rule: atLeast(0),
  }),
  'log.cleaner.min.compaction.lag.ms': long(0, 'Records younger than this are not compacted.', {
    ...clusterWide,
    rule: atLeast(0),
  }),
  'log.cleaner.max.compaction.lag.ms': long(MAX_LONG, 'Age at which records are compacted whatever the ratio.', {
    ...clusterWide,
    rule: atLeast(1),
  }),
} satisfies ConfigTable;
