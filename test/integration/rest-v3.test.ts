import { connect, type ClientHttp2Session } from 'node:http2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createConsumer, type ConsumerRecord } from '../../client/index.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { OpenApiShapes, type OpenApiDocument } from '../support/openapi-shapes.ts';
import { run } from '../support/run.ts';
import { waitFor } from '../support/wait.ts';

/**
 * The REST tree under /v3 as curl sees it over HTTP/2. Every answer is also held against the shapes that the broker's own
 * OpenAPI document promises.
 */

/* oxlint-disable typescript/no-explicit-any -- bodies are whatever the broker answers */
interface Answer {
  readonly status: number;
  readonly headers: string;
  readonly text: string;
  /** The body as JSON; '' when there is none. */
  readonly json: any;
}

let cluster: Cluster;
let clusterId = '';
let origin = '';
let shapes: OpenApiShapes;
let topics = 0;

beforeAll(async () => {
  cluster = await startCluster({
    brokers: 2,
    properties: { 'auto.create.topics.enable': 'false', 'num.partitions': '2' },
  });
  origin = `http://${cluster.brokers[1]!.address}`;
  const document = (await (await fetch(`${origin}/openapi.json`)).json()) as OpenApiDocument;
  shapes = new OpenApiShapes(document);
  clusterId = (await get('/v3/clusters')).json.data[0].cluster_id;
});

afterAll(async () => {
  await cluster?.stop();
});

async function curl(method: string, path: string, args: readonly string[] = [], input = ''): Promise<Answer> {
  const all = ['-sS', '-i', '--http2-prior-knowledge', '-X', method, ...args, `${origin}${path}`];
  const { stdout, stderr, code } = await run('curl', all, { input });
  expect(code, stderr).toBe(0);
  const end = stdout.indexOf('\r\n\r\n');
  const headers = stdout.slice(0, end);
  const text = stdout.slice(end + 4);
  return { status: Number(/^HTTP\/2 (\d+)/.exec(headers)![1]), headers, text, json: parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return text === '' ? '' : (JSON.parse(text) as unknown);
  } catch {
    return text;
  }
}

async function ask(method: string, path: string, body?: unknown): Promise<Answer> {
  const data = body === undefined ? [] : ['-H', 'content-type: application/json', '-d', JSON.stringify(body)];
  const answer = await curl(method, path, data);
  shapes.check(method, path, answer.status, answer.json);
  return answer;
}

const get = (path: string) => ask('GET', path);
const error = ({ status, json }: Answer) => [status, json.error_code];

/** A new topic; its path. */
async function newTopic(body: object = {}): Promise<string> {
  const name = `v3-${topics++}`;
  const answer = await ask('POST', '/v3/clusters/-/topics', { topic_name: name, replication_factor: 2, ...body });
  expect(answer.status, answer.text).toBe(201);
  return `/v3/clusters/-/topics/${name}`;
}

const nameOf = (path: string) => path.split('/').at(-1)!;
const url = (path: string) => `${origin}${path.replace('/clusters/-', `/clusters/${clusterId}`)}`;

