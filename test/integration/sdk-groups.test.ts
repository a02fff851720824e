import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAdmin, createConsumer, createProducer, type Consumer, type Producer } from '../../client/index.ts';
import { coordinatorPartition } from '../../shared/topics/coordinator-partition.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { waitFor } from '../support/wait.ts';

/** The SDK's consumers in groups on three real brokers, in both dialects and by every way of sharing out; and the console consumer. */

const PARTITIONS = 6;
const OFFSETS_PARTITIONS = 5;
const CONSOLE_CONSUMER = join(import.meta.dirname, '../../bin/kafka-console-consumer');

let cluster: Cluster;
let producer: Producer;
const members: Member[] = [];

beforeAll(async () => {
  cluster = await startCluster({
    properties: {
      'offsets.topic.replication.factor': '3',
      'offsets.topic.num.partitions': String(OFFSETS_PARTITIONS),
      'group.min.session.timeout.ms': '1000',
      'group.initial.rebalance.delay.ms': '100',
    },
  });
  producer = createProducer({ 'bootstrap.servers': cluster.bootstrap });
}, 60_000);

afterAll(async () => {
  await Promise.all(members.map(member => member.stop()));
  await producer.close();
  await cluster.stop();
});

async function createTopic(topic: string): Promise<void> {
  const admin = createAdmin({ 'bootstrap.servers': cluster.bootstrap });
  await admin.createTopics([{ name: topic, partitions: PARTITIONS, replicationFactor: 3 }]);
  admin.close();
}

async function produce(topic: string, from: number, to: number): Promise<void> {
  const numbers = Array.from({ length: to - from }, (_, i) => from + i);
  await Promise.all(numbers.map(n => producer.send({ topic, partition: n % PARTITIONS, value: String(n) })));
}

/** A consumer that polls until it is stopped, and notes what it reads and what its group does to it. */
class Member {
  readonly #consumer: Consumer;
  readonly #seen: string[];
  readonly #loop: Promise<void>;
  #isRunning = true;

  constructor(topics: string[] | RegExp, group: string, seen: string[], settings: Record<string, unknown> = {}) {
    this.#seen = seen;
    this.#consumer = createConsumer({
      'bootstrap.servers': cluster.bootstrap,
      'group.id': group,
      'auto.offset.reset': 'earliest',
      'session.timeout.ms': 3000,
      'heartbeat.interval.ms': 200,
      'auto.commit.interval.ms': 200,
      'metadata.max.age.ms': 1000,
      ...settings,
    });
    this.#consumer.subscribe(topics);
    this.#loop = this.#run();
    members.push(this);
  }

  get partitions(): number[] {
    return this.#consumer.assignment().map(({ partition }) => partition);
  }

  async #run(): Promise<void> {
    while (this.#isRunning) {
      for (const { value } of await this.#consumer.poll(300)) this.#seen.push(value!.toString());
    }
  }

  async stop(): Promise<void> {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    await this.#loop;
    await this.#consumer.close();
  }
}

/** Resolves when the members have all partitions between them, in shares of these sizes. */
async function shared(group: readonly Member[], sizes: readonly number[]): Promise<void> {
  await waitFor(`shares of ${sizes.join()}`, () => {
    const all = group.flatMap(({ partitions }) => partitions);
    const found = group.map(({ partitions }) => partitions.length).sort();
    return new Set(all).size === PARTITIONS && all.length === PARTITIONS && found.join() === [...sizes].sort().join();
  });
}

const sorted = (values: readonly string[]) => [...values].sort((a, b) => Number(a) - Number(b));
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => String(from + i));

