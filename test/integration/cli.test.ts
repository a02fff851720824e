import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { tool, type Outcome } from '../support/run.ts';
import { waitFor } from '../support/wait.ts';

const ROOT = join(import.meta.dirname, '../..');
let cluster: Cluster;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'samsa-cli-'));
  cluster = await startCluster({ brokers: 2 });
});

afterAll(async () => {
  await cluster.stop();
  rmSync(directory, { recursive: true, force: true });
});

const B = () => ['--bootstrap-server', cluster.bootstrap];
const Z = () => ['--zookeeper', cluster.zookeeperConnect];
const topics = (...args: string[]) => tool('kafka-topics', [...B(), ...args]);
const produce = (topic: string, input: string, ...args: string[]) =>
  tool('kafka-console-producer', [...B(), '--topic', topic, ...args], { input });
const consume = (topic: string, ...args: string[]) =>
  tool('kafka-console-consumer', [...B(), '--topic', topic, '--from-beginning', ...args]);

/** The tool's standard output, when it ended well. */
async function printed(outcome: Promise<Outcome>): Promise<string> {
  const { code, stdout, stderr } = await outcome;
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

test('a consumer that has all it was asked for leaves while more is still arriving', async () => {
  await printed(topics('--create', '--topic', 'plenty', '--replica-assignment', '0,0,0'));
  await printed(produce('plenty', Array.from({ length: 100_000 }, (_, i) => `${10_000 + i}\n`).join('')));
  // What happens at the end is a matter of luck: one run in seven used to end by a signal.
  for (let run = 0; run < 40; run++) {
    const { code, stderr } = await consume('plenty', '--max-messages', '1000');
    expect({ run, code, stderr }).toMatchObject({ code: 0 });
  }
});

describe('kafka-topics', () => {
  test('creates, lists, describes, alters and deletes through the brokers', async () => {
    const create = [
      '--create',
      '--topic',
      'orders',
      '--partitions',
      '2',
      '--replication-factor',
      '2',
      '--config',
      'retention.ms=9000',
    ];
    expect(await printed(topics(...create))).toBe('Created topic orders.\n');
    expect(await topics(...create)).toMatchObject({
      code: 1,
      stdout: "Error while executing topic command : Topic 'orders' already exists.\n",
    });
    expect(await printed(topics(...create, '--if-not-exists'))).toBe('');
    expect(await printed(topics('--list'))).toContain('orders\n');
    const [header, first, second] = (await printed(topics('--describe', '--topic', 'orders'))).split('\n');
    expect(header).toMatch(
      /^Topic: orders\tTopicId: [\w-]{22}\tPartitionCount: 2\tReplicationFactor: 2\tConfigs: .*retention\.ms=9000/,
    );
    expect(first).toMatch(
      /^\tTopic: orders\tPartition: 0\tLeader: [01]\tReplicas: [01],[01]\tIsr: [01],[01]\tElr: N\/A\tLastKnownElr: N\/A$/,
    );
    expect(second).toMatch(/^\tTopic: orders\tPartition: 1\t/);
    expect(await printed(topics('--alter', '--topic', 'orders', '--partitions', '3'))).toBe('');
    expect(await printed(topics('--describe', '--topic', 'orders'))).toContain('PartitionCount: 3');
    expect(await printed(topics('--describe', '--under-replicated-partitions'))).toBe('');
    expect(await printed(topics('--delete', '--topic', 'orders'))).toBe('');
    await waitFor('the topic to go', async () => !(await topics('--list')).stdout.includes('orders'));
    expect(await topics('--describe', '--topic', 'orders')).toMatchObject({
      code: 1,
      stdout: "Error while executing topic command : Topic 'orders' does not exist as expected\n",
    });
  });

  test('works on ZooKeeper directly, and the brokers follow', async () => {
    const zk = (...args: string[]) => tool('kafka-topics', [...Z(), ...args]);
    expect(
      await printed(
        zk('--create', '--topic', 'direct', '--replica-assignment', '0:1,1:0', '--config', 'retention.ms=9000'),
      ),
    ).toBe('Created topic direct.\n');
    const described = await waitFor('leaders', async () => {
      const { stdout } = await zk('--describe', '--topic', 'direct');
      return stdout.includes('Leader: 0') && stdout.includes('Leader: 1') && stdout.includes('TopicId') ? stdout : null;
    });
    expect(described.split('\n')).toEqual([
      expect.stringMatching(
        /^Topic: direct\tTopicId: [\w-]{22}\tPartitionCount: 2\tReplicationFactor: 2\tConfigs: retention\.ms=9000$/,
      ),
      '\tTopic: direct\tPartition: 0\tLeader: 0\tReplicas: 0,1\tIsr: 0,1',
      '\tTopic: direct\tPartition: 1\tLeader: 1\tReplicas: 1,0\tIsr: 1,0',
      '',
    ]);
    await printed(produce('direct', 'one\ntwo\n'));
    expect(await printed(consume('direct', '--max-messages', '2'))).toMatch(/one\n|two\n/);
    expect(await printed(zk('--alter', '--topic', 'direct', '--partitions', '3'))).toMatch(
      /^WARNING: If partitions are increased.*\nAdding partitions succeeded!\n$/,
    );
    await waitFor('the third partition', async () =>
      (await topics('--describe', '--topic', 'direct')).stdout.includes('Partition: 2\tLeader: '),
    );
    expect(await printed(zk('--delete', '--topic', 'direct'))).toBe(
      'Topic direct is marked for deletion.\nNote: This will have no impact if delete.topic.enable is not set to true.\n',
    );
    await waitFor('the topic to go', async () => !(await zk('--list')).stdout.includes('direct'));
  });

  test('wrong use is told on stderr, with the usage, and exit code 1', async () => {
    const wrong = await topics('--list', '--nope');
    expect(wrong).toMatchObject({ code: 1, stdout: '' });
    expect(wrong.stderr).toMatch(/^nope is not a recognized option\nUsage: kafka-topics /);
    expect(await tool('kafka-topics', [])).toMatchObject({ code: 1, stdout: '' });
    expect((await tool('kafka-topics.sh', ['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('console tools', () => {
  test('lines go in and come out, in their order, with everything that belongs to them', async () => {
    await printed(topics('--create', '--topic', 'console'));
    const reader = [
      '--property',
      'parse.key=true',
      '--property',
      'parse.headers=true',
      '--property',
      'null.marker=NULL',
    ];
    expect(await printed(produce('console', 'a:1,b:2\tk1\tv1\nNULL\tNULL\tgrüße\nx:y\tk3\tNULL\n', ...reader))).toBe(
      '',
    );
    const show = ['timestamp', 'partition', 'offset', 'headers', 'key'].flatMap(name => [
      '--property',
      `print.${name}=true`,
    ]);
    const { code, stdout, stderr } = await consume('console', '--max-messages', '3', ...show);
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'Processed a total of 3 messages\n' });
    expect(stdout.replaceAll(/CreateTime:\d{13}/g, 'CreateTime:T').split('\n')).toEqual([
      'CreateTime:T\tPartition:0\tOffset:0\ta:1,b:2\tk1\tv1',
      'CreateTime:T\tPartition:0\tOffset:1\tNO_HEADERS\tnull\tgrüße',
      'CreateTime:T\tPartition:0\tOffset:2\tx:y\tk3\tnull',
      '',
    ]);
  });

  test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])('a hundred thousand lines, compression %s', async codec => {
    const topic = `bulk-${codec}`;
    await printed(topics('--create', '--topic', topic, '--replication-factor', '2'));
    const text = Array.from({ length: 100_000 }, (_, i) => `line ${i}\n`).join('');
    expect(await printed(produce(topic, text, '--compression-codec', codec))).toBe('');
    expect((await printed(consume(topic, '--max-messages', '100000'))) === text).toBe(true);
  });

  test('reads one partition from an offset on, and ends by itself when nothing comes', async () => {
    await printed(topics('--create', '--topic', 'offsets', '--replica-assignment', '0,1'));
    await printed(produce('offsets', 'a\nb\nc\n', '--sync', '--producer-property', 'partitioner.class=round-robin'));
    const from = (...args: string[]) =>
      tool('kafka-console-consumer', [...B(), '--topic', 'offsets', '--timeout-ms', '1500', ...args]);
    const [zero, one] = await Promise.all([
      from('--partition', '0', '--offset', 'earliest'),
      from('--partition', '1', '--offset', '0'),
    ]);
    expect(zero.code).toBe(0);
    expect([...zero.stdout.split('\n'), ...one.stdout.split('\n')].filter(line => line !== '').sort()).toEqual([
      'a',
      'b',
      'c',
    ]);
    expect(zero.stderr).toMatch(/^ERROR .*TimeoutException.*\nProcessed a total of \d messages\n$/);
    expect((await from('--partition', '7')).stderr).toContain('Topic offsets has partitions 0 to 1, not 7');
    expect(await from('--group', 'g', '--partition', '0')).toMatchObject({ code: 1, stdout: '' });
    const byZooKeeper = await tool('kafka-console-consumer', [
      ...Z(),
      '--topic',
      'offsets',
      '--from-beginning',
      '--max-messages',
      '3',
    ]);
    expect(byZooKeeper.stdout.split('\n').sort()).toEqual(['', 'a', 'b', 'c']);
    expect(byZooKeeper.stderr).toMatch(
      /^--zookeeper is deprecated: going on as with --bootstrap-server 127\.0\.0\.1:\d+/,
    );
  });

  test('a line that is malformed ends it, after those before it were sent', async () => {
    await printed(topics('--create', '--topic', 'malformed'));
    const outcome = await produce('malformed', 'k\tgood\nbad\nk\tnever\n', '--property', 'parse.key=true');
    expect(outcome).toMatchObject({ code: 1, stderr: "No key separator found on line number 2: 'bad'\n" });
    expect(await printed(consume('malformed', '--timeout-ms', '1500'))).toBe('good\n');
  });

  test('what cannot be sent is told, and does not end it', async () => {
    const outcome = await produce('no such topic', 'a\nb\n');
    expect(outcome.code).toBe(0);
    expect(outcome.stderr).toMatch(
      /^ERROR Error when sending message to topic no such topic: .*\nERROR 2 messages to topic/,
    );
  });

  test('SIGINT ends the consumer with its count; a reader that leaves ends it quietly', async () => {
    await printed(topics('--create', '--topic', 'ending'));
    await printed(produce('ending', 'x\n'.repeat(200_000)));
    const args = [...B(), '--topic', 'ending', '--from-beginning'];
    const child = spawn(join(ROOT, 'bin/kafka-console-consumer'), args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let read = 0;
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => (read += chunk.length));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    await waitFor('all to be read', () => read === 400_000);
    child.kill('SIGINT');
    const code = await new Promise(resolve => child.once('close', resolve));
    expect({ code, errors }).toEqual({ code: 0, errors: 'Processed a total of 200000 messages\n' });

    const piped = spawn('bash', [
      '-c',
      `set -o pipefail; "$0" "$@" | head -1`,
      join(ROOT, 'bin/kafka-console-consumer'),
      ...args,
    ]);
    errors = '';
    piped.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    expect(await new Promise(resolve => piped.once('close', resolve))).toBe(0);
    expect(errors).toBe('');
  });
});

describe('the other tools', () => {
  test('kafka-get-offsets, also by the name of its class', async () => {
    await printed(topics('--create', '--topic', 'counted', '--replica-assignment', '0,1'));
    await printed(produce('counted', 'a\nb\n', '--sync', '--producer-property', 'partitioner.class=round-robin'));
    expect(await printed(tool('kafka-get-offsets', [...B(), '--topic', 'counted']))).toBe('counted:0:1\ncounted:1:1\n');
    expect(await printed(tool('kafka-get-offsets', [...B(), '--topic-partitions', 'counted:1', '--time', '-2']))).toBe(
      'counted:1:0\n',
    );
    const byClass = [
      'kafka.tools.GetOffsetShell',
      '--broker-list',
      cluster.bootstrap,
      '--topic',
      'counted',
      '--partitions',
      '0',
    ];
    expect(await printed(tool('kafka-run-class', byClass))).toBe('counted:0:1\n');
    expect(await tool('kafka-get-offsets', [...B(), '--topic', 'nope'])).toMatchObject({
      code: 1,
      stderr: 'Error occurred: Could not match any topic-partitions with the specified filters\n',
    });
  });

  test('kafka-configs: topics and brokers', async () => {
    await printed(topics('--create', '--topic', 'configured'));
    const configs = (...args: string[]) => tool('kafka-configs', [...B(), ...args]);
    const topic = ['--entity-type', 'topics', '--entity-name', 'configured'];
    expect(
      await printed(configs('--alter', ...topic, '--add-config', 'cleanup.policy=[compact,delete],retention.ms=5000')),
    ).toBe('Completed updating config for topic configured.\n');
    const shown = await waitFor('the settings to arrive', async () => {
      const { stdout } = await configs('--describe', '--topic', 'configured');
      return stdout.includes('retention.ms') ? stdout : null;
    });
    expect(shown).toMatch(
      /^Dynamic configs for topic configured are:\n {2}cleanup\.policy=compact,delete sensitive=false synonyms=\{DYNAMIC_TOPIC_CONFIG:cleanup\.policy=compact,delete, /,
    );
    expect(await configs('--alter', ...topic, '--delete-config', 'segment.bytes')).toMatchObject({
      code: 1,
      stderr: 'Invalid config(s): segment.bytes\n',
    });
    expect((await configs('--alter', ...topic, '--add-config', 'retention.ms=soon')).code).toBe(1);
    expect(await printed(configs('--alter', '--broker-defaults', '--add-config', 'log.retention.ms=86400000'))).toBe(
      'Completed updating default config for brokers in the cluster.\n',
    );
    expect(await printed(configs('--describe', '--broker-defaults'))).toMatch(
      /^Default configs for brokers in the cluster are:\n {2}log\.retention\.ms=86400000 /,
    );
    expect(await printed(configs('--alter', '--broker-defaults', '--delete-config', 'log.retention.ms'))).toContain(
      'Completed',
    );
    expect(await printed(tool('kafka-configs', [...Z(), '--describe', '--topic', 'configured']))).toContain(
      "Configs for topic 'configured' are cleanup.policy=compact,delete,retention.ms=5000\n",
    );
  });

  test('kafka-dump-log reads what the broker wrote', async () => {
    await printed(topics('--create', '--topic', 'dumped', '--replica-assignment', '0'));
    await printed(produce('dumped', 'k\tv\n', '--property', 'parse.key=true'));
    const partition = join(cluster.brokers[0]!.dataDirectory, 'dumped-0');
    const files = readdirSync(partition).filter(name => /\.(log|index|timeindex)$/.test(name));
    expect(files).toHaveLength(3);
    const dump = await tool('kafka-dump-log', [
      '--print-data-log',
      '--files',
      files.map(name => join(partition, name)).join(','),
    ]);
    expect(dump).toMatchObject({ code: 0, stderr: '' });
    expect(dump.stdout).toMatch(
      /Log starting offset: 0\nbaseOffset: 0 lastOffset: 0 count: 1 .* isvalid: true\n\| offset: 0 CreateTime: \d+ keySize: 1 valueSize: 1 sequence: 0 headerKeys: \[\] key: k payload: v\n/,
    );
  });

  test('kafka-dump-log tells what a snapshot knows of producers', async () => {
    await printed(
      topics('--create', '--topic', 'rolled', '--replica-assignment', '0', '--config', 'segment.bytes=1048576'),
    );
    const line = `${'x'.repeat(600_000)}\n`;
    for (const text of [line, line]) await printed(produce('rolled', text));
    const file = join(cluster.brokers[0]!.dataDirectory, 'rolled-0', '00000000000000000001.snapshot');
    const dump = await tool('kafka-dump-log', ['--files', file]);
    expect(dump).toMatchObject({ code: 0, stderr: '' });
    expect(dump.stdout).toMatch(
      /^Dumping .*\nproducerId: \d+ producerEpoch: 0 coordinatorEpoch: -1 currentTxnFirstOffset: OptionalLong.empty lastTimestamp: (\d+) firstSequence: 0 lastSequence: 0 lastOffset: 0 offsetDelta: 0 timestamp: \1\n$/,
    );
  });

  test('kafka-leader-election brings the preferred leader back', async () => {
    await printed(topics('--create', '--topic', 'led', '--replica-assignment', '1:0'));
    const elect = (...args: string[]) =>
      tool('kafka-leader-election', [...B(), '--election-type', 'preferred', ...args]);
    expect(await printed(elect('--topic', 'led', '--partition', '0'))).toBe(
      'Valid replica already elected for partitions led-0\n',
    );
    await cluster.brokers[1]!.kill();
    await waitFor(
      'broker 0 to lead',
      async () => (await topics('--describe', '--topic', 'led')).stdout.includes('Leader: 0'),
      { timeoutMs: 60_000 },
    );
    await cluster.brokers[1]!.start();
    await waitFor(
      'broker 1 to be in sync',
      async () => /Isr: (1,0|0,1)/.test((await topics('--describe', '--topic', 'led')).stdout),
      { timeoutMs: 60_000 },
    );
    const file = join(directory, 'election.json');
    writeFileSync(file, '{"partitions":[{"topic":"led","partition":0}]}');
    expect(await printed(elect('--path-to-json-file', file))).toBe(
      'Successfully completed leader election (PREFERRED) for partitions led-0\n',
    );
    expect(await elect('--topic', 'led', '--partition', '9')).toMatchObject({
      code: 1,
      stderr: '1 replica(s) could not be elected\n',
    });
  });

  test('kafka-broker-api-versions: every broker, over the Kafka protocol', async () => {
    const shown = await printed(tool('kafka-broker-api-versions', B()));
    for (const { port, id } of cluster.brokers)
      expect(shown).toContain(`127.0.0.1:${port} (id: ${id} rack: null) -> (\n\tProduce(0): 0 to 11 [usable: 11],\n`);
  });

  test('zookeeper-shell: once and interactive', async () => {
    const shell = (words: string[], input = '') =>
      tool('zookeeper-shell', [cluster.zookeeperConnect, ...words], { input });
    expect(await printed(shell(['ls', '/brokers']))).toBe(
      `Connecting to ${cluster.zookeeperConnect}\n\nWATCHER::\n\nWatchedEvent state:SyncConnected type:None path:null\n[ids, seqid, topics]\n`,
    );
    expect(await printed(shell(['get /controller']))).toMatch(/^\{"version":2,"brokerid":[01],.*\}$/m);
    expect(await shell(['get', '/nope'])).toMatchObject({ code: 1, stderr: 'Node does not exist: /nope\n' });
    const session = await shell(
      [],
      'create /shell one\nset /shell two\ncreate /shell/child\ndelete /shell\nget /shell\ngetAcl /shell\ndeleteall /shell\nstat /shell\nquit\n',
    );
    expect(session.code).toBe(0);
    expect(session.stdout.split('path:null\n')[1]).toBe(
      "Created /shell\nCreated /shell/child\ntwo\n'world,'anyone\n: cdrwa\n",
    );
    expect(session.stderr).toBe('Node not empty: /shell\nNode does not exist: /shell\n');
  });
});