describe('the cluster and its brokers', () => {
  test('are shown as Confluent shows them', async () => {
    const own = `/v3/clusters/${clusterId}`;
    const { json } = await get('/v3/clusters/-');
    expect(json).toEqual({
      kind: 'KafkaCluster',
      metadata: { self: `${origin}${own}`, resource_name: `crn:///kafka=${clusterId}` },
      cluster_id: clusterId,
      controller: { related: expect.stringMatching(new RegExp(`^${origin}${own}/brokers/[01]$`)) },
      acls: { related: `${origin}${own}/acls` },
      brokers: { related: `${origin}${own}/brokers` },
      broker_configs: { related: `${origin}${own}/broker-configs` },
      consumer_groups: { related: `${origin}${own}/consumer-groups` },
      topics: { related: `${origin}${own}/topics` },
      partition_reassignments: { related: `${origin}${own}/topics/-/partitions/-/reassignment` },
    });
    expect((await get(own)).json).toEqual(json);
    expect((await get('/v3/clusters')).json).toEqual({
      kind: 'KafkaClusterList',
      metadata: { self: `${origin}/v3/clusters`, next: null },
      data: [json],
    });
    const brokers = await get('/v3/clusters/-/brokers');
    const port = cluster.brokers.map(broker => Number(broker.address.split(':')[1]));
    expect(brokers.json.metadata).toEqual({ self: `${origin}${own}/brokers`, next: null });
    expect(brokers.json.data).toEqual(
      [0, 1].map(id => ({
        kind: 'KafkaBroker',
        metadata: { self: `${origin}${own}/brokers/${id}`, resource_name: `crn:///kafka=${clusterId}/broker=${id}` },
        cluster_id: clusterId,
        broker_id: id,
        host: '127.0.0.1',
        port: port[id],
        rack: null,
        configs: { related: `${origin}${own}/brokers/${id}/configs` },
        partition_replicas: { related: `${origin}${own}/brokers/${id}/partition-replicas` },
      })),
    );
    expect((await get('/v3/clusters/-/brokers/1')).json).toEqual(brokers.json.data[1]);
  });

  test('that do not exist are not found', async () => {
    const other = await get('/v3/clusters/other/topics');
    expect(other.json).toEqual({ error_code: 404, message: 'Cluster other cannot be found.' });
    expect((await get('/v3/clusters/-/brokers/9')).json).toEqual({
      error_code: 404,
      message: 'Broker 9 cannot be found.',
    });
    expect(error(await get('/v3/clusters/-/brokers/9/configs'))).toEqual([404, 404]);
    expect(error(await get('/v3/clusters/-/brokers/one'))).toEqual([404, 404]);
    expect((await curl('GET', '/v3/nothing')).json).toMatchObject({ error_code: 404 });
  });
});

