import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAdmin, createProducer, type Admin } from '../../client/index.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { tool, type Outcome } from '../support/run.ts';
import { SteadyWriter } from '../support/steady-writer.ts';
import { waitFor } from '../support/wait.ts';
import { Znodes } from '../support/znodes.ts';

let cluster: Cluster;
let znodes: Znodes;
let admin: Admin;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'samsa-reassignment-'));
  cluster = await startCluster({
    properties: {
      // Relative to the directory in which each broker is started.
      'log.dirs': 'data,more',
      'log.segment.delete.delay.ms': '100',
      'replica.lag.time.max.ms': '3000',
      'auto.leader.rebalance.enable': 'false',
    },
  });
  znodes = await Znodes.open(cluster.zookeeperConnect);
  admin = createAdmin({ 'bootstrap.servers': cluster.bootstrap });
});

afterAll(async () => {
  admin?.close();
  await znodes?.close();
  await cluster?.stop();
  rmSync(directory, { recursive: true, force: true });
});

function reassign(...args: string[]): Promise<Outcome> {
  return tool('kafka-reassign-partitions', ['--bootstrap-server', cluster.bootstrap, ...args]);
}

async function printed(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await reassign(...args);
  expect({ code, stdout, stderr }).toMatchObject({ code: 0, stderr: '' });
  return stdout;
}

function file(name: string, json: object): string {
  const path = join(directory, name);
  writeFileSync(path, JSON.stringify(json));
  return path;
}

/** A file that orders each partition of a topic to the replicas. */
function orders(topic: string, replicas: readonly (readonly number[])[], logDirs?: readonly string[]): string {
  return file(`${topic}.json`, {
    version: 1,
    partitions: replicas.map((list, partition) => ({
      topic,
      partition,
      replicas: list,
      ...(logDirs === undefined ? {} : { log_dirs: logDirs }),
    })),
  });
}

const RECORD = Buffer.alloc(10_000, 'x');

/** Three megabytes in each partition. */
async function fill(topic: string, partitions: number): Promise<void> {
  const producer = createProducer({ 'bootstrap.servers': cluster.bootstrap, acks: 'all' });
  try {
    for (let round = 0; round < 300; round++) {
      for (let partition = 0; partition < partitions; partition++)
        void producer.send({ topic, partition, value: RECORD });
    }
    await producer.flush();
  } finally {
    await producer.close();
  }
}

/** The directories on the broker that have logs of the partition. */
function logsOf(broker: number, partition: string): string[] {
  const own = join(cluster.directory, `broker-${broker}`);
  return ['data', 'more'].filter(dir => existsSync(join(own, dir)) && readdirSync(join(own, dir)).includes(partition));
}

async function replicasOf(topic: string): Promise<(readonly number[])[]> {
  return (await admin.describeTopic(topic)).partitions.map(({ replicas }) => replicas);
}

async function throttles(): Promise<string[]> {
  const brokers = [0, 1, 2].map(id => ({ type: 'broker', name: String(id) }) as const);
  const topics = (await admin.listTopics()).map(({ name }) => ({ type: 'topic', name }) as const);
  const entries = (await admin.describeConfigs([...brokers, ...topics])).flat();
  const isSet = ({ name, value }: { name: string; value: string | null }) =>
    (/replication\.throttled\.rate|alter\.log\.dirs\.io/.test(name) &&
      value !== null &&
      value !== '9223372036854775807') ||
    (name.endsWith('throttled.replicas') && value !== '');
  return entries.filter(isSet).map(({ name, value }) => `${name}=${value}`);
}

async function untilCompleted(path: string): Promise<string> {
  let text = '';
  await waitFor('the reassignment to be completed', async () => {
    const { stdout } = await reassign('--verify', '--reassignment-json-file', path);
    text = stdout;
    return !stdout.includes('still in progress');
  });
  return text;
}

