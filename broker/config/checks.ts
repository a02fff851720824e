import { MAX_INT } from '../../shared/config/types.ts';
import type { BrokerConfigKey, BrokerConfigValues } from './table/index.ts';

/** Effective values, by key. */
type Get = <K extends BrokerConfigKey>(key: K) => BrokerConfigValues[K];

/** A bound between settings. `problem` completes "it must be …", or is null while the bound holds. */
interface Check {
  readonly key: BrokerConfigKey;
  problem(get: Get): string | null;
}

const MIB = 1024 * 1024;
const ZSTD_CODEC = 4;

function unless(holds: boolean, allowed: string): string | null {
  return holds ? null : allowed;
}

/** The bounds between settings, apart from those of the listeners (Kafka: `KafkaConfig.validateValues`). */
const CHECKS: readonly Check[] = [
  {
    key: 'node.id',
    problem: get => unless(get('node.id') === get('broker.id'), `the same as broker.id, ${get('broker.id')}`),
  },
  {
    key: 'broker.id',
    problem(get) {
      const id = get('broker.id');
      if (!get('broker.id.generation.enable'))
        return unless(id >= 0, 'at least 0 when broker.id.generation.enable is false');
      const most = get('reserved.broker.max.id');
      return unless(id <= most, `at most reserved.broker.max.id, ${most}, while broker.id.generation.enable is true`);
    },
  },
  {
    key: 'log.dirs',
    problem(get) {
      const directories = splitDirectories(get('log.dirs'));
      if (directories.length === 0) return 'a list of at least one directory';
      return unless(new Set(directories).size === directories.length, 'a list without the same directory twice');
    },
  },
  {
    key: 'log.cleaner.dedupe.buffer.size',
    problem(get) {
      const threads = get('log.cleaner.threads');
      const holds = !get('log.cleaner.enable') || get('log.cleaner.dedupe.buffer.size') > threads * MIB;
      return unless(holds, `more than 1 MiB for each of the ${threads} log.cleaner.threads`);
    },
  },
  {
    key: 'replica.fetch.wait.max.ms',
    problem(get) {
      const most = Math.min(get('replica.socket.timeout.ms'), get('replica.lag.time.max.ms'));
      return unless(
        get('replica.fetch.wait.max.ms') <= most,
        `at most replica.socket.timeout.ms and replica.lag.time.max.ms, ${most}`,
      );
    },
  },
  {
    key: 'queued.max.request.bytes',
    problem(get) {
      const least = get('socket.request.max.bytes');
      const bytes = get('queued.max.request.bytes');
      return unless(
        bytes === UNLIMITED_QUEUE_BYTES || bytes >= least,
        `-1, or at least socket.request.max.bytes, ${least}`,
      );
    },
  },
  {
    key: 'max.connections.per.ip',
    problem: get =>
      unless(
        get('max.connections.per.ip') > 0 || get('max.connections.per.ip.overrides') !== '',
        `between 1 and ${MAX_INT}, because max.connections.per.ip.overrides is empty`,
      ),
  },
  {
    key: 'connection.failed.authentication.delay.ms',
    problem(get) {
      const most = get('connections.max.idle.ms');
      const holds = most < 0 || get('connection.failed.authentication.delay.ms') < most;
      return unless(holds, `less than connections.max.idle.ms, ${most}`);
    },
  },
  {
    key: 'offsets.topic.compression.codec',
    problem: get =>
      unless(
        get('offsets.topic.compression.codec') !== ZSTD_CODEC ||
          !/^([01]\.|2\.0)/.test(get('inter.broker.protocol.version')),
        'another codec than 4 (zstd) while inter.broker.protocol.version is below 2.1',
      ),
  },
];

/** What `queued.max.request.bytes` amounts to when it is not limited by a setting: a process has to have some limit. */
export const UNLIMITED_QUEUE_BYTES = 64 * MIB;

/** The directories in `log.dirs`; blanks around commas and empty entries do not count. */
export function splitDirectories(text: string): string[] {
  return text
    .split(',')
    .map(directory => directory.trim())
    .filter(directory => directory !== '');
}

/** The first bound that does not hold: the key to blame, and what is allowed. */
export function firstProblem(get: Get): { key: BrokerConfigKey; allowed: string } | null {
  for (const check of CHECKS) {
    const allowed = check.problem(get);
    if (allowed !== null) return { key: check.key, allowed };
  }
  return null;
}