describe('topics', () => {
  test('are created, shown, extended and deleted', async () => {
    const path = await newTopic({ partitions_count: 1, configs: [{ name: 'cleanup.policy', value: 'compact' }] });
    const name = nameOf(path);
    const shown = await get(path);
    expect(shown.json).toEqual({
      kind: 'KafkaTopic',
      metadata: { self: url(path), resource_name: `crn:///kafka=${clusterId}/topic=${name}` },
      cluster_id: clusterId,
      topic_name: name,
      is_internal: false,
      replication_factor: 2,
      partitions_count: 1,
      partitions: { related: url(`${path}/partitions`) },
      configs: { related: url(`${path}/configs`) },
      partition_reassignments: { related: url(`${path}/partitions/-/reassignment`) },
    });
    expect((await get('/v3/clusters/-/topics')).json.data).toContainEqual(shown.json);
    const allowed = (await get('/v3/clusters/-/topics?include_authorized_operations=true')).json.data;
    expect(allowed[0].authorized_operations).toContain('ALTER_CONFIGS');
    expect(error(await curl('PUT', path))).toEqual([405, 405]);
    const extended = await ask('PATCH', path, { partitions_count: 3 });
    expect([extended.status, extended.json.partitions_count]).toEqual([200, 3]);
    expect(error(await ask('PATCH', path, { partitions_count: 2 }))).toEqual([400, 40002]);
    expect((await ask('DELETE', path)).status).toBe(204);
    expect(error(await get(path))).toEqual([404, 40403]);
    expect(error(await ask('DELETE', path))).toEqual([404, 40403]);
    expect(error(await ask('PATCH', path, { partitions_count: 2 }))).toEqual([404, 40403]);
  });

  test('get the location, the assignment that was asked for, or the defaults', async () => {
    const body = { topic_name: 'v3-assigned', replicas_assignments: { 0: [1], 1: [0], 2: [1] } };
    const created = await ask('POST', '/v3/clusters/-/topics', body);
    expect(created.headers).toContain(`location: ${url('/v3/clusters/-/topics/v3-assigned')}`);
    expect(created.json).toMatchObject({ partitions_count: 3, replication_factor: 1 });
    const leaders = (await get('/v3/clusters/-/topics/v3-assigned/partitions')).json.data;
    expect(leaders.map((p: any) => p.leader.related.split('/').at(-1))).toEqual(['1', '0', '1']);
    const usual = await ask('POST', '/v3/clusters/-/topics', { topic_name: 'v3-usual' });
    expect(usual.json).toMatchObject({ partitions_count: 2, replication_factor: 1 });
  });

  test('a dry run creates nothing', async () => {
    const body = { topic_name: 'v3-dry', partitions_count: 7, validate_only: true };
    const answer = await ask('POST', '/v3/clusters/-/topics', body);
    expect([answer.status, answer.json.partitions_count]).toEqual([200, 7]);
    expect(error(await get('/v3/clusters/-/topics/v3-dry'))).toEqual([404, 40403]);
  });

  test('with names of every length that Kafka allows', async () => {
    const name = 'n'.repeat(249);
    expect((await ask('POST', '/v3/clusters/-/topics', { topic_name: name })).status).toBe(201);
    expect((await get(`/v3/clusters/-/topics/${name}`)).json.topic_name).toBe(name);
    expect((await fetch(`${origin}/topics/${name}`)).status).toBe(200);
  });

  test('what is wrong with a topic is said', async () => {
    const taken = nameOf(await newTopic());
    const cases: readonly (readonly [body: unknown, status: number, code: number, message: RegExp])[] = [
      [{ topic_name: taken }, 400, 40002, /already exists/],
      [{ topic_name: 'many', replication_factor: 9 }, 400, 40002, /[Rr]eplication factor/],
      [{ topic_name: 'a b' }, 422, 42206, /Invalid topic name/],
      [{ topic_name: 'x', configs: [{ name: 'no.such', value: '1' }] }, 400, 40002, /no\.such/],
      [{ topic_name: 'x', configs: [{ name: 'retention.ms' }] }, 400, 400, /retention\.ms/],
      [{ topic_name: 'x', replicas_assignments: { 0: [0], 2: [1] } }, 400, 400, /partitions 0 to 1/],
      [{ topic_name: 'x', partitions_count: 'two' }, 400, 400, /partitions_count must be an integer or null/],
      [{ topic_name: 'x', partitions_count: 0 }, 400, 400, /partitions_count/],
      [{ topic_name: 'x', partition_count: 1 }, 400, 400, /no field partition_count/],
      [{}, 400, 400, /lacks topic_name/],
      [[], 400, 400, /must be an object/],
    ];
    for (const [body, status, code, message] of cases) {
      const answer = await ask('POST', '/v3/clusters/-/topics', body);
      expect(error(answer), answer.text).toEqual([status, code]);
      expect(answer.json.message).toMatch(message);
    }
    const path = '/v3/clusters/-/topics';
    expect(error(await curl('POST', path, ['-d', '{}']))).toEqual([415, 415]);
    const json = ['-H', 'content-type: application/json'];
    expect(error(await curl('POST', path, [...json, '-d', '{"topic_name":']))).toEqual([400, 400]);
    expect(error(await curl('POST', path, [...json, '-d', '']))).toEqual([422, 42206]);
    expect(error(await curl('POST', path, json))).toEqual([422, 42206]);
  });
});

describe('partitions and replicas', () => {
  test('are shown', async () => {
    const path = await newTopic({ partitions_count: 2 });
    const name = nameOf(path);
    const { json } = await get(`${path}/partitions/1`);
    const crn = `crn:///kafka=${clusterId}/topic=${name}/partition=1`;
    expect(json).toEqual({
      kind: 'KafkaPartition',
      metadata: { self: url(`${path}/partitions/1`), resource_name: crn },
      cluster_id: clusterId,
      topic_name: name,
      partition_id: 1,
      leader: { related: expect.stringContaining('/partitions/1/replicas/') },
      replicas: { related: url(`${path}/partitions/1/replicas`) },
      reassignment: { related: url(`${path}/partitions/1/reassignment`) },
    });
    expect((await get(`${path}/partitions`)).json.data[1]).toEqual(json);
    const replicas = await get(`${path}/partitions/1/replicas`);
    expect(replicas.json.data).toHaveLength(2);
    expect(replicas.json.data[0]).toEqual({
      kind: 'KafkaReplica',
      metadata: { self: json.leader.related, resource_name: expect.stringMatching(/\/partition=1\/replica=[01]$/) },
      cluster_id: clusterId,
      topic_name: name,
      partition_id: 1,
      broker_id: Number(json.leader.related.at(-1)),
      is_leader: true,
      is_in_sync: true,
      broker: { related: expect.stringMatching(/\/brokers\/[01]$/) },
    });
    expect((await get(`${path}/partitions/1/replicas/0`)).json.broker_id).toBe(0);
    const ofBroker = await get('/v3/clusters/-/brokers/0/partition-replicas');
    expect(ofBroker.json.data).toContainEqual((await get(`${path}/partitions/0/replicas/0`)).json);
    await ask('POST', `${path}/records:batch`, {
      entries: ['a', 'b', 'c'].map(id => ({ id, partition_id: 1, value: { type: 'STRING', data: id } })),
    });
    const { json: offsets } = await get(`${path}/partitions/1/offset`);
    expect(offsets).toMatchObject({ kind: 'KafkaPartitionWithOffsets', earliest_offset: 0, latest_offset: 3 });
  });

  test('that do not exist are not found', async () => {
    const path = await newTopic({ partitions_count: 2 });
    expect(error(await get(`${path}/partitions/2`))).toEqual([404, 40403]);
    expect(error(await get('/v3/clusters/-/topics/nowhere/partitions'))).toEqual([404, 40403]);
    expect(error(await get(`${path}/partitions/0/replicas/7`))).toEqual([404, 404]);
    expect(error(await get(`${path}/partitions/x`))).toEqual([404, 404]);
  });
});

