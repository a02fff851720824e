/* oxlint-disable typescript/no-explicit-any -- bodies as they come */
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RestClients } from '../../../../../broker/http/rest/clients.ts';
import { GroupStreams } from '../../../../../broker/http/rest/groups/streams.ts';
import { registerRest } from '../../../../../broker/http/rest/routes.ts';
import { ErrorCode } from '../../../../../shared/protocol/errors.ts';
import { CreateTopics } from '../../../../../shared/protocol/messages/create-topics.ts';
import { DescribeCluster } from '../../../../../shared/protocol/messages/describe-cluster.ts';
import { ListPartitionReassignments } from '../../../../../shared/protocol/messages/list-partition-reassignments.ts';
import { silentLogger } from '../../../../../shared/runtime/logger.ts';
import { ScriptedCluster } from '../../../../support/scripted-cluster.ts';
import { VirtualTime } from '../../../../support/virtual-time.ts';
import { waitFor } from '../../../../support/wait.ts';

/** What a cluster in good order never shows: the REST tree over brokers that answer as a test says. */

let app: FastifyInstance;
let brokers: ScriptedCluster;
let time: VirtualTime;
let clients: RestClients;

beforeEach(async () => {
  time = new VirtualTime();
  brokers = new ScriptedCluster();
  brokers.on(DescribeCluster, () => ({
    errorCode: 0,
    clusterId: 'c',
    controllerId: 1,
    brokers: [2, 1].map(id => ({ brokerId: id, host: `b${id}`, port: id, rack: `r${id}` })),
  }));
  clients = new RestClients({ connector: brokers, runtime: { clock: time, timers: time } });
  app = Fastify();
  const streams = new GroupStreams({ clients, clock: time, timers: time, logger: silentLogger });
  registerRest(app, { clients, streams, clusterId: 'c', logger: silentLogger });
  await app.ready();
});

afterEach(async () => {
  await app.close();
});

async function ask(method: 'GET' | 'POST', url: string, body?: object) {
  const answer = await app.inject({ method, url, headers: { host: 'h:1' }, ...(body === undefined ? {} : { body }) });
  return { status: answer.statusCode, json: answer.json() };
}

/** The answer, for which the clients may wait and try again. */
async function inTime<T>(asked: Promise<T>): Promise<T> {
  const seen = { done: false };
  void asked.then(() => (seen.done = true));
  await time.until('the answer', () => seen.done);
  return asked;
}

const createTopic = (errorCode: number, errorMessage: string | null = null) =>
  brokers.on(CreateTopics, () => ({ topics: [{ name: 't', errorCode, errorMessage }] }));

