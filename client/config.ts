import { KafkaError } from './errors.ts';
import { ErrorCode } from '../shared/protocol/errors.ts';

/** Settings as given: by classic name, typed or as text from a properties file. */
export type ClientSettings = Readonly<Record<string, unknown>>;

type ClientKind = 'producer' | 'consumer' | 'admin';

interface Row {
  readonly default: number | string | boolean;
  /** Lowest allowed number. */
  readonly min?: number;
  readonly oneOf?: readonly string[];
  readonly kinds: readonly ClientKind[];
  readonly doc: string;
}

const ALL: readonly ClientKind[] = ['producer', 'consumer', 'admin'];
const MAX_INT = 2147483647;
/** JKS, the default, stands for PKCS12 too, as it does in Java; a store that is really JKS is refused when it is read. */
const STORE_TYPE = { default: 'JKS', oneOf: ['JKS', 'PKCS12', 'PEM'], kinds: ALL } as const;

/** Every setting the clients act on: classic names, Kafka's defaults. */
export const CLIENT_CONFIG = {
  'bootstrap.servers': { default: '', kinds: ALL, doc: 'First contact addresses, host:port, separated by commas.' },
  'client.id': { default: '', kinds: ALL, doc: 'Name by which brokers log and meter this client.' },
  'samsa.dialect': {
    default: 'http2',
    oneOf: ['http2', 'kafka'],
    kinds: ALL,
    doc: 'Protocol spoken with the brokers: RPC over HTTP/2, or the Kafka wire protocol.',
  },
  'security.protocol': {
    default: 'PLAINTEXT',
    oneOf: ['PLAINTEXT', 'SSL'],
    kinds: ALL,
    doc: 'How connections are secured; it has to be that of the listener.',
  },
  'ssl.truststore.type': { ...STORE_TYPE, doc: 'Kind of the trust store.' },
  'ssl.truststore.location': { default: '', kinds: ALL, doc: 'File with the certificates to trust.' },
  'ssl.truststore.password': { default: '', kinds: ALL, doc: 'Its password.' },
  'ssl.truststore.certificates': { default: '', kinds: ALL, doc: 'The certificates to trust as PEM text.' },
  'ssl.keystore.type': { ...STORE_TYPE, doc: 'Kind of the key store.' },
  'ssl.keystore.location': { default: '', kinds: ALL, doc: 'File with key and certificate of this client.' },
  'ssl.keystore.password': { default: '', kinds: ALL, doc: 'Its password.' },
  'ssl.key.password': { default: '', kinds: ALL, doc: 'Password of the private key.' },
  'ssl.keystore.key': { default: '', kinds: ALL, doc: 'The private key as PEM text.' },
  'ssl.keystore.certificate.chain': {
    default: '',
    kinds: ALL,
    doc: 'Its certificate, and those above it, as PEM text.',
  },
  'ssl.enabled.protocols': { default: 'TLSv1.2,TLSv1.3', kinds: ALL, doc: 'TLS versions to use.' },
  'ssl.cipher.suites': { default: '', kinds: ALL, doc: 'Cipher suites to use; empty: the usual ones.' },
  'ssl.endpoint.identification.algorithm': {
    default: 'https',
    oneOf: ['https', 'HTTPS', ''],
    kinds: ALL,
    doc: "Whether a broker's certificate must name the host; empty: it need not.",
  },
  'metadata.max.age.ms': {
    default: 300_000,
    min: 0,
    kinds: ALL,
    doc: 'Age at which cluster metadata is asked for again.',
  },
  'request.timeout.ms': { default: 30_000, min: 1, kinds: ALL, doc: 'Time limit of one request.' },
  'default.api.timeout.ms': {
    default: 60_000,
    min: 0,
    kinds: ['consumer', 'admin'],
    doc: 'Time limit of a call with all its retries.',
  },
  'retry.backoff.ms': { default: 100, min: 0, kinds: ALL, doc: 'Pause before the first retry; doubled each time.' },
  'retry.backoff.max.ms': { default: 1_000, min: 0, kinds: ALL, doc: 'Longest pause between retries.' },
  'reconnect.backoff.ms': {
    default: 50,
    min: 0,
    kinds: ALL,
    doc: 'Pause before the first reconnect; doubled each time.',
  },
  'reconnect.backoff.max.ms': { default: 1_000, min: 0, kinds: ALL, doc: 'Longest pause between reconnects.' },
  'socket.connection.setup.timeout.ms': {
    default: 10_000,
    min: 1,
    kinds: ALL,
    doc: 'Time limit for opening a connection.',
  },

  acks: {
    default: 'all',
    oneOf: ['all', '-1', '0', '1'],
    kinds: ['producer'],
    doc: 'Acknowledgement waited for: none, the leader, or all in-sync replicas.',
  },
  'enable.idempotence': {
    default: true,
    kinds: ['producer'],
    doc: 'Each record is written once and in order, whatever is sent again; needs acks=all, retries and at most 5 in flight.',
  },
  'transactional.id': {
    default: '',
    kinds: ['producer'],
    doc: 'Name under which transactions survive the process: one producer at a time has it.',
  },
  'transaction.timeout.ms': {
    default: 60_000,
    min: 1,
    kinds: ['producer'],
    doc: 'How long a transaction may stay open before its coordinator aborts it.',
  },
  'batch.size': { default: 16_384, min: 0, kinds: ['producer'], doc: 'Bytes at which a batch is closed.' },
  'linger.ms': { default: 0, min: 0, kinds: ['producer'], doc: 'How long a batch waits for more records.' },
  'buffer.memory': { default: 33_554_432, min: 0, kinds: ['producer'], doc: 'Bytes of records not yet acknowledged.' },
  'max.block.ms': {
    default: 60_000,
    min: 0,
    kinds: ['producer'],
    doc: 'How long a send may wait for metadata or memory.',
  },
  'max.request.size': { default: 1_048_576, min: 0, kinds: ['producer'], doc: 'Largest request and largest record.' },
  'max.in.flight.requests.per.connection': {
    default: 5,
    min: 1,
    kinds: ['producer'],
    doc: 'Produce requests at one broker at a time; without idempotence never two of one partition.',
  },
  retries: {
    default: MAX_INT,
    min: 0,
    kinds: ['producer', 'admin'],
    doc: 'Retries of a request, within its time limit.',
  },
  'delivery.timeout.ms': {
    default: 120_000,
    min: 0,
    kinds: ['producer'],
    doc: 'Time from send to success or failure of a record.',
  },
  'compression.type': {
    default: 'none',
    oneOf: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
    kinds: ['producer'],
    doc: 'Codec of the batches.',
  },
  'compression.gzip.level': { default: -1, min: -1, kinds: ['producer'], doc: 'gzip level, 1 to 9; -1 = its default.' },
  'compression.lz4.level': { default: 9, min: 1, kinds: ['producer'], doc: 'lz4 level, 1 to 17.' },
  'compression.zstd.level': { default: 3, min: -131_072, kinds: ['producer'], doc: 'zstd level, up to 22.' },
  'partitioner.class': {
    default: 'default',
    oneOf: ['default', 'round-robin', 'org.apache.kafka.clients.producer.RoundRobinPartitioner'],
    kinds: ['producer'],
    doc: 'How records that name no partition are spread.',
  },
  'partitioner.ignore.keys': {
    default: false,
    kinds: ['producer'],
    doc: 'Spread records with a key like those without.',
  },

  'group.id': { default: '', kinds: ['consumer'], doc: 'Group of the consumer, for subscribing and committing.' },
  'group.instance.id': {
    default: '',
    kinds: ['consumer'],
    doc: 'Name that is unique in the group: the member may be away for session.timeout.ms without losing its partitions.',
  },
  'partition.assignment.strategy': {
    default: 'range,cooperative-sticky',
    kinds: ['consumer'],
    doc: 'How members share partitions out, the preferred way first: range, roundrobin, sticky, cooperative-sticky.',
  },
  'session.timeout.ms': {
    default: 45_000,
    min: 1,
    kinds: ['consumer'],
    doc: 'Time without a heartbeat after which the group goes on without a member.',
  },
  'heartbeat.interval.ms': { default: 3_000, min: 1, kinds: ['consumer'], doc: 'Time between two heartbeats.' },
  'max.poll.interval.ms': {
    default: 300_000,
    min: 1,
    kinds: ['consumer'],
    doc: 'Longest time between two polls, after which others get the partitions.',
  },
  'enable.auto.commit': {
    default: true,
    kinds: ['consumer'],
    doc: 'Commit in polls, and on leaving, what earlier polls have handed out.',
  },
  'auto.commit.interval.ms': { default: 5_000, min: 0, kinds: ['consumer'], doc: 'Time between two such commits.' },
  'exclude.internal.topics': {
    default: true,
    kinds: ['consumer'],
    doc: 'Patterns do not match internal topics.',
  },
  'fetch.min.bytes': { default: 1, min: 0, kinds: ['consumer'], doc: 'Bytes for which a fetch waits.' },
  'fetch.max.wait.ms': { default: 500, min: 0, kinds: ['consumer'], doc: 'How long a fetch waits for them.' },
  'fetch.max.bytes': { default: 52_428_800, min: 0, kinds: ['consumer'], doc: 'Largest answer.' },
  'max.partition.fetch.bytes': {
    default: 1_048_576,
    min: 0,
    kinds: ['consumer'],
    doc: 'Largest share of one partition in an answer.',
  },
  'max.poll.records': { default: 500, min: 1, kinds: ['consumer'], doc: 'Records handed out by one poll.' },
  'auto.offset.reset': {
    default: 'latest',
    oneOf: ['earliest', 'latest', 'none'],
    kinds: ['consumer'],
    doc: 'Where to go on when there is no valid position.',
  },
  'isolation.level': {
    default: 'read_uncommitted',
    oneOf: ['read_uncommitted', 'read_committed'],
    kinds: ['consumer'],
    doc: 'Whether records of open and aborted transactions are read.',
  },
  'check.crcs': { default: true, kinds: ['consumer'], doc: 'Verify the checksum of each batch.' },
  'client.rack': {
    default: '',
    kinds: ['consumer'],
    doc: 'Rack of this client, for reading from a near replica, and for the range assignor.',
  },
  'allow.auto.create.topics': {
    default: true,
    kinds: ['consumer'],
    doc: 'Let the broker create topics that are asked for.',
  },
} as const satisfies Record<string, Row>;

