import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAdmin, createConsumer, createProducer, type Admin } from '../../client/index.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { tool } from '../support/run.ts';
import { waitFor } from '../support/wait.ts';

/** The other tools that work in groups, on real brokers. */

const PARTITIONS = 4;
const RECORDS = 400;

let cluster: Cluster;
let admin: Admin;

beforeAll(async () => {
  cluster = await startCluster({ brokers: 2, properties: { 'group.initial.rebalance.delay.ms': '200' } });
  admin = createAdmin({ 'bootstrap.servers': cluster.bootstrap });
  await admin.createTopics([{ name: 'numbers', partitions: PARTITIONS, replicationFactor: 2 }]);
  const producer = createProducer({ 'bootstrap.servers': cluster.bootstrap });
  const numbers = Array.from({ length: RECORDS }, (_, i) => i);
  await Promise.all(
    numbers.map(i => producer.send({ topic: 'numbers', partition: i % PARTITIONS, value: `${i}`.padStart(1024, '0') })),
  );
  await producer.close();
}, 60_000);

afterAll(async () => {
  admin.close();
  await cluster.stop();
});

const bootstrap = (): string[] => ['--bootstrap-server', cluster.bootstrap];

async function standing(group: string): Promise<Record<string, number>> {
  const [offsets] = await admin.listGroupOffsets([{ groupId: group, partitions: null }]);
  if (offsets!.status === 'rejected') throw offsets!.reason;
  return Object.fromEntries(offsets!.value.map(({ topic, partition, offset }) => [`${topic}-${partition}`, offset]));
}

describe('kafka-consumer-perf-test', () => {
  test('reads in the group that it is told, and tells the time that joining took apart', async () => {
    const args = ['--topic', 'numbers', '--messages', String(RECORDS), '--group', 'measured', '--hide-header'];
    const { code, stdout, stderr } = await tool('kafka-consumer-perf-test', [...bootstrap(), ...args]);
    expect(code, stderr).toBe(0);
    const columns = stdout.trim().split(', ');
    expect(columns).toHaveLength(10);
    const [start, end, mib, , messages, , rebalanceMs, fetchMs] = columns;
    expect([mib, messages]).toEqual(['0.3906', String(RECORDS)]);
    expect(Number(rebalanceMs)).toBeGreaterThanOrEqual(150);
    const time = (text: string) => Date.parse(`${text.slice(0, 10)}T${text.slice(11, 19)}.${text.slice(20)}Z`);
    expect(Number(rebalanceMs) + Number(fetchMs)).toBe(time(end!) - time(start!));
    const [group] = await admin.describeGroups(['measured']);
    expect(group).toMatchObject({ value: { state: 'Empty' } });
    expect(Object.values(await standing('measured')).reduce((sum, offset) => sum + offset, 0)).toBe(RECORDS);

    const again = await tool('kafka-consumer-perf-test', [...bootstrap(), ...args, '--timeout', '500']);
    expect(again.stdout).toContain(
      'WARNING: Exiting before consuming the expected number of messages: timeout (500 ms)',
    );
  });
});

/** A running tool whose lines are JSON. */
class Events {
  readonly child: ChildProcessWithoutNullStreams;
  #text = '';

