import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAdmin, createConsumer, createProducer, type Consumer } from '../../client/index.ts';
import { absenceOf, apacheTool, whereAbsent, type ApacheRelease } from '../support/apache-kafka.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { tool, type Outcome } from '../support/run.ts';
import { waitFor } from '../support/wait.ts';

/** Apache Kafka's tools for groups, on groups of Samsa; where both sides have a tool, the answers are compared. */

const TOOLS = 'org.apache.kafka.tools';
const absent = absenceOf('3.9') !== null;
const RECORDS = 60;

let cluster: Cluster;
let member: Consumer;

beforeAll(async () => {
  if (absent && absenceOf('2.8') !== null) return;
  cluster = await startCluster({ brokers: 2, properties: { 'group.initial.rebalance.delay.ms': '100' } });
  const admin = createAdmin({ 'bootstrap.servers': cluster.bootstrap });
  await admin.createTopics([{ name: 'orders', partitions: 12, replicationFactor: 1 }]);
  const producer = createProducer({ 'bootstrap.servers': cluster.bootstrap });
  await Promise.all(
    Array.from({ length: RECORDS }, (_, i) => producer.send({ topic: 'orders', partition: i % 12, value: String(i) })),
  );
  await producer.close();
  const offsets = [0, 3, 11].map(partition => ({ topic: 'orders', partition, offset: partition % 5 }));
  expect(await admin.alterGroupOffsets('idle', offsets)).toEqual([null, null, null]);
  admin.close();
  member = createConsumer({
    'bootstrap.servers': cluster.bootstrap,
    'group.id': 'busy',
    'group.instance.id': 'a-member-with-a-long-name',
    'client.id': 'reader',
    'auto.offset.reset': 'earliest',
  });
  member.subscribe(['orders']);
  let read = 0;
  await waitFor('the member to have read all', async () => (read += (await member.poll(200)).length) === RECORDS);
  await member.commit();
}, 60_000);

afterAll(async () => {
  await member?.close();
  await cluster?.stop();
});

/** What a tool printed, when it ended well. */
async function printed(outcome: Promise<Outcome>): Promise<Outcome> {
  const { code, stdout, stderr } = await outcome;
  expect(code, stdout + stderr).toBe(0);
  return { code, stdout, stderr };
}

const apache = (release: ApacheRelease, main: string, ...args: string[]) =>
  printed(apacheTool(release, main, ['--bootstrap-server', cluster.bootstrap, ...args]));
const ours = (name: string, ...args: string[]) =>
  printed(tool(name, ['--bootstrap-server', cluster.bootstrap, ...args]));

/** Rows in order: Apache's tool has them in the order of a hash map. It also ends some texts without ending the line. */
const inOrder = (text: string): string[] => text.replace(/\n+$/, '').split('\n').sort();

/** Release 3.9 forgot to end the rows of this table, whose columns add up to 88 characters. */
const cut = (text: string): string => text.replaceAll(/^.{88,}$/gm, rows => rows.replaceAll(/.{88}/g, '$&\n'));

