/* oxlint-disable typescript/no-explicit-any -- scripted answers */
import { beforeEach, describe, expect, test } from 'vitest';
import { createAdmin, type Admin } from '../../../client/index.ts';
import { ConnectionError } from '../../../shared/connection/connection.ts';
import { ErrorCode } from '../../../shared/protocol/errors.ts';
import { CreatePartitions } from '../../../shared/protocol/messages/create-partitions.ts';
import { CreateTopics } from '../../../shared/protocol/messages/create-topics.ts';
import { DeleteTopics } from '../../../shared/protocol/messages/delete-topics.ts';
import { DescribeLogDirs } from '../../../shared/protocol/messages/describe-log-dirs.ts';
import { Metadata } from '../../../shared/protocol/messages/metadata.ts';
import { DescribeProducers } from '../../../shared/protocol/messages/describe-producers.ts';
import { ScriptedCluster } from '../../support/scripted-cluster.ts';
import { VirtualTime } from '../../support/virtual-time.ts';

const REQUEST_TIMEOUT_MS = 10_000;

let time: VirtualTime;
let cluster: ScriptedCluster;
let admin: Admin;

beforeEach(() => {
  time = new VirtualTime();
  cluster = new ScriptedCluster();
  admin = createAdmin(
    { 'bootstrap.servers': 'b:1', 'request.timeout.ms': REQUEST_TIMEOUT_MS },
    { connector: cluster, runtime: { clock: time, timers: time } },
  );
  const outcome = (name: string) => ({ name, topicId: 'AAAAAAAAAAAAAAAAAAAAAA', errorCode: 0, errorMessage: null });
  cluster.on(CreateTopics, ({ topics }) => ({ topics: topics.map(({ name }: any) => outcome(name)) }));
  cluster.on(DeleteTopics, ({ topics }) => ({ responses: topics.map(({ name }: any) => outcome(name)) }));
  cluster.on(CreatePartitions, ({ topics }) => ({ results: topics.map(({ name }: any) => outcome(name)) }));
});

/** Whether the call has ended by now, and how long it took once it has. */
function watch(call: Promise<unknown>): { elapsedMs: number | null } {
  const begun = time.now();
  const seen = { elapsedMs: null as number | null };
  void call.then(() => (seen.elapsedMs = time.now() - begun));
  return seen;
}

describe('a broker that has started after the last look', () => {
  beforeEach(async () => {
    cluster.on(DescribeLogDirs, () => ({ throttleTimeMs: 0, errorCode: 0, results: [] }));
    cluster.brokers.splice(1);
    await time.until('a first look', watched(admin.describeLogDirs([1])));
    cluster.brokers.push(2);
  });

  test('can be asked about itself', async () => {
    const seen = watch(admin.describeLogDirs([2]));
    await time.until('its answer', () => seen.elapsedMs !== null);
    expect(seen.elapsedMs).toBeLessThan(1000);
    expect(cluster.calls.at(-1)).toMatchObject({ api: 'DescribeLogDirs', broker: 2 });
  });

  test('can be asked about producers', async () => {
    const partition = { partitionIndex: 0, errorCode: 0, errorMessage: null, activeProducers: [] };
    cluster.on(DescribeProducers, () => ({ topics: [{ name: 't', partitions: [partition] }] }));
    const seen = watch(admin.describeProducers({ topic: 't', partition: 0 }, 2));
    await time.until('its answer', () => seen.elapsedMs !== null);
  });
});

test('a broker that is known is asked, although the metadata is old and nobody knows better', async () => {
  cluster.on(DescribeLogDirs, () => ({ throttleTimeMs: 0, errorCode: 0, results: [] }));
  await time.until('a first look', watched(admin.describeLogDirs([1])));
  await time.advance(10 * 60_000);
  cluster.on(Metadata, () => Promise.reject(new ConnectionError('CLOSED', 'no metadata')));
  const seen = watch(admin.describeLogDirs([1]));
  await time.until('its answer', () => seen.elapsedMs !== null);
  expect(seen.elapsedMs).toBeLessThan(1000);
});

describe('a change of topics is over when every broker has heard of it', () => {
  test.each(['createTopics', 'deleteTopics', 'createPartitions'] as const)('%s', async change => {
    const isOld = () => time.now() < heardAt;
    const heardAt = time.now() + 2000;
    // Broker 2 lags behind.
    if (change === 'deleteTopics') cluster.knows = (_topic, broker) => broker === 2 && isOld();
    else if (change === 'createTopics') cluster.knows = (_topic, broker) => broker === 1 || !isOld();
    else cluster.leadersAt = broker => (broker === 2 && isOld() ? [1] : [1, 2]);
    const call = {
      createTopics: () => admin.createTopics([{ name: 'new', partitions: 1 }]),
      deleteTopics: () => admin.deleteTopics(['old']),
      createPartitions: () => admin.createPartitions('more', 2),
    }[change];
    const seen = watch(call());
    await time.advance(1900);
    expect(seen.elapsedMs).toBeNull();
    await time.until('the end of the call', () => seen.elapsedMs !== null);
    expect(seen.elapsedMs).toBeGreaterThanOrEqual(2000);
    expect(seen.elapsedMs).toBeLessThan(4000);
  });

  test('a broker that is down is not waited for', async () => {
    await time.until('a first look', watched(admin.describeCluster().catch(() => null)));
    cluster.knows = (_topic, broker) => broker === 1;
    cluster.down.add(2);
    const seen = watch(admin.createTopics([{ name: 'new' }]));
    await time.until('the end of the call', () => seen.elapsedMs !== null);
    expect(seen.elapsedMs).toBeLessThan(1000);
  });

  test('what was done is not called a failure because a broker never hears of it', async () => {
    cluster.knows = (_topic, broker) => broker === 1;
    const seen = watch(admin.createTopics([{ name: 'new' }]));
    await time.until('the end of the call', () => seen.elapsedMs !== null);
    expect(seen.elapsedMs).toBeLessThanOrEqual(REQUEST_TIMEOUT_MS);
  });

  test('a check that creates nothing, and a refusal, are told at once', async () => {
    cluster.knows = () => false;
    const seen = watch(admin.createTopics([{ name: 'new' }], { validateOnly: true }));
    await time.until('the end of the call', () => seen.elapsedMs !== null);
    expect(seen.elapsedMs).toBe(0);
    cluster.on(CreateTopics, () => ({
      topics: [{ name: 'new', errorCode: ErrorCode.TOPIC_ALREADY_EXISTS, errorMessage: null }],
    }));
    await expect(admin.createTopics([{ name: 'new' }])).rejects.toMatchObject({ code: ErrorCode.TOPIC_ALREADY_EXISTS });
  });
});

function watched(call: Promise<unknown>): () => boolean {
  const seen = watch(call);
  return () => seen.elapsedMs !== null;
}

test('a topic is described without asking for all of them', async () => {
  cluster.knows = topic => topic === 'there';
  expect((await admin.describeTopic('there')).partitions).toHaveLength(1);
  await expect(admin.describeTopic('nowhere')).rejects.toMatchObject({ codeName: 'UNKNOWN_TOPIC_OR_PARTITION' });
  const asked = cluster.calls.filter(({ api }) => api === 'Metadata').map(({ request }) => request.topics);
  expect(asked.filter(topics => topics === null)).toEqual([]);
});
