import { expect } from 'vitest';
import { CODECS, type CodecName } from '../../../shared/records/compression.ts';
import { waitFor } from '../../support/wait.ts';
import type { ClientRow } from './clients.ts';
import { throughFailover } from './failover.ts';
import type { FeatureId } from './features.ts';
import type { DriverRecord, ReadRecord, Start } from './foreign-client.ts';
import { GROUP_EXAMINATIONS } from './groups.ts';
import { BROKERS, type Examination } from './stage.ts';
import type { StoredBatch } from './stored-batches.ts';
import { TRANSACTION_EXAMINATIONS } from './transactions.ts';

const ALL = -1;
const CODEC_NAMES = Object.keys(CODECS) as CodecName[];

/** Long before now, so that nobody's clock is mistaken for it, and within the topics' retention. */
const BEGINNING = Date.now() - 86_400_000;

/** Records `value-0`, … for partition 0, a minute after the other. */
function numbered(count: number, change: Partial<DriverRecord> = {}): DriverRecord[] {
  return Array.from({ length: count }, (_, n) => ({
    key: `key-${n}`,
    value: `value-${n}, with text, text and text that compresses`,
    partition: 0,
    headers: [],
    timestamp: BEGINNING + n * 60_000,
    ...change,
  }));
}

/** The records as a reader finds them. */
function asRead(records: readonly DriverRecord[], firstOffset = 0): ReadRecord[] {
  return records.map(({ key, value, headers, timestamp }, n) => ({
    offset: firstOffset + n,
    timestamp: timestamp!,
    key,
    value,
    headers,
  }));
}

/** Whether the partition holds the records, with their timestamps if the client can be told them. */
function expectStored(row: ClientRow, batches: readonly StoredBatch[], records: readonly DriverRecord[]): void {
  const stored = batches.flatMap(batch => batch.records);
  const expected = asRead(records);
  if (row.ownTimestamps !== true) expect(stored).toEqual(expected);
  else
    expect(stored).toMatchObject(expected.map(({ offset, key, value, headers }) => ({ offset, key, value, headers })));
}

async function producesWith({ stage, row, client }: Examination, codec: CodecName): Promise<void> {
  const topic = await stage.topic(`codec-${codec}`);
  const records = numbered(200);
  await client.ask('produce', { topic, codec, acks: ALL, idempotent: false, records });
  const batches = await stage.stored(topic, 0, records.length);
  // librdkafka leaves a batch as it is when compression would not make it smaller, and its first one may be a single record.
  const small = batches.filter(batch => batch.records.length < 10);
  for (const batch of small) expect(['none', codec]).toContain(batch.codec);
  const large = batches.filter(batch => !small.includes(batch));
  expect(new Set(large.map(batch => batch.codec))).toEqual(new Set([codec]));
  expectStored(row, batches, records);
}

async function producesWithAcks({ stage, row, client }: Examination, acks: number): Promise<void> {
  const topic = await stage.topic(`acks-${acks}`);
  const records = numbered(20);
  await client.ask('produce', { topic, codec: 'none', acks, idempotent: false, records });
  expectStored(row, await stage.stored(topic, 0, records.length), records);
}

async function partitionsByKey({ stage, row, client }: Examination): Promise<void> {
  const partitions = 7;
  const topic = await stage.topic('keys', { partitions });
  const keys = Array.from({ length: 60 }, (_, n) => (n % 2 === 0 ? `k${n}` : `schlüssel ${n} of some length`));
  const records = keys.map(key => ({ key, value: key, partition: null, headers: [], timestamp: null }));
  await client.ask('produce', { topic, codec: 'none', acks: ALL, idempotent: false, records });
  const expected = Array.from({ length: partitions }, (_, partition) =>
    keys.filter(key => row.partitioning(Buffer.from(key), partitions) === partition),
  );
  for (const [partition, own] of expected.entries()) {
    const batches = await stage.stored(topic, partition, own.length);
    expect(batches.flatMap(batch => batch.records.map(({ key }) => key))).toEqual(own);
  }
}

async function sendsHeaders({ stage, client }: Examination): Promise<void> {
  const topic = await stage.topic('headers');
  const headers: DriverRecord['headers'] = [
    ['colour', 'blue'],
    ['größe', '7 ¾'],
    ['empty', ''],
  ];
  const [record] = numbered(1, { headers });
  await client.ask('produce', { topic, codec: 'none', acks: ALL, idempotent: false, records: [record!] });
  const [batch] = await stage.stored(topic, 0, 1);
  expect(batch!.records[0]!.headers).toEqual(headers);
}

async function createsByWriting({ stage, client }: Examination): Promise<void> {
  const topic = stage.topicName('created-by-writing');
  const records = numbered(3);
  await client.ask('produce', { topic, codec: 'none', acks: ALL, idempotent: false, records });
  expect((await stage.stored(topic, 0, 3)).flatMap(batch => batch.records)).toHaveLength(3);
}

async function failsForABadName({ client }: Examination): Promise<void> {
  const request = { topic: 'no spaces', codec: 'none', acks: ALL, idempotent: false, records: numbered(1) };
  await expect(client.ask('produce', request)).rejects.toThrow(/invalid|illegal/i);
}

async function isIdempotent({ stage, client }: Examination): Promise<void> {
  const topic = await stage.topic('idempotent');
  for (let round = 0; round < 3; round++) {
    await client.ask('produce', { topic, codec: 'none', acks: ALL, idempotent: true, records: numbered(10) });
  }
  const batches = await stage.stored(topic, 0, 30);
  for (const { producerId } of batches) expect(producerId).toBeGreaterThanOrEqual(0);
}

