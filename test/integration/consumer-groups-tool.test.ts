import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAdmin, createConsumer, createProducer, type Consumer } from '../../client/index.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { tool, type Outcome } from '../support/run.ts';
import { waitFor } from '../support/wait.ts';

/** kafka-consumer-groups against real brokers: what people see, and what then holds. */

const RECORDS = 30;
/** Records of `orders`, ten in each partition, are a minute apart. */
const FIRST = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;

let cluster: Cluster;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'samsa-groups-'));
  // The records are old by their timestamps, and are to stay.
  const properties = { 'group.initial.rebalance.delay.ms': '100', 'log.retention.ms': '-1' };
  cluster = await startCluster({ brokers: 2, properties });
  const admin = createAdmin({ 'bootstrap.servers': cluster.bootstrap });
  const topics = ['orders', 'returns', 'empty'].map(name => ({ name, partitions: 3, replicationFactor: 1 }));
  await admin.createTopics(topics);
  admin.close();
  const producer = createProducer({ 'bootstrap.servers': cluster.bootstrap });
  const sends = Array.from({ length: RECORDS }, (_, i) => {
    const timestamp = FIRST + Math.floor(i / 3) * MINUTE_MS;
    return producer.send({ topic: 'orders', partition: i % 3, value: String(i), timestamp });
  });
  await Promise.all([...sends, producer.send({ topic: 'returns', partition: 0, value: 'one' })]);
  await producer.close();
}, 60_000);

afterAll(async () => {
  await cluster.stop();
  rmSync(directory, { recursive: true, force: true });
});

const groups = (...args: string[]): Promise<Outcome> =>
  tool('kafka-consumer-groups', ['--bootstrap-server', cluster.bootstrap, ...args]);

/** What it printed, blanks and empty lines put together. */
async function printed(...args: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await groups(...args);
  expect(code, stdout + stderr).toBe(0);
  return lines(stdout);
}

const lines = (text: string): string[] =>
  text
    .split('\n')
    .map(line => line.trim().replaceAll(/ +/g, ' '))
    .filter(line => line !== '');

/** A group without members that stands at these offsets of `orders`. */
async function standAt(group: string, offsets: readonly number[], topic = 'orders'): Promise<void> {
  const admin = createAdmin({ 'bootstrap.servers': cluster.bootstrap });
  const wanted = offsets.map((offset, partition) => ({ topic, partition, offset }));
  expect(await admin.alterGroupOffsets(group, wanted)).toEqual(offsets.map(() => null));
  admin.close();
}

/** Where the group stands, by topic and partition. */
async function standing(group: string): Promise<Record<string, number>> {
  const admin = createAdmin({ 'bootstrap.servers': cluster.bootstrap });
  const [offsets] = await admin.listGroupOffsets([{ groupId: group, partitions: null }]);
  admin.close();
  if (offsets!.status === 'rejected') throw offsets!.reason;
  return Object.fromEntries(offsets!.value.map(({ topic, partition, offset }) => [`${topic}-${partition}`, offset]));
}

async function member(group: string, settings: Record<string, unknown> = {}): Promise<Consumer> {
  const consumer = createConsumer({
    'bootstrap.servers': cluster.bootstrap,
    'group.id': group,
    'client.id': 'reader',
    'auto.offset.reset': 'earliest',
    ...settings,
  });
  consumer.subscribe(['orders']);
  let read = 0;
  await waitFor('the member to have read all', async () => (read += (await consumer.poll(200)).length) === RECORDS);
  await consumer.commit();
  return consumer;
}

