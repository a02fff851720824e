import { join } from 'node:path';
import type { FeatureId } from './features.ts';
import { SHORT_LIFE } from '../../support/apache-kafka.ts';
import { crc, javaLike, unsignedMurmur2, type Partitioning } from './partitioning.ts';

/** Where bin/setup puts what it has to fetch or to build. */
const INSTALLED = join(import.meta.dirname, '../../../.tooling/clients');
const DRIVERS = join(import.meta.dirname, '../drivers');

/** A foreign client that stands in the table of docs/COMPATIBILITY.md. */
export interface ClientRow {
  readonly name: string;
  readonly language: string;
  /** The program that drives it, and its arguments. */
  readonly driver: readonly [string, ...string[]];
  /** Set up from a registry that may be out of reach: where bin/setup then says so. */
  readonly absence?: string;
  readonly partitioning: Partitioning;
  /** It cannot be told the timestamps of the records that it writes. */
  readonly ownTimestamps?: boolean;
  /** As a member of a group it commits what it has read, before anybody has worked on it. */
  readonly commitsByItself?: boolean;
  /** What the client itself does not offer, or not without groups, and why. */
  readonly lacks: Readonly<Partial<Record<FeatureId, string>>>;
}

const driver = (name: string): string => join(DRIVERS, name);

/** The driver is compiled beside the release's jars. */
const javaDriver = (release: string): ClientRow['driver'] => [
  'java',
  ...SHORT_LIFE,
  '-cp',
  `${INSTALLED}/${release}:${INSTALLED}/${release}/*`,
  'Driver',
];

const PLUGINS = 'the client knows this codec only through a plug-in';
const GROUPS_ONLY = 'the client consumes in groups only';
const NO_ADMIN = 'the client does not administer topics';
const NO_TRANSACTIONS = 'the client knows nothing of transactions';
const ONE_TRANSACTION = 'all that the program is given is one transaction, which it commits';
const NO_IDEMPOTENCE = 'the client has no idempotent producer';
const EAGER_ONLY = 'the client has no cooperative assignor';

export const CLIENTS: readonly ClientRow[] = [
  {
    name: '@platformatic/kafka',
    language: 'JavaScript',
    driver: [process.execPath, driver('platformatic.ts')],
    partitioning: unsignedMurmur2,
    lacks: {},
  },
  {
    name: 'kafka-python',
    language: 'Python',
    driver: ['/usr/bin/python3', '-B', driver('kafka_python.py')],
    partitioning: javaLike,
    lacks: {
      idempotent: NO_IDEMPOTENCE,
      badTopic: 'the client keeps asking for the topic until it gives up',
      groupCooperative: EAGER_ONLY,
      txCommit: NO_TRANSACTIONS,
      txAbort: NO_TRANSACTIONS,
      txFencing: NO_TRANSACTIONS,
      txCopy: NO_TRANSACTIONS,
      txFailover: NO_TRANSACTIONS,
      txRead: NO_TRANSACTIONS,
    },
  },
  {
    name: 'confluent-kafka',
    language: 'Python, librdkafka',
    driver: ['/usr/bin/python3', '-B', driver('confluent_python.py')],
    partitioning: crc,
    lacks: {},
  },
  {
    name: 'kafka-clients',
    language: 'Java',
    driver: javaDriver('java'),
    absence: `${INSTALLED}/java.missing`,
    partitioning: javaLike,
    lacks: {},
  },
  {
    name: 'kafka-clients 4',
    language: 'Java',
    driver: javaDriver('java-4'),
    absence: `${INSTALLED}/java-4.missing`,
    partitioning: javaLike,
    lacks: {},
  },
  {
    name: 'franz-go',
    language: 'Go',
    driver: [`${INSTALLED}/franz-go`],
    absence: `${INSTALLED}/franz-go.missing`,
    partitioning: javaLike,
    lacks: {},
  },
  {
    name: 'kafkajs',
    language: 'JavaScript',
    driver: [process.execPath, driver('kafkajs.ts')],
    partitioning: javaLike,
    lacks: {
      snappy: PLUGINS,
      lz4: PLUGINS,
      zstd: PLUGINS,
      beginning: GROUPS_ONLY,
      offset: GROUPS_ONLY,
      timestamp: GROUPS_ONLY,
      allCodecs: GROUPS_ONLY,
      groupCooperative: EAGER_ONLY,
    },
  },
  {
    name: 'kcat',
    language: 'C, librdkafka',
    driver: [process.execPath, driver('kcat.ts')],
    partitioning: crc,
    ownTimestamps: true,
    commitsByItself: true,
    lacks: {
      topics: NO_ADMIN,
      partitions: NO_ADMIN,
      configs: NO_ADMIN,
      txAbort: ONE_TRANSACTION,
      txFencing: ONE_TRANSACTION,
      txCopy: ONE_TRANSACTION,
      txFailover: ONE_TRANSACTION,
    },
  },
];