describe.skipIf(absent)(whereAbsent('3.9', 'kafka-consumer-groups of Apache Kafka 3.9'), () => {
  const MAIN = `${TOOLS}.consumer.group.ConsumerGroupCommand`;
  const both = async (...args: string[]) => {
    const [theirs, mine] = await Promise.all([apache('3.9', MAIN, ...args), ours('kafka-consumer-groups', ...args)]);
    return { theirs, mine };
  };

  test.each<[string, string]>([
    ['--describe --group busy', 'busy            orders          11         5               5               0'],
    [
      '--describe --group idle --offsets',
      'idle            orders          11         1               5               4',
    ],
    ['--describe --group busy --members', 'a-member-with-a-long-name'],
    ['--describe --group idle --members', '#PARTITIONS'],
    ['--describe --group busy --state', 'range                Stable          1'],
    ['--describe --all-groups --state', 'Empty           0'],
    ['--describe --group never', "Error: Consumer group 'never' does not exist."],
    ['--list', 'busy\n'],
    ['--list --state', 'busy                      Stable'],
    ['--list --state stable --type', 'busy                      Classic              Stable'],
    ['--list --type classic', 'idle                      Classic'],
    ['--reset-offsets --group busy --to-earliest --all-topics --dry-run', 'the current state is Stable.'],
    ['--reset-offsets --group idle --shift-by 1 --all-topics --dry-run --export', 'orders,11,2\n'],
    ['--reset-offsets --all-groups --to-offset 4 --topic orders:1 --dry-run --export', 'idle,orders,1,4\n'],
    ['--delete-offsets --group never --topic orders:1', "Error: 'never' does not exist."],
  ])('%s says the same', async (line, part) => {
    const { theirs, mine } = await both(...line.split(' '));
    expect(theirs.stdout).toContain(part);
    // What a broker says of an error is its own; the first lines are the tool's.
    const isError = line.startsWith('--delete-offsets');
    const text = ({ stdout }: Outcome) => (isError ? stdout.split('\n').slice(0, 3) : inOrder(stdout));
    expect(text(mine)).toEqual(text(theirs));
    expect(mine.stderr).toBe(theirs.stderr);
  });

  test.each([
    '--reset-offsets --group idle --to-offset 4 --topic orders --dry-run',
    '--reset-offsets --group idle --to-current --topic orders:0,1,11 --dry-run',
    '--reset-offsets --group idle --to-datetime 2099-01-01T00:00:00.000 --topic orders:3 --dry-run',
  ])('%s says the same, but for the ends of rows', async line => {
    const { theirs, mine } = await both(...line.split(' '));
    const rows = (text: string) => inOrder(text).filter(row => row !== '');
    expect(rows(mine.stdout)).toEqual(rows(cut(theirs.stdout)));
  });

  test.each([
    '--list --state busy',
    '--describe --group idle --state Stable',
    '--list --group idle',
    '--reset-offsets --group idle --all-topics --execute --dry-run --to-latest',
    '--reset-offsets --group idle --topic orders --shift-by 1 --dry-run',
  ])('%s is wrong in the same words', async line => {
    const args = ['--bootstrap-server', cluster.bootstrap, ...line.split(' ')];
    const [theirs, mine] = await Promise.all([apacheTool('3.9', MAIN, args), tool('kafka-consumer-groups', args)]);
    expect(mine.stderr.split('\n')[0]).toBe(theirs.stderr.split('\n')[0]);
    expect([mine.code, theirs.code]).toEqual([1, 1]);
  });

  test('resets, and deletes, groups that then are where it says', async () => {
    const reset = ['--reset-offsets', '--group', 'moved', '--topic', 'orders:2,7', '--execute'];
    await apache('3.9', MAIN, ...reset, '--to-offset', '3');
    const described = await ours('kafka-consumer-groups', '--describe', '--group', 'moved');
    expect(described.stdout).toMatch(/^moved +orders +2 +3 +5 +2 /m);
    expect(described.stdout).toMatch(/^moved +orders +7 +3 +5 +2 /m);
    await apache('3.9', MAIN, '--delete-offsets', '--group', 'moved', '--topic', 'orders:2');
    const left = await ours('kafka-consumer-groups', '--describe', '--group', 'moved');
    expect(left.stdout).not.toMatch(/^moved +orders +2 /m);
    const deleted = await apache('3.9', MAIN, '--delete', '--group', 'moved');
    expect(deleted.stdout).toBe("Deletion of requested consumer groups ('moved') was successful.\n");
    expect((await ours('kafka-consumer-groups', '--list')).stdout).not.toContain('moved');
  });
});

