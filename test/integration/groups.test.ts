import { spawn, type ChildProcess } from 'node:child_process';
import kafkajs, { type Admin, type Consumer, type Kafka as Client } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { coordinatorPartition } from '../../shared/topics/coordinator-partition.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { waitFor } from '../support/wait.ts';

/** Consumer groups of foreign clients on three real brokers: join, leave, crash, and the death of the coordinator. */

// Node does not see the names that this package exports.
const { AssignerProtocol, Kafka, logLevel } = kafkajs;
const PARTITIONS = 6;
const OFFSETS_PARTITIONS = 5;

let cluster: Cluster;
let kafka: Client;
let admin: Admin;
const children: ChildProcess[] = [];
const consumers: Consumer[] = [];

beforeAll(async () => {
  cluster = await startCluster({
    properties: {
      'offsets.topic.replication.factor': '3',
      'offsets.topic.num.partitions': String(OFFSETS_PARTITIONS),
      'group.min.session.timeout.ms': '1000',
    },
  });
  kafka = new Kafka({
    brokers: cluster.bootstrap.split(','),
    logLevel: logLevel.NOTHING,
    retry: { retries: 200, initialRetryTime: 50, maxRetryTime: 300 },
  });
  admin = kafka.admin();
  await admin.connect();
  await waitFor('all brokers to be known', async () => (await admin.describeCluster()).brokers.length === 3);
}, 60_000);

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await Promise.all(consumers.map(consumer => consumer.disconnect().catch(() => {})));
  await admin.disconnect();
  await cluster.stop();
});

async function createTopic(topic: string): Promise<void> {
  await admin.createTopics({
    topics: [{ topic, numPartitions: PARTITIONS, replicationFactor: 3 }],
    waitForLeaders: true,
  });
}

/** Writes values `from` … `to - 1`, spread over the partitions. */
async function produce(topic: string, from: number, to: number): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  const messages = Array.from({ length: to - from }, (_, i) => ({
    value: String(from + i),
    partition: (from + i) % PARTITIONS,
  }));
  await producer.send({ topic, messages });
  await producer.disconnect();
}

/** A member that notes what it gets; it commits after each batch. */
async function member(groupId: string, topic: string, seen: string[], sessionTimeout = 3000): Promise<Consumer> {
  const consumer = kafka.consumer({
    groupId,
    sessionTimeout,
    heartbeatInterval: 300,
    rebalanceTimeout: 5000,
    // It sends heartbeats between fetches only.
    maxWaitTimeInMs: 200,
    retry: { retries: 200, initialRetryTime: 50, maxRetryTime: 300 },
  });
  consumers.push(consumer);
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachBatch: ({ batch }) => {
      for (const { value } of batch.messages) seen.push(value!.toString());
      return Promise.resolve();
    },
  });
  return consumer;
}

function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => String(from + i));
}

function sorted(values: readonly string[]): string[] {
  return [...new Set(values)].sort((a, b) => Number(a) - Number(b));
}

async function stateOf(groupId: string): Promise<{ state: string; members: number[] }> {
  const { groups } = await admin.describeGroups([groupId]);
  const { state, members } = groups[0]!;
  const counts = members.map(({ memberAssignment }) => {
    const assigned = AssignerProtocol.MemberAssignment.decode(memberAssignment);
    return Object.values(assigned?.assignment ?? {}).flat().length;
  });
  return { state, members: counts.sort() };
}

async function committed(groupId: string, topic: string): Promise<number> {
  const [entry] = await admin.fetchOffsets({ groupId, topics: [topic] });
  return entry!.partitions.reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
}

/** A client in a process of its own, whose standard output is lines. */
function run(command: string, args: readonly string[]): { child: ChildProcess; lines: () => string[] } {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', command, ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  children.push(child);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return { child, lines: () => output.split('\n').filter(line => line !== '') };
}

const PYTHON_MEMBER = `
import sys
from kafka import KafkaConsumer
consumer = KafkaConsumer(sys.argv[2], bootstrap_servers=sys.argv[1].split(','), group_id=sys.argv[3],
                         auto_offset_reset='earliest', session_timeout_ms=3000, heartbeat_interval_ms=300,
                         auto_commit_interval_ms=100)
for message in consumer:
    print(message.value.decode(), flush=True)
`;

const MEMBERS: readonly (readonly [string, (topic: string, group: string) => ReturnType<typeof run>])[] = [
  [
    'kcat',
    (topic, group) =>
      run('kcat', [
        ...['-b', cluster.bootstrap, '-u', '-q', '-G', group, '-f', '%s\\n'],
        ...['-X', 'session.timeout.ms=3000', '-X', 'heartbeat.interval.ms=300', '-X', 'auto.commit.interval.ms=100'],
        ...['-X', 'auto.offset.reset=earliest', topic],
      ]),
  ],
  ['kafka-python', (topic, group) => run('/usr/bin/python3', ['-c', PYTHON_MEMBER, cluster.bootstrap, topic, group])],
];