describe('a group with a member', () => {
  let consumer: Consumer;

  beforeAll(async () => {
    consumer = await member('busy', { 'group.instance.id': 'reader-1' });
  });

  afterAll(() => consumer.close());

  test('is described: partitions with lag, members, state', async () => {
    const producer = createProducer({ 'bootstrap.servers': cluster.bootstrap });
    await producer.send({ topic: 'orders', partition: 1, value: 'unread', timestamp: FIRST });
    await producer.close();
    const offsets = await printed('--describe', '--group', 'busy');
    expect(offsets[0]).toBe('GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG CONSUMER-ID HOST CLIENT-ID');
    const id = String.raw`reader-1-[\w-]{36} /127\.0\.0\.1 reader`;
    expect(offsets[1]).toMatch(new RegExp(`^busy orders 0 10 10 0 ${id}$`));
    expect(offsets[2]).toMatch(new RegExp(`^busy orders 1 10 11 1 ${id}$`));
    expect(offsets[3]).toMatch(new RegExp(`^busy orders 2 10 10 0 ${id}$`));

    const members = await printed('--describe', '--group', 'busy', '--members', '--verbose');
    expect(members[0]).toBe('GROUP CONSUMER-ID GROUP-INSTANCE-ID HOST CLIENT-ID #PARTITIONS ASSIGNMENT');
    expect(members[1]).toMatch(/^busy reader-1-\S+ reader-1 \/127\.0\.0\.1 reader 3 orders\(0,1,2\)$/);

    const [, state] = await printed('--describe', '--group', 'busy', '--state');
    expect(state).toMatch(/^busy 127\.0\.0\.1:\d+ \([01]\) range Stable 1$/);
  });

  test('is listed by state', async () => {
    await standAt('idle', [1]);
    expect(await printed('--list')).toEqual(expect.arrayContaining(['busy', 'idle']));
    const [header, ...rows] = await printed('--list', '--state', 'Stable', '--type');
    expect([header, ...rows]).toEqual(['GROUP TYPE STATE', 'busy Classic Stable']);
    expect(await printed('--list', '--state', 'Empty')).toContain('idle Empty');
  });

  test('keeps its offsets', async () => {
    const reset = await printed('--reset-offsets', '--group', 'busy', '--to-earliest', '--all-topics', '--execute');
    expect(reset[0]).toBe(
      "Error: Assignments can only be reset if the group 'busy' is inactive, but the current state is Stable.",
    );
    expect(reset).toHaveLength(2);
    expect(await standing('busy')).toMatchObject({ 'orders-0': 10 });

    const deletion = await printed('--delete', '--group', 'busy', '--group', 'idle');
    expect(deletion.join('\n')).toMatch(
      /^Error: Deletion of some consumer groups failed:\n\* Group 'busy' could not be deleted due to: \S*GroupNotEmptyException: .*\nThese consumer groups were deleted successfully: 'idle'$/,
    );
    const offsets = await printed('--delete-offsets', '--group', 'busy', '--topic', 'orders:0');
    expect(offsets[0]).toBe('Error: Encounter some partition level error, see the follow-up details:');
    expect(offsets[2]).toMatch(/^orders 0 Error: /);
  });
});

describe('a group without members', () => {
  test('is described with a remark; one that does not exist is an error', async () => {
    await standAt('left', [3, 10]);
    const { stdout, stderr } = await groups('--describe', '--group', 'left', '--group', 'never');
    expect(stderr).toBe("\nConsumer group 'left' has no active members.\n");
    expect(lines(stdout)).toEqual([
      'GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG CONSUMER-ID HOST CLIENT-ID',
      'left orders 0 3 10 7 - - -',
      'left orders 1 10 11 1 - - -',
      "Error: Consumer group 'never' does not exist.",
    ]);
  });

  test('that a topic is gone from is described without waiting for the topic', async () => {
    const admin = createAdmin({ 'bootstrap.servers': cluster.bootstrap });
    await admin.createTopics([{ name: 'short-lived', partitions: 1, replicationFactor: 1 }]);
    await standAt('widowed', [1], 'short-lived');
    await standAt('widowed', [2]);
    await admin.deleteTopics(['short-lived']);
    admin.close();
    const rows = (await printed('--describe', '--group', 'widowed')).filter(line => line.startsWith('widowed'));
    expect(rows.filter(row => !row.includes('short-lived'))).toEqual(['widowed orders 0 2 10 8 - - -']);
  });

  test('and its offsets are deleted', async () => {
    await standAt('done', [1, 2, 3]);
    await standAt('done', [1], 'returns');
    expect(await printed('--delete-offsets', '--group', 'done', '--topic', 'orders:0,2', '--topic', 'returns')).toEqual(
      [
        'Request succeed for deleting offsets with topic orders:0,2, returns group done',
        'TOPIC PARTITION STATUS',
        'orders 0 Successful',
        'orders 2 Successful',
        'returns 0 Successful',
        'returns 1 Successful',
        'returns 2 Successful',
      ],
    );
    expect(await standing('done')).toEqual({ 'orders-1': 2 });
    expect(await printed('--delete-offsets', '--group', 'nobody', '--topic', 'orders:0')).toContain(
      "Error: 'nobody' does not exist.",
    );
    expect(await printed('--delete', '--group', 'done')).toEqual([
      "Deletion of requested consumer groups ('done') was successful.",
    ]);
    expect(await printed('--list')).not.toContain('done');
  });
});