async function readsFrom({ stage, client }: Examination, from: Start, first: number): Promise<void> {
  const topic = await stage.topic('reads');
  const records = numbered(50, { headers: [['n', '¼']] });
  // Several batches, so that a position may be in the middle of one.
  for (let n = 0; n < 50; n += 10) await stage.write(topic, records.slice(n, n + 10));
  const until = records.at(-1)!.value;
  const answer = await client.ask('consume', { topic, partition: 0, from, until, isolation: 'read_uncommitted' });
  expect(answer.records).toEqual(asRead(records.slice(first), first));
}

async function readsAllCodecs({ stage, client }: Examination): Promise<void> {
  const topic = await stage.topic('all-codecs');
  const records = numbered(CODEC_NAMES.length * 10);
  for (const [n, codec] of CODEC_NAMES.entries()) await stage.write(topic, records.slice(n * 10, n * 10 + 10), codec);
  const until = records.at(-1)!.value;
  const answer = await client.ask('consume', {
    topic,
    partition: 0,
    from: 'beginning',
    until,
    isolation: 'read_uncommitted',
  });
  expect(answer.records).toEqual(asRead(records));
}

async function findsOffsets({ stage, client }: Examination): Promise<void> {
  const topic = await stage.topic('offsets');
  await stage.write(topic, numbered(20));
  await stage.admin.deleteRecords([[{ topic, partition: 0 }, 5]]);
  const offset = async (at: 'earliest' | 'latest' | number) =>
    (await client.ask('offset', { topic, partition: 0, at })).offset;
  expect(await offset('earliest')).toBe(5);
  expect(await offset('latest')).toBe(20);
  expect(await offset(BEGINNING + 10 * 60_000)).toBe(10);
  expect(await offset(BEGINNING + 10 * 60_000 + 1)).toBe(11);
}

async function managesTopics({ stage, client }: Examination): Promise<void> {
  const topic = stage.topicName('managed');
  const wish = { topic, partitions: 2, replicationFactor: BROKERS, configs: { 'retention.ms': '1234567' } };
  await client.ask('createTopic', wish);
  // The broker that is asked may not have heard of everything yet.
  await waitFor('the topic as it is', async () => {
    expect((await client.ask('listTopics', {})).topics).toContain(topic);
    const { partitions } = await client.ask('describeTopic', { topic });
    const known = (await stage.admin.describeTopic(topic)).partitions;
    expect(partitions).toEqual(known.map(({ partition, leader, replicas }) => ({ partition, leader, replicas })));
    return known.length === 2 && known.every(({ leader }) => leader >= 0);
  });
  await expect(client.ask('createTopic', wish)).rejects.toThrow(/already.?exists/i);
  await client.ask('deleteTopic', { topic });
  await waitFor('the topic to be gone', async () => !(await client.ask('listTopics', {})).topics.includes(topic));
}

async function addsPartitions({ stage, client }: Examination): Promise<void> {
  const topic = await stage.topic('grown');
  await client.ask('createPartitions', { topic, count: 4 });
  await waitFor('four partitions', async () => (await stage.leaders(topic)).length === 4);
}

async function configuresTopics({ stage, client }: Examination): Promise<void> {
  const topic = await stage.topic('configured');
  await client.ask('alterConfig', {
    topic,
    configs: { 'retention.ms': '7654321', 'cleanup.policy': 'compact,delete' },
  });
  const names = ['retention.ms', 'cleanup.policy', 'compression.type'];
  const expected = { 'retention.ms': '7654321', 'cleanup.policy': 'compact,delete', 'compression.type': 'producer' };
  await waitFor('the broker that is asked to have heard', async () => {
    const { configs } = await client.ask('describeConfig', { topic, names });
    expect(configs).toMatchObject(expected);
    return true;
  });
  await expect(client.ask('alterConfig', { topic, configs: { 'retention.ms': 'soon' } })).rejects.toThrow(
    /soon|invalid|malformed/i,
  );
}

const withCodec = (codec: CodecName) => (examination: Examination) => producesWith(examination, codec);
const withAcks = (acks: number) => (examination: Examination) => producesWithAcks(examination, acks);
const from = (start: Start, first: number) => (examination: Examination) => readsFrom(examination, start, first);

/** How it is found out whether a client gets along with Samsa in each feature; throws where it does not. */
export const EXAMINATIONS: Readonly<Record<FeatureId, (examination: Examination) => Promise<void>>> = {
  none: withCodec('none'),
  gzip: withCodec('gzip'),
  snappy: withCodec('snappy'),
  lz4: withCodec('lz4'),
  zstd: withCodec('zstd'),
  acks0: withAcks(0),
  acks1: withAcks(1),
  acksAll: withAcks(ALL),
  keys: partitionsByKey,
  autoCreate: createsByWriting,
  badTopic: failsForABadName,
  headers: sendsHeaders,
  idempotent: isIdempotent,
  beginning: from('beginning', 0),
  offset: from({ offset: 17 }, 17),
  timestamp: from({ timestamp: BEGINNING + 32 * 60_000 - 1 }, 32),
  allCodecs: readsAllCodecs,
  offsets: findsOffsets,
  topics: managesTopics,
  partitions: addsPartitions,
  configs: configuresTopics,
  failover: throughFailover,
  ...GROUP_EXAMINATIONS,
  ...TRANSACTION_EXAMINATIONS,
};