test('a topic moves while it is written to, throttled, and the controller dies: every acknowledged record is there', async () => {
  await admin.createTopics([
    {
      name: 'moved',
      assignment: [
        [0, 1],
        [1, 0],
      ],
    },
  ]);
  await fill('moved', 2);
  const writer = new SteadyWriter({ bootstrap: cluster.bootstrap, topic: 'moved', partitions: 2 });
  await writer.progress();
  const path = orders('moved', [
    [2, 1],
    [1, 2],
  ]);
  const started = await printed('--execute', '--reassignment-json-file', path, '--throttle', '100000');
  expect(started.split('\n')).toEqual([
    'Current partition replica assignment',
    '',
    '{"version":1,"partitions":[{"topic":"moved","partition":0,"replicas":[0,1],"log_dirs":["any","any"]},' +
      '{"topic":"moved","partition":1,"replicas":[1,0],"log_dirs":["any","any"]}]}',
    '',
    'Save this to use as the --reassignment-json-file option during rollback',
    expect.stringMatching(/^Warning: .*--verify/) as string,
    'The inter-broker throttle limit was set to 100000 B/s',
    'Successfully started partition reassignments for moved-0,moved-1',
    '',
  ]);
  expect(await throttles()).toEqual(
    expect.arrayContaining([
      'leader.replication.throttled.rate=100000',
      'leader.replication.throttled.replicas=0:0,0:1,1:0,1:1',
      'follower.replication.throttled.replicas=0:2,1:2',
    ]),
  );
  expect(await printed('--list')).toBe(
    'Current partition reassignments:\nmoved-0: replicas: 2,1,0. adding: 2. removing: 0.\n' +
      'moved-1: replicas: 1,2,0. adding: 2. removing: 0.\n',
  );
  const described = await tool('kafka-topics', [
    '--bootstrap-server',
    cluster.bootstrap,
    '--describe',
    '--topic',
    'moved',
  ]);
  expect(described.stdout).toMatch(/ReplicationFactor: 2\t/);
  expect(described.stdout).toMatch(/Replicas: 2,1,0\tIsr: [01],[01]\tAdding Replicas: 2\tRemoving Replicas: 0\t/);
  expect(await reassign('--execute', '--reassignment-json-file', path)).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^Cannot execute because there is an existing partition assignment/) as string,
  });
  expect(await printed('--verify', '--reassignment-json-file', path)).toBe(
    'Status of partition reassignment:\nReassignment of partition moved-0 is still in progress.\n' +
      'Reassignment of partition moved-1 is still in progress.\n\n',
  );

  const controller = cluster.brokers[(await znodes.controllerId())!]!;
  await controller.kill();
  await znodes.anotherController(controller.id);
  await writer.progress();
  await controller.start();
  expect(await printed('--list')).toContain('moved-0: replicas: 2,1,0. adding: 2. removing: 0.');
  await printed('--execute', '--additional', '--reassignment-json-file', path, '--throttle', '100000000');
  const verified = await untilCompleted(path);
  expect(verified).toBe(
    'Status of partition reassignment:\nReassignment of partition moved-0 is completed.\n' +
      'Reassignment of partition moved-1 is completed.\n\n' +
      'Clearing broker-level throttles on brokers 0,1,2\nClearing topic-level throttles on topic moved\n',
  );
  expect(await throttles()).toEqual([]);
  await writer.progress();
  await writer.stop();
  expect(await replicasOf('moved')).toEqual([
    [2, 1],
    [1, 2],
  ]);
  expect(writer.failed).toEqual([]);
  expect(await writer.lost()).toEqual([]);
  await waitFor('the old replicas to be gone', () => [...logsOf(0, 'moved-0'), ...logsOf(0, 'moved-1')].length === 0);
  expect(logsOf(2, 'moved-0')).toHaveLength(1);
  expect(await printed('--list')).toBe('No partition reassignments found.\n');
});

test('a reassignment is cancelled: what was begun is taken back', async () => {
  await admin.createTopics([{ name: 'kept', assignment: [[0, 1]] }]);
  await fill('kept', 1);
  const path = orders('kept', [[1, 2]]);
  await printed('--execute', '--reassignment-json-file', path, '--throttle', '1000');
  await waitFor('the new replica', () => logsOf(2, 'kept-0').length === 1);
  expect(await printed('--cancel', '--reassignment-json-file', path)).toBe(
    'Successfully cancelled partition reassignment for: kept-0\nNone of the specified partition moves are active.\n' +
      'Clearing broker-level throttles on brokers 0,1,2\nClearing topic-level throttles on topic kept\n',
  );
  await waitFor('the new replica to be gone', () => logsOf(2, 'kept-0').length === 0);
  expect(await throttles()).toEqual([]);
  expect((await replicasOf('kept'))[0]!.toSorted()).toEqual([0, 1]);
  expect(await printed('--cancel', '--reassignment-json-file', path, '--preserve-throttles')).toBe(
    'None of the specified partition reassignments are active.\nNone of the specified partition moves are active.\n',
  );
  const { stdout } = await reassign('--verify', '--reassignment-json-file', path);
  expect(stdout).toMatch(
    /^There is no active reassignment of partition kept-0, but replica set is (0,1|1,0) rather than 1,2\.$/m,
  );
});