describe('settings', () => {
  test('of a topic are listed, shown, set and reset', async () => {
    const path = await newTopic();
    const name = nameOf(path);
    const one = `${path}/configs/retention.ms`;
    expect((await get(one)).json).toMatchObject({ is_default: true, source: 'DEFAULT_CONFIG', value: '604800000' });
    expect((await ask('PUT', one, { value: '60000' })).status).toBe(204);
    await waitFor('the setting', async () => (await get(one)).json.value === '60000');
    const { json } = await get(one);
    expect(json).toEqual({
      kind: 'KafkaTopicConfig',
      metadata: {
        self: url(one),
        resource_name: `crn:///kafka=${clusterId}/topic=${name}/config=retention.ms`,
      },
      cluster_id: clusterId,
      topic_name: name,
      name: 'retention.ms',
      value: '60000',
      is_default: false,
      is_read_only: false,
      is_sensitive: false,
      source: 'DYNAMIC_TOPIC_CONFIG',
      synonyms: [{ name: 'retention.ms', value: '60000', source: 'DYNAMIC_TOPIC_CONFIG' }],
    });
    expect((await get(`${path}/configs`)).json.data).toContainEqual(json);
    expect((await get('/v3/clusters/-/topics/-/configs')).json.data).toContainEqual(json);
    const defaults = (await get(`${path}/default-configs`)).json.data;
    expect(defaults.find((entry: any) => entry.name === 'retention.ms')).toMatchObject({
      value: '604800000',
      is_default: true,
    });
    expect((await ask('DELETE', one)).status).toBe(204);
    await waitFor('the default', async () => (await get(one)).json.is_default);
  });

  test('of a topic are altered together, or checked', async () => {
    const path = await newTopic({ configs: [{ name: 'cleanup.policy', value: 'compact' }] });
    const data = [
      { name: 'cleanup.policy', operation: 'DELETE' },
      { name: 'compression.type', value: 'gzip' },
    ];
    const values = async () => {
      const { data: all } = (await get(`${path}/configs`)).json;
      return ['cleanup.policy', 'compression.type'].map(name => all.find((entry: any) => entry.name === name).value);
    };
    expect((await ask('POST', `${path}/configs:alter`, { data, validate_only: true })).status).toBe(204);
    expect(await values()).toEqual(['compact', 'producer']);
    const bad = { data: [...data, { name: 'retention.ms', value: 'long' }] };
    expect(error(await ask('POST', `${path}/configs:alter`, bad))).toEqual([400, 40002]);
    expect(error(await ask('POST', `${path}/configs:alter`, { ...bad, validate_only: true }))).toEqual([400, 40002]);
    expect((await ask('POST', `${path}/configs:alter`, { data })).status).toBe(204);
    await waitFor('both', async () => (await values()).join() === 'delete,gzip');
  });

  test('that a topic would have, without being there', async () => {
    const { json } = await get('/v3/clusters/-/topics/v3-not-there/default-configs');
    const found = json.data.find((entry: any) => entry.name === 'cleanup.policy');
    expect(found).toMatchObject({ topic_name: 'v3-not-there', value: 'delete', is_default: true });
    expect(error(await get('/v3/clusters/-/topics/v3-not-there'))).toEqual([404, 40403]);
  });

  test('of one broker, and of all', async () => {
    const one = '/v3/clusters/-/brokers/0/configs/log.cleaner.threads';
    const { json } = await get(one);
    expect(json).toMatchObject({ kind: 'KafkaBrokerConfig', broker_id: 0, is_default: true });
    expect(json.metadata.resource_name).toBe(`crn:///kafka=${clusterId}/broker=0/config=log.cleaner.threads`);
    expect((await ask('PUT', one, { value: '2' })).status).toBe(204);
    await waitFor('it', async () => (await get(one)).json.source === 'DYNAMIC_BROKER_CONFIG');
    expect((await get('/v3/clusters/-/brokers/1/configs/log.cleaner.threads')).json.is_default).toBe(true);
    expect((await get('/v3/clusters/-/brokers/-/configs')).json.data).toContainEqual((await get(one)).json);
    const data = [{ name: 'log.cleaner.threads', operation: 'DELETE' }];
    expect((await ask('POST', '/v3/clusters/-/brokers/0/configs:alter', { data })).status).toBe(204);
    await waitFor('the default', async () => (await get(one)).json.is_default);

    const all = '/v3/clusters/-/broker-configs';
    expect((await ask('PUT', `${all}/log.retention.ms`, { value: '90000' })).status).toBe(204);
    await waitFor('it', async () => (await get(all)).json.data.length === 1);
    expect((await get(`${all}/log.retention.ms`)).json).toMatchObject({
      kind: 'KafkaClusterConfig',
      config_type: 'BROKER',
      value: '90000',
      source: 'DYNAMIC_DEFAULT_BROKER_CONFIG',
      metadata: { resource_name: `crn:///kafka=${clusterId}/broker-config=log.retention.ms` },
    });
    expect((await ask('DELETE', `${all}/log.retention.ms`)).status).toBe(204);
    await waitFor('nothing', async () => (await get(all)).json.data.length === 0);
  });

  test('that do not exist are not found', async () => {
    const path = await newTopic();
    expect(error(await get(`${path}/configs/no.such`))).toEqual([404, 404]);
    expect((await ask('PUT', `${path}/configs/no.such`, { value: '1' })).json).toEqual({
      error_code: 404,
      message: `Config no.such cannot be found for TOPIC ${nameOf(path)} in cluster ${clusterId}.`,
    });
    expect(error(await ask('PUT', `${path}/configs/retention.ms`, { value: 5 }))).toEqual([400, 400]);
    expect(error(await ask('PUT', '/v3/clusters/-/brokers/0/configs/broker.id', { value: '7' }))).toEqual([400, 40002]);
    expect(error(await get('/v3/clusters/-/topics/nowhere/configs'))).toEqual([404, 40403]);
  });
});