  constructor(name: string, args: readonly string[]) {
    this.child = spawn(join(import.meta.dirname, '../../bin', name), args);
    this.child.stdout.on('data', (chunk: Buffer) => (this.#text += chunk.toString()));
  }

  get all(): { name: string; timestamp: number; [field: string]: unknown }[] {
    const lines = this.#text.split('\n').slice(0, -1);
    return lines.map(line => JSON.parse(line) as { name: string; timestamp: number });
  }

  named(name: string): Record<string, unknown>[] {
    return this.all.filter(event => event.name === name);
  }

  async end(): Promise<number | null> {
    const ended = new Promise<number | null>(resolve => this.child.once('exit', resolve));
    this.child.kill('SIGTERM');
    return ended;
  }
}

describe('kafka-verifiable-consumer', () => {
  test('tells what it reads and commits, what others take over from it, and its end', async () => {
    const args = [...bootstrap(), '--topic', 'numbers', '--group-id', 'verified', '--session-timeout', '10000'];
    const first = new Events('kafka-verifiable-consumer', args);
    let second: Events | null = null;
    try {
      const consumed = () =>
        first.named('records_consumed').reduce((count, event) => count + (event['count'] as number), 0);
      await waitFor('all records to be read', () => consumed() === RECORDS, { timeoutMs: 30_000 });
      expect(first.all.slice(0, 2)).toEqual([
        { timestamp: expect.any(Number) as number, name: 'startup_complete' },
        {
          timestamp: expect.any(Number) as number,
          name: 'partitions_assigned',
          partitions: [0, 1, 2, 3].map(partition => ({ topic: 'numbers', partition })),
        },
      ]);
      await waitFor('the last commit', () => first.all.at(-1)?.name === 'offsets_committed');
      expect(first.named('offsets_committed').every(event => event['success'] === true)).toBe(true);
      const end = RECORDS / PARTITIONS;
      const everywhere = { 'numbers-0': end, 'numbers-1': end, 'numbers-2': end, 'numbers-3': end };
      expect(await standing('verified')).toEqual(everywhere);

      second = new Events('kafka-verifiable-consumer', args);
      await waitFor('the partitions to be shared', () => first.named('partitions_assigned').length === 2, {
        timeoutMs: 30_000,
      });
      expect(first.named('partitions_revoked')).toHaveLength(1);
      expect(first.named('partitions_assigned')[1]!['partitions']).toHaveLength(2);
      await waitFor('the other share', () => second!.named('partitions_assigned').length > 0);

      expect(await first.end()).toBe(0);
      expect(first.all.at(-1)?.name).toBe('shutdown_complete');
      await waitFor('the second to have all', () => {
        const last = second!.named('partitions_assigned').at(-1);
        return (last?.['partitions'] as unknown[] | undefined)?.length === PARTITIONS;
      });
      expect(await second.end()).toBe(0);
    } finally {
      first.child.kill('SIGKILL');
      second?.child.kill('SIGKILL');
    }
  }, 90_000);

  test('ends after --max-messages', async () => {
    const args = [...bootstrap(), '--topic', 'numbers', '--group-id', 'limited', '--max-messages', '7', '--verbose'];
    const { code, stdout } = await tool('kafka-verifiable-consumer', args);
    expect(code).toBe(0);
    expect(stdout.match(/"record_data"/g)).toHaveLength(7);
    expect(stdout).toMatch(/"name":"shutdown_complete"}\n$/);
    expect(Object.values(await standing('limited')).reduce((sum, offset) => sum + offset, 0)).toBe(7);
  });
});

test('kafka-console-consumer shows what groups have committed', async () => {
  await admin.alterGroupOffsets('noted', [{ topic: 'numbers', partition: 2, offset: 12, metadata: 'here' }]);
  const formatter = 'kafka.coordinator.group.GroupMetadataManager$OffsetsMessageFormatter';
  const read = async (...topics: string[]) => {
    const args = [...topics, '--from-beginning', '--timeout-ms', '2500', '--formatter', formatter];
    return (await tool('kafka-console-consumer', [...bootstrap(), ...args])).stdout;
  };
  const line =
    /^\[noted,numbers,2\]::OffsetAndMetadata\(offset=12, leaderEpoch=Optional.empty, metadata=here, commitTimestamp=\d+, expireTimestamp=None\)$/m;
  expect(await read('--topic', '__consumer_offsets')).toMatch(line);
  expect(await read('--include', '__.*', '--consumer-property', 'exclude.internal.topics=false')).toMatch(line);
  expect(await read('--include', '__.*')).toBe('');
});

describe('kafka-streams-application-reset', () => {
  const reset = (...args: string[]) =>
    tool('kafka-streams-application-reset', [...bootstrap(), '--application-id', 'app', ...args]);
  const INTERNAL = ['app-counts-changelog', 'app-by-key-repartition'];

  beforeAll(async () => {
    const topics = [...INTERNAL, 'app-output', 'through'].map(name => ({ name, partitions: 1, replicationFactor: 1 }));
    await admin.createTopics(topics);
    const producer = createProducer({ 'bootstrap.servers': cluster.bootstrap });
    for (let i = 0; i < 5; i++) await producer.send({ topic: 'through', value: 'x' });
    await producer.close();
  });

  const names = async () => (await admin.listTopics()).map(({ name }) => name);

  test('shows what it would do', async () => {
    await admin.alterGroupOffsets('app', [{ topic: 'numbers', partition: 1, offset: 50 }]);
    const { code, stdout } = await reset(
      ...['--input-topics', 'numbers', '--intermediate-topics', 'through', '--dry-run'],
    );
    expect(stdout.split('\n')).toEqual([
      '----Dry run displays the actions which will be performed when running Streams Reset Tool----',
      'Reset-offsets for input topics [numbers]',
      'Seek-to-end for intermediate topics [through]',
      'Following input topics offsets will be reset to (for consumer group app)',
      ...[0, 1, 2, 3].map(partition => `Topic: numbers Partition: ${partition} Offset: 0`),
      'Following intermediate topics offsets will be reset to end (for consumer group app)',
      'Topic: through',
      'Done.',
      'Deleting inferred internal topics [app-by-key-repartition, app-counts-changelog]',
      'Done.',
      '',
    ]);
    expect(code).toBe(0);
    expect(await standing('app')).toEqual({ 'numbers-1': 50 });
    expect(await names()).toEqual(expect.arrayContaining(INTERNAL));
  });

  test('refuses while the application runs, unless it is forced', async () => {
    const consumer = createConsumer({ 'bootstrap.servers': cluster.bootstrap, 'group.id': 'app' });
    consumer.subscribe(['numbers']);
    await waitFor('the member', async () => (await consumer.poll(100), consumer.assignment().length > 0));
    const refused = await reset('--input-topics', 'numbers');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/^ERROR: Consumer group 'app' is still active and has following members: /);
    expect(refused.stderr).toContain("You can use option '--force' to remove active members from the group.");
    const forced = await reset(
      '--input-topics',
      'numbers',
      '--to-offset',
      '60',
      '--force',
      '--internal-topics',
      INTERNAL[0]!,
    );
    expect(forced.stdout).toContain('Force deleting all active members in the group: app\n');
    expect(forced.stdout).toContain('Deleting specified internal topics [app-counts-changelog]\n');
    expect(forced.code).toBe(0);
    expect(await standing('app')).toMatchObject({ 'numbers-0': 60, 'numbers-3': 60 });
    expect(await names()).not.toContain(INTERNAL[0]);
    expect(await names()).toContain(INTERNAL[1]);
    await consumer.close();
  });

  test('sets offsets and deletes internal topics; topics that are not there are an error', async () => {
    const { code, stdout } = await reset(
      ...['--input-topics', 'numbers,lost', '--intermediate-topics', 'through', '--shift-by', '-10'],
    );
    expect(stdout).toContain('Following input topics are not found, skipping them\nTopic: lost\n');
    expect(code).toBe(1);
    expect(await standing('app')).toMatchObject({ 'numbers-1': 50, 'through-0': 5 });
    const left = await names();
    expect(left).not.toContain(INTERNAL[1]);
    expect(left).toEqual(expect.arrayContaining(['app-output', 'numbers', 'through']));

    const wrong = await reset('--internal-topics', 'app-output');
    expect(wrong.stderr).toContain('app-output is not an internal topic of the application');
    expect(wrong.code).toBe(1);
  });
});