type Rows = typeof CLIENT_CONFIG;
export type ClientConfigKey = keyof Rows;
type ValueOf<D> = D extends number ? number : D extends boolean ? boolean : string;
export type ClientConfigValues = { readonly [K in ClientConfigKey]: ValueOf<Rows[K]['default']> };

/** Settings that other clients know and that mean nothing here (yet): accepted silently, because properties files are shared. */
const TOLERATED =
  /^(key|value)\.(de)?serializer$|^(group|interceptor|ssl|sasl|security|transaction|transactional|partition\.assignment|connections|send|receive|metric|metrics|client\.dns|enable|auto\.commit|session|heartbeat|max\.poll\.interval|exclude|metadata)\b/;

export interface ResolvedConfig {
  readonly values: ClientConfigValues;
  /** One sentence for each setting that was not understood. */
  readonly warnings: readonly string[];
}

/** Checks and completes settings for a kind of client. @throws KafkaError INVALID_CONFIG naming key, value and what is allowed */
export function resolveConfig(kind: ClientKind, settings: ClientSettings): ResolvedConfig {
  const values: Record<string, unknown> = {};
  const warnings: string[] = [];
  const rows: Record<string, Row> = CLIENT_CONFIG;
  for (const [key, row] of Object.entries(CLIENT_CONFIG)) values[key] = row.default;
  for (const [key, given] of Object.entries(settings)) {
    if (given === undefined || given === null) continue;
    const row = rows[key];
    if (row?.kinds.includes(kind)) values[key] = parse(key, row, given);
    else if (row === undefined && !TOLERATED.test(key)) warnings.push(`the setting ${key} is not known to a ${kind}`);
  }
  return { values: values as unknown as ClientConfigValues, warnings };
}

function parse(key: string, row: Row, given: unknown): number | string | boolean {
  const text = typeof given === 'string' ? given.trim() : given;
  switch (typeof row.default) {
    case 'number':
      return parseNumber(key, row, text);
    case 'boolean':
      if (String(text).toLowerCase() === 'true') return true;
      if (String(text).toLowerCase() === 'false') return false;
      throw invalid(key, given, 'true or false');
    default: {
      const value = String(text);
      if (row.oneOf !== undefined && !row.oneOf.includes(value))
        throw invalid(key, given, `one of ${row.oneOf.map(one => (one === '' ? 'nothing' : one)).join(', ')}`);
      return value;
    }
  }
}

function parseNumber(key: string, row: Row, given: unknown): number {
  const value = typeof given === 'number' ? given : given === '' ? NaN : Number(given);
  const min = row.min ?? -Infinity;
  if (!Number.isInteger(value) || value < min) throw invalid(key, given, `an integer from ${min} on`);
  return value;
}

function invalid(key: string, given: unknown, allowed: string): KafkaError {
  return new KafkaError(ErrorCode.INVALID_CONFIG, `Invalid value ${String(given)} for ${key}: allowed is ${allowed}.`);
}
