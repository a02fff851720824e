import { atLeast, oneOf } from '../../../shared/config/rules.ts';
import { className, int, list, long, string, type ConfigTable } from '../../../shared/config/table.ts';
import { MAX_LONG } from '../../../shared/config/types.ts';
import { clusterWide, notYet } from './scopes.ts';

const positive = { ...notYet, rule: atLeast(1) };
const throttle = { dynamic: 'dynamic-only', rule: atLeast(0) } as const;

/** Quotas, throttles and the classic metrics settings. */
export const QUOTAS = {
  'quota.window.num': int(11, 'Samples over which client quotas are measured.', positive),
  'quota.window.size.seconds': int(1, 'Length of such a sample in seconds.', positive),
  'replication.quota.window.num': int(11, 'Samples over which replication throttles are measured.', {
    rule: atLeast(1),
  }),
  'replication.quota.window.size.seconds': int(1, 'Length of such a sample in seconds.', { rule: atLeast(1) }),
  'alter.log.dirs.replication.quota.window.num': int(11, 'Samples for moves between data directories.', positive),
  'alter.log.dirs.replication.quota.window.size.seconds': int(1, 'Length of such a sample in seconds.', positive),
  'controller.quota.window.num': int(11, 'Samples over which changes of topics are measured.', positive),
  'controller.quota.window.size.seconds': int(1, 'Length of such a sample in seconds.', positive),
  'client.quota.callback.class': className(null, 'A class that decides on quotas.', notYet),
  'leader.replication.throttled.rate': long(
    MAX_LONG,
    'Bytes a second that throttled replicas get from here.',
    throttle,
  ),
  'follower.replication.throttled.rate': long(MAX_LONG, 'Bytes a second that throttled replicas fetch here.', throttle),
  'replica.alter.log.dirs.io.max.bytes.per.second': long(
    MAX_LONG,
    'Bytes a second when replicas move between data directories.',
    throttle,
  ),
  'metric.reporters': list([], 'Java metrics reporters; `/metrics` serves Prometheus here.', {
    ...clusterWide,
    ...notYet,
  }),
  'metrics.num.samples': int(2, 'Samples of the Java metrics.', positive),
  'metrics.sample.window.ms': long(30_000, 'Length of such a sample in milliseconds.', positive),
  'metrics.recording.level': string('INFO', 'Level of the Java metrics.', {
    ...notYet,
    rule: oneOf('INFO', 'DEBUG', 'TRACE'),
  }),
} satisfies ConfigTable;
