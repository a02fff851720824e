import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { absenceOf, apacheTool, whereAbsent } from '../support/apache-kafka.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { tool, type Outcome } from '../support/run.ts';
import { waitFor } from '../support/wait.ts';

/**
 * Apache Kafka's own tools drive a Samsa cluster. Where both sides have a tool for the same question, the answers are
 * compared line by line.
 */

const TOOLS = 'org.apache.kafka.tools';
const absent = absenceOf('3.9') !== null;

let cluster: Cluster;
let directory: string;

beforeAll(async () => {
  if (absent && absenceOf('2.8') !== null) return;
  directory = mkdtempSync(join(tmpdir(), 'samsa-apache-'));
  cluster = await startCluster({ brokers: 2 });
});

afterAll(async () => {
  await cluster?.stop();
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
});

/** What a tool printed, when it ended well. */
async function printed(outcome: Promise<Outcome>): Promise<string> {
  const { code, stdout, stderr } = await outcome;
  expect(code, stdout + stderr).toBe(0);
  return stdout;
}

const bootstrap = (): string[] => ['--bootstrap-server', cluster.bootstrap];
const apache = (main: string, ...args: string[]) => printed(apacheTool('3.9', main, [...bootstrap(), ...args]));
const ours = (name: string, ...args: string[]) => printed(tool(name, [...bootstrap(), ...args]));

/** The same question to both sides' tool: [Apache's answer, ours]. */
const both = (main: string, name: string, ...args: string[]) =>
  Promise.all([apache(main, ...args), ours(name, ...args)]);

/** A file for the tools that want JSON from one. */
function jsonFile(name: string, content: unknown): string {
  const path = join(directory, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
}

/** What is said of each broker. Apache's tool has them in the order of a hash map, which is another one each time. */
function brokersOf(versions: string): string[] {
  return versions.split(/(?<=^\)\n)/m).sort();
}