test('a proposal is generated; it moves brokers and directories', async () => {
  await admin.createTopics([{ name: 'spread', assignment: [[0], [0]] }]);
  await fill('spread', 2);
  const topics = file('topics.json', { version: 1, topics: [{ topic: 'spread' }] });
  const lines = (await printed('--generate', '--topics-to-move-json-file', topics, '--broker-list', '1,2')).split('\n');
  expect(lines[0]).toBe('Current partition replica assignment');
  expect(lines.slice(2, 4)).toEqual(['', 'Proposed partition reassignment configuration']);
  const proposal = JSON.parse(lines[4]!) as { partitions: { replicas: number[]; log_dirs: string[] }[] };
  expect(proposal.partitions.map(({ replicas }) => replicas[0]).toSorted()).toEqual([1, 2]);
  const proposed = file('proposal.json', proposal);
  await printed('--execute', '--reassignment-json-file', proposed);
  await untilCompleted(proposed);
  expect(await replicasOf('spread')).toEqual(proposal.partitions.map(({ replicas }) => replicas));

  const [first] = proposal.partitions;
  const broker = first!.replicas[0]!;
  const target = logsOf(broker, 'spread-0')[0] === 'data' ? 'more' : 'data';
  const path = join(cluster.directory, `broker-${broker}`, target);
  const move = orders('spread', [[broker]], [path]);
  expect(await printed('--execute', '--reassignment-json-file', move)).toContain(
    `Successfully started moving log directory to ${path} for replica spread-0 with broker ${broker} \n`,
  );
  expect(await untilCompleted(move)).toContain(`Reassignment of replica spread-0-${broker} completed successfully.\n`);
  expect(logsOf(broker, 'spread-0')).toEqual([target]);
});

test('kafkajs moves a partition and lists what is under way', async () => {
  await admin.createTopics([{ name: 'by-kafkajs', assignment: [[0]] }]);
  const kafka = new Kafka({ brokers: cluster.bootstrap.split(','), logLevel: logLevel.NOTHING }).admin();
  await kafka.connect();
  try {
    const order = (replicas: number[]) =>
      kafka.alterPartitionReassignments({
        topics: [{ topic: 'by-kafkajs', partitionAssignment: [{ partition: 0, replicas }] }],
      });
    await order([1, 2]);
    await waitFor('the end of it', async () => (await kafka.listPartitionReassignments({})).topics.length === 0);
    await waitFor('the move', async () => (await replicasOf('by-kafkajs'))[0]!.join() === '1,2');
    await expect(order([1, 9])).rejects.toThrow('reassignments');
  } finally {
    await kafka.disconnect();
  }
});

test('what cannot be is refused, with exit status 1', async () => {
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await reassign(...args);
    return { code, text: stdout + stderr };
  };
  const execute = (path: string) => run('--execute', '--reassignment-json-file', path);
  expect(await execute(orders('moved', [[7]]))).toEqual({ code: 1, text: 'Unknown broker id 7\n' });
  expect(await execute(orders('unknown', [[1]]))).toEqual({ code: 1, text: 'Unable to find partition: unknown-0\n' });
  expect((await execute(orders('moved', [[1, 1]]))).text).toContain('duplicate entries: moved-0');
  expect((await run('--execute')).text).toContain('Missing required argument "[reassignment-json-file]"');
  const topics = file('none.json', { version: 1, topics: [{ topic: 'unknown' }] });
  expect(await run('--generate', '--topics-to-move-json-file', topics, '--broker-list', '1')).toEqual({
    code: 1,
    text: 'Topic unknown not found.\n',
  });
});