const OLD_FORMATTERS = 'kafka.coordinator.group.GroupMetadataManager$';
const formatted = (formatter: string) =>
  ['--topic', '__consumer_offsets', '--from-beginning', '--timeout-ms', '4000', '--formatter', formatter] as const;

describe.skipIf(absent)(whereAbsent('3.9', '__consumer_offsets, read by Apache Kafka 3.9'), () => {
  const CONSUMER = `${TOOLS}.consumer.ConsoleConsumer`;
  /** Lines of both consoles about the groups of this test: Apache's consumer makes one of its own. */
  const both = async (formatter: string) => {
    const [theirs, mine] = await Promise.all([
      apache('3.9', CONSUMER, ...formatted(formatter)),
      ours('kafka-console-consumer', ...formatted(formatter)),
    ]);
    // The newer formatters of 3.9 do not end their lines.
    const own = (text: string) =>
      inOrder(text.replaceAll('}{"key"', '}\n{"key"')).filter(line => /^(\[?|.*"group":")(busy|idle)\b/.test(line));
    return { theirs: own(theirs.stdout), mine: own(mine.stdout) };
  };

  test.each<[string, string]>([
    [`${OLD_FORMATTERS}OffsetsMessageFormatter`, '[idle,orders,11]::OffsetAndMetadata(offset=1,'],
    [`${OLD_FORMATTERS}GroupMetadataMessageFormatter`, 'busy::GroupMetadata(groupId=busy, generation=1,'],
    [`${TOOLS}.consumer.OffsetsMessageFormatter`, '{"group":"idle","topic":"orders","partition":11}'],
    [`${TOOLS}.consumer.GroupMetadataMessageFormatter`, '"leader":"a-member-with-a-long-name-'],
  ])('%s shows the same', async (formatter, part) => {
    const { theirs, mine } = await both(formatter);
    expect(theirs.join('\n')).toContain(part);
    expect(mine).toEqual(theirs);
  });

  test('kafka-dump-log --offsets-decoder shows the same', async () => {
    const admin = createAdmin({ 'bootstrap.servers': cluster.bootstrap });
    await admin.alterGroupOffsets('gone', [{ topic: 'orders', partition: 1, offset: 2, metadata: 'a "note"' }]);
    await admin.deleteGroups(['gone']);
    admin.close();
    const logs = readdirSync(cluster.directory, { recursive: true, encoding: 'utf8' })
      .filter(path => /__consumer_offsets-\d+\/\d+\.log$/.test(path))
      .map(path => join(cluster.directory, path))
      .filter(path => statSync(path).size > 0);
    const args = ['--offsets-decoder', '--files', logs.join(',')];
    const [theirs, mine] = await Promise.all([
      printed(apacheTool('3.9', 'kafka.tools.DumpLogSegments', args)),
      printed(tool('kafka-dump-log', args)),
    ]);
    expect(theirs.stdout).toContain('"metadata":"a \\"note\\""');
    expect(theirs.stdout).toContain('payload: <DELETE>');
    expect(theirs.stdout).toContain('"assignedPartitions":[{"topic":"orders"');
    expect(mine.stdout).toBe(theirs.stdout);
  });
});

describe.skipIf(absent)(whereAbsent('3.9', 'tools of Apache Kafka 3.9 that read in groups'), () => {
  /** What a line says apart from times and rates. */
  const shape = (text: string) => text.replaceAll(/\d[\d.:-]*( [\d:]+)?(?=[,\n])/g, 'N');

  test('kafka-consumer-perf-test reads all, and reports in the same columns', async () => {
    const args = ['--topic', 'orders', '--messages', String(RECORDS)];
    const [theirs, mine] = await Promise.all([
      apache('3.9', `${TOOLS}.ConsumerPerformance`, ...args),
      ours('kafka-consumer-perf-test', ...args),
    ]);
    expect(theirs.stdout).toContain(`, ${RECORDS}, `);
    expect(shape(mine.stdout)).toBe(shape(theirs.stdout));
  });

  test('kafka-verifiable-consumer reads and commits, and says so in the same words', async () => {
    const args = ['--topic', 'orders', '--max-messages', String(RECORDS), '--verbose'];
    const [theirs, mine] = await Promise.all([
      apache('3.9', `${TOOLS}.VerifiableConsumer`, ...args, '--group-id', 'verified-there'),
      ours('kafka-verifiable-consumer', ...args, '--group-id', 'verified-here'),
    ]);
    /** Each kind of line once: how many there are, and of which partitions, depends on what came together. */
    const kinds = (text: string) => {
      const lines = text
        .trim()
        .split('\n')
        .map(line => JSON.parse(line) as Record<string, unknown>);
      const ofOne = (line: Record<string, unknown>) => {
        const [first] = (line['partitions'] ?? line['offsets'] ?? []) as object[];
        return `${Object.keys(line).join()} ${String(line['name'])} ${Object.keys(first ?? {}).join()}`;
      };
      return [...new Set(lines.map(ofOne))].sort();
    };
    expect(kinds(theirs.stdout)).toHaveLength(7);
    expect(kinds(mine.stdout)).toEqual(kinds(theirs.stdout));
    const [there, here] = await Promise.all(
      ['verified-there', 'verified-here'].map(group => ours('kafka-consumer-groups', '--describe', '--group', group)),
    );
    expect(there!.stdout.match(/ 5 +5 +0 /g)).toHaveLength(12);
    expect(here!.stdout.replaceAll('-here ', '-there')).toBe(there!.stdout);
  });

  test('kafka-streams-application-reset shows the same, and resets', async () => {
    await ours('kafka-topics', '--create', '--topic', 'app-store-changelog', '--replica-assignment', '0');
    await ours('kafka-topics', '--create', '--topic', 'through', '--replica-assignment', '1');
    const args = ['--application-id', 'app', '--input-topics', 'orders', '--intermediate-topics', 'through'];
    const both = (...more: string[]) =>
      Promise.all([
        apache('3.9', `${TOOLS}.StreamsResetter`, ...args, ...more),
        ours('kafka-streams-application-reset', ...args, ...more),
      ]);
    const [theirs, mine] = await both('--to-offset', '3', '--dry-run');
    expect(theirs.stdout).toContain('Deleting inferred internal topics [app-store-changelog]');
    expect(theirs.stdout).toContain('Topic: orders Partition: 11 Offset: 3');
    // Apache's tool has partitions in the order of a hash map.
    expect(inOrder(mine.stdout)).toEqual(inOrder(theirs.stdout));
    await apache('3.9', `${TOOLS}.StreamsResetter`, ...args, '--to-offset', '3');
    const described = await ours('kafka-consumer-groups', '--describe', '--group', 'app');
    expect(described.stdout.match(/^app +orders +\d+ +3 +5 +2 /gm)).toHaveLength(12);
    expect((await ours('kafka-topics', '--list')).stdout).not.toContain('app-store-changelog');
  });
});

describe.skipIf(absenceOf('2.8') !== null)(whereAbsent('2.8', 'kafka-consumer-groups of Apache Kafka 2.8'), () => {
  // What 3.9 forgot since: the ends of rows, and the topics of what members are assigned.
  test.each([
    '--describe --group busy --members --verbose',
    '--reset-offsets --group idle --to-latest --topic orders:1,5 --dry-run',
    '--reset-offsets --group idle --shift-by -1 --all-topics --dry-run',
  ])('%s says the same', async line => {
    const args = line.split(' ');
    const [theirs, mine] = await Promise.all([
      apache('2.8', 'kafka.admin.ConsumerGroupCommand', ...args),
      ours('kafka-consumer-groups', ...args),
    ]);
    expect(theirs.stdout).toContain('orders');
    expect(inOrder(mine.stdout)).toEqual(inOrder(theirs.stdout));
  });
});