describe('/v3', () => {
  test('what may be done with a topic is shown to who asks for it: everything, as there is no authorizer', async () => {
    const shown = async (query: string) => (await ask('GET', `/v3/clusters/c/topics/t${query}`)).json;
    const operations = 'READ WRITE CREATE DELETE ALTER DESCRIBE DESCRIBE_CONFIGS ALTER_CONFIGS'.split(' ');
    expect((await shown('?include_authorized_operations=true')).authorized_operations).toEqual(operations);
    for (const query of ['', '?include_authorized_operations=false']) {
      expect(await shown(query)).not.toHaveProperty('authorized_operations');
    }
    const refused = { error_code: 400, message: 'include_authorized_operations must be true or false.' };
    expect(await shown('?include_authorized_operations=1')).toEqual(refused);
  });

  test('links lead to the address that the request came to', async () => {
    const { json } = await ask('GET', '/v3/clusters/c/brokers');
    expect(json.data.map((broker: any) => [broker.metadata.self, broker.rack])).toEqual([
      ['http://h:1/v3/clusters/c/brokers/1', 'r1'],
      ['http://h:1/v3/clusters/c/brokers/2', 'r2'],
    ]);
  });

  test('a cluster without a controller shows none', async () => {
    brokers.on(DescribeCluster, () => ({ errorCode: 0, clusterId: 'c', controllerId: -1, brokers: [] }));
    const { status, json } = await ask('GET', '/v3/clusters/-');
    expect([status, 'controller' in json]).toEqual([200, false]);
  });

  test.each([
    [ErrorCode.TOPIC_ALREADY_EXISTS, 400, 40002],
    [ErrorCode.INVALID_REPLICATION_FACTOR, 400, 40002],
    [ErrorCode.POLICY_VIOLATION, 400, 40002],
    [ErrorCode.CLUSTER_AUTHORIZATION_FAILED, 403, 40301],
    [ErrorCode.BROKER_NOT_AVAILABLE, 503, 50302],
    [ErrorCode.REQUEST_TIMED_OUT, 500, 50003],
    [ErrorCode.KAFKA_STORAGE_ERROR, 500, 50003],
    [ErrorCode.LOG_DIR_NOT_FOUND, 500, 50002],
  ])('Kafka’s error %i is told as %i, %i', async (code, status, errorCode) => {
    createTopic(code, 'This is why.');
    const asked = ask('POST', '/v3/clusters/-/topics', { topic_name: 't' });
    // A body arrives in real time.
    await waitFor('the request', () => brokers.calls.some(({ api }) => api === 'CreateTopics'));
    const answer = await inTime(asked);
    expect([answer.status, answer.json.error_code]).toEqual([status, errorCode]);
    expect(answer.json.message).toContain('This is why.');
  });

  test('a broker that is alive but cannot be reached is not available', async () => {
    brokers.down.add(2);
    const { status, json } = await inTime(ask('GET', '/v3/clusters/-/brokers/2/configs'));
    expect([Math.floor(status / 100), Math.floor(json.error_code / 10_000)]).toEqual([5, 5]);
    expect(json.message).toContain('broker');
  });

  test('partitions that are being moved are shown, and no others', async () => {
    brokers.leaders = [1, 1];
    const moved = { partitionIndex: 1, replicas: [2, 1], addingReplicas: [2], removingReplicas: [1] };
    const all = [{ name: 't', partitions: [moved] }];
    brokers.on(ListPartitionReassignments, ({ topics }) => ({
      errorCode: 0,
      topics: topics?.[0]?.partitionIndexes.includes(1) === false ? [] : all,
    }));
    const shown = {
      kind: 'KafkaReassignment',
      metadata: {
        self: 'http://h:1/v3/clusters/c/topics/t/partitions/1/reassignment',
        resource_name: 'crn:///kafka=c/topic=t/partition=1/reassignment',
      },
      cluster_id: 'c',
      topic_name: 't',
      partition_id: 1,
      adding_replicas: [2],
      removing_replicas: [1],
      replicas: { related: 'http://h:1/v3/clusters/c/topics/t/partitions/1/replicas' },
    };
    expect((await ask('GET', '/v3/clusters/-/topics/t/partitions/1/reassignment')).json).toEqual(shown);
    for (const topic of ['-', 't']) {
      const { json } = await ask('GET', `/v3/clusters/-/topics/${topic}/partitions/-/reassignment`);
      expect([json.kind, json.data]).toEqual(['KafkaReassignmentList', [shown]]);
    }
    const { status, json } = await ask('GET', '/v3/clusters/-/topics/t/partitions/0/reassignment');
    expect([status, json.message]).toEqual([404, 't-0 is not being reassigned.']);
    expect((await ask('GET', '/v3/clusters/-/topics/t/partitions/7/reassignment')).json.error_code).toBe(40403);
  });

  test('what is a bug of ours shows nothing of itself', async () => {
    brokers.on(DescribeCluster, () => {
      throw new TypeError('x is not a function');
    });
    const { status, json } = await ask('GET', '/v3/clusters/-');
    expect([status, json.error_code]).toEqual([500, 500]);
    expect(json.message).not.toContain('x is not');
  });
});
