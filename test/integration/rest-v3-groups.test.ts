import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAdmin, createConsumer, createProducer, type Consumer } from '../../client/index.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { OpenApiShapes, type OpenApiDocument } from '../support/openapi-shapes.ts';
import { waitFor } from '../support/wait.ts';

/** Consumer groups in the REST tree under /v3; every answer is also held against the OpenAPI document. */

/* oxlint-disable typescript/no-explicit-any -- bodies are whatever the broker answers */
const GROUP = 'a group/ü';
const SIMPLE = 'never-had-members';

let cluster: Cluster;
let consumer: Consumer;
let shapes: OpenApiShapes;
let origin = '';
let clusterId = '';
let member = '';

beforeAll(async () => {
  cluster = await startCluster({ brokers: 2, properties: { 'offsets.topic.num.partitions': '3' } });
  origin = `http://${cluster.brokers[0]!.address}`;
  shapes = new OpenApiShapes((await (await fetch(`${origin}/openapi.json`)).json()) as OpenApiDocument);
  clusterId = (await get('/v3/clusters')).json.data[0].cluster_id;
  const admin = createAdmin({ 'bootstrap.servers': cluster.bootstrap });
  await admin.createTopics([{ name: 'orders', partitions: 2, replicationFactor: 2 }]);
  const producer = createProducer({ 'bootstrap.servers': cluster.bootstrap });
  await Promise.all([0, 0, 0, 1, 1].map(partition => producer.send({ topic: 'orders', partition, value: 'v' })));
  await producer.close();
  consumer = createConsumer({
    'bootstrap.servers': cluster.bootstrap,
    'group.id': GROUP,
    'client.id': 'reader',
    'auto.offset.reset': 'earliest',
    'enable.auto.commit': false,
  });
  consumer.subscribe(['orders']);
  await waitFor('the assignment', async () => {
    await consumer.poll(100);
    return consumer.assignment().length === 2;
  });
  member = consumer.groupMetadata().memberId;
  await consumer.commit([
    { topic: 'orders', partition: 0, offset: 1 },
    { topic: 'orders', partition: 1, offset: 1 },
  ]);
  const [failed] = await admin.alterGroupOffsets(SIMPLE, [{ topic: 'orders', partition: 1, offset: 2 }]);
  expect(failed).toBeNull();
  admin.close();
}, 90_000);

afterAll(async () => {
  await consumer?.close();
  await cluster?.stop();
});

async function get(path: string): Promise<{ status: number; json: any }> {
  const answer = await fetch(`${origin}${path}`);
  const json: unknown = await answer.json();
  shapes?.check('GET', path, answer.status, json);
  return { status: answer.status, json };
}

const base = () => `/v3/clusters/${clusterId}/consumer-groups`;
const own = () => `${base()}/${encodeURIComponent(GROUP)}`;
const crn = () => `crn:///kafka=${clusterId}/consumer-group=${GROUP}`;

function group() {
  return {
    kind: 'KafkaConsumerGroup',
    metadata: { self: `${origin}${own()}`, resource_name: crn() },
    cluster_id: clusterId,
    consumer_group_id: GROUP,
    is_simple: false,
    partition_assignor: 'range',
    state: 'STABLE',
    coordinator: { related: expect.stringMatching(`^${origin}/v3/clusters/${clusterId}/brokers/[01]$`) },
    consumers: { related: `${origin}${own()}/consumers` },
    lag_summary: { related: `${origin}${own()}/lag-summary` },
  };
}

function lag(partition: number, end: number) {
  return {
    kind: 'KafkaConsumerLag',
    metadata: {
      self: `${origin}${own()}/lags/orders/partitions/${partition}`,
      resource_name: `${crn()}/lag=orders/partition=${partition}`,
    },
    cluster_id: clusterId,
    consumer_group_id: GROUP,
    topic_name: 'orders',
    partition_id: partition,
    current_offset: 1,
    log_end_offset: end,
    lag: end - 1,
    consumer_id: member,
    instance_id: null,
    client_id: 'reader',
  };
}