describe('a reset', () => {
  /** The group's new offsets of `orders`, as told and, after --execute, as they then are. */
  async function reset(...how: string[]): Promise<number[]> {
    await standAt('reset', [2, 5, 10]);
    const args = ['--reset-offsets', '--group', 'reset', '--all-topics', ...how];
    const [header, ...rows] = await printed(...args, '--execute');
    expect(header).toBe('GROUP TOPIC PARTITION NEW-OFFSET');
    const told = rows.map(row => Number(row.split(' ')[3]));
    expect(Object.values(await standing('reset'))).toEqual(told);
    return told;
  }

  test.each<[string, number[]]>([
    ['--to-earliest', [0, 0, 0]],
    ['--to-current', [2, 5, 10]],
    ['--to-offset 7', [7, 7, 7]],
    ['--to-offset 99', [10, 11, 10]],
    ['--shift-by -3', [0, 2, 7]],
    ['--shift-by 4', [6, 9, 10]],
    ['--to-datetime 2026-01-01T00:04:30.000', [5, 5, 5]],
    ['--to-datetime 2026-01-01T01:04:30.000+01:00', [5, 5, 5]],
  ])('%s', async (how, offsets) => {
    expect(await reset(...how.split(' '))).toEqual(offsets);
  });

  test('to the end of the log, which is where a time goes that no record is after', async () => {
    expect(await reset('--to-latest')).toEqual([10, 11, 10]);
    await standAt('late', [2]);
    const args = ['--reset-offsets', '--group', 'late', '--all-topics', '--execute'];
    const rows = await printed(...args, '--by-duration', 'PT1H');
    expect(rows[0]).toBe('Warn: Partition 0 from topic orders is empty. Falling back to latest known offset.');
    expect(await standing('late')).toEqual({ 'orders-0': 10 });
  });

  test('is only shown without --execute', async () => {
    await standAt('careful', [2]);
    const { stdout, stderr } = await groups(
      ...['--reset-offsets', '--group', 'careful', '--topic', 'orders:0,1', '--topic', 'empty', '--to-latest'],
    );
    expect(stderr).toBe('WARN: No action will be performed as the --execute option is missing.\n');
    expect(lines(stdout).slice(1)).toEqual([
      'careful empty 0 0',
      'careful empty 1 0',
      'careful empty 2 0',
      'careful orders 0 10',
      'careful orders 1 11',
    ]);
    expect(await standing('careful')).toEqual({ 'orders-0': 2 });
  });

  test('goes to a file and comes from it, for one group and for several', async () => {
    await standAt('first', [1, 2, 3]);
    await standAt('second', [4, 5, 6]);
    const named = ['--group', 'first', '--group', 'second'];
    const exported = async (...of: string[]) => {
      const args = ['--reset-offsets', ...of, '--all-topics', '--to-current', '--export', '--dry-run'];
      return (await groups(...args)).stdout;
    };
    expect(await exported('--group', 'first')).toBe('orders,0,1\norders,1,2\norders,2,3\n\n');
    const both = await exported(...named);
    expect(both.split('\n')[3]).toBe('second,orders,0,4');

    const file = join(directory, 'plan.csv');
    writeFileSync(file, both);
    await standAt('first', [0, 0, 0]);
    await standAt('second', [0, 0, 0]);
    await printed('--reset-offsets', ...named, '--from-file', file, '--execute');
    expect(await standing('first')).toEqual({ 'orders-0': 1, 'orders-1': 2, 'orders-2': 3 });
    expect(await standing('second')).toEqual({ 'orders-0': 4, 'orders-1': 5, 'orders-2': 6 });
    expect(readFileSync(file, 'utf8')).toBe(both);

    const other = await printed('--reset-offsets', '--group', 'third', '--from-file', file, '--dry-run');
    expect(other).toContain('Error: No reset plan for group third found');
    writeFileSync(file, 'orders,zero,1\n');
    const wrong = await printed('--reset-offsets', '--group', 'first', '--from-file', file, '--dry-run');
    expect(wrong.join()).toContain("plan.csv: line 1 ('orders,zero,1') has 'zero' for a partition");
  });

  test('makes a group that nobody has been in', async () => {
    await printed('--reset-offsets', '--group', 'new', '--topic', 'orders:1', '--to-offset', '6', '--execute');
    expect(await standing('new')).toEqual({ 'orders-1': 6 });
  });

  test.each<[string, number, string]>([
    ['--shift-by 1 --topic empty:0', 1, 'Cannot shift offset for partition empty-0 since there is no current'],
    ['--to-earliest --topic orders:7', 1, 'Error getting starting offset of topic partition: orders-7'],
    ['--to-datetime yesterday --all-topics', 1, "'yesterday' is no date and time"],
    ['--to-earliest --topic missing', 0, 'Error: Executing consumer group command failed due to'],
  ])('%s fails', async (how, status, problem) => {
    await standAt('failing', [2]);
    const { code, stdout, stderr } = await groups(
      '--reset-offsets',
      '--group',
      'failing',
      ...how.split(' '),
      '--execute',
    );
    expect(stdout + stderr).toContain(problem);
    expect(code).toBe(status);
    expect(await standing('failing')).toEqual({ 'orders-0': 2 });
  });
});

test('brokers that are not there are told of within --timeout', async () => {
  const begun = Date.now();
  const args = ['--bootstrap-server', '127.0.0.1:1', '--describe', '--group', 'g', '--timeout', '700'];
  const { code, stdout } = await tool('kafka-consumer-groups.sh', args);
  expect(stdout).toContain('Error: Executing consumer group command failed due to');
  expect(stdout).toContain('TimeoutException');
  expect(code).toBe(0);
  expect(Date.now() - begun).toBeLessThan(10_000);
});