describe.skipIf(absent)(whereAbsent('3.9', 'the tools of Apache Kafka 3.9'), () => {
  const topics = (...args: string[]) => apache(`${TOOLS}.TopicCommand`, ...args);
  const bothTopics = (...args: string[]) => both(`${TOOLS}.TopicCommand`, 'kafka-topics', ...args);

  test('kafka-topics creates, describes, alters, lists and deletes', async () => {
    const assignment = ['--replica-assignment', '0:1,1:0', '--config', 'retention.ms=9000'];
    expect(await topics('--create', '--topic', 'orders', ...assignment)).toBe('Created topic orders.\n');

    const again = apacheTool('3.9', `${TOOLS}.TopicCommand`, [...bootstrap(), '--create', '--topic', 'orders']);
    await topics('--alter', '--topic', 'orders', '--partitions', '5');
    expect((await again).stdout).toContain("Topic 'orders' already exists.");
    const settled = () => ours('kafka-topics', '--describe', '--topic', 'orders');
    await waitFor('leaders of all partitions', async () => (await settled()).match(/Leader: [01]\t/g)?.length === 5);

    const [[listed, listedHere], [described, describedHere]] = await Promise.all([
      bothTopics('--list'),
      bothTopics('--describe'),
    ]);
    expect(listed).toContain('orders\n');
    expect(listedHere).toBe(listed);
    expect(described).toContain('PartitionCount: 5');
    expect(described).toContain('Partition: 1\tLeader: 1\tReplicas: 1,0\tIsr: 1,0');
    expect(describedHere).toBe(described);

    await topics('--delete', '--topic', 'orders');
    expect(await ours('kafka-topics', '--list')).not.toContain('orders');
  });

  test('the console tools write and read; a consumer starts at an offset of a partition', async () => {
    await ours('kafka-topics', '--create', '--topic', 'lines', '--replica-assignment', '0:1');
    const input = Array.from({ length: 100 }, (_, i) => `key:line ${i}\n`).join('');
    const keyed = ['--property', 'parse.key=true', '--property', 'key.separator=:', '--request-required-acks', 'all'];
    const producer = ['--topic', 'lines', ...keyed, '--compression-codec', 'zstd'];
    await printed(apacheTool('3.9', 'kafka.tools.ConsoleProducer', [...bootstrap(), ...producer], { input }));
    const shown = ['--property', 'print.offset=true', '--property', 'print.key=true'];
    const range = ['--topic', 'lines', '--partition', '0', '--offset', '42', '--max-messages', '3'];
    const [theirs, mine] = await both(
      `${TOOLS}.consumer.ConsoleConsumer`,
      'kafka-console-consumer',
      ...range,
      ...shown,
    );
    expect(theirs).toBe('Offset:42\tkey\tline 42\nOffset:43\tkey\tline 43\nOffset:44\tkey\tline 44\n');
    expect(mine).toBe(theirs);
  });

  test('kafka-producer-perf-test writes what kafka-get-offsets then counts; kafka-delete-records deletes it', async () => {
    await ours('kafka-topics', '--create', '--topic', 'perf', '--partitions', '2', '--replication-factor', '2');
    const load = ['--topic', 'perf', '--num-records', '20000', '--record-size', '100', '--throughput', '-1'];
    const props = ['--producer-props', `bootstrap.servers=${cluster.bootstrap}`, 'acks=all', 'compression.type=lz4'];
    const report = await printed(apacheTool('3.9', `${TOOLS}.ProducerPerformance`, [...load, ...props]));
    expect(report).toMatch(/^20000 records sent, .* records\/sec/m);

    const [theirs, mine] = await both(`${TOOLS}.GetOffsetShell`, 'kafka-get-offsets', '--topic', 'perf');
    const ends = theirs
      .trim()
      .split('\n')
      .map(line => Number(line.split(':')[2]));
    expect(ends[0]! + ends[1]!).toBe(20_000);
    expect(mine).toBe(theirs);

    const partitions = ends.map((offset, partition) => ({ topic: 'perf', partition, offset: Math.floor(offset / 2) }));
    const file = jsonFile('delete.json', { version: 1, partitions });
    const deleted = await apache(`${TOOLS}.DeleteRecordsCommand`, '--offset-json-file', file);
    expect(deleted).toContain(`partition: perf-1\tlow_watermark: ${partitions[1]!.offset}`);
    const earliest = await apache(`${TOOLS}.GetOffsetShell`, '--topic', 'perf', '--time', 'earliest');
    expect(earliest).toBe(partitions.map(({ partition, offset }) => `perf:${partition}:${offset}\n`).join(''));
  });

  test('kafka-configs alters and describes topics and brokers', async () => {
    const configs = (...args: string[]) => apache('kafka.admin.ConfigCommand', ...args);
    const bothConfigs = (...args: string[]) => both('kafka.admin.ConfigCommand', 'kafka-configs', ...args);
    const create = ['--create', '--topic', 'tuned', '--replica-assignment', '0', '--config', 'retention.ms=5000'];
    await ours('kafka-topics', ...create);
    const topic = ['--entity-type', 'topics', '--entity-name', 'tuned'];
    const broker = ['--entity-type', 'brokers', '--entity-name', '1'];
    const policy = ['--add-config', 'cleanup.policy=[compact,delete]', '--delete-config', 'retention.ms'];
    await Promise.all([
      configs(...topic, '--alter', ...policy),
      configs(...broker, '--alter', '--add-config', 'log.retention.ms=70000'),
    ]);
    const [[theirs, mine], [all, allHere]] = await Promise.all([
      bothConfigs(...topic, '--describe'),
      bothConfigs(...broker, '--describe', '--all'),
    ]);
    expect(theirs).toContain('cleanup.policy=compact,delete');
    expect(theirs).not.toContain('retention.ms=5000');
    expect(mine).toBe(theirs);
    expect(all).toContain(
      'log.retention.ms=70000 sensitive=false synonyms={DYNAMIC_BROKER_CONFIG:log.retention.ms=70000',
    );
    expect(allHere).toBe(all);

    const wrong = [...bootstrap(), ...topic, '--alter', '--add-config', 'retention.ms=soon'];
    const refused = await apacheTool('3.9', 'kafka.admin.ConfigCommand', wrong);
    expect(refused.code).toBe(1);
    expect(refused.stderr + refused.stdout).toContain('InvalidConfigurationException: retention.ms');
  });

  test('kafka-reassign-partitions moves a partition under a throttle; kafka-leader-election makes the preferred replica lead', async () => {
    const reassign = (...args: string[]) => apache(`${TOOLS}.reassign.ReassignPartitionsCommand`, ...args);
    await ours('kafka-topics', '--create', '--topic', 'moved', '--replica-assignment', '0');
    await ours('kafka-topics', '--create', '--topic', 'turned', '--replica-assignment', '0:1');
    const input = `${'x'.repeat(20_000)}\n`.repeat(200);
    await printed(tool('kafka-console-producer', [...bootstrap(), '--topic', 'moved'], { input }));
    const plan = jsonFile('plan.json', {
      version: 1,
      partitions: [
        { topic: 'moved', partition: 0, replicas: [1] },
        { topic: 'turned', partition: 0, replicas: [1, 0] },
      ],
    });
    const file = ['--reassignment-json-file', plan];
    expect(await reassign('--execute', ...file, '--throttle', '1000')).toContain(
      'Successfully started partition reassignments for moved-0,turned-0',
    );
    const [listed, listedHere] = await both(
      `${TOOLS}.reassign.ReassignPartitionsCommand`,
      'kafka-reassign-partitions',
      '--list',
    );
    expect(listed).toContain('moved-0: replicas: 1,0. adding: 1. removing: 0.');
    expect(listedHere).toBe(listed);

    await reassign('--execute', ...file, '--additional', '--throttle', '100000000');
    await waitFor('the partition to have moved', async () =>
      (await ours('kafka-reassign-partitions', '--list')).includes('No partition reassignments found.'),
    );
    const verified = await reassign('--verify', ...file);
    expect(verified).toContain('Reassignment of partition moved-0 is completed.');
    expect(verified).toContain('Clearing broker-level throttles on brokers 0,1');

    const elect = ['--election-type', 'preferred', '--topic', 'turned', '--partition', '0'];
    expect(await apache(`${TOOLS}.LeaderElectionCommand`, ...elect)).toContain(
      'Successfully completed leader election (PREFERRED) for partitions turned-0',
    );
    const described = await topics('--describe', '--topic', 'moved,turned');
    expect(described).toContain('Topic: moved\tPartition: 0\tLeader: 1\tReplicas: 1\tIsr: 1');
    expect(described).toMatch(/Topic: turned\tPartition: 0\tLeader: 1\tReplicas: 1,0\tIsr: (0,1|1,0)/);
  });

  test('kafka-log-dirs', async () => {
    await ours('kafka-topics', '--create', '--topic', 'sized', '--partitions', '2', '--replication-factor', '2');
    const sizes = ['--describe', '--topic-list', 'sized'];
    await waitFor(
      'all replicas',
      async () => (await ours('kafka-log-dirs', ...sizes)).match(/"sized-[01]"/g)?.length === 4,
    );
    const [dirs, dirsHere] = await both(`${TOOLS}.LogDirsCommand`, 'kafka-log-dirs', ...sizes);
    expect(sortedLogDirs(dirs)).toEqual(sortedLogDirs(dirsHere));
    expect(JSON.stringify(sortedLogDirs(dirs))).toContain('"partition":"sized-1","size":0');
  });

  test('kafka-broker-api-versions: the same bytes', async () => {
    const [versions, here] = await both('kafka.admin.BrokerApiVersionsCommand', 'kafka-broker-api-versions');
    expect(versions).toContain(`127.0.0.1:${cluster.brokers[1]!.port} (id: 1 rack: null) -> (`);
    expect(versions).toContain('\tFetch(1): 0 to 17 [usable: 17],\n');
    expect(brokersOf(here)).toEqual(brokersOf(versions));
  });
});