function assignment(partition: number) {
  const path = `${own()}/consumers/${member}/assignments`;
  return {
    kind: 'KafkaConsumerAssignment',
    metadata: {
      self: `${origin}${path}/orders/partitions/${partition}`,
      resource_name: `${crn()}/consumer=${member}/assignment=orders/partition=${partition}`,
    },
    cluster_id: clusterId,
    consumer_group_id: GROUP,
    consumer_id: member,
    topic_name: 'orders',
    partition_id: partition,
    partition: { related: `${origin}/v3/clusters/${clusterId}/topics/orders/partitions/${partition}` },
    lag: { related: `${origin}${own()}/lags/orders/partitions/${partition}` },
  };
}

function shownConsumer() {
  return {
    kind: 'KafkaConsumer',
    metadata: { self: `${origin}${own()}/consumers/${member}`, resource_name: `${crn()}/consumer=${member}` },
    cluster_id: clusterId,
    consumer_group_id: GROUP,
    consumer_id: member,
    instance_id: null,
    client_id: 'reader',
    assignments: { related: `${origin}${own()}/consumers/${member}/assignments` },
  };
}

describe('consumer groups', () => {
  test('are listed and shown', async () => {
    const { json } = await get(base());
    expect(json).toMatchObject({
      kind: 'KafkaConsumerGroupList',
      metadata: { self: `${origin}${base()}`, next: null },
    });
    expect(json.data).toEqual([
      group(),
      expect.objectContaining({ consumer_group_id: SIMPLE, is_simple: true, state: 'EMPTY', partition_assignor: '' }),
    ]);
    expect((await get(own())).json).toEqual(group());
  });

  test('have members with partitions', async () => {
    const list = await get(`${own()}/consumers`);
    expect(list.json).toMatchObject({ kind: 'KafkaConsumerList', data: [shownConsumer()] });
    expect((await get(`${own()}/consumers/${member}`)).json).toEqual(shownConsumer());
    const assigned = await get(`${own()}/consumers/${member}/assignments`);
    expect(assigned.json.kind).toBe('KafkaConsumerAssignmentList');
    expect(assigned.json.data).toEqual([assignment(0), assignment(1)]);
    const one = await get(`${own()}/consumers/${member}/assignments/orders/partitions/1`);
    expect(one.json).toEqual(assignment(1));
  });

  test('are behind, and somewhere the most', async () => {
    const list = await get(`${own()}/lags`);
    expect(list.json.kind).toBe('KafkaConsumerLagList');
    expect(list.json.data).toEqual([lag(0, 3), lag(1, 2)]);
    expect((await get(`${own()}/lags/orders/partitions/1`)).json).toEqual(lag(1, 2));
    expect((await get(`${own()}/lag-summary`)).json).toEqual({
      kind: 'KafkaConsumerGroupLagSummary',
      metadata: { self: `${origin}${own()}/lag-summary`, resource_name: `${crn()}/lag-summary` },
      cluster_id: clusterId,
      consumer_group_id: GROUP,
      max_lag_consumer_id: member,
      max_lag_instance_id: null,
      max_lag_client_id: 'reader',
      max_lag_topic_name: 'orders',
      max_lag_partition_id: 0,
      max_lag: 2,
      total_lag: 3,
      max_lag_consumer: { related: `${origin}${own()}/consumers/${member}` },
      max_lag_partition: { related: `${origin}/v3/clusters/${clusterId}/topics/orders/partitions/0` },
    });
  });

  test('without members are behind, too', async () => {
    const { json } = await get(`${base()}/${SIMPLE}/lags`);
    expect(json.data).toEqual([expect.objectContaining({ partition_id: 1, lag: 0, consumer_id: '', client_id: '' })]);
  });

  test('that do not exist, or what is not theirs, is not found', async () => {
    const nowhere = [
      `${base()}/nobody`,
      `${base()}/nobody/consumers`,
      `${base()}/nobody/lags`,
      `${base()}/nobody/lag-summary`,
      `${own()}/consumers/nobody`,
      `${own()}/consumers/nobody/assignments`,
      `${own()}/consumers/${member}/assignments/orders/partitions/7`,
      `${own()}/consumers/${member}/assignments/orders/partitions/x`,
      `${own()}/lags/orders/partitions/7`,
      `${own()}/lags/elsewhere/partitions/0`,
      '/v3/clusters/another/consumer-groups',
    ];
    for (const path of nowhere) {
      const { status, json } = await get(path);
      expect([status, json.error_code], path).toEqual([404, 404]);
    }
    expect((await get(`${base()}/nobody`)).json.message).toBe('Consumer Group nobody could not be found.');
  });
});