test('members of kafkajs share the partitions as they join, leave and are killed', async () => {
  await createTopic('shared');
  const seen: string[] = [];
  const first = await member('sharing', 'shared', seen);
  await waitFor('one member to have all', async () => (await stateOf('sharing')).members.join() === '6');
  await member('sharing', 'shared', seen);
  await waitFor('two to have three each', async () => (await stateOf('sharing')).members.join() === '3,3');
  await produce('shared', 0, 600);
  await waitFor('everything to be seen', () => seen.length >= 600);
  expect(sorted(seen)).toEqual(numbers(0, 600));
  await first.disconnect();
  await waitFor('the other to take over', async () => (await stateOf('sharing')).members.join() === '6');
  await produce('shared', 600, 900);
  await waitFor('the rest to be seen', () => sorted(seen).length >= 900);
  expect(sorted(seen)).toEqual(numbers(0, 900));
  await waitFor('all to be committed', async () => (await committed('sharing', 'shared')) === 900);
});

test('two groups each get everything', async () => {
  await createTopic('published');
  const a: string[] = [];
  const b: string[] = [];
  await Promise.all([member('group-a', 'published', a), member('group-b', 'published', b)]);
  await produce('published', 0, 300);
  await waitFor('both to have seen everything', () => a.length >= 300 && b.length >= 300);
  expect([sorted(a), sorted(b)]).toEqual([numbers(0, 300), numbers(0, 300)]);
});

describe.each(MEMBERS)('%s', (client, start) => {
  test('joins and is missed after kill -9; the next one goes on where it had committed', async () => {
    const topic = `crash-${client}`;
    await createTopic(topic);
    await produce(topic, 0, 300);
    const first = start(topic, topic);
    await waitFor('the first to see everything', () => first.lines().length >= 300);
    await waitFor('all to be committed', async () => (await committed(topic, topic)) === 300);
    const second = start(topic, topic);
    await waitFor('both to be members', async () => (await stateOf(topic)).members.join() === '3,3');
    first.child.kill('SIGKILL');
    await waitFor('the session to end', async () => (await stateOf(topic)).members.join() === '6');
    await produce(topic, 300, 600);
    await waitFor('the rest to be seen', () => sorted(second.lines()).length >= 300);
    expect(sorted(second.lines())).toEqual(numbers(300, 600));
    second.child.kill('SIGTERM');
  });
});

test('a group survives the kill -9 of its coordinator, twice', async () => {
  const [topic, groupId] = ['survivors', 'surviving'];
  await createTopic(topic);
  const seen: string[] = [];
  // Whoever is expelled may show once more what it had fetched: nobody is, however slow the machine.
  const sessionTimeout = 20_000;
  await member(groupId, topic, seen, sessionTimeout);
  await member(groupId, topic, seen, sessionTimeout);
  let written = 0;
  for (let round = 0; round < 2; round++) {
    await waitFor('both to be members', async () => (await stateOf(groupId)).members.join() === '3,3');
    await produce(topic, written, written + 300);
    written += 300;
    await waitFor('everything to be seen', () => sorted(seen).length === written);
    await waitFor('all to be committed', async () => (await committed(groupId, topic)) === written);
    const [mark, safe] = [seen.length, written];
    const coordinator = await coordinatorOf(groupId);
    await cluster.brokers[coordinator]!.kill();
    await waitFor('another coordinator', async () => (await coordinatorOf(groupId)) !== coordinator);
    expect(await waitFor('its offsets', () => committed(groupId, topic))).toBe(written);
    await produce(topic, written, written + 300);
    written += 300;
    await waitFor('what came after to be seen', () => sorted(seen).length === written);
    // What had been committed is not repeated.
    expect(seen.slice(mark).filter(value => Number(value) < safe)).toEqual([]);
    await cluster.brokers[coordinator]!.start();
  }
  expect(sorted(seen)).toEqual(numbers(0, written));
});

async function coordinatorOf(groupId: string): Promise<number> {
  const { topics } = await admin.fetchTopicMetadata({ topics: ['__consumer_offsets'] });
  const partition = coordinatorPartition(groupId, OFFSETS_PARTITIONS);
  return topics[0]!.partitions.find(({ partitionId }) => partitionId === partition)!.leader;
}

test('groups are listed, and deleted when they are empty', async () => {
  await createTopic('short');
  const consumer = await member('short-lived', 'short', []);
  await waitFor('it to be stable', async () => (await stateOf('short-lived')).state === 'Stable');
  const metrics = await Promise.all(
    cluster.brokers.map(async ({ address }) => (await fetch(`http://${address}/metrics`)).text()),
  );
  expect(metrics.join('')).toMatch(/^kafka_coordinator_group_groupmetadatamanager_numgroupsstable [1-9]/m);
  await expect(admin.deleteGroups(['short-lived'])).rejects.toMatchObject({
    groups: [{ groupId: 'short-lived', errorCode: 68 }],
  });
  await consumer.disconnect();
  await waitFor('it to be empty', async () => (await stateOf('short-lived')).state === 'Empty');
  expect((await admin.listGroups()).groups).toContainEqual({ groupId: 'short-lived', protocolType: 'consumer' });
  await admin.deleteGroups(['short-lived']);
  expect((await stateOf('short-lived')).state).toBe('Dead');
  expect((await admin.listGroups()).groups).not.toContainEqual({ groupId: 'short-lived', protocolType: 'consumer' });
});