interface LogDirs {
  readonly brokers: { readonly broker: number; readonly logDirs: { readonly partitions: { partition: string }[] }[] }[];
}

/** The JSON that kafka-log-dirs prints; partitions come in no particular order. */
function sortedLogDirs(output: string): LogDirs {
  const all = JSON.parse(output.split('\n').find(line => line.startsWith('{'))!) as LogDirs;
  for (const { logDirs } of all.brokers) {
    for (const { partitions } of logDirs) partitions.sort((a, b) => (a.partition < b.partition ? -1 : 1));
  }
  return all;
}

/** The lines of a topic's partitions, without what only newer releases tell. */
const partitionLines = (described: string): string[] =>
  described
    .split('\n')
    .filter(line => line.startsWith('\t'))
    .map(line => line.replace(/\tElr.*/, '').trimEnd());

describe.skipIf(absenceOf('2.8') !== null)(whereAbsent('2.8', 'kafka-topics of Apache Kafka 2.8'), () => {
  const topics = (...args: string[]) =>
    printed(apacheTool('2.8', 'kafka.admin.TopicCommand', ['--zookeeper', cluster.zookeeperConnect, ...args]));
  const described = (topic: string) => ours('kafka-topics', '--describe', '--topic', topic);

  test('creates, alters and deletes topics through ZooKeeper', async () => {
    const settings = ['--config', 'segment.bytes=1048576'];
    await Promise.all([
      topics('--create', '--topic', 'old-ways', '--partitions', '2', '--replication-factor', '2', ...settings),
      topics('--create', '--topic', 'old-hat', '--replica-assignment', '0:1,1:0'),
    ]);
    await waitFor('leaders', async () =>
      /PartitionCount: 2[^]*Leader: 1[^]*Leader: 0|Leader: 0[^]*Leader: 1/.test(await described('old-ways')),
    );
    await Promise.all([
      topics('--alter', '--topic', 'old-ways', '--partitions', '3'),
      topics('--alter', '--topic', 'old-ways', '--config', 'retention.ms=12345'),
    ]);
    await waitFor('the third partition and both settings', async () =>
      /Configs: retention.ms=12345,segment.bytes=1048576\n[^]*Partition: 2\tLeader: [01]/.test(
        await described('old-ways'),
      ),
    );
    const theirs = await topics('--describe', '--topic', 'old-ways');
    const mine = await described('old-ways');
    expect(partitionLines(mine)).toEqual(partitionLines(theirs));

    await topics('--delete', '--topic', 'old-hat');
    await waitFor('the deletion', async () => !(await ours('kafka-topics', '--list')).includes('old-hat'));
  });
});