/** The records of partition 0 of a topic, from the beginning. */
async function read(topic: string, count: number): Promise<ConsumerRecord[]> {
  const consumer = createConsumer({ 'bootstrap.servers': cluster.bootstrap, 'auto.offset.reset': 'earliest' });
  const records: ConsumerRecord[] = [];
  try {
    consumer.assign([{ topic, partition: 0 }]);
    await waitFor(`${count} records`, async () => {
      records.push(...(await consumer.poll(200)));
      return records.length >= count;
    });
  } finally {
    await consumer.close();
  }
  return records;
}

describe('records', () => {
  const JSON_BODY = ['-H', 'content-type: application/json', '--data-binary', '@-'];

  /** Concatenated JSON in, reports out. */
  async function produce(path: string, body: string): Promise<any[]> {
    const answer = await curl('POST', `${path}/records`, JSON_BODY, body);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.headers).toMatch(/content-type: application\/json/);
    const reports = answer.text
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as unknown);
    for (const report of reports) shapes.check('POST', `${path}/records`, 200, report);
    return reports;
  }

  test('of every type go in, with headers, partition and timestamp', async () => {
    const path = await newTopic({ partitions_count: 1 });
    const [report] = await produce(
      path,
      JSON.stringify({
        partition_id: 0,
        headers: [
          { name: 'Header-1', value: 'SGVhZGVyLTE=' },
          { name: 'Header-2', value: null },
        ],
        key: { type: 'BINARY', data: '/wA=' },
        value: { type: 'JSON', data: { foo: 'bär' } },
        timestamp: '2021-02-05T19:14:42Z',
      }),
    );
    expect(report).toEqual({
      error_code: 200,
      cluster_id: clusterId,
      topic_name: nameOf(path),
      partition_id: 0,
      offset: 0,
      timestamp: '2021-02-05T19:14:42.000Z',
      key: { size: 2, type: 'BINARY' },
      value: { size: 14, type: 'JSON' },
    });
    const more = await produce(
      path,
      [
        '{"value":{"type":"STRING","data":"plain"}}',
        '{"value":{"type":"JSON","data":12345678901234567890}}',
        '{"key":{"type":"STRING","data":"tombstone"}}',
        '{}',
      ].join(''),
    );
    expect(more.map(({ error_code, key, value }) => [error_code, key?.size, value?.size])).toEqual([
      [200, undefined, 5],
      [200, undefined, 20],
      [200, 9, undefined],
      [200, undefined, undefined],
    ]);
    const records = await read(nameOf(path), 5);
    expect(records.map(({ key, value }) => [key?.toString('latin1'), value?.toString()])).toEqual([
      ['\u00ff\u0000', '{"foo":"bär"}'],
      [undefined, 'plain'],
      [undefined, '12345678901234567890'],
      ['tombstone', undefined],
      [undefined, undefined],
    ]);
    expect(records[0]!.timestamp).toBe(Date.parse('2021-02-05T19:14:42Z'));
    expect(records[0]!.headers.map(({ key, value }) => [key, value?.toString()])).toEqual([
      ['Header-1', 'Header-1'],
      ['Header-2', undefined],
    ]);
  });

  test('a stream goes on behind records that are refused', async () => {
    const path = await newTopic({ partitions_count: 1 });
    const reports = await produce(
      path,
      `{"value":{"type":"STRING","data":"first"}}
       {"value":{"type":"BINARY","data":1}} {"value":{"type":"STRING","data":2}}{"value":{"data":"no type"}}
       {"value":{"type":"AVRO","data":"x"}} {"valeu":1} {"partition_id":-1} {"partition_id":5}
       {"headers":[{"name":"h","value":"!"}]} {"timestamp":"yesterday"} [1] "text" nonsense {"a":}
       {"value":{"type":"STRING","data":"last {\\"} brace"}}{"value":`,
    );
    expect(reports.map(report => report.error_code)).toEqual([
      ...[200, 400, 400, 42207, 42207, 400, 40402, 40403, 400, 400, 400, 400, 400, 400, 200, 400],
    ]);
    expect(reports[1].message).toBe('Bad Request: data=1 is not a base64 string.');
    for (const { error_code, message } of reports) if (error_code !== 200) expect(message).toMatch(/^[^\n]{10,}$/);
    const values = (await read(nameOf(path), 2)).map(({ value }) => value!.toString());
    expect(values).toEqual(['first', 'last {"} brace']);
  });

  test('many records in one body are reported in order', async () => {
    const path = await newTopic({ partitions_count: 1 });
    const count = 20_000;
    const body = Array.from({ length: count }, (_, index) =>
      JSON.stringify({ partition_id: 0, value: { type: 'STRING', data: `r${index}` } }),
    ).join('');
    const reports = await produce(path, body);
    expect(reports.map(({ offset }) => offset)).toEqual(Array.from({ length: count }, (_, index) => index));
    const values = (await read(nameOf(path), count)).map(({ value }) => value!.toString());
    expect(values).toEqual(Array.from({ length: count }, (_, index) => `r${index}`));
  });

  test('a request that cannot hold records is refused as a whole', async () => {
    const path = `${await newTopic()}/records`;
    expect(error(await curl('POST', path, ['-d', '{}']))).toEqual([415, 415]);
    expect(error(await curl('POST', path, JSON_BODY, ''))).toEqual([422, 42206]);
    expect(error(await curl('POST', path, JSON_BODY, ' \n'))).toEqual([422, 42206]);
    const nowhere = await curl('POST', '/v3/clusters/-/topics/nowhere/records', JSON_BODY, '{}');
    expect([nowhere.status, nowhere.json.error_code]).toEqual([200, 40403]);
  });

  test.each([['HTTP/2'], ['HTTP/1.1']])('what is too long is answered, not cut off, over %s', async version => {
    const path = await newTopic({ partitions_count: 1 });
    const args = [
      ...(version === 'HTTP/2' ? ['--http2-prior-knowledge'] : []),
      '-sS',
      '-w',
      '%{http_code}',
      '-H',
      'expect:',
    ];
    const post = async (to: string, input: string) => {
      const { stdout, stderr, code } = await run('curl', [...args, ...JSON_BODY, `${origin}${to}`], { input });
      expect(code, stderr).toBe(0);
      return stdout;
    };
    const long = 'x'.repeat(5 << 20);
    expect(await post('/v3/clusters/-/topics', `{"topic_name":"${long}"}`)).toMatch(/"error_code":413.*413$/);
    expect(await post(`/topics/${nameOf(path)}/records`, `"${long}"`)).toMatch(/"error_code":41300.*413$/);
    const reports = await post(`${path}/records`, `{}{"value":{"type":"STRING","data":"${long}"}}{}`);
    expect(reports.split('\n').map(line => /"error_code":(\d+)/.exec(line)?.[1])).toEqual(['200', '413', undefined]);
  });

  test('a refusal before the body is there reaches whoever sends it', async () => {
    const path = await newTopic();
    const asked = Array.from({ length: 30 }, () => curl('POST', `${path}/records`, ['-d', '{}']));
    for (const answer of await Promise.all(asked)) expect(error(answer)).toEqual([415, 415]);
  });

  test('a batch tells of each record what became of it', async () => {
    const path = `${await newTopic({ partitions_count: 1 })}/records:batch`;
    const entry = (id: string, record: object) => ({ id, ...record });
    const { status, json } = await ask('POST', path, {
      entries: [
        entry('a', { value: { type: 'STRING', data: 'one' } }),
        entry('b', { value: { type: 'BINARY', data: 1 } }),
        entry('c', { key: { type: 'JSON', data: [1] }, timestamp: '2021-02-05T19:14:42Z' }),
        entry('d', { vlaue: 1 }),
      ],
    });
    expect(status).toBe(207);
    expect(json.successes.map(({ id, offset }: any) => [id, offset])).toEqual([
      ['a', 0],
      ['c', 1],
    ]);
    expect(json.successes[1]).toEqual({
      id: 'c',
      cluster_id: clusterId,
      topic_name: expect.any(String),
      partition_id: 0,
      offset: 1,
      timestamp: '2021-02-05T19:14:42.000Z',
      key: { size: 3, type: 'JSON' },
    });
    expect(json.failures).toEqual([
      { id: 'b', error_code: 400, message: 'Bad Request: data=1 is not a base64 string.' },
      { id: 'd', error_code: 400, message: expect.stringContaining('vlaue') },
    ]);
    const refused = async (entries: object[]) => error(await ask('POST', path, { entries }));
    expect(await refused([])).toEqual([422, 42208]);
    expect(await refused([entry('a', {}), entry('a', {})])).toEqual([422, 42208]);
    expect(await refused(Array.from({ length: 1001 }, (_, id) => ({ id: String(id) })))).toEqual([422, 42208]);
    expect(await refused([{}])).toEqual([400, 400]);
    expect(await refused([entry('', {})])).toEqual([400, 400]);
  });

  test('each is reported while the body stays open', async () => {
    const path = await newTopic({ partitions_count: 1 });
    const session: ClientHttp2Session = connect(origin);
    try {
      const stream = session.request({
        ':method': 'POST',
        ':path': `${path}/records`,
        'content-type': 'application/json',
      });
      let text = '';
      stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
      for (let n = 0; n < 5; n++) {
        // Cut in the middle, as a network may.
        stream.write('{"value":{"type":"STRING",');
        stream.write(`"data":"record ${n}"}}`);
        await waitFor(`report ${n}`, () => text.split('\n').length === n + 2);
        expect(JSON.parse(text.split('\n')[n]!)).toMatchObject({ error_code: 200, offset: n });
      }
      stream.end();
      await waitFor('the end of the answer', () => stream.closed);
    } finally {
      session.close();
    }
  });
});