describe.each(['http2', 'kafka'])('members that speak %s', dialect => {
  test.each(['range', 'roundrobin', 'sticky', 'cooperative-sticky'])(
    'share by %s as they come and go, and each record is read once',
    async strategy => {
      const topic = `${dialect}-${strategy}`;
      await createTopic(topic);
      const seen: string[] = [];
      const settings = { 'samsa.dialect': dialect, 'partition.assignment.strategy': strategy };
      const join = () => new Member([topic], topic, seen, settings);
      const a = join();
      await shared([a], [6]);
      await produce(topic, 0, 300);
      const b = join();
      await shared([a, b], [3, 3]);
      await produce(topic, 300, 600);
      const c = join();
      await shared([a, b, c], [2, 2, 2]);
      await produce(topic, 600, 900);
      await a.stop();
      await shared([b, c], [3, 3]);
      await produce(topic, 900, 1200);
      await waitFor('everything to be seen', () => seen.length >= 1200);
      await Promise.all([b.stop(), c.stop()]);
      expect(sorted(seen)).toEqual(numbers(0, 1200));
    },
  );
});

test('a pattern brings topics that come later', async () => {
  const seen: string[] = [];
  await createTopic('later-1');
  const member = new Member(/later-.*/, 'by-pattern', seen);
  await waitFor('the first topic', () => member.partitions.length === PARTITIONS);
  await createTopic('later-2');
  await waitFor('the second topic', () => member.partitions.length === 2 * PARTITIONS);
  await produce('later-2', 0, 30);
  await waitFor('its records', () => seen.length === 30);
  await member.stop();
});

test('a group goes on when its coordinator is killed, and repeats nothing that was committed', async () => {
  const topic = 'survivors';
  await createTopic(topic);
  const seen: string[] = [];
  const group = [new Member([topic], topic, seen), new Member([topic], topic, seen)];
  await shared(group, [3, 3]);
  await produce(topic, 0, 300);
  await waitFor('everything to be seen', () => seen.length === 300);
  const reader = createConsumer({ 'bootstrap.servers': cluster.bootstrap, 'group.id': topic });
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }));
  const committed = async () =>
    (await reader.committed(partitions)).reduce((sum, found) => sum + (found?.offset ?? 0), 0);
  await waitFor('all to be committed', async () => (await committed()) === 300);
  const coordinator = await coordinatorOf(topic);
  await cluster.brokers[coordinator]!.kill();
  await produce(topic, 300, 600);
  await waitFor('the rest to be seen', () => new Set(seen).size === 600);
  expect(seen.slice(300).filter(value => Number(value) < 300)).toEqual([]);
  await cluster.brokers[coordinator]!.start();
  await Promise.all(group.map(member => member.stop()));
  await reader.close();
});

async function coordinatorOf(group: string): Promise<number> {
  const admin = createAdmin({ 'bootstrap.servers': cluster.bootstrap });
  const { partitions } = await admin.describeTopic('__consumer_offsets');
  admin.close();
  return partitions[coordinatorPartition(group, OFFSETS_PARTITIONS)]!.leader;
}

test('two console consumers of a group share a topic; a third one goes on where they have ended', async () => {
  const topic = 'on-the-console';
  await createTopic(topic);
  const args = ['--bootstrap-server', cluster.bootstrap, '--topic', topic, '--group', 'console', '--from-beginning'];
  const fast = ['session.timeout.ms=3000', 'heartbeat.interval.ms=200', 'auto.commit.interval.ms=200'];
  const start = (...more: string[]) => {
    const child = spawn('setpriv', [
      ...['--pdeathsig', 'KILL', '--', CONSOLE_CONSUMER, ...args, ...more],
      ...fast.flatMap(setting => ['--consumer-property', setting]),
    ]);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const ended = new Promise<number | null>(resolve => child.once('exit', resolve));
    return { child, ended, lines: () => output.split('\n').filter(line => line !== '') };
  };
  const pair = [start(), start()];
  await produce(topic, 0, 600);
  await waitFor('everything to be seen', () => pair.flatMap(one => one.lines()).length >= 600);
  for (const { child } of pair) child.kill('SIGTERM');
  expect(await Promise.all(pair.map(({ ended }) => ended))).toEqual([0, 0]);
  expect(sorted([...new Set(pair.flatMap(one => one.lines()))])).toEqual(numbers(0, 600));
  await produce(topic, 600, 700);
  const third = start('--max-messages', '100');
  expect(await third.ended).toBe(0);
  expect(sorted(third.lines())).toEqual(numbers(600, 700));
});
